// The facets: each value with the number of journeys that would match with it, to be ticked. Values keep their places while
// counts change; a value once seen stays, so that nothing moves under the pointer.

import { setText } from "../base/elements.mjs";
import { made } from "../base/menus.mjs";
import { channelLabel, channelToken, isId, shortName, STATE_LABELS } from "../base/words.mjs";
import { address } from "../state/address.mjs";
import { CHOICES, FLAGS, STATES } from "../state/conditions.mjs";

const CHANNELS = ["voice", "chat", "email", "message", "callback", "other"];
const SEARCH_FROM = 9;
export const FLAG_LABELS = {
  "waiting-long": "Waiting 5 min or more", abandoned: "Abandoned", "handed-over": "Handed over twice", reopened: "Reopened",
  "timed-out": "Timed out", "many-channels": "3 channels or more", anonymous: "Anonymous", large: "Very long",
};
/** What a value of a condition is called. */
export function valueLabel(facet, value) {
  if (facet === "channel") return channelLabel(value);
  if (facet === "state") return STATE_LABELS[value] ?? value;
  if (facet === "flag") return FLAG_LABELS[value] ?? value;
  return facet === "direction" ? value.charAt(0).toUpperCase() + value.slice(1) : shortName(value);
}
const FIXED = { channel: CHANNELS, state: STATES, flag: FLAGS };
const SWATCHES = { channel: (value) => `--channel-${channelToken(value)}`, state: (value) => `--state-${value.toLowerCase()}` };
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

class Facet {
  #name;
  #place;
  #list;
  #search;
  #rows = new Map();
  #counts = new Map();

  constructor(place, name) {
    this.#place = place;
    this.#name = name;
    const title = made("h3", { class: "facet-title" }, place.dataset.name);
    const sought = () => this.#show();
    this.#search = made("input", { class: "field facet-search", type: "search", placeholder: "Search within", "aria-label": `Search within ${place.dataset.name}`, maxlength: 100, hidden: true, oninput: sought });
    this.#list = made("div", { class: "facet-values" });
    place.append(title, this.#search, this.#list);
    for (const value of FIXED[name] ?? []) this.#row(value);
    this.#show();
  }

  /** Takes counts, `[[value, rows], …]`, and what is chosen. */
  take(counts, chosen) {
    if (counts) this.#counts = new Map(this.#name === "channel" ? together(counts) : counts);
    for (const value of [...this.#counts.keys(), ...chosen]) this.#row(value);
    // An id that has a name by now.
    if (counts) for (const value of this.#rows.keys()) if (isId(value) && !this.#counts.has(value) && !chosen.some((one) => same(one, value))) this.#drop(value);
    for (const [value, { box, number }] of this.#rows) {
      box.checked = chosen.some((one) => same(one, value));
      const count = this.#counts.get(value);
      setText(number, counts || this.#counts.size ? compact.format(count ?? 0) : "");
      box.closest("label").classList.toggle("none", !count && !box.checked);
    }
    this.#show();
  }

  /** The row of a value; a new one is put in its place by name. */
  #row(value) {
    const known = [...this.#rows.keys()].find((one) => same(one, value));
    if (known !== undefined) return;
    const label = valueLabel(this.#name, value);
    const swatch = SWATCHES[this.#name]?.(value);
    const box = made("input", { type: "checkbox", value, onchange: () => this.#choose() });
    const number = made("span", { class: "facet-count", "data-count": `filter-${this.#name}:${value}` });
    const row = made("label", { class: "facet-value", title: isId(value) ? value : label }, box);
    if (swatch) row.append(made("span", { class: "swatch", style: `--swatch: var(${swatch})`, "aria-hidden": "true" }));
    row.append(made("span", { class: "facet-name" }, label), number);
    const fixed = FIXED[this.#name];
    const later = fixed ? null : [...this.#rows].find(([, one]) => one.label.localeCompare(label) > 0);
    this.#list.insertBefore(row, later?.[1].row ?? null);
    // Kept in the order on the screen.
    const rows = [...this.#rows];
    rows.splice(later ? rows.indexOf(later) : rows.length, 0, [value, { row, box, number, label }]);
    this.#rows = new Map(rows);
  }
  #drop(value) {
    this.#rows.get(value).row.remove();
    this.#rows.delete(value);
  }
  #choose() {
    const chosen = [...this.#rows].filter(([, { box }]) => box.checked).map(([value]) => value);
    address.change({ filters: { [CHOICES[this.#name]]: chosen } });
  }
  /** Hides what is not looked for, and the facet while it has no value. */
  #show() {
    const sought = this.#search.value.trim().toLowerCase();
    this.#search.hidden = this.#rows.size < SEARCH_FROM || Boolean(FIXED[this.#name]);
    for (const { row, label, box } of this.#rows.values()) row.hidden = Boolean(sought) && !box.checked && !label.toLowerCase().includes(sought);
    this.#place.classList.toggle("empty", !this.#rows.size);
  }
}

export class Facets {
  #facets;

  constructor() {
    this.#facets = Object.keys(CHOICES).flatMap((name) => {
      const place = document.getElementById(`filter-${name}`);
      return place ? [[name, new Facet(place, name)]] : [];
    });
    this.show();
    address.onChange(() => this.show());
  }
  /** Writes the counts of an answer (docs/architecture.md: `facets`), if it has some, and what is chosen now. */
  show(counts = null) {
    for (const [name, facet] of this.#facets) facet.take(counts?.[name] ?? null, address.state.filters[CHOICES[name]]);
  }
}

/** Channels without a track of their own count as "other". */
function together(counts) {
  const sums = new Map(CHANNELS.map((channel) => [channel, 0]));
  for (const [channel, count] of counts) sums.set(channelToken(channel), sums.get(channelToken(channel)) + count);
  return sums;
}

function same(one, other) {
  return one === other || one.toLowerCase() === other.toLowerCase();
}
