// What can be done with the page by name and by key: one table. The keyboard, the sheet of keys and the command box are all made
// from it, so that none of them can say what another does not do.

import { STATE_LABELS } from "../base/words.mjs";
import { STATES } from "../state/conditions.mjs";

const SORT_LABELS = { activity: "last activity", wait: "longest wait", state: "time in state", duration: "duration", transfers: "number of transfers" };
const GROUP_LABELS = { state: "Group by state", queue: "Group by queue", none: "No groups" };

/** The groups, in the order in which the sheet shows them. */
export const GROUPS = ["Find", "Time", "Page", "Take away", "Rows", "Journey"];

/**
 * The table for a page. Each command is `{name, title, group, keys, act}` and may have
 * - `when(page)`: whether it can be done now, `page` being the place that is shown (always, if there is none);
 * - `said`: the keys as the sheet writes them, where they are not simply its keys;
 * - `browser`: the keys are the browser's own and only told of here;
 * - `listed: false`: it is not offered in the command box (moving the focus by a row makes no sense from there);
 * - `there: false`: the page has no such part, and so no such command.
 * `act(event)` gets the key's event, or null from the command box; what answers false leaves the key to the browser.
 * Two commands may have the same key where they can never both be done on one page.
 * Keys are written as `keys.mjs` names them: `w`, `Shift+a`, `Ctrl+k`, `ArrowLeft`.
 */
export function makeCommands(parts) {
  const all = [...find(parts), ...time(parts), ...rows(parts), ...choices(parts), ...takeAway(parts), ...journeyPage(parts), ...page(parts)];
  return all.filter(({ there }) => there !== false).map(Object.freeze);
}

const onWall = (page) => page === "wall";
const press = (id) => () => document.getElementById(id)?.click();
const there = (id) => Boolean(document.getElementById(id)?.checkVisibility({ visibilityProperty: true }));

function find({ dialogs, wall, leave }) {
  const search = () => {
    const field = document.getElementById("filter-customer");
    field.focus();
    field.select();
  };
  return [
    { name: "search", title: "Search", group: "Find", keys: ["/", "Ctrl+b"], when: onWall, act: search },
    {
      name: "commands", title: "Commands, customers and rows", group: "Find", keys: ["Ctrl+k"], listed: false,
      act: () => dialogs.commands("all"),
    },
    {
      name: "commands-only", title: "Commands only", group: "Find", keys: ["Ctrl+Shift+p", ">"], listed: false,
      act: () => dialogs.commands("commands"),
    },
    { name: "customer", title: "Jump to a customer or row", group: "Find", keys: ["Ctrl+p"], act: () => dialogs.commands("customers") },
    {
      name: "clear-filters", title: "Clear filters", group: "Find", keys: [], when: (at) => onWall(at) && wall.filtered,
      act: press("filters-clear"),
    },
    { name: "leave", title: "Close what is open, clear selection or search", group: "Find", keys: ["Escape"], listed: false, act: leave },
  ];
}

function time({ wall, cursor }) {
  const zoom = (factor) => () => (cursor.pointerX() === undefined ? wall.zoom(factor) : wall.zoomAt(factor, cursor.pointerX()));
  const pan = (part) => () => wall.panPart(part);
  const timeCommand = (name, title, keys, act, more) => ({ name, title, group: "Time", keys, when: onWall, act, ...more });
  const live = () => (wall.paused || !wall.time.following ? wall.live() : wall.setPaused(true));
  return [
    timeCommand("zoom-in", "Zoom in, at the pointer", ["w", "+", "="], zoom(0.75), { said: ["w", "+"] }),
    timeCommand("zoom-out", "Zoom out", ["s", "-"], zoom(1 / 0.75)),
    timeCommand("earlier", "Earlier", ["a", "ArrowLeft"], pan(-0.1)),
    timeCommand("later", "Later", ["d", "ArrowRight"], pan(0.1)),
    timeCommand("earlier-fast", "Earlier, fast", ["Shift+a", "Shift+ArrowLeft"], pan(-0.5)),
    timeCommand("later-fast", "Later, fast", ["Shift+d", "Shift+ArrowRight"], pan(0.5)),
    timeCommand("centre", "Centre the selection, again: fit it", ["f"], () => cursor.centre()),
    timeCommand("fit", "Fit the rows shown", [], () => wall.fit()),
    timeCommand("mark", "Mark the selection's time across all rows", ["m"], () => cursor.mark()),
    timeCommand("range", "Make the selection the window of time", ["r"], () => cursor.fit()),
    timeCommand("pause", "Pause, or go on", [" "], () => wall.setPaused(!wall.paused)),
    timeCommand("live", "Back to live; pause if it is", ["l"], live),
  ];
}

