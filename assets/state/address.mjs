// The address: everything deliberate that an analyst did, as one frozen value, and the only place that knows how it is
// written into the URL. Names of conditions are those of /api/v1/journeys and /export.

import { LONGEST_SPAN, SHORTEST_SPAN } from "../base/scale.mjs";
import { looksPersonal, readLength, readMoment, writeLength, writeMoment } from "../base/spelling.mjs";
import { NO_FILTERS, readFilters, tidyFilters, writeFilters } from "./conditions.mjs";

export const DEFAULT_SPAN = 30 * 60 * 1000;
/** What rows are sorted by (view/sorting.py); with a minus before it, the other way round. */
export const SORTS = [
  "activity", "wait", "state", "duration", "transfers", "started", "customer", "state-order", "queue", "channels", "interactions", "events",
];
export const GROUPS = ["state", "queue"];
const MOST_IDS = 100;
const SETTLE_MS = 300;
const JOURNEY = /^\/journey\/([^/]+)$/;
const OPERATIONS = "/operations";
/** Ids that Journeymap makes: a hash, of which nobody can read anything. */
const OPAQUE = /^j-[0-9a-f]{6,40}$/;

export const START = frozen({
  page: "wall", id: null, filters: NO_FILTERS, sort: "activity", group: null, window: { live: true, span: DEFAULT_SPAN },
  selected: null, expanded: [], pinned: [], table: false, display: null,
});

export class Address {
  #state;
  #listeners = [];
  #timer = 0;

