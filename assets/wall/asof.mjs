// A row as it was at a moment, for rows that are fetched while the picture is held.

const KIND_STATES = ["INITIATED", "ACTIVE", "TRANSFERRING", "ACTIVE"];
const MOST_PRESSING = ["TRANSFERRING", "ACTIVE", "INITIATED"];

/**
 * The row on the wire (docs/architecture.md) without what came after `moment`; the same one where nothing did. Its tag is then
 * 0, so that the whole row is sent again when the picture goes on. What an interaction was then is read off its bars.
 */
export function asOf(wire, moment) {
  const [id, , customer, , start, last, arrived, events, count, interactions, transfers, , flags] = wire;
  const at = moment - start;
  if (last <= at) return wire;
  const places = new Map();
  const then = [];
  interactions.forEach((one, place) => {
    if (one[4] > at) return;
    places.set(place, then.length);
    then.push(interactionAsOf(one, at));
  });
  const going = then.filter((one) => one[6] === null);
  const state = MOST_PRESSING.find((each) => going.some((one) => one[2] === each)) ?? "CLOSED";
  const since = Math.max(0, ...(going.length ? going.filter((one) => one[2] === state) : then).map(changedAt));
  const handed = transfers.filter(([when]) => when <= at).map(([when, from, to]) => [when, places.get(from), places.get(to) ?? null]);
  return [id, 0, customer, state, start, Math.max(0, Math.min(last, at)), arrived, events, count, then, handed, since, flags];
}

/** `at` and all times in an interaction are relative to the row's start. */
function interactionAsOf([id, channel, state, timedOut, started, last, ended, disposition, queue, agent, ...segments], at) {
  if (last <= at && (ended === null || ended <= at)) return [id, channel, state, timedOut, started, last, ended, disposition, queue, agent, ...segments];
  const then = segments.filter(([, from]) => from <= at).map(([kind, from, ms]) => (ms >= 0 && from + ms > at ? [kind, from, -1] : [kind, from, ms]));
  const over = ended !== null && ended <= at;
  const shown = over ? "CLOSED" : KIND_STATES[then.at(-1)?.[0] ?? 0];
  return [id, channel, shown, over ? timedOut : 0, started, Math.min(last, at), over ? ended : null, over ? disposition : null, queue, agent, ...then];
}

function changedAt([, , , , started, , ended, , , , ...segments]) {
  return ended ?? segments.at(-1)?.[1] ?? started;
}
