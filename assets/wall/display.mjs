// The wall display (`?display=wall`): for a big screen that nobody touches. A clock, connection and lag; rows that scroll by slowly
// and rest at both ends.

import { setText } from "../base/elements.mjs";
import { clockTime, dayAndTime } from "../base/times.mjs";
import { address } from "../state/address.mjs";

const STEP_MS = 50;
/** Pixels a step: 20 a second, so that a row can be read before it is gone. */
const STEP = 1;
const REST_MS = 10_000;
const FLIP_MS = 12_000;
/** Further down than this many screens nobody waits for: it turns round. */
const MOST_SCREENS = 6;
/** Who scrolls by hand is left alone for so long. */
const HANDS_OFF_MS = 30_000;
const IDLE_MS = 3000;
const TELL_MS = 500;

export class Display {
  #wall;
  #bar;
  #way = 1;
  #restsUntil = 0;
  #movedAt = 0;
  #timer = 0;
  #telling = 0;
  #lock = null;
  #reduced = matchMedia("(prefers-reduced-motion: reduce)");

  /** `wall` offers `clock`, `paused`, `chart` and `status`; `bar` is the one line beside the rows. */
  constructor(wall, bar) {
    this.#wall = wall;
    this.#bar = bar;
    for (const name of ["wheel", "pointerdown", "keydown", "touchmove"]) {
      window.addEventListener(name, () => this.#rest(HANDS_OFF_MS), { passive: true });
    }
    window.addEventListener("pointermove", () => (this.#movedAt = Date.now()), { passive: true });
    document.addEventListener("visibilitychange", () => this.#keepAwake());
    address.onChange((state, previous) => state.display !== previous.display && this.#follow());
    this.#follow();
  }

  get on() {
    return address.state.display === "wall" && address.state.page === "wall";
  }
  /** Whether there was a display to leave. */
  leave() {
    if (!this.on) return false;
    address.change({ display: null });
    return true;
  }

  #follow() {
    const on = address.state.display === "wall";
    document.body.dataset.display = on ? "wall" : "";
    this.#bar.hidden = !on;
    clearInterval(this.#timer);
    clearInterval(this.#telling);
    this.#timer = on ? setInterval(() => this.#step(), STEP_MS) : 0;
    this.#telling = on ? setInterval(() => this.#tell(), TELL_MS) : 0;
    this.#way = 1;
    this.#rest(REST_MS);
    this.#keepAwake();
    this.#tell();
  }
  #rest(ms) {
    this.#restsUntil = Date.now() + ms;
  }

  #step() {
    if (!this.on) return;
    // A pointer that was left lying on the rows would hold their order for good.
    document.body.classList.toggle("display-idle", Date.now() - this.#movedAt > IDLE_MS);
    if (this.#wall.paused || Date.now() < this.#restsUntil) return;
    const { place } = this.#wall.chart;
    const end = Math.min(place.scrollHeight - place.clientHeight, MOST_SCREENS * place.clientHeight);
    const by = this.#reduced.matches ? place.clientHeight * 0.9 : STEP;
    const next = Math.max(0, Math.min(end, place.scrollTop + this.#way * by));
    if (end > 0) place.scrollTop = next;
    const turns = next <= 0 || next >= end;
    if (turns) this.#way = next <= 0 ? 1 : -1;
    if (turns || this.#reduced.matches) this.#rest(this.#reduced.matches ? FLIP_MS : REST_MS);
  }

  #tell() {
    if (!this.on) return;
    const now = this.#wall.clock.now();
    const { stands, connection, simulated } = this.#wall.status;
    const part = (name) => this.#bar.querySelector(`[data-part="${name}"]`);
    setText(part("clock"), clockTime(now));
    part("clock").title = dayAndTime(now);
    setText(part("word"), stands?.word ?? "");
    setText(part("lag"), stands?.text ?? "");
    part("simulated").hidden = !simulated;
    setText(part("connection"), connection?.word ?? "");
    part("connection").dataset.state = connection?.state ?? "";
    this.#bar.dataset.mode = stands?.mode ?? "stopped";
  }

  /** A big screen must not go dark; where the browser cannot promise it, that is the machine's affair. */
  async #keepAwake() {
    try {
      if (this.on && !document.hidden) this.#lock ??= await navigator.wakeLock?.request("screen");
      else await this.#lock?.release();
      if (!this.on || document.hidden) this.#lock = null;
    } catch {
      this.#lock = null;
    }
  }
}
