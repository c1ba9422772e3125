// The search box and the panel of filters: from and to the address.

import { element } from "../base/elements.mjs";
import { channelToken } from "../base/words.mjs";
import { address } from "../state/address.mjs";
import { clearFilters, startChips } from "./chips.mjs";
import { Facets } from "./facets.mjs";
import { startFields } from "./fields.mjs";

const MOST_OTHERS = 12;
const TYPED_MS = 250;
const setSearch = (value) => window.dash_clientside.set_props("filter-customer", { value });

/** `chosen` with, beside "other", the channels that occur and have no track of their own. */
export function withOthers(chosen, occurring) {
  if (!chosen.includes("other")) return chosen;
  const others = occurring.filter((channel) => channelToken(channel) === "other" && !chosen.includes(channel));
  return [...chosen, ...others.sort().slice(0, MOST_OTHERS)];
}

/** Puts names in the place of ids that were chosen, as a link may name them; `named` are those of an answer (docs/architecture.md). */
export function nameChosen(named) {
  if (!named) return;
  const part = {};
  for (const field of ["queues", "agents", "dispositions"]) {
    const chosen = address.state.filters[field];
    if (chosen.some((each) => Object.hasOwn(named, each))) part[field] = chosen.map((each) => (Object.hasOwn(named, each) ? named[each] : each));
  }
  if (Object.keys(part).length) address.change({ filters: part }, { entry: false });
}

/** Starts all of them; returns the facets, which want to hear of counts. `agents()` are names to offer. */
export function startFilters(agents) {
  startSearch();
  startSheet();
  startChips(element("filter-chips"), element("filters-number"));
  element("filters-clear").addEventListener("click", clearFilters);
  startFields({ customer: element("customer-field"), agent: element("agent-field"), ranges: element("range-fields") }, agents);
  return new Facets();
}

/**
 * The search box. What is typed counts a moment later, and what others put into the address is put into the box. The box is Dash's,
 * which tells of its text too, late and not always in order: so what counts is what stands in it, and only if it was typed since, or
 * a Back would be undone by what came before it.
 */
function startSearch() {
  const box = element("filter-customer");
  let told = "";
  let typed = false;
  let typing = false;
  let timer = 0;
  const take = () => {
    const q = box.value.trim();
    if (!typed || q === told) return;
    told = q;
    // A text that is typed is one deed, however often it is taken.
    address.change({ filters: { q } }, { entry: !typing });
    typing = true;
  };
  window.journeymap.handle("filter", (text) => {
    if (!typed && (text ?? "").trim() !== told) setSearch(told);
    return window.dash_clientside.no_update;
  });
  const write = ({ filters: { q } }) => {
    if (q === told) return;
    told = q;
    typed = typing = false;
    clearTimeout(timer);
    setSearch(q);
  };
  write(address.state);
  address.onChange(write);
  box.addEventListener("input", () => {
    typed = true;
    clearTimeout(timer);
    timer = setTimeout(take, TYPED_MS);
  });
  box.addEventListener("blur", () => (typing = false));
}

/** Where the panel has no place of its own it is a sheet that opens from below. */
function startSheet() {
  const [panel, toggle] = [element("filters"), element("filters-toggle")];
  const open = (on) => {
    panel.classList.toggle("open", on);
    toggle.setAttribute("aria-expanded", String(on));
    (on ? panel : toggle).focus();
  };
  toggle.addEventListener("click", () => open(!panel.classList.contains("open")));
  element("filters-done").addEventListener("click", () => open(false));
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !panel.classList.contains("open")) return;
    event.stopPropagation();
    open(false);
  });
  // Nothing beside the sheet is reached while it is open but by closing it.
  document.addEventListener("pointerdown", (event) => {
    if (panel.classList.contains("open") && !panel.contains(event.target) && !toggle.contains(event.target)) open(false);
  });
}
