// The filters in force, each as a chip that takes it away, and in words for those who share, save and export.

import { made } from "../base/menus.mjs";
import { length, moment } from "../base/times.mjs";
import { address } from "../state/address.mjs";
import { CHOICES, NO_FILTERS } from "../state/conditions.mjs";
import { valueLabel } from "./facets.mjs";

const NAMES = { channel: "Channel", state: "State", queue: "Queue", agent: "Agent", disposition: "Outcome", direction: "Direction", flag: "Flag" };

/** What is asked for: `{text, without}` for each condition, `without` being the filters that lack it. */
export function conditionsInForce(filters) {
  const found = [];
  const add = (text, without) => found.push({ text, without });
  if (filters.q) add(`“${filters.q}”`, { q: "" });
  if (filters.customer) add(`Customer contains ${filters.customer}`, { customer: "" });
  for (const [name, field] of Object.entries(CHOICES)) {
    for (const value of filters[field]) add(`${NAMES[name]}: ${valueLabel(name, value)}`, { [field]: filters[field].filter((one) => one !== value) });
  }
  if (filters.minDuration !== null) add(`Lasts ${length(filters.minDuration)} or more`, { minDuration: null });
  if (filters.maxDuration !== null) add(`Lasts ${length(filters.maxDuration)} at most`, { maxDuration: null });
  if (filters.minTransfers !== null) add(`${filters.minTransfers} transfers or more`, { minTransfers: null });
  if (filters.from !== null || filters.to !== null) add(activeWords(filters), { from: null, to: null });
  return found;
}

function activeWords({ from, to }) {
  if (to === null) return `Active after ${moment(from)}`;
  return from === null ? `Active before ${moment(to)}` : `Active ${moment(from)} – ${moment(to)}`;
}

/** Keeps `list` (a `ul`), the clear button and the number beside "Filters" as the address says. */
export function startChips(list, number) {
  const write = () => {
    const { filters } = address.state;
    const chips = conditionsInForce(filters);
    number.textContent = chips.length || "";
    list.hidden = !chips.length;
    list.replaceChildren(
      ...chips.map(({ text, without }) => {
        const remove = () => {
          const focus = list.contains(document.activeElement);
          address.change({ filters: without });
          if (focus) (list.querySelector("button") ?? document.getElementById("filters")).focus();
        };
        return made("li", {}, made("button", { class: "chip", type: "button", title: `Remove: ${text}`, "aria-label": `Remove filter ${text}`, onclick: remove }, made("span", { class: "chip-text" }, text), made("span", { "aria-hidden": "true" }, "×")));
      }),
    );
  };
  write();
  address.onChange((state, previous) => state.filters !== previous.filters && write());
}

export function clearFilters() {
  address.change({ filters: NO_FILTERS });
}
