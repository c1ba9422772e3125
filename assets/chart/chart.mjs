// The chart's elements: axis, heads, headings and canvas, how large they are, which rows stand where, and one frame of them.

import { make } from "../base/elements.mjs";
import { drawAxis, drawRows, fitCanvas } from "./draw.mjs";
import { Geometry } from "./geometry.mjs";
import { HEADING, Headings } from "./headings.mjs";
import { layout, ROW, typeOf } from "./lanes.mjs";
import { RowHeads } from "./rows.mjs";

const MOST_PIXELS = 12_000_000;
const AXIS_HEIGHT = 30;
/** Pinned rows stand still while they leave this much of the height to the others; more of them scroll with the rest. */
const MOST_PINNED = 0.5;

export class Chart {
  size = { width: 0, height: 0 };
  #space;
  #layer;
  #headsPlace;
  #headings;
  #line = ROW;
  #geometry = new Geometry({ height: ROW });
  #pinned = [];
  #pinnedHeight = 0;
  #taller = new Map();
  #expanded = new Set();
  #group = null;
  #sizes = new Map();
  #places = [];

  /** `rows` is the element that scrolls, `axis` the canvas above it; `resized` is called when there is more or less room. */
  constructor(rows, axis, resized) {
    this.place = rows;
    this.axis = axis;
    this.#space = make("div", "rows-space", rows);
    this.#layer = make("div", "rows-layer", this.#space);
    this.#headsPlace = make("div", "rows-heads", this.#layer);
    this.#headsPlace.setAttribute("role", "list");
    this.canvas = make("canvas", "rows-canvas", this.#layer);
    this.canvas.setAttribute("aria-hidden", "true");
    this.heads = new RowHeads(this.#headsPlace);
    this.#headings = new Headings(this.#layer);
    new ResizeObserver(() => (this.measure(), resized())).observe(rows);
  }

  get scrolled() {
    return this.place.scrollTop;
  }
  scrollTo(top) {
    this.place.scrollTop = top;
  }
  /** How high a row is that nobody has expanded. */
  set line(pixels) {
    this.#line = pixels;
  }
  get line() {
    return this.#line;
  }
  /** Calls `mark` with the id of the row whose head is pointed at or has the focus, `expand` and `pin` with one whose button was pressed. */
  listen({ mark, expand, pin }) {
    const idOf = (event) => event.target.closest(".row-head")?.dataset.id ?? null;
    this.#headsPlace.addEventListener("pointermove", (event) => mark(idOf(event)));
    this.#headsPlace.addEventListener("focusin", () => mark(this.heads.focused()));
    this.#headsPlace.addEventListener("click", (event) => {
      const button = event.target.closest(".row-button");
      if (button) (button.classList.contains("row-pin") ? pin : expand)(idOf(event));
    });
  }

