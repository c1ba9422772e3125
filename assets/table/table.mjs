// The chart's twin for those who read rather than look: takes the chart's place while it is open. Its grid, more than all the
// rest of the page together, is loaded when it is first opened.

import { element } from "../base/elements.mjs";
import { address } from "../state/address.mjs";
import { Asker } from "./asker.mjs";

export class Table {
  #panel = element("table-panel");
  #toggle = element("table-toggle");
  #asker = new Asker("table-question", "table-answer");
  #wall;
  #page;
  #grid = null;
  #open = false;

  /** `wall` tells the time, whether it is held, and which journeys are wanted; `go(path)` shows another page; `announcer` speaks. */
  constructor(wall, go, announcer) {
    this.#wall = wall;
    this.#page = facing(wall, go, announcer);
    window.journeymap.handle("table", (answer) => {
      this.#asker.receive(answer);
      return window.dash_clientside.no_update;
    });
    this.#toggle.addEventListener("click", () => address.change({ table: !address.state.table }));
    address.onChange(() => this.#show());
    this.#show();
  }
  async #show() {
    const open = address.state.table;
    if (open === this.#open) return;
    this.#open = open;
    this.#panel.hidden = !open;
    this.#panel.closest(".chart").dataset.view = open ? "table" : "chart";
    element("timeline").hidden = open;
    this.#toggle.setAttribute("aria-pressed", String(open));
    if (!open) {
      this.#wall.wake();
      return;
    }
    this.#grid ??= this.#load();
    (await this.#grid)?.wake();
  }
  async #load() {
    try {
      await stylesheet("/assets/table/table.css");
      const [{ Grid }] = await Promise.all([import("./grid.mjs"), script(this.#panel.dataset.script)]);
      const grid = new Grid(this.#page, (question) => this.#asker.ask(question), () => this.#open && address.state.page === "wall");
      await grid.ready;
      return grid;
    } catch (error) {
      // The network was away: the next opening tries again.
      console.error(error);
      this.#grid = null;
      this.#page.announce("The table could not be loaded. Open it again to try once more.");
      return null;
    }
  }
}

/** What the grid needs of the rest of the page. */
function facing(wall, go, announcer) {
  return {
    go,
    get now() {
      return wall.now;
    },
    get paused() {
      return wall.paused;
    },
    get state() {
      return address.state;
    },
    /** The page's question as far as it says which journeys are wanted. */
    get conditions() {
      return wall.conditions;
    },
    change: (part) => address.change(part),
    onChange: (listener) => address.onChange(listener),
    announce: (text) => announcer.answer(text),
  };
}

function loaded(made) {
  return new Promise((done, failed) => {
    made.addEventListener("load", done);
    made.addEventListener("error", () => {
      made.remove();
      failed(new Error(`${made.src ?? made.href} could not be loaded`));
    });
    document.head.append(made);
  });
}

function script(src) {
  return window.dash_ag_grid?.AgGrid ? Promise.resolve() : loaded(Object.assign(document.createElement("script"), { src }));
}

function stylesheet(href) {
  if (document.head.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return loaded(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}
