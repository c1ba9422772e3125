// The rows that the page holds, by id. What comes from the server is turned into rows here and nowhere else.

export const KINDS = ["wait", "interact", "transfer", "wrapup"];
export const KIND_LABELS = { wait: "Waiting", interact: "Talking", transfer: "Transfer", wrapup: "Wrap-up" };
export const STATE_LABELS = {
  INITIATED: "Waiting", ACTIVE: "Active", TRANSFERRING: "Transferring", WRAPUP: "Wrap-up", IDLE: "Idle", CLOSED: "Closed",
};
const CHANNELS = {
  voice: ["Voice", "V"], chat: ["Chat", "C"], email: ["E-mail", "E"], message: ["Message", "M"], callback: ["Callback", "B"],
};

export function channelToken(channel) {
  return Object.hasOwn(CHANNELS, channel) ? channel : "other";
}
export function channelLabel(channel) {
  return Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel][0] : channel === "other" ? "Other" : channel;
}
export function channelLetter(channel) {
  return Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel][1] : "O";
}

/** A row as on the wire (docs/architecture.md), with absolute times, lanes, and the moment its state began. */
export function readRow(wire) {
  const [id, tag, customer, state, start, last, arrived, events, count, interactions, transfers] = wire;
  const row = {
    id, tag, customer, state, start, last: start + last, arrived, events, count,
    interactions: interactions.map((one) => readInteraction(one, start)),
    transfers: transfers.map(([at, from, to]) => ({ at: start + at, from, to })),
  };
  row.lanes = placeInLanes(row.interactions);
  row.channels = [...new Set(row.interactions.map((one) => one.channel))];
  row.since = stateSince(row);
  return row;
}

function readInteraction(wire, start) {
  const [id, channel, state, timedOut, started, last, ended, disposition, queue, agent, ...segments] = wire;
  return {
    id, channel, state, timedOut: timedOut === 1, start: start + started, last: start + last,
    ended: ended === null ? null : start + ended, disposition, queue, agent, lane: 0,
    segments: segments.map(([kind, from, ms]) => ({
      kind: KINDS[kind], start: start + from, end: ms < 0 ? null : start + from + ms,
    })),
  };
}

/** Where an interaction's drawing ends; null while it is open. */
export function endOf(interaction) {
  if (interaction.segments.some((segment) => segment.end === null)) return null;
  return Math.max(interaction.start, interaction.ended ?? 0, ...interaction.segments.map((segment) => segment.end));
}

function placeInLanes(interactions) {
  const free = [];
  for (const one of interactions) {
    let lane = free.findIndex((until) => until <= one.start);
    if (lane < 0) lane = free.length;
    free[lane] = endOf(one) ?? Infinity;
    one.lane = lane;
  }
  return Math.max(1, free.length);
}

function stateSince(row) {
  const shown = row.interactions.filter((one) => one.state === row.state || (row.state === "ACTIVE" && one.state === "WRAPUP"));
  if (row.state === "CLOSED") return Math.max(row.start, ...row.interactions.map((one) => one.ended ?? one.last));
  if (row.state === "IDLE" || !shown.length) return row.last;
  const began = shown.map((one) => one.segments.findLast((segment) => segment.end === null)?.start ?? one.last);
  return Math.min(...began);
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
