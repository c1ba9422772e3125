// Which columns the table shows, how wide and in which order: chosen from a list, by dragging or by keys, kept in this browser.

import { make } from "../base/elements.mjs";
import { COLUMNS } from "./columns.mjs";

const STORED = "journeymap-table";
const KEPT = ["colId", "hide", "width", "pinned"];

/** `screen` is "wide" or "narrow": each has columns of its own. */
export class ColumnChoice {
  #api;
  #screen;
  #button;
  #panel;
  #list;
  #announce;

  constructor(api, screen, place, announce) {
    this.#api = api;
    this.#screen = screen;
    this.#announce = announce;
    this.#button = make("button", "button", place);
    this.#button.type = "button";
    this.#button.id = "table-columns";
    this.#button.textContent = "Columns";
    this.#button.setAttribute("aria-expanded", "false");
    this.#button.setAttribute("aria-controls", "table-columns-panel");
    this.#panel = make("div", "twin-columns", place);
    this.#panel.id = "table-columns-panel";
    this.#panel.hidden = true;
    this.#panel.setAttribute("role", "group");
    this.#panel.setAttribute("aria-label", "Columns of the table");
    this.#list = make("ul", "", this.#panel);
    const reset = make("button", "button button-link", this.#panel);
    reset.type = "button";
    reset.textContent = "As at first";
    reset.addEventListener("click", () => {
      api.resetColumnState();
      this.#write();
    });
    this.#button.addEventListener("click", () => this.#open(this.#panel.hidden));
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#open(false);
      this.#button.focus();
    });
    document.addEventListener("pointerdown", (event) => place.contains(event.target) || this.#open(false));
    this.#restore();
    for (const event of ["columnVisible", "columnMoved", "columnPinned"]) api.addEventListener(event, () => this.#changed());
    api.addEventListener("columnResized", ({ finished }) => finished && this.#changed());
  }
  #open(open) {
    if (this.#panel.hidden === !open) return;
    this.#panel.hidden = !open;
    this.#button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    this.#write();
    this.#list.querySelector("input")?.focus();
  }
  #changed() {
    this.#save();
    if (!this.#panel.hidden) this.#write();
  }
  /** The list as the columns now stand; what has the focus keeps it. */
  #write() {
    const focused = this.#panel.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const state = this.#api.getColumnState();
    const shown = state.filter((each) => !each.hide).length;
    this.#list.replaceChildren(...state.map((each, place) => this.#line(each, place, state, shown)));
    if (focused) this.#list.querySelector(`[data-key="${focused}"]`)?.focus();
  }
  #line({ colId, hide }, place, state, shown) {
    const { label } = COLUMNS.find(({ id }) => id === colId);
    const line = make("li");
    const choice = make("label", "", line);
    const box = make("input", "", choice);
    box.type = "checkbox";
    box.checked = !hide;
    box.disabled = !hide && shown === 1;
    box.dataset.key = `${colId}-shown`;
    box.addEventListener("change", () => this.#api.setColumnsVisible([colId], box.checked));
    make("span", "", choice).textContent = label;
    for (const [name, step, sign] of [["earlier", -1, "↑"], ["later", 1, "↓"]]) {
      const move = make("button", "button button-tool", line);
      move.type = "button";
      move.textContent = sign;
      move.dataset.key = `${colId}-${name}`;
      move.setAttribute("aria-label", `${label}: ${name}`);
      move.disabled = !state[place + step] || state[place + step].pinned !== state[place].pinned;
      move.addEventListener("click", () => {
        this.#api.moveColumns([colId], place + step);
        this.#announce(`${label} is column ${place + step + 1}`);
      });
    }
    return line;
  }
  #save() {
    const state = this.#api.getColumnState().map((each) => Object.fromEntries(KEPT.map((field) => [field, each[field]])));
    try {
      localStorage.setItem(STORED, JSON.stringify({ ...stored(), [this.#screen]: state }));
    } catch {
      // No storage: the choice lasts as long as the page.
    }
  }
  #restore() {
    const state = stored()[this.#screen];
    if (!Array.isArray(state)) return;
    const known = new Set(COLUMNS.map(({ id }) => id));
    const kept = state.filter((each) => known.has(each?.colId)).map((each) => Object.fromEntries(KEPT.map((field) => [field, each[field]])));
    if (kept.some((each) => !each.hide)) this.#api.applyColumnState({ state: kept, applyOrder: true });
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}
