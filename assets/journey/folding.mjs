// A time axis on which long idle stretches are folded to breaks of one width each. The server says which ones fold
// (`journeymap/view/folding.py`, which does the same for exports). Golden cases: tests/data/folding_cases.json.

import { STEPS } from "../base/scale.mjs";

const BREAK = 44;
const BREAKS_SHARE = 0.18;
const CROWDED = 0.6;
export const LEAST_BAR = 3;

/** The span `[start, end)` laid on `width` pixels with a break for each of `folds` (`[start, end]`, sorted, apart); those whose
 *  start is in `expanded` are drawn at their true length. */
export class FoldedScale {
  constructor(start, end, width, folds = [], expanded = new Set()) {
    Object.assign(this, { start, end, width });
    this.folds = folds.filter(([from, to]) => start <= from && to <= end && !expanded.has(from));
    const count = this.folds.length;
    const active = end - start - this.folds.reduce((sum, [from, to]) => sum + to - from, 0);
    this.breakWidth = count ? Math.min(BREAK, (width * BREAKS_SHARE) / count) : 0;
    if (count && !active) this.breakWidth = width / count;
    /** Pixels a millisecond outside of breaks. */
    this.rate = active ? (width - this.breakWidth * count) / active : 0;
    this.times = [start];
    this.places = [0];
    const corner = (time, place) => {
      this.times.push(time);
      this.places.push(place);
    };
    for (const [from, to] of this.folds) {
      const time = this.times.at(-1);
      if (from > time) corner(from, this.places.at(-1) + (from - time) * this.rate);
      corner(to, this.places.at(-1) + this.breakWidth);
    }
    if (end > this.times.at(-1)) corner(end, width);
  }
  x(time) {
    if (time <= this.start) return (time - this.start) * this.rate;
    if (time >= this.end) return this.width + (time - this.end) * this.rate;
    const at = before(this.times, time);
    const share = (time - this.times[at]) / (this.times[at + 1] - this.times[at]);
    return this.places[at] + share * (this.places[at + 1] - this.places[at]);
  }
  /** The moment at a place; inside a break as if it were drawn evenly. */
  time(x) {
    if (x <= 0) return this.start + (this.rate ? x / this.rate : 0);
    if (x >= this.width) return this.end + (this.rate ? (x - this.width) / this.rate : 0);
    const at = Math.min(before(this.places, x), this.places.length - 2);
    const share = (x - this.places[at]) / (this.places[at + 1] - this.places[at]);
    return this.times[at] + share * (this.times[at + 1] - this.times[at]);
  }
  /** Left edge and width of a bar; no bar is narrower than `least`. */
  bar(start, end, least = LEAST_BAR) {
    const left = this.x(start);
    return [left, Math.max(this.x(end) - left, least)];
  }
  *pieces() {
    let start = this.start;
    for (const [from, to] of this.folds) {
      yield [start, Math.max(start, from)];
      start = to;
    }
    if (start < this.end) yield [start, this.end];
  }
}

/** Ticks between two places, on round local times (`offset` is what local time is ahead of UTC); a piece between breaks that holds no
 *  round time has one where it begins. */
export function foldedTicks(scale, left, right, offset = 0, apart = 96) {
  const step = STEPS.find((each) => each * scale.rate >= apart) ?? STEPS.at(-1);
  const times = [];
  let last = left - apart;
  for (const [start, end] of scale.pieces()) {
    const first = Math.max(start, Math.ceil(scale.time(left)));
    const until = Math.min(end, Math.trunc(scale.time(right)));
    if (until < first) continue;
    const grid = Math.ceil((first + offset) / step) * step - offset;
    let needed = CROWDED;
    for (let time = grid <= until ? grid : first; time <= until; time += step) {
      const x = scale.x(time);
      if (x - last >= apart * needed) {
        times.push(time);
        last = x;
      }
      needed = 0.99;
      if (grid > until) break;
    }
  }
  return { step, times };
}

/** The last place in a sorted list whose value is at most `value`. */
function before(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
