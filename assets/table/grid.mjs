// The table's grid: rows by id from the server, kept live without taking anything away from whoever reads.

import { element, make, setText } from "../base/elements.mjs";
import { journeyPath, toggled } from "../state/address.mjs";
import { ColumnChoice } from "./columnchoice.mjs";
import { columnOf, definitions, sortFrom, TICKING } from "./columns.mjs";
import { Listing } from "./listing.mjs";
import { TableDetail } from "./tabledetail.mjs";

const EVERY_MS = 1000;
const SETTLE_MS = 5000;
const NARROW_PX = 720;

export class Grid {
  /** Resolves when the grid stands. */
  ready;
  #api;
  #page;
  #open;
  #listing;
  #detail;
  #frame = element("table-frame");
  #listeners = new Set();
  #count;
  #update;
  #empty;
  #asking = false;
  #settledAt = Date.now();
  #pointerOver = false;
  #conditions = "";
  #sort = null;
  #failed = false;

  /** `page` is what `facing` in `table.mjs` makes; `ask(question)` gives a promise of the answer; `open()` says whether the table is open. */
  constructor(page, ask, open) {
    this.#page = page;
    this.#open = open;
    this.#listing = new Listing(ask, () => page.conditions);
    this.#detail = new TableDetail(element("table-detail"), {
      pin: (id) => page.change({ pinned: toggled(page.state.pinned, id) }),
      close: () => this.#close(),
    });
    const tools = element("table-tools");
    this.#count = make("p", "twin-count", tools);
    this.#update = make("button", "button twin-update", tools);
    this.#update.type = "button";
    this.#update.hidden = true;
    this.#update.id = "table-update";
    this.#update.textContent = "Update order";
    this.#update.title = "The order is held while you work in the table";
    this.#update.addEventListener("click", () => this.#settle());
    make("span", "spacer", tools);
    this.#empty = make("p", "twin-empty", element("journey-table"));
    this.#empty.hidden = true;
    this.ready = this.#start(tools);
  }
  async #start(tools) {
    window.dash_clientside.set_props("table-opened", { data: Date.now() });
    const api = await this.#grid();
    this.#api = api;
    const narrow = innerWidth < NARROW_PX;
    const page = this;
    const filtering = {
      get now() { return page.#page.now; },
      get filters() { return page.#page.state.filters; },
      get facets() { return page.#listing.facets; },
      get agents() { return page.#listing.agents; },
      setFilters: (filters) => this.#page.change({ filters }),
      watch: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    api.setGridOption("columnDefs", definitions(filtering, narrow));
    new ColumnChoice(api, narrow ? "narrow" : "wide", make("div", "twin-choice", tools), (text) => this.#page.announce(text));
    this.#showSort();
    api.setGridOption("datasource", { getRows: (params) => this.#read(params) });
    api.addEventListener("sortChanged", (event) => this.#sorted(event));
    api.addEventListener("selectionChanged", ({ source }) => this.#selected(source));
    api.addEventListener("cellKeyDown", ({ event, node }) => event.key === "Enter" && this.#go(node));
    api.addEventListener("cellDoubleClicked", ({ node }) => this.#go(node));
    this.#frame.addEventListener("pointerenter", () => (this.#pointerOver = true));
    this.#frame.addEventListener("pointerleave", () => (this.#pointerOver = false));
    this.#frame.addEventListener("click", (event) => this.#clicked(event));
    this.#page.onChange(() => this.#open() && this.#changed());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    this.#conditions = this.#wanted;
    setInterval(() => this.#tick(), EVERY_MS);
  }
  /** The grid's interface, once Dash has drawn it. */
  async #grid() {
    while (!window.dash_ag_grid?.getApiAsync) await new Promise((later) => setTimeout(later, 20));
    const api = await window.dash_ag_grid.getApiAsync("table-grid");
    // Dash's own source of rows, which would replace ours, comes a moment after the grid.
    while (!api.getGridOption("datasource")) await new Promise((later) => setTimeout(later, 20));
    element("table-grid").querySelector("[role=treegrid], [role=grid]")?.setAttribute("aria-label", "Journeys");
    return api;
  }
  /** Opened again, or back from a hidden tab: what was missed is asked for at once. */
  wake() {
    if (!this.#open() || document.hidden || !this.#api) return;
    this.#changed();
    this.#tick();
  }

  async #read({ startRow, endRow, sortModel, successCallback, failCallback }) {
    try {
      const rows = await this.#listing.read(startRow, endRow - startRow, sortFrom(sortModel));
      if (startRow === 0) this.#settledAt = Date.now();
      this.#failed = false;
      successCallback(rows, this.#listing.count);
      this.#mark();
      this.#show();
    } catch (error) {
      console.warn(error);
      this.#failed = true;
      failCallback();
    }
  }
  /** Once a second: times go on, and what changed of the rows in sight is asked for. */
  async #tick() {
    if (!this.#open() || document.hidden || this.#asking) return;
    if (!this.#page.paused) {
      this.#asking = true;
      try {
        if (this.#failed) this.#api.refreshInfiniteCache();
        await this.#refresh();
        if (this.#stale && !this.#locked && Date.now() - this.#settledAt > SETTLE_MS) this.#settle();
      } catch (error) {
        console.warn(error);
      } finally {
        this.#asking = false;
      }
    }
    this.#api.refreshCells({ columns: TICKING });
    this.#show();
  }
  async #refresh() {
    const shown = this.#api.getRenderedNodes().map(({ id }) => id).filter((id) => this.#listing.get(id));
    const { selected } = this.#page.state;
    const wanted = selected && !shown.includes(selected) ? [selected, ...shown] : shown;
    for (const row of await this.#listing.refresh(wanted)) this.#api.getRowNode(row.id)?.updateData(row);
    const { count } = this.#listing;
    if (count !== null && this.#api.isLastRowIndexKnown() && count > this.#api.getDisplayedRowCount()) this.#api.setRowCount(count, true);
  }
  /** Which journeys stand in the table, whatever their order. */
  get #wanted() {
    const { sort: _sort, group: _group, ...conditions } = this.#page.conditions;
    return JSON.stringify(conditions);
  }
  /** Whether rows may stand elsewhere by now. */
  get #stale() {
    return this.#listing.version !== this.#listing.ordered;
  }
  /** The order holds while somebody points at rows, has one focused, or looks further down. */
  get #locked() {
    const { top } = this.#api.getVerticalPixelRange();
    return this.#pointerOver || top > 0 || Boolean(document.activeElement?.closest("#table-frame .ag-body, #table-frame .ag-body-viewport"));
  }
  #settle() {
    this.#settledAt = Date.now();
    this.#api.refreshInfiniteCache();
  }

  /** The page's state changed: other filters or pins mean other rows, a selection from elsewhere shows here. */
  #changed() {
    const conditions = this.#wanted;
    if (conditions !== this.#conditions) {
      this.#conditions = conditions;
      if (this.#api.getDisplayedRowCount()) this.#api.ensureIndexVisible(0, "top");
      this.#api.purgeInfiniteCache();
    }
    this.#showSort();
    this.#mark();
    this.#show();
  }
  #showSort() {
    const { sort } = this.#page.state;
    if (sort === this.#sort) return;
    this.#sort = sort;
    const wanted = columnOf(sort);
    if (wanted) this.#api.applyColumnState({ state: [wanted], defaultState: { sort: null } });
  }
  #sorted({ source }) {
    if (source === "api") return;
    const [column] = this.#api.getColumnState().filter(({ sort }) => sort);
    this.#sort = column ? sortFrom([column]) : null;
    this.#page.change({ sort: this.#sort ?? "activity" });
    this.#showSort();
  }
  #selected(source) {
    if (source !== "rowClicked" && source !== "spaceKey") return;
    const [node] = this.#api.getSelectedNodes();
    this.#page.change({ selected: node?.id ?? null });
    this.#show();
  }
  /** Marks the page's selection in the grid. */
  #mark() {
    const { selected } = this.#page.state;
    const [marked] = this.#api.getSelectedNodes();
    if ((marked?.id ?? null) === selected) return;
    const node = selected && this.#api.getRowNode(selected);
    if (node) node.setSelected(true, true, "api");
    else this.#api.deselectAll("all", "api");
  }
  /** Nothing is selected any more; the focus goes back to the row. */
  #close() {
    const index = this.#api.getRowNode(this.#page.state.selected)?.rowIndex ?? null;
    this.#page.change({ selected: null });
    if (index !== null) this.#api.setFocusedCell(index, this.#api.getAllDisplayedColumns()[0]);
  }
  #go(node) {
    if (node?.id && this.#listing.get(node.id)) this.#page.go(journeyPath(node.id));
  }
  #clicked(event) {
    const link = event.target.closest("a.twin-customer");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#page.go(link.getAttribute("href"));
  }
  #show() {
    const { count } = this.#listing;
    const { now, state } = this.#page;
    for (const listener of this.#listeners) listener();
    setText(this.#count, count === null ? "" : `${count.toLocaleString("en")} ${count === 1 ? "journey" : "journeys"}`);
    this.#update.hidden = !this.#stale || !this.#locked || Date.now() - this.#settledAt < SETTLE_MS;
    this.#empty.hidden = count !== 0;
    setText(this.#empty, "No journey matches the filters.");
    this.#detail.show(state.selected ? this.#listing.get(state.selected) : null, now, state.pinned.includes(state.selected));
  }
}
