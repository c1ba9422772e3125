// The wall: holds what is looked at and what was done to it, and ties together who asks, who draws and who tells.

import { element } from "../base/elements.mjs";
import { Card } from "../chart/card.mjs";
import { Chart } from "../chart/chart.mjs";
import { hitSegment } from "../chart/hit.mjs";
import { ROW, WALL_ROW } from "../chart/lanes.mjs";
import { describe } from "../chart/rows.mjs";
import { withOthers } from "../filters/filters.mjs";
import { gapAt, GapTip, readGaps } from "../standing/gaps.mjs";
import { Status } from "../standing/status.mjs";
import { address, journeyPath, same, toggled } from "../state/address.mjs";
import { asked, isFiltered } from "../state/conditions.mjs";
import { Asking } from "./asking.mjs";
import { Model } from "../chart/model.mjs";
import { Order } from "./order.mjs";
import { Painted } from "./painted.mjs";
import { Selection } from "./selection.mjs";
import { TimeWindow } from "./window.mjs";

const REACH_MS = 10_000;

export class Wall {
  model = new Model();
  order = new Order();
  asking = new Asking(this);
  paused = false;
  gaps = [];
  #heldNow = 0;
  #marked = null;
  #pointerOver = false;
  #frame = 0;
  #timer = 0;
  #goal = null;
  #painted = new Painted();
  #reduced = matchMedia("(prefers-reduced-motion: reduce)");

