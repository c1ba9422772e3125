// The window of time: what moves it, what tells where it is, and the way back to the present.

import { element, setText } from "../base/elements.mjs";
import { same } from "../state/address.mjs";
import { Overview, windowText } from "./overview.mjs";
import { View } from "./view.mjs";

export class TimeWindow {
  view = new View();
  #wall;

  /** `wall` offers `clock`, `now`, `width` (of the rows' canvas), `live()`, and `moved()`, which is called when the window was moved. */
  constructor(wall) {
    this.#wall = wall;
    this.overview = new Overview(element("overview"), {
      now: () => wall.now,
      bounds: () => this.bounds(),
      moveTo: (start, end) => this.moveTo(start, end),
      span: (ms) => this.lengthen(ms),
      zoom: (factor, time) => this.zoomAround(factor, time),
      live: () => wall.live(),
    });
  }

  /** Takes a window from the address. */
  take(shown) {
    // Before the first answer the server's clock is not known: when the present was left, is said by that answer.
    if (!same(shown, this.view.window)) this.view.take(shown, this.#wall.clock.known ? this.#wall.now : NaN);
  }
  /** An answer came. */
  took(answer, now) {
    if (Number.isNaN(this.view.leftAt)) this.view.leftAt = now;
    if (answer.overview) this.overview.take(answer.overview, now);
  }

  get following() {
    return this.view.following;
  }
  get scale() {
    return this.view.scale(this.#wall.width, this.#wall.now);
  }
  /** `{start, end, following}`, in ms and not rounded. */
  bounds() {
    const { start, end } = this.scale;
    return { start, end, following: this.view.following };
  }

  pan(pixels) {
    this.#move((view, now, scale) => view.pan(pixels * scale.perPixel, now));
  }
  /** Closer (`factor` below 1) or further away around the middle, or around the present where that is followed. */
  zoom(factor) {
    this.#move((view, now, scale) => view.zoom(factor, scale.time(scale.width / 2), now));
  }
  zoomAt(factor, x) {
    this.#move((view, now, scale) => view.zoomAt(factor, scale.time(x), now));
  }
  zoomAround(factor, time) {
    this.#move((view, now) => view.zoomAt(factor, time, now));
  }
  /** Follows the present from there on where the window reaches it. */
  moveTo(start, end) {
    this.#move((view, now) => view.showOrFollow(start, end, now));
  }
  show(start, end) {
    this.#move((view, now) => view.show(start, end, now));
  }
  follow() {
    this.#move((view) => view.follow());
  }
  /** Another span, still following the present. */
  lengthen(span) {
    this.#move((view) => view.follow(span));
  }

  /** Draws the overview and writes where the window is. */
  draw(gaps) {
    this.overview.draw(this.#wall.now, gaps);
    setText(element("window"), windowText(this.bounds(), this.#wall.now));
  }
  /** Shows the way back, also while the picture is held; `news` is how many journeys have moved on since. */
  offerBack(paused, news) {
    const back = element("back-to-live");
    back.hidden = this.view.following && !paused;
    setText(back, news ? `Back to live (${news.toLocaleString("en-GB")} new)` : "Back to live");
  }

  #move(move) {
    move(this.view, this.#wall.now, this.scale);
    this.#wall.moved();
  }
}
