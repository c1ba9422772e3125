// The wall: holds what is looked at, asks for what it needs, and has it drawn when something changed.

import { Card } from "./card.mjs";
import { nextDelay, ServerClock } from "./clock.mjs";
import { drawAxis, drawRows, fitCanvas, ROW } from "./draw.mjs";
import { isFiltered, NO_FILTERS, sameFilters, showFacets, withOthers } from "./filters.mjs";
import { gapAt, GapTip, readGaps } from "./gaps.mjs";
import { hitSegment } from "./hit.mjs";
import { Model } from "./model.mjs";
import { Order } from "./order.mjs";
import { Painted } from "./painted.mjs";
import { describe, journeyPath, make, RowHeads, setText } from "./rows.mjs";
import { Status } from "./status.mjs";
import { Table } from "./table.mjs";
import { length, shortTime } from "./times.mjs";
import { View } from "./view.mjs";

const MOST_PIXELS = 12_000_000;
const RESTING_ASK_MS = 2000;
const AXIS_HEIGHT = 30;
const UNREAD_MS = 1000;
const RETRY_MS = 1500;
const element = (id) => document.getElementById(id);

export class Wall {
  clock = new ServerClock();
  view = new View();
  model = new Model();
  order = new Order();
  status = new Status();
  filters = NO_FILTERS;
  paused = false;
  gaps = [];
  #answer = null;
  #version = 0;
  #asked = null;
  #askedAt = 0;
  #unread = 0;
  #lastCall = null;
  #heldNow = 0;
  #changedQuestion = true;
  #marked = null;
  #pointerOver = false;
  #size = { width: 0, height: 0 };
  #frame = 0;
  #timer = 0;
  #drawnNow = 0;
  #painted = new Painted();
  #reduced = matchMedia("(prefers-reduced-motion: reduce)");

