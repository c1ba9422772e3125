// The rows that the page holds, by id. What comes from the server is turned into rows here and nowhere else.

import { length, moment } from "../base/times.mjs";
import { KINDS, WAITING } from "../base/words.mjs";

/** A row as on the wire (docs/architecture.md), with absolute times. */
export function readRow(wire) {
  const [id, tag, customer, state, start, last, arrived, events, count, interactions, transfers, since, flags] = wire;
  const read = interactions.map((one) => readInteraction(one, start));
  return {
    id, tag, customer, state, start, last: start + last, arrived, events, count, interactions: read,
    transfers: transfers.map(([at, from, to]) => ({ at: start + at, from, to })),
    channels: [...new Set(read.map((one) => one.channel))],
    since: start + since, flags,
  };
}

function readInteraction(wire, start) {
  const [id, channel, state, timedOut, started, last, ended, disposition, queue, agent, ...segments] = wire;
  return {
    id, channel, state, timedOut: timedOut === 1, start: start + started, last: start + last,
    ended: ended === null ? null : start + ended, disposition, queue, agent,
    segments: markPassed(segments.map(([kind, from, ms]) => ({
      kind: KINDS[kind], start: start + from, end: ms < 0 ? null : start + from + ms,
    }))),
  };
}

/** Marks the segments of whoever had it before it was handed on inside itself: the queue and the agent that it names last are not theirs. */
function markPassed(segments) {
  let goesOn = false;
  let passed = false;
  for (const segment of [...segments].reverse()) {
    passed ||= segment.kind === "transfer" && goesOn;
    segment.passed = passed;
    goesOn ||= WAITING.has(segment.kind) || segment.kind === "interact" || segment.kind === "hold";
  }
  return segments;
}

const number = (count, one, many) => `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;

/** What a journey amounts to, in a line. */
export function summary(row, now) {
  const parts = [number(row.count, "interaction", "interactions")];
  // Of a very long journey only the latest interactions are on the wire.
  if (row.count > row.interactions.length) parts[0] += `, the last ${row.interactions.length} drawn`;
  if (row.transfers.length) parts.push(number(row.transfers.length, "transfer", "transfers"));
  const timedOut = row.interactions.filter((one) => one.timedOut).length;
  if (timedOut) parts.push(`${timedOut} timed out`);
  parts.push(number(row.events, "event", "events"), `from ${moment(row.start, now)}`);
  parts.push(`${length((row.state === "CLOSED" ? row.last : now) - row.start)} long`);
  return parts.join(" · ");
}

export class Model {
  #rows = new Map();

  get(id) {
    return this.#rows.get(id);
  }
  /** Takes rows in; a row that came before is replaced. Returns the newest arrival among them. */
  upsert(wireRows) {
    let newest = 0;
    for (const wire of wireRows) {
      const row = readRow(wire);
      this.#rows.set(row.id, row);
      newest = Math.max(newest, row.arrived);
    }
    return newest;
  }
  /** Forgets all rows but these. */
  keep(ids) {
    const kept = new Set(ids);
    for (const id of this.#rows.keys()) if (!kept.has(id)) this.#rows.delete(id);
  }
  have() {
    return Array.from(this.#rows.values(), (row) => [row.id, row.tag]);
  }
}