function rows({ wall, cursor, has }) {
  const rowCommand = (name, title, keys, act, more) => ({ name, title, group: "Rows", keys, when: onWall, act, listed: false, ...more });
  return [
    rowCommand("row-up", "Previous row", ["ArrowUp"], () => wall.step(-1)),
    rowCommand("row-down", "Next row", ["ArrowDown"], () => wall.step(1)),
    rowCommand("page-up", "A page up", ["PageUp"], () => wall.step(-20)),
    rowCommand("page-down", "A page down", ["PageDown"], () => wall.step(20)),
    rowCommand("first-row", "First row", ["Home"], () => wall.step(-Infinity), { listed: true }),
    rowCommand("last-row", "Last row", ["End"], () => wall.step(Infinity), { listed: true }),
    rowCommand("previous-segment", "Previous segment in the row", [","], () => cursor.step(-1)),
    rowCommand("next-segment", "Next segment in the row", ["."], () => cursor.step(1)),
    rowCommand("select", "Select the row: all about it in the drawer", ["Enter"], null, { browser: true }),
    rowCommand("drawer", "Drawer, and back", ["q"], () => wall.selection.toggle(), { listed: true }),
    rowCommand("expand", "Expand the row to a track a channel", ["o"], () => cursor.expand(true), { there: has("tracks") }),
    rowCommand("collapse", "Collapse the row", ["p"], () => cursor.expand(false), { there: has("tracks") }),
    rowCommand("expand-all", "Expand all rows", ["["], () => cursor.expandAll(true), { listed: true, there: has("tracks") }),
    rowCommand("collapse-all", "Collapse all rows", ["]"], () => cursor.expandAll(false), { listed: true, there: has("tracks") }),
    rowCommand("pin", "Pin the row to the top, or let it go", [], () => cursor.pinRow(), { listed: true, there: has("tracks") }),
  ];
}

/** What else is a matter of choosing one of a few: only in the command box. */
function choices({ choose, has }) {
  const choice = (name, title, part, there) => ({ name, title, group: "Rows", keys: [], when: onWall, act: () => choose(part), there });
  return [
    ...Object.entries(SORT_LABELS).map(([sort, label]) => choice(`sort-${sort}`, `Sort by ${label}`, { sort })),
    ...Object.entries(GROUP_LABELS).map(([group, label]) => choice(`group-${group}`, label, { group: group === "none" ? null : group }, has("tracks"))),
    ...Object.entries(STATE_LABELS).filter(([state]) => STATES.includes(state)).map(([state, label]) =>
      choice(`only-${state.toLowerCase()}`, `Show only journeys in state ${label}`, { filters: { states: [state] } })),
  ];
}

function takeAway({ has }) {
  const command = (name, title, keys, act, more) => ({ name, title, group: "Take away", keys, when: onWall, act, ...more });
  const menu = has("export-menu");
  return [
    command("export", "Export", menu ? ["e"] : [], press("export-menu"), { there: menu }),
    command("export-png", "Export a picture (PNG) of all matching rows", menu ? [] : ["e"], press("export-png")),
    command("export-svg", "Export a scalable picture (SVG)", [], press("export-svg")),
    command("export-csv", "Export the data (CSV)", [], press("export-csv")),
    command("share", "Copy the address of this view", ["u"], press("share"), { when: undefined, there: has("share") }),
    command("views", "Saved views", [], press("views-menu"), { there: has("views-menu") }),
  ];
}

/** On a journey's own page. What has a scroll of its own keeps the arrows. */
function journeyPage({ journey }) {
  const command = (name, title, keys, act, more) => ({ name, title, group: "Journey", keys, when: (at) => at === "journey", act, ...more });
  const move = (name) => (event) => {
    if (event?.key.startsWith("Arrow") && event.target.closest?.(".list-scroll, .compared-picture, pre")) return false;
    return journey[name]();
  };
  return [
    command("journey-in", "Closer, on the journey's chart", ["w", "+", "="], move("in"), { said: ["w", "+"] }),
    command("journey-out", "Wider, on the journey's chart", ["s", "-"], move("out")),
    command("journey-back", "Earlier, on the journey's chart", ["a", "ArrowLeft"], move("back")),
    command("journey-on", "Later, on the journey's chart", ["d", "ArrowRight"], move("on")),
    command("journey-fit", "The whole journey", ["f"], move("fit")),
    command("journey-unfold", "Unfold all idle stretches, or fold them", ["o"], move("unfold")),
    command("journey-previous", "The customer's contact before", ["["], move("previous")),
    command("journey-next", "The customer's contact after", ["]"], move("next")),
    command("journey-compare", "Compare with the contact before", ["c"], move("compare")),
  ];
}

function page({ router, dialogs, keys }) {
  const command = (name, title, pressed, act, more) => ({ name, title, group: "Page", keys: pressed, act, ...more });
  return [
    command("table", "Rows as a table", ["t"], press("table-toggle"), { when: onWall }),
    command("operations", "Operations view, and back", ["h"], () => (router.page === "operations" ? router.back() : router.go("/operations"))),
    command("wall", "All journeys", [], () => router.go("/"), { when: (at) => at !== "wall" }),
    command("theme", "Theme: system, light or dark", [], press("theme"), { when: () => there("theme") }),
    command("letters", "Single-character keys on or off", [], () => keys.toggle()),
    command("help", "Keys", ["?"], () => dialogs.sheet()),
  ];
}
