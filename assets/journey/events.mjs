// The events of a journey: every one, filtered by type, with its raw JSON in place. What is open, filtered and scrolled stays through
// every update.

import { clockTime, shortDay } from "../base/times.mjs";
import { channelLabel, channelToken } from "../base/words.mjs";

const STEP = 300;
const KNOWN = new Set(["interactionId", "channelType"]);
const COLUMNS = ["Time", "Type", "Channel", "Interaction", "Details", "Raw"];

export class EventList {
  #root;
  #journey = null;
  #events = [];
  #total = 0;
  #types = new Set();
  #open = new Set();
  #newest = false;
  #limit = STEP;
  #rows = new Map();
  #names = {};
  #parts = null;

  constructor(root) {
    this.#root = root;
  }
  /** `data`: `journey`, `total`, the latest of its `events`, in order, and the `names` of ids in them; null for none. */
  take(data) {
    const names = data?.names ?? {};
    const renamed = Object.keys(names).some((id) => names[id] !== this.#names[id]);
    this.#names = names;
    if (data?.journey !== this.#journey || renamed) {
      for (const row of this.#rows.values()) row.remove();
      this.#rows.clear();
    }
    if (data?.journey !== this.#journey) {
      this.#journey = data?.journey ?? null;
      this.#types.clear();
      this.#open.clear();
      this.#limit = STEP;
    }
    this.#events = (data?.events ?? []).map((event) => ({ ...event, key: `${event.interaction_id} ${event.event_id}` }));
    this.#total = data?.total ?? 0;
    this.#root.hidden = !this.#events.length;
    if (this.#events.length) this.#draw();
  }

  #draw() {
    this.#parts ??= this.#build();
    const { count, note, order, body, more } = this.#parts;
    count.textContent = this.#total.toLocaleString("en");
    const left = this.#total - this.#events.length;
    note.textContent = left ? `The latest ${this.#events.length.toLocaleString("en")}; all are in the exported JSON.` : "";
    order.textContent = this.#newest ? "Newest first" : "Oldest first";
    this.#drawTypes();
    const chosen = this.#events.filter((event) => !this.#types.size || this.#types.has(event.type));
    if (this.#newest) chosen.reverse();
    const shown = chosen.slice(0, this.#limit);
    const wanted = new Set(shown.map((event) => event.key));
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    shown.forEach((event, place) => {
      if (!this.#rows.has(event.key)) this.#rows.set(event.key, this.#row(event));
      const row = this.#rows.get(event.key);
      if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
    });
    more.hidden = chosen.length <= shown.length;
    more.textContent = `Show ${Math.min(STEP, chosen.length - shown.length)} more of ${chosen.length - shown.length}`;
  }
  #build() {
    const title = make("h2", "", "Events");
    const count = make("span", "list-count");
    title.append(count);
    const types = make("div", "event-types");
    types.setAttribute("role", "group");
    types.setAttribute("aria-label", "Types of events shown");
    const order = button("button event-order", "", () => {
      this.#newest = !this.#newest;
      this.#draw();
    });
    order.title = "Turn the order round";
    const bar = make("div", "event-bar");
    bar.append(title, types, order);
    const note = make("p", "list-note");
    const grid = make("div", "event-grid");
    grid.setAttribute("role", "table");
    grid.setAttribute("aria-label", "Events");
    const head = make("div", "event-row event-head");
    head.setAttribute("role", "row");
    for (const name of COLUMNS) head.append(cell("columnheader", name));
    const body = make("div", "event-body");
    body.setAttribute("role", "rowgroup");
    grid.append(head, body);
    const more = button("button event-more", "", () => {
      this.#limit += STEP;
      this.#draw();
    });
    this.#root.append(bar, note, grid, more);
    return { count, note, order, types, body, more };
  }
  #drawTypes() {
    const counts = new Map();
    for (const { type } of this.#events) counts.set(type, (counts.get(type) ?? 0) + 1);
    const { types } = this.#parts;
    const present = new Map([...types.children].map((chip) => [chip.dataset.type, chip]));
    for (const [type, chip] of present) if (!counts.has(type)) chip.remove();
    for (const [type, count] of [...counts].sort()) {
      const chip = present.get(type) ?? this.#chip(type);
      chip.textContent = `${type} ${count.toLocaleString("en")}`;
      chip.setAttribute("aria-pressed", String(this.#types.has(type)));
      if (!present.has(type)) types.append(chip);
    }
  }
  #chip(type) {
    const chip = button("event-type", "", () => {
      if (!this.#types.delete(type)) this.#types.add(type);
      this.#limit = STEP;
      this.#draw();
    });
    chip.dataset.type = type;
    return chip;
  }

  #row(event) {
    const row = make("div", "event");
    const line = make("div", "event-row");
    line.setAttribute("role", "row");
    const time = document.createElement("time");
    time.dateTime = new Date(event.timestamp).toISOString();
    time.title = `${time.dateTime} (UTC)`;
    time.textContent = `${shortDay(event.timestamp)}, ${clockTime(event.timestamp)}.${String(event.timestamp % 1000).padStart(3, "0")}`;
    const badge = make("span", "channel-badge", channelLabel(event.channel));
    badge.style.setProperty("--swatch", `var(--channel-${channelToken(event.channel)})`);
    const raw = parse(event.raw);
    const toggle = button("button event-json", "JSON", () => this.#toggle(event, row, toggle));
    toggle.setAttribute("aria-expanded", "false");
    toggle.title = `The event as it was received: ${event.event_id}`;
    line.append(
      cell("cell", time), cell("cell", event.type), cell("cell", badge), cell("cell", make("code", "", event.interaction_id)),
      cell("cell", details(raw, this.#names)), cell("cell", toggle),
    );
    row.append(line);
    if (this.#open.has(event.key)) this.#unfold(event, row, toggle);
    return row;
  }
  #toggle(event, row, toggle) {
    if (this.#open.delete(event.key)) {
      toggle.setAttribute("aria-expanded", "false");
      row.lastElementChild.remove();
      return;
    }
    this.#open.add(event.key);
    this.#unfold(event, row, toggle);
  }
  #unfold(event, row, toggle) {
    toggle.setAttribute("aria-expanded", "true");
    const place = make("div", "event-raw");
    const raw = parse(event.raw);
    const text = make("pre", "", raw === undefined ? event.raw : JSON.stringify(raw, null, 2));
    text.tabIndex = 0;
    const copy = button("button event-copy", "Copy", async () => {
      copy.textContent = (await copied(event.raw, text)) ? "Copied" : "Select and copy";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
    place.append(copy, text);
    row.append(place);
  }
}

/** Puts a text into the clipboard; where that is not allowed the text in `shown` is selected instead. */
async function copied(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(shown);
    return false;
  }
}

function details(raw, names) {
  const place = make("span", "attributes");
  for (const [name, value] of Object.entries(raw?.payload ?? {})) {
    if (KNOWN.has(name) || value === null || value === "") continue;
    const pair = make("span", "");
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    pair.append(make("span", "attribute", name), ` ${text}`);
    if (Object.hasOwn(names, text)) pair.append(" ", make("span", "attribute-name", names[text]));
    place.append(pair);
  }
  return place;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function make(name, className, text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function button(className, text, pressed) {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", pressed);
  return element;
}

function cell(role, content) {
  const element = make("div", "event-cell");
  element.setAttribute("role", role);
  element.append(content);
  return element;
}
