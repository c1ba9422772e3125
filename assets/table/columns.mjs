// The table's columns: what each says of a journey, how wide it is, by what the server can sort it.

import { dayAndTime, length, moment } from "../base/times.mjs";
import { channelLabel, directionLabel, flagLabel, shortName, STATE_LABELS } from "../base/words.mjs";
import { ChannelsCell, CustomerCell, StateCell } from "./cells.mjs";
import { ColumnFilter } from "./columnfilters.mjs";
import { waited } from "./listing.mjs";

/** The columns that change as time passes. */
export const TICKING = ["since", "longest-wait", "total-wait", "started", "activity"];

/** What stands on a narrow screen unless somebody chooses otherwise. */
const NARROW_PX = 124;
const NARROW = new Set(["customer", "state", "since"]);

const distinct = (values) => [...new Set(values.filter(Boolean))];
const lately = (row, field) => distinct(row.latest.map((one) => one[field]));
const SEVERAL = "Not sortable: a journey has several";
const some = (ms) => (ms > 0 ? length(ms) : "");

/**
 * `sort` is the server's name of the order (docs/architecture.md), `first` its direction without a `-`. `filter` names the
 * condition that the column's filter sets. `unsorted` says why there is no order.
 */
export const COLUMNS = [
  { id: "customer", label: "Customer", width: 156, sort: "customer", first: "asc", filter: "customer", text: (row) => row.customer, cell: CustomerCell },
  { id: "state", label: "State", width: 122, sort: "state-order", first: "asc", filter: "states", text: (row) => STATE_LABELS[row.state] ?? row.state, cell: StateCell },
  { id: "since", label: "In state", about: "Time in this state", width: 96, sort: "state", first: "desc", text: (row, now) => length(now - row.since), number: true },
  { id: "activity", label: "Last activity", width: 106, sort: "activity", first: "desc", text: (row, now) => moment(row.last, now), title: (row) => dayAndTime(row.last), number: true },
  { id: "channels", label: "Channels", width: 150, sort: "channels", first: "desc", filter: "channels", text: (row) => row.channels.map(channelLabel).join(", "), cell: ChannelsCell, about: "Sorted by how many" },
  { id: "queue", label: "Queue", width: 128, sort: "queue", first: "asc", filter: "queues", text: (row) => lately(row, "queue").map(shortName).join(", "), title: (row) => lately(row, "queue").join(", "), about: "The latest first" },
  { id: "agent", label: "Agent", width: 134, filter: "agents", text: (row) => lately(row, "agent").map(shortName).join(", "), title: (row) => lately(row, "agent").join(", "), about: "The latest first", unsorted: SEVERAL },
  { id: "longest-wait", label: "Longest wait", width: 118, sort: "wait", first: "desc", text: longestWait, number: true, about: "Sorted: who waits now first, the longest first, then who has waited longest" },
  { id: "total-wait", label: "All waits", width: 92, text: (row, now) => some(waited(row, now).total), number: true, about: "All waits together", unsorted: "Not sortable: the order would change as time passes" },
  { id: "duration", label: "Duration", width: 104, sort: "duration", first: "desc", filter: "minDuration", text: (row) => length(row.last - row.start), number: true, about: "From the start to the last activity" },
  { id: "started", label: "Started", width: 92, sort: "started", first: "desc", text: (row, now) => moment(row.start, now), title: (row) => dayAndTime(row.start), number: true },
  { id: "transfers", label: "Transfers", width: 92, sort: "transfers", first: "desc", filter: "minTransfers", text: (row) => String(row.transferCount), number: true },
  { id: "interactions", label: "Interactions", width: 100, sort: "interactions", first: "desc", text: (row) => String(row.count), number: true },
  { id: "disposition", label: "Outcome", width: 140, filter: "dispositions", text: (row) => lately(row, "disposition").map(shortName).join(", "), title: (row) => lately(row, "disposition").join(", "), about: "The latest first", unsorted: SEVERAL },
  { id: "flags", label: "Flags", width: 150, filter: "flags", text: (row) => row.flags.map(flagLabel).join(", "), unsorted: SEVERAL },
  { id: "direction", label: "Direction", width: 104, filter: "directions", text: (row) => distinct(row.directions).map(directionLabel).join(", "), unsorted: SEVERAL },
  { id: "events", label: "Events", width: 76, sort: "events", first: "desc", text: (row) => String(row.events), number: true },
  { id: "journey", label: "Journey id", width: 210, text: (row) => row.id, hidden: true, unsorted: "Not sortable: an id has no meaning" },
];

function longestWait(row, now) {
  const { longest } = waited(row, now);
  if (row.waitingSince !== null && longest === Math.max(0, now - row.waitingSince)) return `${length(longest)}, now`;
  return some(longest);
}

/** The grid's definitions. `page` offers `now` and all that filters need; `narrow` whether the screen is. */
export function definitions(page, narrow) {
  return COLUMNS.map((column) => ({
    colId: column.id,
    headerName: column.label,
    headerTooltip: [column.about, column.unsorted].filter(Boolean).join(". ") || undefined,
    initialWidth: narrow ? Math.min(column.width, NARROW_PX) : column.width,
    // A narrow screen is filled; where more is chosen than fits, it scrolls.
    initialFlex: narrow && column.id !== "customer" ? 1 : undefined,
    minWidth: narrow ? 100 : 64,
    initialHide: narrow ? !NARROW.has(column.id) : column.hidden === true,
    initialPinned: column.id === "customer" ? "left" : null,
    cellAriaRole: column.id === "customer" ? "rowheader" : undefined,
    cellClass: column.number ? "twin-number" : undefined,
    headerClass: column.number ? "twin-number" : undefined,
    sortable: Boolean(column.sort),
    sortingOrder: column.first === "asc" ? ["asc", "desc"] : ["desc", "asc"],
    valueGetter: ({ data }) => (data ? column.text(data, page.now) : ""),
    tooltipValueGetter: ({ data, value }) => (data && column.title ? column.title(data) : value),
    cellRenderer: column.cell,
    filter: column.filter ? "agTextColumnFilter" : undefined,
    floatingFilter: true,
    floatingFilterComponent: column.filter ? ColumnFilter : undefined,
    // A function: the grid copies plain objects, and would read them once and for all.
    floatingFilterComponentParams: column.filter ? { wanted: () => [page, column] } : undefined,
  }));
}

/** What the server is to sort by for the grid's sort model; the wall's default without one. */
export function sortFrom(model) {
  const [{ colId, sort } = {}] = model;
  const column = COLUMNS.find(({ id }) => id === colId);
  if (!column?.sort) return "activity";
  return sort === column.first ? column.sort : `-${column.sort}`;
}

/** The column and direction that stand for an order of the server. */
export function columnOf(sort) {
  const turned = sort.startsWith("-");
  const column = COLUMNS.find((one) => one.sort === sort.slice(turned ? 1 : 0));
  if (!column) return null;
  const other = column.first === "asc" ? "desc" : "asc";
  return { colId: column.id, sort: turned ? other : column.first };
}
