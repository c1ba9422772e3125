// The window of time that is looked at: following the present until somebody moves it.

import { LONGEST_SPAN, SHORTEST_SPAN, TimeScale, zoomed } from "../base/scale.mjs";
import { DEFAULT_SPAN } from "../state/address.mjs";

const AHEAD = 0.03;
/** What of the window must not lie after the present, as a part of its span. */
const LEAST_PAST = 0.1;

export class View {
  following = true;
  /** When the present was left, by the server's clock; 0 while it is followed, NaN while that clock is not known. */
  leftAt = 0;
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
    const [from, to] = [Math.round(this.#end - this.#span), Math.round(this.#end)];
    return this.following ? { live: true, span: Math.round(this.#span) } : { live: false, from, to };
  }
  /** Takes a window from the address, whatever it is. */
  take(shown, now) {
    if (shown.live) return this.follow(shown.span);
    this.#leave(now);
    this.#span = shown.to - shown.from;
    this.#end = shown.to;
  }

  /** Zooms around the present while following, so that it stays in sight; else around `anchor`. */
  zoom(factor, anchor, now) {
    const pivot = this.following ? now : anchor;
    const next = zoomed(this.#end - this.#span, this.#end, factor, pivot);
    this.#span = next.end - next.start;
    if (!this.following) this.#end = this.#bounded(next.end, now);
  }
  /** Zooms around `anchor`, which stays where it is: unless that is the present, it is not followed any more. */
  zoomAt(factor, anchor, now) {
    if (this.following && this.#end - anchor > this.#span * 2 * AHEAD) this.#leave(now);
    this.zoom(factor, anchor, now);
  }
  pan(by, now) {
    if (!by) return;
    this.#leave(now);
    this.#end = this.#bounded(this.#end + by, now);
  }
  show(start, end, now) {
    this.#leave(now);
    this.#span = bounded(end - start);
    this.#end = this.#bounded(end, now);
  }
  /** Shows a window, and follows the present from there on where the window reaches it. */
  showOrFollow(start, end, now) {
    if (end >= now + (end - start) * AHEAD) this.follow(end - start);
    else this.show(start, end, now);
  }
  follow(span = this.#span) {
    this.following = true;
    this.leftAt = 0;
    this.#span = bounded(span);
  }

  #leave(now) {
    if (this.following) this.leftAt = now;
    this.following = false;
  }
  #bounded(end, now) {
    return Math.min(end, now + this.#span * (1 - LEAST_PAST));
  }
}

function bounded(span) {
  return Math.min(LONGEST_SPAN, Math.max(SHORTEST_SPAN, span));
}
