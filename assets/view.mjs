// The window of time that is looked at: following the present until somebody moves it.

import { DEFAULT_SPAN } from "./address.mjs";
import { LONGEST_SPAN, TimeScale, zoomed } from "./scale.mjs";

const AHEAD = 0.03;

export class View {
  following = true;
  #span = DEFAULT_SPAN;
  #end = 0;

  /** The scale on `width` pixels; while following, the present lies a little before the right edge. */
  scale(width, now) {
    if (this.following) this.#end = now + this.#span * AHEAD;
    return new TimeScale(this.#end - this.#span, this.#end, Math.max(width, 1));
  }
  get span() {
    return this.#span;
  }
  /** The window as the address has it. */
  get window() {
    return this.following ? { live: true, span: this.#span } : { live: false, from: this.#end - this.#span, to: this.#end };
  }
  set window(shown) {
    this.following = shown.live;
    this.#span = shown.live ? shown.span : shown.to - shown.from;
    if (!shown.live) this.#end = shown.to;
  }
  /** Zooms around `anchor`; while following, around the present, so that it stays in sight. */
  zoom(factor, anchor, now) {
    const pivot = this.following ? now : anchor;
    const next = zoomed(this.#end - this.#span, this.#end, factor, pivot);
    this.#span = next.end - next.start;
    if (!this.following) this.#end = next.end;
  }
  pan(by) {
    if (!by) return;
    this.following = false;
    this.#end += by;
  }
  show(start, end) {
    this.following = false;
    this.#span = Math.min(LONGEST_SPAN, Math.max(10_000, end - start));
    this.#end = end;
  }
  follow() {
    this.following = true;
  }
}
