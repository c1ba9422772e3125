// The journey that is selected: it is in the address, asked for at every tick wherever its row stands, and shown in the drawer.

import { clockTime } from "../base/times.mjs";
import { sentence } from "../base/units.mjs";
import { address, toggled } from "../state/address.mjs";
import { Drawer } from "./drawer.mjs";

const EVERY_MS = 200;
const NOT_HERE = "It is neither open nor of the last 24 hours, so it is not kept up to date here. Its own page has it.";

export class Selection {
  #wall;
  #drawer;
  #last = null;
  #missing = null;
  #wrote = 0;

  /** `root` is the drawer's frame. */
  constructor(wall, root) {
    this.#wall = wall;
    this.#drawer = new Drawer(root, {
      close: () => this.close(),
      pin: (id) => address.change({ pinned: toggled(address.state.pinned, id) }),
      filter: (customer) => address.change({ filters: { customer } }),
    });
    wall.chart.place.addEventListener("click", (event) => this.#click(event));
    address.onChange((state, previous) => state.selected !== previous.selected && this.#changed());
  }

  get id() {
    return address.state.selected;
  }
  /** Ids that the wall's question is to watch: none while the picture is held. */
  get watched() {
    return this.id && !this.#wall.paused ? [this.id] : [];
  }
  select(id) {
    if (id) address.change({ selected: id });
  }
  /** Whether there was something to close. The focus goes back to the row. */
  close() {
    const { id } = this;
    if (!id) return false;
    const inside = this.#drawer.contains(document.activeElement);
    address.change({ selected: null });
    if (inside) this.#wall.chart.heads.link(id)?.focus({ preventScroll: true });
    return true;
  }
  /** Closes the drawer, or opens it for the row under focus or pointer, or for the one that it showed before. */
  toggle() {
    if (!this.close()) this.select(this.#wall.current ?? this.#last ?? this.#wall.order.at(0));
  }

  /** An answer came. A journey that was joined into another is followed there. */
  took(answer) {
    const { id } = this;
    if (id && Object.hasOwn(answer.gone, id)) {
      const target = answer.gone[id];
      if (target) address.change({ selected: target }, { entry: false });
      else this.#missing ??= this.#wall.now;
    } else if (this.watched.length) {
      this.#missing = null;
    }
    this.#wrote = 0;
  }
  /** Writes what is true now, a few times a second at most. */
  show() {
    const { id } = this;
    if ((!id && !this.#drawer.open) || Date.now() - this.#wrote < EVERY_MS) return;
    this.#wrote = Date.now();
    const { model, now, order } = this.#wall;
    this.#drawer.show(id, {
      row: model.get(id), stale: this.#stale(now), now, pinned: address.state.pinned.includes(id),
      // Where all that matches is here, what is not here does not match.
      listed: order.indexOf(id) >= 0 || address.state.pinned.includes(id) || order.matched > order.ids.length,
    });
  }

  #stale(now) {
    const { paused, lostSince } = this.#wall;
    const { stands } = this.#wall.status;
    if (this.#missing) return { text: NOT_HERE, at: this.#missing };
    if (paused) return { text: `Held as of ${clockTime(now)}, as the picture is`, at: now };
    if (lostSince) return { text: `As of ${clockTime(lostSince)}: the server does not answer`, at: lostSince };
    const kept = !stands || stands.mode === "live" || stands.mode === "ended";
    return kept ? null : { text: `${stands.mode === "stopped" ? "Not live" : sentence(stands.word.toLowerCase())}: ${stands.text}`, at: now };
  }
  #changed() {
    if (this.id) this.#last = this.id;
    this.#missing = null;
    this.#wrote = 0;
    this.show();
    this.#wall.redraw();
    this.#wall.asking.now();
  }
  /** A click on a row's head, or Enter on its link; with a modifier key it is the browser's. */
  #click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.target.closest("button")) return;
    const id = event.target.closest(".row-head")?.dataset.id;
    if (!id) return;
    event.preventDefault();
    // Enter a second time goes into the drawer.
    if (id === this.id && event.detail === 0) this.#drawer.focus();
    this.select(id);
  }
}
