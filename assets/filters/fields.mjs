// The filters that are not ticked: customer, agent, duration, transfers, time.

import { fromLocal, toLocal } from "../base/localtime.mjs";
import { made } from "../base/menus.mjs";
import { address } from "../state/address.mjs";

const MINUTE = 60_000;
const TYPED_MS = 350;
const DURATIONS = [[0, "Any"], [MINUTE, "1 min"], [5 * MINUTE, "5 min"], [15 * MINUTE, "15 min"], [30 * MINUTE, "30 min"], [60 * MINUTE, "1 h"], [240 * MINUTE, "4 h"], [1440 * MINUTE, "1 d"]];
const TRANSFERS = [[0, "Any"], [1, "1 or more"], [2, "2 or more"], [3, "3 or more"], [5, "5 or more"]];

/** Fills the fields' places and keeps them as the address says; `agents()` are names to offer. */
export function startFields({ customer, agent, ranges }, agents) {
  const writers = [customerField(customer), agentField(agent, agents), ...rangeFields(ranges)];
  const write = () => writers.forEach((writer) => writer(address.state.filters));
  write();
  address.onChange((state, previous) => state.filters !== previous.filters && write());
}

function customerField(place) {
  let timer = 0;
  const take = (entry) => {
    clearTimeout(timer);
    address.change({ filters: { customer: input.value } }, { entry });
  };
  let typing = false;
  const input = made("input", {
    id: "customer-part", class: "field", type: "search", placeholder: "Id contains …", maxlength: 200, autocomplete: "off",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => (take(!typing), (typing = true)), TYPED_MS);
    },
    onchange: () => (take(!typing), (typing = false)),
  });
  place.append(made("label", { class: "facet-title", for: input.id }, "Customer"), input);
  return ({ customer }) => document.activeElement !== input && (input.value = customer);
}

function agentField(place, agents) {
  const names = made("datalist", { id: "agent-names" });
  const add = () => {
    const name = input.value.trim();
    if (!name) return;
    input.value = "";
    address.change({ filters: { agents: [...address.state.filters.agents, name] } });
  };
  const offer = () => names.replaceChildren(...agents().map((name) => made("option", { value: name })));
  const input = made("input", { id: "agent-name", class: "field", type: "text", list: names.id, placeholder: "Name, then Enter", maxlength: 200, autocomplete: "off", onfocus: offer, onchange: add });
  place.append(made("label", { class: "facet-title", for: input.id }, "Agent"), input, names);
  return () => undefined;
}

function rangeFields(place) {
  const writers = [];
  const select = (label, field, choices, unit) => {
    const box = made("select", { class: "field", onchange: () => address.change({ filters: { [field]: Number(box.value) || null } }) }, ...choices.map(([value, text]) => made("option", { value }, text)));
    place.append(made("label", { class: "field-row" }, made("span", {}, label), box));
    writers.push((filters) => {
      const value = String(filters[field] ?? 0);
      // A value that came with an address need not be one of ours.
      if (![...box.options].some((option) => option.value === value)) box.append(made("option", { value }, unit(filters[field])));
      box.value = value;
    });
  };
  const minutes = (ms) => `${Math.round(ms / 1000) / 60} min`;
  select("Lasts at least", "minDuration", DURATIONS, minutes);
  select("Lasts at most", "maxDuration", DURATIONS, minutes);
  select("Transfers", "minTransfers", TRANSFERS, (count) => `${count} or more`);
  for (const [label, field] of [["Active from", "from"], ["Active to", "to"]]) {
    const input = made("input", { class: "field", type: "datetime-local", step: 1, onchange: () => address.change({ filters: { [field]: fromLocal(input.value) } }) });
    place.append(made("label", { class: "field-column" }, made("span", {}, label), input));
    writers.push((filters) => (input.value = toLocal(filters[field])));
  }
  return writers;
}
