// The filters under the table's headers. They are the page's own filters: what is set here is set in the facets and in the
// address, too.

import { make, setText } from "../base/elements.mjs";
import { length } from "../base/times.mjs";
import { channelLabel, directionLabel, flagLabel, STATE_LABELS } from "../base/words.mjs";

const TYPED_MS = 400;
const MINUTE = 60_000;

/** For each condition with values to choose from: the facet that counts them, and what a value is called. */
const CHOICES = {
  states: ["state", (value) => STATE_LABELS[value] ?? value],
  channels: ["channel", channelLabel],
  queues: ["queue", String],
  dispositions: ["disposition", String],
  flags: ["flag", flagLabel],
  directions: ["direction", directionLabel],
};
const BOUNDS = {
  minDuration: [[1, 5, 15, 30, 60, 240].map((minutes) => minutes * MINUTE), (ms) => `${length(ms)} or longer`],
  minTransfers: [[1, 2, 3, 5], (count) => `${count} or more`],
};
const SEVERAL = "\u0000several";

/** The grid's floating filter for one column; `page` offers `filters`, `setFilters(part)`, `facets`, `agents` and `watch(listener)`. */
export class ColumnFilter {
  #field;
  #leave;

  init({ wanted }) {
    const [page, column] = wanted();
    const made = CHOICES[column.filter] ? makeChoice : BOUNDS[column.filter] ? makeBound : makeText;
    this.#field = made(page, column.filter);
    this.#field.root.setAttribute("aria-label", `Filter by ${column.label.toLowerCase()}`);
    const show = () => this.#field.show();
    this.#leave = page.watch(show);
    show();
  }
  getGui() {
    return this.#field.root;
  }
  onParentModelChanged() {}
  destroy() {
    this.#leave();
  }
}

function makeText(page, name) {
  const many = name === "agents";
  const root = make("input", "twin-filter");
  root.type = "search";
  root.placeholder = many ? "Full name" : "Contains";
  root.spellcheck = false;
  root.autocomplete = "off";
  const held = () => (many ? page.filters.agents.join(", ") : page.filters[name] ?? "");
  const written = () => (many ? root.value.split(",").map((each) => each.trim()).filter(Boolean) : root.value.trim());
  let timer = 0;
  const apply = () => {
    clearTimeout(timer);
    timer = 0;
    if (root.value.trim() !== held()) page.setFilters({ [name]: written() });
  };
  // A name has to be whole before it finds anybody, a part of a customer's id finds them while it is typed.
  root.addEventListener("input", () => {
    clearTimeout(timer);
    timer = many && root.value ? 0 : setTimeout(apply, TYPED_MS);
  });
  root.addEventListener("change", apply);
  root.addEventListener("keydown", (event) => event.key === "Enter" && apply());
  if (many) {
    root.setAttribute("list", "twin-agents");
    root.addEventListener("focus", () => suggest("twin-agents", page.agents));
  }
  return {
    root,
    show: () => {
      // What is being typed stays.
      if (document.activeElement !== root && !timer && root.value !== held()) root.value = held();
    },
  };
}

function suggest(id, names) {
  const list = document.getElementById(id) ?? make("datalist", "", document.body);
  list.id = id;
  list.replaceChildren(...names.map((name) => new Option(name, name)));
}

function makeChoice(page, name) {
  const [facet, label] = CHOICES[name];
  return makeSelect({
    held: () => page.filters[name],
    options: () => (page.facets[facet] ?? []).map(([value, count]) => [value, `${label(value)} (${count.toLocaleString("en")})`]),
    label,
    apply: (value) => page.setFilters({ [name]: value === "" ? [] : [value] }),
  });
}

function makeBound(page, name) {
  const [steps, label] = BOUNDS[name];
  return makeSelect({
    held: () => (page.filters[name] ? [page.filters[name]] : []),
    options: () => steps.map((step) => [step, label(step)]),
    label,
    apply: (value) => page.setFilters({ [name]: value === "" ? null : Number(value) }),
  });
}

/** `held()` are the values now in force, `options()` those to choose from, each with its text. */
function makeSelect({ held, options, label, apply }) {
  const root = make("select", "twin-filter");
  root.addEventListener("change", () => root.value !== SEVERAL && apply(root.value));
  const show = () => {
    const chosen = held().map(String);
    const offered = options().map(([value, text]) => [String(value), text]);
    const known = new Set(offered.map(([value]) => value.toLowerCase()));
    for (const value of chosen) if (!known.has(value.toLowerCase())) offered.push([value, label(value)]);
    const wanted = [["", "All"], ...(chosen.length > 1 ? [[SEVERAL, `${chosen.length} chosen`]] : []), ...offered];
    // An open list must not change under the pointer.
    if (document.activeElement !== root || root.options.length === 0) write(root, wanted);
    const one = offered.find(([value]) => value.toLowerCase() === chosen[0]?.toLowerCase());
    const value = chosen.length > 1 ? SEVERAL : one?.[0] ?? "";
    if (root.value !== value) {
      if (![...root.options].some((option) => option.value === value)) write(root, wanted);
      root.value = value;
    }
    root.classList.toggle("set", chosen.length > 0);
  };
  return { root, show };
}

function write(select, options) {
  while (select.options.length > options.length) select.remove(select.options.length - 1);
  const { value } = select;
  options.forEach(([name, text], place) => {
    const option = select.options[place] ?? select.appendChild(new Option());
    if (option.value !== name) option.value = name;
    setText(option, text);
  });
  select.value = value;
}
