// The command box: type a few letters of a command, a customer or a row, and Enter does it or goes there.

import { make } from "../base/elements.mjs";
import { match } from "../base/fuzzy.mjs";
import { journeyPath } from "../state/address.mjs";
import { Customers } from "./customers.mjs";
import { Recent } from "./recent.mjs";
import { writeKeys } from "./sheet.mjs";

const MODES = {
  all: ["Command, customer or row", "A command, a customer …   > commands only"],
  commands: ["Command", "> a command"],
  customers: ["Customer or row", "A customer, queue, agent or id …"],
};
const MOST_COMMANDS = 40;
const COUNT_MS = 400;

export class CommandBox {
  #parts;
  #dialog;
  #input;
  #list;
  #count;
  #customers;
  #recent = new Recent();
  #mode = "all";
  #entries = [];
  #chosen = 0;
  #found = [];
  #counting = 0;
  #row = null;

  constructor(parts) {
    this.#parts = parts;
    this.#dialog = parts.box;
    this.#customers = new Customers(parts.wall);
    this.#build();
  }

  open(mode) {
    this.#mode = mode;
    this.#row = this.#parts.wall.chart.heads.focused();
    const [label, placeholder] = MODES[mode];
    this.#input.setAttribute("aria-label", label);
    this.#input.placeholder = placeholder;
    this.#input.value = mode === "commands" ? ">" : "";
    this.#dialog.showModal();
    this.#write();
  }

