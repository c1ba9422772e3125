// The journeys of the table: rows by id, read from the server in blocks and kept up to date, in an order that holds still.

import { WAITING } from "../base/words.mjs";
import { readRow } from "../chart/model.mjs";

const KEPT = 1000;
const MOST_HELD = 200;

export class Listing {
  /** How many there are, pinned ones too; null before the first answer. */
  count = null;
  pinned = [];
  facets = {};
  /** The store's version at the last look at the order, and the last one heard of. */
  ordered = 0;
  version = 0;
  #rows = new Map();
  #blocks = new Map();
  #ask;
  #conditions;
  #last = { key: null, version: 0, at: 0 };

  /** `ask(question)` gives a promise of the answer; `conditions()` are the fields that say which journeys are wanted, pinned ones too. */
  constructor(ask, conditions) {
    this.#ask = ask;
    this.#conditions = conditions;
  }
  get(id) {
    return this.#rows.get(id);
  }
  get agents() {
    const named = new Set();
    for (const row of this.#rows.values()) for (const one of row.interactions) if (one.agent) named.add(one.agent);
    return [...named].sort();
  }
  /** Rows `[start, start + count)`: pinned ones first, the others as `sort` says. */
  async read(start, count, sort) {
    const above = start ? this.pinned.length : 0;
    const conditions = this.#conditions();
    const answer = await this.#ask({
      ...conditions, sort, group: null, offset: Math.max(0, start - above), count, hold: null, have: this.#have(this.#blocks.get(start) ?? []),
      version: 0, at: 0, facets: start === 0,
    });
    this.#take(answer);
    if (!start) {
      this.pinned = answer.pinned;
      this.ordered = answer.version;
      this.facets = answer.facets ?? this.facets;
    }
    this.count = answer.pinned.length + answer.listed;
    const ids = start ? answer.order : [...answer.pinned, ...answer.order].slice(0, count);
    this.#blocks.set(start, ids);
    return ids.map((id) => this.#rows.get(id)).filter(Boolean);
  }
  /** Asks what is new of these rows, wherever they would stand now; the ones that changed. */
  async refresh(ids) {
    const held = ids.slice(0, MOST_HELD);
    const conditions = this.#conditions();
    const key = JSON.stringify([held, conditions]);
    const known = key === this.#last.key ? this.#last : { version: 0, at: 0 };
    const answer = await this.#ask({ ...conditions, group: null, count: 0, hold: held, have: this.#have(held), version: known.version, at: known.at });
    if (!answer) return [];
    this.#last = { key, version: answer.version, at: answer.now };
    this.count = answer.pinned.length + answer.listed;
    return this.#take(answer);
  }
  #have(ids) {
    return ids.filter((id) => this.#rows.has(id)).map((id) => [id, this.#rows.get(id).tag]);
  }
  #take(answer) {
    this.version = answer.version;
    const fresh = answer.rows.map(readWhole);
    for (const row of fresh) {
      // The rows used last are at the end.
      this.#rows.delete(row.id);
      this.#rows.set(row.id, row);
    }
    for (const id of [...answer.pinned, ...answer.order]) {
      const row = this.#rows.get(id);
      if (!row) continue;
      this.#rows.delete(id);
      this.#rows.set(id, row);
    }
    for (const id of this.#rows.keys()) {
      if (this.#rows.size <= KEPT) break;
      this.#rows.delete(id);
    }
    return fresh;
  }
}

/** A row with what only the table shows. */
function readWhole(wire) {
  const row = readRow(wire);
  row.since = row.start + wire[11];
  row.flags = wire[12];
  row.directions = wire[13];
  row.transferCount = wire[14];
  const waits = row.interactions.flatMap((one) => waitsOf(one.segments));
  row.waitingSince = waits.reduce((since, wait) => (wait.end === null && (since === null || wait.start < since) ? wait.start : since), null);
  row.waits = waits.map(({ start, end }) => [start, end]);
  // The last of the same time counts: so the server sorts, too.
  row.latest = [...row.interactions].sort((one, other) => other.last - one.last || (one.id < other.id ? 1 : -1));
  return row;
}

/** The stretches of waiting: from one queue to the next, and while it rings, it is one and the same. */
function waitsOf(segments) {
  const found = [];
  for (const { kind, start, end } of segments) {
    if (!WAITING.has(kind)) continue;
    if (found.length && found.at(-1).end === start) found.at(-1).end = end;
    else found.push({ start, end });
  }
  return found;
}

/** The longest wait and all waits together, as of `now`. */
export function waited(row, now) {
  const lengths = row.waits.map(([start, end]) => Math.max(0, (end ?? now) - start));
  return { longest: Math.max(0, ...lengths), total: lengths.reduce((sum, one) => sum + one, 0) };
}
