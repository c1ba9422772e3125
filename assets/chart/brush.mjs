// A stretch of time being drawn on the chart with the pointer: the wall then shows that stretch alone.

import { make, setText } from "../base/elements.mjs";
import { clockTime, length } from "../base/times.mjs";

const LEAST = 6;

export class Brush {
  #root;
  #label;
  #canvas;
  #time;
  #from = null;
  #to = 0;

  /** Draws over `place`; `x` counts from the left edge of `canvas`, and `time(x)` is what lies there. */
  constructor(place, canvas, time) {
    this.#canvas = canvas;
    this.#time = time;
    this.#root = make("div", "brush", place);
    this.#root.hidden = true;
    this.#label = make("span", "brush-label", this.#root);
  }
  get active() {
    return this.#from !== null;
  }

  start(x) {
    this.#from = this.#to = this.#bounded(x);
  }
  move(x) {
    this.#to = this.#bounded(x);
    const [left, right] = [Math.min(this.#from, this.#to), Math.max(this.#from, this.#to)];
    const origin = this.#canvas.getBoundingClientRect().left - this.#root.parentElement.getBoundingClientRect().left;
    this.#root.hidden = right - left < LEAST;
    this.#root.style.left = `${origin + left}px`;
    this.#root.style.width = `${right - left}px`;
    const [from, to] = [this.#time(left), this.#time(right)];
    setText(this.#label, `${clockTime(from)} – ${clockTime(to)}, ${length(to - from)}`);
  }
  /** Ends it. Returns `[start, end]`, or null where too little was drawn to be meant. */
  end() {
    const [left, right] = [Math.min(this.#from, this.#to), Math.max(this.#from, this.#to)];
    this.cancel();
    return right - left < LEAST ? null : [this.#time(left), this.#time(right)];
  }
  cancel() {
    this.#from = null;
    this.#root.hidden = true;
  }

  #bounded(x) {
    return Math.max(0, Math.min(this.#canvas.clientWidth, x));
  }
}