  constructor({ open }) {
    this.open = (hit) => hit?.row && open(journeyPath(hit.row.id));
    this.rowsPlace = element("timeline-rows");
    this.axis = element("timeline-axis");
    this.space = make("div", "rows-space", this.rowsPlace);
    this.layer = make("div", "rows-layer", this.space);
    this.headsPlace = make("div", "rows-heads", this.layer);
    this.headsPlace.setAttribute("role", "list");
    this.canvas = make("canvas", "rows-canvas", this.layer);
    this.canvas.setAttribute("aria-hidden", "true");
    this.heads = new RowHeads(this.headsPlace);
    this.card = new Card(document.body, () => this.redraw());
    this.gapTip = new GapTip(document.body);
    this.table = new Table(element("journey-table"), element("table-panel"), element("table-toggle"));
    this.rowsPlace.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.rowsPlace.addEventListener("pointerenter", () => (this.#pointerOver = true));
    this.rowsPlace.addEventListener("pointerleave", () => {
      this.#pointerOver = false;
      this.#mark(null);
    });
    this.headsPlace.addEventListener("pointermove", (event) => this.#mark(event.target.closest(".row-head")?.dataset.id ?? null));
    this.headsPlace.addEventListener("focusin", () => this.#mark(this.heads.focused()));
    new ResizeObserver(() => this.#measure()).observe(this.rowsPlace);
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    window.addEventListener("journeymap:call", ({ detail }) => detail.output === "answer.data" && this.#called(detail));
    setInterval(() => this.#watch(), 1000);
  }

  get visible() {
    return !document.hidden && !this.rowsPlace.closest("[hidden]");
  }
  get now() {
    return this.paused ? this.#heldNow : this.clock.now();
  }
  get filtered() {
    return isFiltered(this.filters);
  }
  /** The filters as a question: "Other" stands for all channels without a track of their own. */
  get wanted() {
    return { ...this.filters, channels: withOthers(this.filters.channels, Object.keys(this.#answer?.channels ?? {})) };
  }
  get window() {
    const scale = this.#scale();
    return [Math.round(scale.start), Math.round(scale.end)];
  }

  // Questions and answers

  /** The next question; null where there is nothing to ask (nobody looks, or one is on its way). */
  ask() {
    // An answer that has come but was not handed over yet would be thrown away by another question.
    if (document.hidden || this.#askedAt || Date.now() - this.#unread < UNREAD_MS) return null;
    // Nobody looks at the rows (the picture is held, or a journey lies over it): only counts and status, and less often.
    const resting = this.paused || !this.visible;
    if (resting && this.#lastCall && Date.now() - this.#lastCall.received < RESTING_ASK_MS) return null;
    const { first, shown } = this.#onScreen();
    const part = resting ? { offset: 0, count: 0, hold: null } : this.order.ask(first, shown, this.#locked(), Date.now());
    const filters = this.wanted;
    const key = JSON.stringify([part, filters]);
    const anew = this.#changedQuestion || key !== this.#asked?.key;
    this.#asked = { part, key, filters: this.filters, resting };
    this.#changedQuestion = false;
    return {
      version: anew ? 0 : this.#version, at: anew ? 0 : this.#answer?.now ?? 0, ...filters, since: 0, ...part,
      have: part.count ? this.model.have() : [],
    };
  }
  /** Asks at once instead of at the next tick, unless a question is on its way. */
  askNow() {
    const question = this.ask();
    if (question) window.dash_clientside.set_props("question", { data: question });
  }

  receive(answer) {
    this.#unread = 0;
    if (!answer || !this.#asked) return;
    if (this.#lastCall) this.clock.learn(answer.now, this.#lastCall.sent, this.#lastCall.received);
    this.#answer = answer;
    if (answer.gaps && !this.paused) this.gaps = readGaps(answer.gaps);
    const { part, filters, resting } = this.#asked;
    if (!resting && !this.paused && sameFilters(filters, this.filters)) {
      this.#version = answer.version;
      this.model.upsert(answer.rows);
      this.order.take(part, answer, this.#locked(), Date.now());
      const about = this.card.about;
      this.model.keep(about ? [...this.order.ids, about.row] : this.order.ids);
      this.#resizeSpace();
      this.redraw();
    }
    showFacets(answer.channels);
    this.showStatus();
    this.#aim();
    this.#settle();
  }

  /** Sets the clock of the questions so that the next one comes just behind a flush of the ingest side. */
  #aim() {
    if (!this.#answer || !this.#lastCall) return;
    const elapsed = Date.now() - this.#lastCall.sent;
    const { committed_at: committedAt } = this.#answer;
    const delay = nextDelay({ now: this.clock.now(), committedAt, trip: this.clock.trip, elapsed });
    window.dash_clientside.set_props("tick", { interval: this.paused ? 1000 : delay });
  }

  #called(call) {
    if (call.phase === "sent") {
      this.#askedAt = call.sent;
      return;
    }
    this.#askedAt = 0;
    if (call.phase === "answered") {
      this.#lastCall = call;
      this.status.answered();
      // An empty answer does not reach `receive`.
      if (call.status === 204) setTimeout(() => (this.#aim(), this.#settle()), 0);
      else this.#unread = Date.now();
    } else {
      this.status.failed();
      this.#changedQuestion = true;
      // Dash leaves its clock off after a lost connection.
      setTimeout(() => window.dash_clientside.set_props("tick", { disabled: false, interval: RETRY_MS }), 50);
    }
  }
  /** Asks at once for what was scrolled to, or for what changed, while a question was on its way. */
  #settle() {
    if (!this.visible || this.paused) return;
    const { first, shown } = this.#onScreen();
    const last = Math.min(first + shown, this.order.matched);
    const missing = first < this.order.offset || last > this.order.offset + this.order.ids.length;
    if (this.#changedQuestion || (missing && this.order.matched)) this.askNow();
  }
  #watch() {
    if (!document.hidden) this.showStatus();
    // A question that never came back, though the network said nothing.
    if (this.#askedAt && Date.now() - this.#askedAt > 60_000) this.#called({ phase: "failed" });
  }

  setFilters(filters) {
    if (sameFilters(filters, this.filters)) return false;
    this.filters = filters;
    this.#changedQuestion = true;
    this.order.forget();
    this.rowsPlace.scrollTop = 0;
    this.askNow();
    return true;
  }
  setPaused(paused) {
    if (paused === this.paused) return;
    if (paused) this.#heldNow = this.clock.now();
    this.paused = paused;
    this.#changedQuestion = true;
    this.showStatus();
    this.askNow();
    this.redraw();
  }
  /** Back from a hidden tab, or from another page. */
  wake() {
    if (!this.visible) return;
    this.#measure();
    this.#changedQuestion = true;
    this.askNow();
    this.redraw();
  }

  /** Rows stay where they are while somebody points at one, has one focused, or looks further down. */
  #locked() {
    return this.#pointerOver || this.heads.focused() !== null || this.rowsPlace.scrollTop > ROW || this.card.pinned;
  }

  // Drawing

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
    const scale = this.#scale();
    const { first, shown } = this.#onScreen();
    const top = this.rowsPlace.scrollTop;
    const rows = [];
    for (let index = first; index < Math.min(first + shown, this.order.matched); index += 1) {
      rows.push({ row: this.model.get(this.order.at(index)), y: index * ROW - top, index });
    }
    const { width, height } = this.#size;
    drawAxis(fitCanvas(this.axis, width, AXIS_HEIGHT), scale, now, this.gaps);
    const looks = { height, now, gaps: this.gaps, marked: this.#marked, selected: this.card.selected };
    drawRows(fitCanvas(this.canvas, width, height), scale, rows, looks);
    this.heads.show(rows, { now, marked: this.#marked, total: this.order.matched, offset: first });
    const drawn = rows.filter(({ row }) => row);
    this.card.update(this.model.get(this.card.about?.row), now);
    this.gapTip.update(now);
    this.table.write(this.order.ids.map((id) => this.model.get(id)).filter(Boolean), now);
    this.#showWindow(scale);
    this.#drawnNow = now;
    this.#painted.report(this.#version, drawn.map(({ row }) => row), this.clock);
    this.#drawAgain(scale, drawn);
  }
  /** Open bars grow: draws again when the present has moved by half a pixel, at least once a second for the times. */
  #drawAgain(scale, drawn) {
    if (this.paused) return;
    const moves = drawn.length > 0 && (this.view.following || drawn.some(({ row }) => row.state !== "CLOSED"));
    const fastest = this.#reduced.matches ? 1000 : 33;
    const wait = moves ? Math.min(1000, Math.max(fastest, scale.perPixel / 2)) : 1000;
    this.#timer = setTimeout(() => this.redraw(), wait);
  }
  showStatus() {
    this.status.show({
      answer: this.#answer, gaps: this.gaps, painted: this.#painted, asked: this.#askedAt, now: this.clock.now(), paused: this.paused, filtered: this.filtered,
      shown: Math.min(this.#onScreen().shown, this.order.matched), rowsHeld: this.order.ids.length, hidden: !this.visible,
    });
  }
  #showWindow(scale) {
    const end = this.view.following ? "now" : shortTime(scale.end);
    setText(element("window"), this.view.following ? `Last ${length(this.view.span)}` : `${shortTime(scale.start)} – ${end} (${length(scale.span)})`);
    element("back-to-live").hidden = this.view.following;
  }

  #scale() {
    return this.view.scale(this.#size.width, this.now);
  }
  #measure() {
    const head = this.headsPlace.offsetWidth;
    this.#size = { width: Math.max(0, this.rowsPlace.clientWidth - head), height: this.rowsPlace.clientHeight };
    this.layer.style.height = `${this.#size.height}px`;
    this.canvas.style.width = `${this.#size.width}px`;
    this.canvas.style.height = `${this.#size.height}px`;
    this.axis.style.width = `${this.#size.width}px`;
    this.redraw();
  }
  #resizeSpace() {
    const pixels = `${Math.min(MOST_PIXELS, this.order.matched * ROW)}px`;
    if (this.space.style.height !== pixels) this.space.style.height = pixels;
  }
  #onScreen() {
    const first = Math.floor(this.rowsPlace.scrollTop / ROW);
    return { first, shown: Math.ceil((this.#size.height + ROW) / ROW) };
  }
  #scrolled() {
    this.card.leave();
    this.redraw();
    this.#settle();
  }
  #mark(id) {
    if (id === this.#marked) return;
    this.#marked = id;
    this.redraw();
  }

  // What the pointer, the keys and the buttons do

  point(x, y) {
    const index = Math.floor((y + this.rowsPlace.scrollTop) / ROW);
    const row = this.model.get(this.order.at(index));
    if (!row) return null;
    const hit = hitSegment(row, x, y + this.rowsPlace.scrollTop - index * ROW, this.#scale(), this.now);
    return { row, ...hit };
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
    this.gapTip.show(x === null ? null : gapAt(this.gaps, this.#scale(), x, this.now), at, this.now);
  }
  pin(hit, at) {
    if (hit?.segment) this.card.show(hit.row, hit, { ...at, now: this.now }, true);
    else this.card.close();
    this.redraw();
  }
  pan(pixels) {
    this.view.pan(pixels * this.#scale().perPixel);
    this.redraw();
  }
  panPart(part) {
    this.pan(this.#size.width * part);
  }
  scroll(pixels) {
    this.rowsPlace.scrollTop += pixels;
  }
  zoom(factor, x = this.#size.width / 2) {
    this.view.zoom(factor, this.#scale().time(x), this.now);
    this.redraw();
  }
  fit() {
    const rows = this.order.ids.map((id) => this.model.get(id)).filter(Boolean);
    if (!rows.length) return;
    const now = this.now;
    const start = Math.min(...rows.map((row) => row.start));
    const end = Math.max(...rows.map((row) => (row.state === "CLOSED" ? row.last : now)));
    const margin = (end - start) * 0.03;
    this.view.show(start - margin, end + margin);
    this.redraw();
  }
  live() {
    this.view.follow();
    this.rowsPlace.scrollTop = 0;
    this.setPaused(false);
    this.redraw();
  }
  /** Moves the focus by `step` rows and keeps it in sight. Returns what is to be read out. */
  step(step) {
    const focused = this.order.indexOf(this.heads.focused());
    const first = Math.ceil(this.rowsPlace.scrollTop / ROW);
    const index = Math.max(0, Math.min(this.order.matched - 1, focused < 0 ? first : focused + step));
    const id = this.order.at(index);
    if (!id) return;
    const top = index * ROW;
    if (top < this.rowsPlace.scrollTop) this.rowsPlace.scrollTop = top;
    const bottom = this.rowsPlace.scrollTop + this.#size.height;
    if (top + ROW > bottom) this.rowsPlace.scrollTop += top + ROW - bottom;
    this.#draw();
    const link = this.heads.link(id);
    link?.setAttribute("aria-label", describe(this.model.get(id), this.now));
    link?.focus({ preventScroll: true });
    this.#mark(id);
  }
}