  constructor() {
    this.#state = read(location, history.state?.journeymap);
    // Whoever was sent a phone number in a link shall not pass it on.
    if (this.#state.page === "wall" && this.url() !== location.pathname + location.search) this.#replace();
    window.addEventListener("popstate", (event) => {
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#become(read(location, event.state?.journeymap));
    });
    window.addEventListener("pagehide", () => this.#settle());
  }
  get state() {
    return this.#state;
  }
  /**
   * Changes a part of the state; of `filters` only the conditions given. `entry` makes an entry in the history; without
   * it the present one is replaced, a moment later where this goes on (a window that is dragged).
   */
  change(part, { entry = true } = {}) {
    const next = tidy({ ...this.#state, ...part, filters: { ...this.#state.filters, ...part.filters } });
    if (same(next, this.#state)) return;
    if (entry) {
      this.#settle();
      history.pushState({ journeymap: next }, "", this.url(next));
    } else {
      this.#timer ||= setTimeout(() => this.#settle(), SETTLE_MS);
    }
    this.#become(next);
  }
  /** Goes to a path of ours, as a link names it. The wall stays as it was unless the link says otherwise. */
  follow(path, search = "") {
    const place = readPath(path);
    if (place.page === "wall" && search) this.change({ ...readQuery(search), ...place });
    else this.change(place);
  }
  /** `listener(state, previous)` hears of each change, of Back and of Forward. */
  onChange(listener) {
    this.#listeners.push(listener);
  }
  /** The path and query of `state`; what looks like a phone number or an e-mail address is left out. */
  url(state = this.#state) {
    if (state.page === "journey") return `/journey/${encodeURIComponent(state.id)}`;
    if (state.page === "operations") return OPERATIONS;
    // A query may hold colons and slashes as they are: times stay readable.
    const query = writeQuery(state).toString().replaceAll("%3A", ":").replaceAll("%2F", "/");
    return query ? `/?${query}` : "/";
  }
  /** Whether the URL says less than the state, because it looks personal. */
  get reticent() {
    return !same(tidy({ ...this.#state, filters: shareable(this.#state.filters) }), this.#state);
  }

  /** Whether nothing was asked for yet. */
  get untouched() {
    return same(this.#state, START);
  }

  #settle() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#replace();
  }
  #replace() {
    history.replaceState({ journeymap: this.#state }, "", this.url());
  }
  #become(next) {
    const previous = this.#state;
    this.#state = next;
    for (const listener of this.#listeners) listener(next, previous);
  }
}

export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The conditions without what looks personal, as they may stand in a URL. */
export function shareable(filters) {
  const kept = Object.entries(filters).map(([name, value]) => [name, Array.isArray(value) ? value.filter((each) => !looksPersonal(each)) : typeof value === "string" && looksPersonal(value) ? "" : value]);
  return Object.fromEntries(kept);
}

function read(place, saved) {
  const where = readPath(place.pathname);
  if (saved && typeof saved === "object") return tidy({ ...START, ...saved, ...where });
  return tidy({ ...START, ...readQuery(place.search), ...where });
}

function readPath(path) {
  const match = JOURNEY.exec(path);
  if (match) return { page: "journey", id: decoded(match[1]) };
  return { page: path === OPERATIONS ? "operations" : "wall", id: null };
}

function readQuery(search) {
  const query = new URLSearchParams(search);
  const [from, to] = (query.get("window") ?? "").split("/").map(readMoment);
  const span = readLength(query.get("live"));
  return {
    filters: readFilters(query),
    sort: query.get("sort"), group: query.get("group"),
    window: from && to ? { live: false, from, to } : { live: true, span: span ?? DEFAULT_SPAN },
    selected: query.get("selected"), expanded: query.getAll("expanded"), pinned: query.getAll("pinned"),
    table: query.get("view") === "table", display: query.get("display"),
  };
}

function writeQuery(state) {
  const query = new URLSearchParams();
  writeFilters(query, shareable(state.filters));
  const { window: shown } = state;
  if (state.sort !== START.sort) query.set("sort", state.sort);
  if (state.group) query.set("group", state.group);
  if (!shown.live) query.set("window", `${writeMoment(shown.from)}/${writeMoment(shown.to)}`);
  else if (shown.span !== DEFAULT_SPAN) query.set("live", writeLength(Math.round(shown.span / 1000) * 1000));
  const ids = (list) => list.filter((id) => OPAQUE.test(id) || !looksPersonal(id));
  if (state.selected) for (const id of ids([state.selected])) query.set("selected", id);
  for (const id of ids(state.expanded)) query.append("expanded", id);
  for (const id of ids(state.pinned)) query.append("pinned", id);
  if (state.table) query.set("view", "table");
  if (state.display) query.set("display", state.display);
  return query;
}

/** The state with all that cannot be put right: whatever a URL, a saved view or a caller says. */
function tidy(state) {
  return frozen({
    page: state.page, id: state.id, filters: tidyFilters(state.filters),
    sort: SORTS.includes(state.sort?.replace(/^-/, "")) ? state.sort : START.sort,
    group: GROUPS.includes(state.group) ? state.group : null,
    window: tidyWindow(state.window),
    selected: typeof state.selected === "string" && state.selected ? state.selected : null,
    expanded: tidyIds(state.expanded), pinned: tidyIds(state.pinned),
    table: state.table === true, display: state.display === "wall" ? "wall" : null,
  });
}

function tidyWindow(shown) {
  const { live, span, from, to } = shown ?? {};
  if (live === false && Number.isFinite(from) && Number.isFinite(to) && to - from >= 1) return { live: false, from: Math.round(from), to: Math.round(to) };
  const wanted = Number.isFinite(span) ? span : DEFAULT_SPAN;
  return { live: true, span: Math.round(Math.min(LONGEST_SPAN, Math.max(SHORTEST_SPAN, wanted))) };
}

function tidyIds(ids) {
  return [...new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === "string" && id && id.length <= 200) : [])].slice(0, MOST_IDS);
}

function frozen(value) {
  if (value && typeof value === "object") for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The page's address: there is one location, so there is one of these. */
/** The ids with this one, or without it where it was among them. */
export function toggled(ids, id) {
  return ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id];
}

/** Where a journey's own page is. */
export function journeyPath(id) {
  return `/journey/${encodeURIComponent(id)}`;
}

export const address = new Address();