  /** `open(path)` shows another page; `counted(answer)` hears of each answer; `announcer` reads news out. */
  constructor({ open, counted, announcer }) {
    this.counted = counted;
    this.status = new Status(announcer);
    this.open = (hit) => hit?.row && open(journeyPath(hit.row.id));
    this.chart = new Chart(element("timeline-rows"), element("timeline-axis"), () => this.redraw());
    this.time = new TimeWindow(this);
    this.card = new Card(document.body, () => this.redraw());
    this.gapTip = new GapTip(document.body);
    this.selection = new Selection(this, element("drawer"));
    const { place } = this.chart;
    place.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    place.addEventListener("pointerenter", () => (this.#pointerOver = true));
    place.addEventListener("pointerleave", () => {
      this.#pointerOver = false;
      this.#mark(null);
    });
    this.chart.listen({ mark: (id) => this.#mark(id), expand: (id) => this.toggleTracks(id), pin: (id) => this.togglePinned(id) });
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    setInterval(() => {
      if (!document.hidden) this.showStatus();
      this.asking.watch();
    }, 1000);
    this.time.take(address.state.window);
    this.chart.line = address.state.display === "wall" ? WALL_ROW : ROW;
    address.onChange((state, previous) => this.#follow(state, previous));
  }

  get clock() {
    return this.asking.clock;
  }
  get visible() {
    return !document.hidden && !this.chart.place.closest("[hidden]");
  }
  get now() {
    return this.paused ? this.#heldNow : this.clock.now();
  }
  get filtered() {
    return isFiltered(address.state.filters);
  }
  /** Which journeys are asked for, and in what order: "Other" stands for all channels without a track of their own. */
  get conditions() {
    const { filters, sort, group, pinned } = address.state;
    const channels = withOthers(filters.channels, Object.keys(this.asking.answer?.channels ?? {}));
    return { ...asked(filters), channels, sort, group, pinned };
  }
  /** Since when the server has not answered; 0 while it does. */
  get lostSince() {
    return this.status.lostSince(this.asking.askedAt);
  }
  /** The agents named in the rows at hand, A to Z. */
  get agents() {
    const rows = this.order.ids.map((id) => this.model.get(id)).filter(Boolean);
    return [...new Set(rows.flatMap((row) => row.interactions.map((one) => one.agent)).filter(Boolean))].sort();
  }
  get window() {
    const { scale } = this.time;
    return [Math.round(scale.start), Math.round(scale.end)];
  }
  /** Rows stay where they are while somebody points at one, has one focused, looks further down, or has a dialog over them. */
  get locked() {
    const busy = this.paused || this.#pointerOver || this.chart.heads.focused() !== null || document.querySelector("dialog[open]") !== null;
    return busy || this.chart.scrolled > this.chart.line || this.card.pinned;
  }
  onScreen() {
    return this.chart.onScreen();
  }
  get width() {
    return this.chart.size.width;
  }
  /** When the present was left, or the picture held (server's clock, ms); 0 while neither is so. */
  get left() {
    const leftAt = this.time.view.leftAt || 0;
    return Math.round(this.paused ? Math.min(this.#heldNow, leftAt || Infinity) : leftAt);
  }
  /** Counts over time to ask for. */
  get overview() {
    return this.time.overview.wanted(this.clock.now());
  }

  /** An answer came; `rows` says whether the rows are of it. */
  took(answer, rows) {
    if (!this.paused) this.time.took(answer, this.clock.now());
    if (answer.gaps && !this.paused) this.gaps = readGaps(answer.gaps);
    if (rows) {
      const about = this.card.about;
      const kept = [...this.order.all, ...answer.pinned, ...this.selection.watched];
      this.model.keep(about ? [...kept, about.row] : kept);
      this.selection.took(answer);
      this.#arrange();
      this.#reach();
    }
    this.counted(answer);
    this.#offerBack();
    this.showStatus();
  }

  /** The address changed: by somebody's deed, by Back or Forward. */
  #follow(state, previous) {
    this.time.take(state.window);
    const others = (part) => !same(state[part], previous[part]);
    if (others("filters") || others("sort") || others("group")) {
      this.order.forget();
      this.chart.scrollTo(0);
      this.asking.forget();
      this.asking.now();
    }
    if (others("pinned")) {
      this.order.pin(state.pinned);
      this.asking.now();
    }
    this.chart.line = state.display === "wall" ? WALL_ROW : ROW;
    this.#arrange();
  }
  /** The window was moved: the address follows. */
  moved() {
    address.change({ window: this.time.view.window }, { entry: false });
    this.redraw();
  }
  setPaused(paused) {
    if (paused === this.paused) return;
    if (paused) this.#heldNow = this.clock.now();
    this.paused = paused;
    if (!paused) this.asking.forget();
    this.showStatus();
    this.asking.now();
    this.redraw();
  }
  /** Back from a hidden tab, or from another page. */
  wake() {
    if (!this.visible) return;
    this.chart.measure();
    this.asking.forget();
    this.asking.now();
    this.redraw();
  }

  // Drawing

  #row = (id) => this.model.get(id);
  /** All rows that are here, pinned ones first. */
  get rows() {
    return this.order.all.map(this.#row).filter(Boolean);
  }
  #arrange() {
    this.chart.arrange(this.order, this.#row, address.state.expanded);
    this.redraw();
  }
  redraw() {
    if (this.#frame || !this.visible) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }
  #draw() {
    clearTimeout(this.#timer);
    const now = this.now;
    const { scale } = this.time;
    const looks = { now, gaps: this.gaps, marked: this.#marked, chosen: address.state.selected, selected: this.card.selected };
    const drawn = this.chart.draw(scale, (index) => this.order.at(index), this.#row, looks);
    this.card.update(this.model.get(this.card.about?.row), now);
    this.gapTip.update(now);
    this.selection.show();
    this.time.draw(this.gaps);
    this.#offerBack();
    this.#painted.report(this.asking.version, drawn, this.clock);
    this.#drawAgain(scale, drawn);
  }
  /** Open bars grow: draws again when the present has moved by half a pixel, at least once a second for the times. */
  #drawAgain(scale, drawn) {
    if (this.paused) return;
    const moves = drawn.length > 0 && (this.time.following || drawn.some((row) => row.state !== "CLOSED"));
    const fastest = this.#reduced.matches ? 1000 : 33;
    const wait = moves ? Math.min(1000, Math.max(fastest, scale.perPixel / 2)) : 1000;
    this.#timer = setTimeout(() => this.redraw(), wait);
  }
  showStatus() {
    this.status.show({
      answer: this.asking.answer, matched: this.asking.matched, gaps: this.gaps, painted: this.#painted, asked: this.asking.askedAt, now: this.clock.now(), paused: this.paused, filtered: this.filtered,
      hidden: !this.visible,
    });
    this.selection.show();
  }
  #offerBack() {
    this.time.offerBack(this.paused, this.left ? this.asking.answer?.news : 0);
  }

  #scrolled() {
    this.card.leave();
    this.redraw();
    this.asking.settle();
  }
  #mark(id) {
    if (id === this.#marked) return;
    this.#marked = id;
    this.redraw();
  }

  // What the pointer, the keys and the buttons do

  point(x, y) {
    const place = this.chart.placeAt(y);
    if (!place?.row) return null;
    return { row: place.row, ...hitSegment(place.row, place.laid, x, y - place.y, this.time.scale, this.now) };
  }
  hover(hit, at) {
    this.#mark(hit.row.id);
    this.card.show(hit.row, hit, { ...at, now: this.now }, false);
    this.redraw();
  }
  leave(hit) {
    this.#mark(hit?.row.id ?? null);
    this.card.leave();
  }
  /** Tells of the gap at `x`, where nothing else lies; `at` is the pointer's place in the window. */
  hoverGap(x, at) {
    this.gapTip.show(x === null ? null : gapAt(this.gaps, this.time.scale, x, this.now), at, this.now);
  }
  pin(hit, at) {
    if (hit?.segment) this.card.show(hit.row, hit, { ...at, now: this.now }, true);
    else this.card.close();
    this.redraw();
  }
  select(hit) {
    this.selection.select(hit?.row.id);
  }
  timeAt(x) {
    return this.time.scale.time(x);
  }
  pan(pixels) {
    this.time.pan(pixels);
  }
  panPart(part) {
    this.time.pan(this.width * part);
  }
  scroll(pixels) {
    this.chart.scrollTo(this.chart.scrolled + pixels);
  }
  zoom(factor) {
    this.time.zoom(factor);
  }
  zoomAt(factor, x) {
    this.time.zoomAt(factor, x);
  }
  moveTo(start, end) {
    this.time.moveTo(start, end);
  }
  fit() {
    const { rows, now } = this;
    if (!rows.length) return;
    const start = Math.min(...rows.map((row) => row.start));
    const end = Math.max(...rows.map((row) => (row.state === "CLOSED" ? row.last : now)));
    const margin = (end - start) * 0.03;
    this.time.show(start - margin, end + margin);
  }
  live() {
    this.time.follow();
    this.chart.scrollTo(0);
    this.setPaused(false);
  }
  /** The row under the focus or the pointer; null where there is none. */
  get current() {
    return this.chart.heads.focused() ?? this.#marked;
  }
  /** Shows a row in a track a channel, or in one line again. */
  toggleTracks(id = this.current) {
    if (id) address.change({ expanded: toggled(address.state.expanded, id) });
  }
  /** Keeps a row on top of all others, or lets it go. */
  togglePinned(id = this.current) {
    if (id) address.change({ pinned: toggled(address.state.pinned, id) });
  }
  /** Moves the focus by `step` rows, pinned ones first (±Infinity: to the last or the first). */
  step(step) {
    const { pinned, listed } = this.order;
    const focused = this.order.placeOf(this.chart.heads.focused());
    const first = this.chart.scrolled ? pinned.length + this.onScreen().first + 1 : 0;
    const from = focused < 0 && Number.isFinite(step) ? first - step : focused;
    this.#goFor(Math.max(0, Math.min(pinned.length + listed - 1, from + step)));
  }
  /** Moves the focus to a row; false if the page does not hold it. */
  goTo(id) {
    const place = this.order.placeOf(id);
    if (place < 0) return false;
    this.#goFor(place);
    return true;
  }
  #goFor(place) {
    this.#goal = { place, until: Date.now() + REACH_MS };
    this.#reveal(place);
    this.#reach();
  }
  #reveal(place) {
    const index = place - this.order.pinned.length;
    if (index >= 0) this.chart.reveal(index);
  }
  /** Gives the focus to the row that it is to go to as soon as that is held, unless that takes long: then nobody waits for it. */
  #reach() {
    if (!this.#goal || Date.now() > this.#goal.until) return;
    const { place } = this.#goal;
    const row = this.model.get(this.order.idAt(place));
    if (!row) return;
    this.#goal = null;
    this.#reveal(place);
    this.#draw();
    const link = this.chart.heads.link(row.id);
    link?.setAttribute("aria-label", describe(row, this.now));
    link?.focus({ preventScroll: true });
    this.#mark(row.id);
  }
}