  measure() {
    const width = Math.max(0, this.place.clientWidth - this.#headsPlace.offsetWidth);
    const height = this.place.clientHeight;
    this.size = { width, height };
    this.#layer.style.height = `${height}px`;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.axis.style.width = `${width}px`;
  }

  /**
   * Gives every row its place: those of `order`, of which `expanded` (ids) are so, and `rowOf` an id. Rows in sight stay
   * where they are when some above them become higher or lower.
   */
  arrange(order, rowOf, expanded) {
    const before = this.#geometry;
    const beforePinned = this.#pinnedHeight;
    const top = before.indexAt(this.scrolled);
    this.#expanded = new Set(expanded);
    const lay = (id) => this.#lay(rowOf(id));
    let y = 0;
    this.#pinned = order.pinned.map((id) => {
      const laid = lay(id);
      const place = { id, laid, y, height: laid?.height ?? this.#line };
      y += place.height;
      return place;
    });
    this.#pinnedHeight = y;
    this.#group = order.grouping;
    this.#sizes = order.sizes;
    this.#measureTaller(order, lay);
    this.#geometry = new Geometry({
      count: order.listed, height: this.#line, taller: [...this.#taller.values()], groups: order.groups, heading: HEADING,
    });
    const pixels = `${Math.min(MOST_PIXELS, this.#pinnedHeight + this.#geometry.total)}px`;
    if (this.#space.style.height !== pixels) this.#space.style.height = pixels;
    const moved = this.#geometry.top(top) - before.top(top);
    const same = before.count && before.height === this.#line && beforePinned === this.#pinnedHeight;
    if (moved && same && this.scrolled > this.#line) this.scrollTo(this.scrolled + moved);
  }
  /** How much higher expanded rows are; of one that is not here any more it is remembered, so that nothing jumps. */
  #measureTaller(order, lay) {
    const expanded = this.#expanded;
    for (const [id, [index]] of this.#taller) {
      const here = index >= order.offset && index < order.offset + order.ids.length;
      if (!expanded.has(id) || here || order.pinned.includes(id)) this.#taller.delete(id);
    }
    for (const id of expanded) {
      const index = order.indexOf(id);
      const laid = index < 0 ? null : lay(id);
      if (laid) this.#taller.set(id, [index, laid.height - this.#line]);
    }
  }

  #lay(row) {
    return row ? layout(row, this.#expanded.has(row.id), this.#line) : null;
  }

  get #pinnedStands() {
    return this.#pinnedHeight <= this.size.height * MOST_PINNED;
  }
  /** Where the list's own part of the picture begins. */
  get #listTop() {
    return this.#pinnedStands ? this.#pinnedHeight : 0;
  }
  /** From y of the list to y of the picture. */
  get #shift() {
    return this.#pinnedHeight - this.scrolled;
  }
  /** Which rows of the list are in sight: the first one's index and how many. */
  onScreen() {
    if (!this.#geometry.count) return { first: 0, shown: Math.ceil(this.size.height / this.#line) + 1 };
    return this.#geometry.between(Math.max(0, this.#listTop - this.#shift), this.size.height - this.#shift);
  }
  /** The row at `y` of the canvas as it was drawn last: `{row, y, laid, …}`, or undefined. */
  placeAt(y) {
    const inBand = this.#places.filter((place) => place.pinned || y >= this.#listTop);
    return inBand.findLast((place) => y >= place.y && y < place.y + place.height);
  }
  /** The middle of a row's first line in the picture as it was drawn last; undefined where it is out of sight. */
  middleOf(id) {
    const place = this.#places.find(({ row }) => row?.id === id);
    return place && place.y + this.#line / 2;
  }
  /** Brings a row of the list into sight. */
  reveal(index) {
    const heading = this.#group ? HEADING : 0;
    const top = this.#geometry.top(index) + this.#shift;
    const bottom = top + this.#geometry.heightOf(index);
    if (top < this.#listTop + heading) this.scrollTo(this.scrolled + top - this.#listTop - heading);
    else if (bottom > this.size.height) this.scrollTo(this.scrolled + Math.min(bottom - this.size.height, top - this.#listTop - heading));
  }

  /** Draws what is in sight (`idAt` index of the list, undefined while it is on its way) and returns the rows that are there. */
  draw(scale, idAt, rowOf, looks) {
    const { width, height } = this.size;
    const places = [...this.#listPlaces(idAt, rowOf), ...this.#pinnedPlaces(rowOf)];
    this.#places = places;
    drawAxis(fitCanvas(this.axis, width, AXIS_HEIGHT), scale, looks.now, looks.gaps, typeOf(this.#line));
    drawRows(fitCanvas(this.canvas, width, height), scale, places, { height, pinnedTo: this.#pinned.length ? this.#bandTo : 0, ...looks });
    this.heads.show(places, { ...looks, total: this.#pinned.length + this.#geometry.count });
    this.#headings.show(this.#headingPlaces(), this.#group);
    return places.filter(({ row }) => row).map(({ row }) => row);
  }
  /** Where the pinned rows' band ends in the picture. */
  get #bandTo() {
    return this.#pinnedStands ? this.#pinnedHeight : Math.max(0, this.#shift);
  }
  #listPlaces(idAt, rowOf) {
    const { first, shown } = this.onScreen();
    const places = [];
    for (let index = first; index < Math.min(first + shown, this.#geometry.count); index += 1) {
      const row = rowOf(idAt(index));
      const height = this.#geometry.heightOf(index);
      places.push({ row, laid: this.#lay(row), y: this.#geometry.top(index) + this.#shift, height, index: this.#pinned.length + index, pinned: false });
    }
    return places;
  }
  #pinnedPlaces(rowOf) {
    const shift = this.#pinnedStands ? 0 : -this.scrolled;
    const places = this.#pinned.map(({ id, laid, y, height }, index) => {
      return { row: laid ? rowOf(id) : undefined, laid, y: y + shift, height, index, pinned: true };
    });
    return places.filter(({ y, height }) => y + height > 0 && y < this.size.height);
  }
  /** The headings in sight; the first one's rows may have scrolled away from below it. */
  #headingPlaces() {
    const geometry = this.#geometry;
    if (!geometry.groups.length || !geometry.count) return [];
    const { first, shown } = this.onScreen();
    const [from, to] = [geometry.groupOf(first), geometry.groupOf(first + shown - 1)];
    return geometry.groups.slice(from, to + 1).map(([name, rows], place) => {
      const y = geometry.headingTop(from + place) + this.#shift;
      return { name, rows: this.#sizes.get(name) ?? rows, y: place ? y : Math.max(this.#listTop, y) };
    });
  }
}
