// Where rows stand: rows of different heights, one below the other, with headings between groups. Pure; y 0 is the list's top.

/** The last place in `sorted` whose value is at most `value`; -1 where there is none. */
function lastAtMost(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * `count` rows of `height` pixels. `taller` says which are taller (`[[index, pixels more], …]`, any order), `groups` how many
 * rows each group has (`[[name, rows], …]`, null without groups); each begins with a heading of `heading` pixels.
 * Nothing depends on `count` but the arithmetic: thousands of rows cost what ten do.
 */
export class Geometry {
  #at = [];
  #before = [0];
  #starts = [];

  constructor({ count = 0, height, taller = [], groups = null, heading = 0 }) {
    Object.assign(this, { count, height, heading, groups: groups ?? [] });
    for (const [index, more] of taller.toSorted((one, other) => one[0] - other[0])) {
      if (index < 0 || index >= count) continue;
      this.#at.push(index);
      this.#before.push(this.#before.at(-1) + more);
    }
    let first = 0;
    for (const [, rows] of this.groups) {
      this.#starts.push(first);
      first += rows;
    }
  }

  /** Upper edge of a row, below its group's heading where it is the first. */
  top(index) {
    const taller = lastAtMost(this.#at, index - 1) + 1;
    return index * this.height + this.#before[taller] + (this.groupOf(index) + 1) * this.heading;
  }
  /** How high a row is. */
  heightOf(index) {
    const place = lastAtMost(this.#at, index);
    const own = place >= 0 && this.#at[place] === index;
    return this.height + (own ? this.#before[place + 1] - this.#before[place] : 0);
  }
  /** How high all of it is. */
  get total() {
    return this.count ? this.top(this.count - 1) + this.heightOf(this.count - 1) : 0;
  }
  /** Which group a row is in; -1 without groups. */
  groupOf(index) {
    return lastAtMost(this.#starts, index);
  }
  /** Upper edge of a group's heading. */
  headingTop(group) {
    return this.top(this.#starts[group]) - this.heading;
  }
  /** The row at `y`, a heading counting to the row below it; the first or the last where `y` is beyond them. */
  indexAt(y) {
    let [low, high] = [0, Math.max(0, this.count - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const begins = this.#starts[this.groupOf(middle)] === middle;
      if (this.top(middle) - (begins ? this.heading : 0) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  /** The rows that `[from, to)` shows a part of: the first one's index and how many. */
  between(from, to) {
    if (!this.count) return { first: 0, shown: 0 };
    const first = this.indexAt(from);
    return { first, shown: this.indexAt(Math.max(from, to - 1)) - first + 1 };
  }
}
