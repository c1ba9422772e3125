// Which rows stand where, and when that may change: never under the pointer, else at most every few seconds.

export const SETTLE_MS = 5000;
const AROUND = 10;
const MOST = 200;

export class Order {
  ids = [];
  offset = 0;
  matched = 0;
  #settledAt = 0;
  #stale = true;

  at(index) {
    return this.ids[index - this.offset];
  }
  indexOf(id) {
    const place = this.ids.indexOf(id);
    return place < 0 ? -1 : place + this.offset;
  }
  /** Whether some of these rows are not here yet. */
  lacks(first, shown) {
    const last = Math.min(first + shown, this.matched);
    return this.matched > 0 && (first < this.offset || last > this.offset + this.ids.length);
  }
  /** The filters changed: the rows now shown mean nothing any more. */
  forget() {
    this.#stale = true;
  }
  /** The part of a question about rows: `first` and `shown` are the rows on the screen, `locked` keeps the order. */
  ask(first, shown, locked, now) {
    const before = Math.min(AROUND, first);
    const count = Math.min(MOST, before + shown + AROUND);
    const offset = Math.max(0, Math.min(first - before, this.matched - count));
    const last = Math.min(first + shown, this.matched);
    const covered = first >= this.offset && last <= this.offset + this.ids.length;
    const resting = locked || now - this.#settledAt < SETTLE_MS;
    if (!this.#stale && covered && resting && this.ids.length && this.matched > count) {
      return { offset: this.offset, count: Math.max(1, Math.min(MOST, this.ids.length)), hold: this.ids };
    }
    return { offset, count, hold: null };
  }
  /** Takes the answer to `asked`. */
  take(asked, answer, locked, now) {
    this.matched = answer.matched;
    const resting = !this.#stale && (locked || now - this.#settledAt < SETTLE_MS);
    if (asked.hold) {
      this.ids = answer.order;
    } else if (resting && asked.offset === this.offset && answer.matched <= asked.count) {
      // All that matches is here: rows keep their places, new ones show at once.
      const present = new Set(answer.order);
      const kept = this.ids.filter((id) => present.has(id));
      const known = new Set(kept);
      const fresh = answer.order.filter((id) => !known.has(id));
      this.ids = locked ? [...kept, ...fresh] : [...fresh, ...kept];
    } else {
      this.ids = answer.order;
      this.offset = asked.offset;
      this.#settledAt = now;
      this.#stale = false;
    }
  }
}
