// Which rows stand where, and when that may change: never under the pointer, else at most every few seconds.

export const SETTLE_MS = 5000;
const AROUND = 10;
const MOST = 200;

/** Rows are counted without the pinned ones, which stand above all others. */
export class Order {
  /** Ids of the rows from `offset` on. */
  ids = [];
  offset = 0;
  /** How many match in all, and how many of these are not pinned. */
  matched = 0;
  listed = 0;
  pinned = [];
  /** `[[name, rows], …]` as the rows stand here, null without groups; by what they are; the groups' true sizes by name. */
  groups = null;
  grouping = null;
  sizes = new Map();
  #settledAt = 0;
  #stale = true;

  at(index) {
    return this.ids[index - this.offset];
  }
  indexOf(id) {
    const place = this.ids.indexOf(id);
    return place < 0 ? -1 : place + this.offset;
  }
  /** The id at a place counted from the first pinned row, and the place of an id; undefined and -1 where it is not here. */
  idAt(place) {
    return place < this.pinned.length ? this.pinned[place] : this.at(place - this.pinned.length);
  }
  placeOf(id) {
    if (this.pinned.includes(id)) return this.pinned.indexOf(id);
    const index = this.indexOf(id);
    return index < 0 ? -1 : this.pinned.length + index;
  }
  /** All rows that are here, from top to bottom. */
  get all() {
    return [...this.pinned, ...this.ids];
  }
  /** Whether some of these rows are not here yet. */
  lacks(first, shown) {
    const last = Math.min(first + shown, this.listed);
    return this.listed > 0 && (first < this.offset || last > this.offset + this.ids.length);
  }
  /** Other conditions or another sort: the rows now shown mean nothing any more. */
  forget() {
    this.#stale = true;
  }
  /** These rows are pinned from now on: they change their place at once, before the server has answered. */
  pin(ids) {
    const wanted = new Set(ids);
    // Where a row belongs that is let go only the server knows, unless all that match are here.
    if (this.pinned.some((id) => !wanted.has(id)) && this.listed > this.ids.length) this.#stale = true;
    this.#keep(this.ids.filter((id) => !wanted.has(id)));
    this.pinned = [...ids];
  }

  /** The part of a question about rows: `first` and `shown` are the rows on the screen, `locked` keeps the order. */
  ask(first, shown, locked, now) {
    const before = Math.min(AROUND, first);
    const count = Math.min(MOST, before + shown + AROUND);
    const offset = Math.max(0, Math.min(first - before, this.listed - count));
    const last = Math.min(first + shown, this.listed);
    const covered = first >= this.offset && last <= this.offset + this.ids.length;
    const resting = locked || now - this.#settledAt < SETTLE_MS;
    if (!this.#stale && covered && resting && this.ids.length && this.listed > count) {
      return { offset: this.offset, count: Math.max(1, Math.min(MOST, this.ids.length)), hold: this.ids };
    }
    return { offset, count, hold: null };
  }
  /** Takes the answer to `asked`, which came in groups by `grouping` if by any. */
  take(asked, answer, locked, now, grouping) {
    this.matched = answer.matched;
    this.pinned = answer.pinned;
    this.sizes = new Map(answer.groups ?? []);
    const resting = !this.#stale && (locked || now - this.#settledAt < SETTLE_MS);
    if (asked.hold) {
      this.#keep(answer.order);
      this.listed = answer.listed;
    } else if (resting && asked.offset === this.offset && answer.listed <= asked.count) {
      this.#fold(answer, locked);
    } else {
      this.ids = answer.order;
      this.offset = asked.offset;
      this.listed = answer.listed;
      this.groups = answer.groups;
      this.grouping = grouping;
      this.#settledAt = now;
      this.#stale = false;
    }
    if (this.groups) this.groups = fitted(this.groups, this.listed);
  }

  /** Some of the rows here are gone: the groups in which they stood are smaller. */
  #keep(ids) {
    const kept = new Set(ids);
    if (this.groups) {
      const groups = this.groups.map(([name, rows]) => [name, rows]);
      this.ids.forEach((id, place) => kept.has(id) || groups[groupAt(this.groups, place + this.offset)][1]--);
      this.groups = groups.filter(([, rows]) => rows > 0);
    }
    this.listed -= this.ids.length - ids.length;
    this.ids = ids;
  }
  /** All that matches is here: rows keep their places, and new ones show at once. */
  #fold(answer, locked) {
    const present = new Set(answer.order);
    this.#keep(this.ids.filter((id) => present.has(id)));
    const known = new Set(this.ids);
    const places = this.ids.map((id, place) => ({ id, group: this.groups ? groupAt(this.groups, place) : 0 }));
    const names = (this.groups ?? [["", 0]]).map(([name]) => name);
    answer.order.forEach((id, place) => {
      if (known.has(id)) return;
      const name = answer.groups?.[groupAt(answer.groups, place)]?.[0] ?? "";
      if (!names.includes(name)) names.push(name);
      const group = names.indexOf(name);
      const before = answer.order[place - 1];
      const above = locked || answer.groups ? places.findLastIndex((one) => one.group <= group) : places.findIndex((one) => one.id === before);
      places.splice(above + 1, 0, { id, group });
    });
    this.ids = places.map(({ id }) => id);
    this.listed = this.ids.length;
    if (answer.groups) this.groups = names.map((name, group) => [name, places.filter((one) => one.group === group).length]);
  }
}

/** Which of the groups the row at `index` is in; the last where it is beyond them. */
function groupAt(groups, index) {
  let end = 0;
  for (const [place, [, rows]] of groups.entries()) {
    end += rows;
    if (index < end) return place;
  }
  return groups.length - 1;
}

/** Groups for `rows` rows in all: what has come or gone where nobody looks is added or taken at the end. */
function fitted(groups, rows) {
  const sum = groups.reduce((before, [, own]) => before + own, 0);
  if (sum === rows || !groups.length) return groups;
  const kept = groups.map(([name, own]) => [name, own]);
  if (sum < rows) kept.at(-1)[1] += rows - sum;
  for (let over = sum - rows; over > 0 && kept.length; ) {
    const taken = Math.min(over, kept.at(-1)[1]);
    kept.at(-1)[1] -= taken;
    over -= taken;
    if (!kept.at(-1)[1]) kept.pop();
  }
  return kept;
}
