// How a row is laid out: interactions that overlap lie in lanes, all in one line, or in a track a channel when it is expanded.

/** Heights in pixels (docs/design.md). */
export const ROW = 28;
export const WALL_ROW = 44;
export const TRACK = 22;
const BAR = 18;
const MARGIN = 5;
const FOOT = 6;
const MOST_LANES = 4;
const LANE_GAP = 1;

/** Size of the type beside and on rows whose first line is so high. */
export function typeOf(line) {
  return line < WALL_ROW ? 11 : 15;
}

/** Where an interaction's drawing ends; null while it is open. */
export function endOf(interaction) {
  if (interaction.segments.some((segment) => segment.end === null)) return null;
  return Math.max(interaction.start, interaction.ended ?? 0, ...interaction.segments.map((segment) => segment.end));
}

/** A lane for each of `interactions` (by start), the first that is free; how many lanes that takes comes as `lanes`. */
export function placeInLanes(interactions) {
  const free = [];
  const places = new Map();
  for (const one of interactions) {
    let lane = free.findIndex((until) => until <= one.start);
    if (lane < 0) lane = free.length;
    free[lane] = endOf(one) ?? Infinity;
    places.set(one, lane);
  }
  return { places, lanes: Math.max(1, free.length) };
}

/**
 * `{height, tracks, boxes}` of a row: `boxes` gives each interaction its `{top, height}` from the row's top; `tracks` are those of
 * an expanded row (`{channel, top, height}`), null otherwise. `line` is the height of a row's first line. Kept with the row.
 */
export function layout(row, expanded, line = ROW) {
  if (row.laid?.expanded === expanded && row.laid.line === line) return row.laid;
  row.laid = { expanded, line, ...(expanded ? inTracks(row, line) : inOneLine(row, line)) };
  return row.laid;
}

function inOneLine(row, line) {
  const { places, lanes } = placeInLanes(row.interactions);
  const count = Math.min(lanes, MOST_LANES);
  const room = count > 1 ? line - MARGIN - 1 : line - 2 * MARGIN;
  const height = (room - LANE_GAP * (count - 1)) / count;
  const top = (line - room) / 2;
  const boxes = new Map();
  for (const [one, lane] of places) boxes.set(one, { top: top + Math.min(lane, count - 1) * (height + LANE_GAP), height });
  return { height: line, tracks: null, boxes };
}

function inTracks(row, line) {
  const boxes = new Map();
  const tracks = [];
  let top = line;
  for (const channel of row.channels) {
    const { places, lanes } = placeInLanes(row.interactions.filter((one) => one.channel === channel));
    for (const [one, lane] of places) boxes.set(one, { top: top + lane * TRACK + (TRACK - BAR) / 2, height: BAR });
    tracks.push({ channel, top, height: lanes * TRACK });
    top += lanes * TRACK;
  }
  return { height: top + FOOT, tracks, boxes };
}
