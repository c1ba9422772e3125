// A marked stretch of time: a band over all rows that says how long it is, so that other rows can be held against it.

import { make } from "../base/elements.mjs";
import { length } from "../base/times.mjs";

export class TimeMark {
  #wall;
  #band;
  #span = null;
  #frame = 0;

  constructor(wall) {
    this.#wall = wall;
    this.#band = make("div", "time-mark", wall.chart.canvas.parentElement);
    this.#band.hidden = true;
    this.#band.setAttribute("aria-hidden", "true");
    this.text = make("span", "time-mark-length", this.#band);
  }

  /** Marks `{start, end}`; the same again takes the mark away. Returns whether there is one now. */
  toggle(span) {
    const same = this.#span && span.start === this.#span.start;
    this.#span = same ? null : span;
    this.#band.hidden = same;
    cancelAnimationFrame(this.#frame);
    if (!same) {
      this.text.textContent = length(span.end - span.start);
      this.#follow();
    }
    return !same;
  }
  clear() {
    return this.#span !== null && !this.toggle(this.#span);
  }

  /** Keeps the band where its times are, whoever moves the window; writes only where that has changed. */
  #follow() {
    this.#frame = requestAnimationFrame(() => this.#follow());
    const { canvas } = this.#wall.chart;
    const [start, end] = this.#wall.window;
    const perPixel = (end - start) / Math.max(1, canvas.offsetWidth);
    const left = Math.max(0, (this.#span.start - start) / perPixel);
    const right = Math.min(canvas.offsetWidth, (this.#span.end - start) / perPixel);
    const placed = right < 0 || left > canvas.offsetWidth ? "none" : `${Math.round(canvas.offsetLeft + left)}px ${Math.max(1, Math.round(right - left))}px`;
    if (this.#band.dataset.placed === placed) return;
    this.#band.dataset.placed = placed;
    this.#band.style.display = placed === "none" ? "none" : "";
    [this.#band.style.left, this.#band.style.width] = placed === "none" ? ["0", "0"] : placed.split(" ");
  }
}
