// How long the overview strip is, and into which bins it is cut.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `[length, bin]` of the strips to choose from: round lengths, some 250 bins each. */
const EXTENTS = [
  [HOUR, 15 * SECOND], [2 * HOUR, 30 * SECOND], [4 * HOUR, MINUTE], [8 * HOUR, 2 * MINUTE], [12 * HOUR, 3 * MINUTE],
  [DAY, 5 * MINUTE], [2 * DAY, 10 * MINUTE], [4 * DAY, 20 * MINUTE], [7 * DAY, 30 * MINUTE], [14 * DAY, HOUR],
  [30 * DAY, 2 * HOUR], [60 * DAY, 4 * HOUR], [120 * DAY, 8 * HOUR],
];

/** What of a strip lies after the present, as a part of its length. */
export const AHEAD = 0.02;

/**
 * The strip to show at `now`: `{length, bin}`. As long as there is something to see (`first`: when the first journey
 * began), at most the 24 hours of which the server holds all, and in any case back to `from`, the start of the window.
 */
export function chooseExtent(now, first, from) {
  const least = Math.max(Math.min(now - first, DAY), now - from);
  const [length, bin] = EXTENTS.find(([each]) => each >= least) ?? EXTENTS.at(-1);
  return { length, bin };
}

/** The counts to ask for, `[start, end, bins]`: the bins lie at multiples of their length, so that they stay what they are. */
export function binsOf({ length, bin }, now) {
  const start = Math.floor((now - length) / bin) * bin;
  const bins = Math.ceil((now + length * AHEAD - start) / bin);
  return [start, start + bins * bin, bins];
}