  #build() {
    const dialog = this.#dialog;
    this.#input = make("input", "commands-input", dialog);
    for (const [name, value] of Object.entries({
      type: "text", role: "combobox", autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: "100",
      "aria-expanded": "true", "aria-controls": "commands-list", "aria-autocomplete": "list", "aria-haspopup": "listbox",
    })) this.#input.setAttribute(name, value);
    this.#list = make("div", "commands-list", dialog);
    this.#list.id = "commands-list";
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", "Found");
    this.#count = make("p", "unseen", dialog);
    this.#count.setAttribute("role", "status");
    const foot = make("p", "commands-foot", dialog);
    foot.textContent = "↑ ↓ choose · Enter does it · Esc closes";
    this.#input.addEventListener("input", () => this.#write());
    dialog.addEventListener("keydown", (event) => this.#pressed(event));
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    this.#list.addEventListener("pointermove", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#choose(Number(option.dataset.place), false);
    });
  }

  #pressed(event) {
    const last = this.#entries.length - 1;
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (move) {
      const wraps = Math.abs(move) === 1;
      const next = this.#chosen + move;
      this.#choose(wraps && next > last ? 0 : wraps && next < 0 ? last : Math.max(0, Math.min(last, next)), true);
    } else if (event.key === "Enter") {
      this.#do(this.#entries[this.#chosen], event.ctrlKey || event.metaKey);
    } else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      this.#dialog.close();
    } else {
      return;
    }
    event.preventDefault();
  }
  #clicked(event) {
    const option = event.target.closest("[role=option]");
    if (option) this.#do(this.#entries[Number(option.dataset.place)], event.ctrlKey || event.metaKey);
  }
  #closed() {
    this.#customers.stop();
    // The browser gives the focus back to the element that had it, which may be another row's by now; the row counts.
    if (this.#row) this.#parts.wall.chart.heads.link(this.#row)?.focus({ preventScroll: true });
    this.#row = null;
  }

  // What is found

  #write() {
    const text = this.#input.value;
    const only = text.startsWith(">") ? "commands" : this.#mode === "commands" ? "all" : this.#mode;
    const query = (text.startsWith(">") ? text.slice(1) : text).trim();
    this.#found = [];
    this.#show(query, only);
    if (only === "commands") return this.#customers.stop();
    this.#customers.elsewhere(query, (found) => {
      this.#found = found;
      this.#show(query, only, true);
    });
  }

  #show(query, only, keep = false) {
    const chosen = keep ? this.#entries[this.#chosen]?.key : null;
    const groups = this.#groups(query, only).filter(({ entries }) => entries.length);
    this.#entries = groups.flatMap(({ entries }) => entries);
    this.#list.replaceChildren();
    let place = 0;
    for (const { title, entries } of groups) {
      const group = make("div", "commands-group", this.#list);
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
      const head = make("div", "commands-title", group);
      head.setAttribute("aria-hidden", "true");
      head.textContent = title;
      for (const entry of entries) write(group, entry, place++);
    }
    if (!this.#entries.length) make("p", "commands-none", this.#list).textContent = "Nothing found";
    this.#choose(Math.max(0, this.#entries.findIndex(({ key }) => key === chosen)), true);
    clearTimeout(this.#counting);
    this.#counting = setTimeout(() => (this.#count.textContent = `${this.#entries.length || "Nothing"} found`), COUNT_MS);
  }

  #groups(query, only) {
    const commands = only === "customers" ? [] : this.#commands(query);
    const customers = only === "commands" ? [] : this.#people(query);
    if (!query) {
      const recent = [
        ...this.#recent.customers.filter(() => only !== "commands").map((one) => this.#person(one)),
        ...this.#recent.commands.map((name) => commands.find((entry) => entry.command.name === name)).filter(Boolean),
      ];
      const others = (entries) => entries.filter(({ key }) => !recent.some((entry) => entry.key === key));
      const shown = only === "customers" ? customers : [];
      return [{ title: "Recent", entries: recent }, { title: "Rows", entries: others(shown) }, { title: "Commands", entries: others(commands) }];
    }
    const people = { title: "Customers and rows", entries: customers };
    const doing = { title: "Commands", entries: commands };
    const rest = { title: "Search", entries: only === "commands" ? [] : [searchFor(query)] };
    // Ids have digits in them, names of commands have not.
    return /\d/.test(query) ? [people, doing, rest] : [doing, people, rest];
  }

  #commands(query) {
    const page = this.#parts.page();
    const offered = this.#parts.commands().filter((one) => one.listed !== false && (!one.when || one.when(page)));
    const found = offered.map((command) => ({ command, found: match(query, command.title) })).filter(({ found }) => found);
    if (query) found.sort((one, other) => other.found.score - one.found.score);
    return found.slice(0, MOST_COMMANDS).map(({ command, found }) => ({
      key: `command ${command.name}`, title: command.title, places: found.places, detail: command.group, keys: (command.said ?? command.keys).slice(0, 2), command,
    }));
  }

  #people(query) {
    const here = this.#customers.here(query);
    const known = new Set(here.map(({ id }) => id));
    return [...here, ...this.#found.filter(({ id }) => !known.has(id))].map((one) => this.#person(one));
  }
  #person(customer) {
    const { wall, page } = this.#parts;
    const here = page() === "wall" && wall.order.placeOf(customer.id) >= 0;
    return {
      key: `customer ${customer.id}`, title: customer.customer, places: customer.places, detail: `${customer.state} · ${here ? "row" : "journey page"}`, customer, here,
    };
  }

  // What is chosen

  #choose(place, scroll) {
    this.#list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.#chosen = place;
    const option = document.getElementById(`commands-option-${place}`);
    this.#input.setAttribute("aria-activedescendant", option?.id ?? "");
    if (!option) return;
    option.setAttribute("aria-selected", "true");
    if (scroll) option.scrollIntoView({ block: "nearest" });
  }

  /** Closes first, which gives the focus back: what is done then may move it on. */
  #do(entry, page) {
    if (!entry) return;
    this.#dialog.close();
    this.#closed();
    if (entry.command) {
      this.#recent.command(entry.command.name);
      entry.command.act(null);
    } else if (entry.customer) {
      this.#recent.customer(entry.customer);
      if (entry.here && !page) this.#parts.wall.goTo(entry.customer.id);
      else this.#parts.router.go(journeyPath(entry.customer.id));
    } else {
      this.#parts.search(entry.query);
    }
  }
}

function searchFor(query) {
  return { key: "search", title: `Show only journeys with “${query}”`, places: [], detail: "", query };
}

function write(group, entry, place) {
  const option = make("div", "commands-option", group);
  option.id = `commands-option-${place}`;
  option.dataset.place = place;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  const title = make("span", "commands-name", option);
  marked(title, entry.title, new Set(entry.places));
  if (entry.detail) make("span", "commands-detail", option).textContent = entry.detail;
  if (entry.keys?.length) writeKeys(make("span", "commands-keys", option), entry.keys);
}

/** The text, with the letters that were found in `mark`. */
function marked(parent, text, places) {
  let at = 0;
  while (at < text.length) {
    const found = places.has(at);
    let end = at + 1;
    while (end < text.length && places.has(end) === found) end += 1;
    const part = text.slice(at, end);
    if (found) make("mark", "", parent).textContent = part;
    else parent.append(part);
    at = end;
  }
}
