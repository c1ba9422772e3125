// The chart's elements: axis, heads and canvas, how large they are, which rows are in sight, and one frame of them.

import { drawAxis, drawRows, fitCanvas, ROW } from "./draw.mjs";
import { make, RowHeads } from "./rows.mjs";

const MOST_PIXELS = 12_000_000;
const AXIS_HEIGHT = 30;

export class Chart {
  size = { width: 0, height: 0 };
  #space;
  #layer;
  #headsPlace;

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
    new ResizeObserver(() => (this.measure(), resized())).observe(rows);
  }

  get scrolled() {
    return this.place.scrollTop;
  }
  scrollTo(top) {
    this.place.scrollTop = top;
  }
  /** Calls back with the id of the row whose head is pointed at or has the focus; null when the pointer leaves. */
  onMark(mark) {
    this.#headsPlace.addEventListener("pointermove", (event) => mark(event.target.closest(".row-head")?.dataset.id ?? null));
    this.#headsPlace.addEventListener("focusin", () => mark(this.heads.focused()));
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
  /** Makes as much room to scroll in as `rows` rows take. */
  makeRoom(rows) {
    const pixels = `${Math.min(MOST_PIXELS, rows * ROW)}px`;
    if (this.#space.style.height !== pixels) this.#space.style.height = pixels;
  }

  /** Which rows are in sight: the first one's index and how many. */
  onScreen() {
    return { first: Math.floor(this.scrolled / ROW), shown: Math.ceil((this.size.height + ROW) / ROW) };
  }
  /** The row at `y` of the canvas: its index and its upper edge. */
  rowAt(y) {
    const index = Math.floor((y + this.scrolled) / ROW);
    return { index, top: index * ROW - this.scrolled };
  }
  /** Brings a row into sight. */
  reveal(index) {
    const top = index * ROW;
    if (top < this.scrolled) this.scrollTo(top);
    const over = top + ROW - this.scrolled - this.size.height;
    if (over > 0) this.scrollTo(this.scrolled + over);
  }

  /** Draws the rows in sight (`rowOf` index, undefined while it is on its way) and returns those that are there. */
  draw(scale, rowOf, total, { now, gaps, marked, selected }) {
    const { first, shown } = this.onScreen();
    const { width, height } = this.size;
    const rows = [];
    for (let index = first; index < Math.min(first + shown, total); index += 1) {
      rows.push({ row: rowOf(index), y: index * ROW - this.scrolled, index });
    }
    drawAxis(fitCanvas(this.axis, width, AXIS_HEIGHT), scale, now, gaps);
    drawRows(fitCanvas(this.canvas, width, height), scale, rows, { height, now, gaps, marked, selected });
    this.heads.show(rows, { now, marked, total, offset: first });
    return rows.filter(({ row }) => row).map(({ row }) => row);
  }
}
