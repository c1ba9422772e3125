// What lies under a point of the chart.

import { segmentBox } from "./bars.mjs";

/** What can be hit is as wide as this at least, however short the bar. */
const LEAST_TARGET = 24;
const SLACK = 4;

/** The segment at `x`, `y` (from the row's top) of a row laid out as `laid`: the nearest one, in the lane under the pointer first. */
export function hitSegment(row, laid, x, y, scale, now) {
  let best = null;
  for (const interaction of row.interactions) {
    const box = laid.boxes.get(interaction);
    const above = Math.max(box.top - y, 0, y - box.top - box.height);
    if (above > LEAST_TARGET / 2) continue;
    for (const segment of interaction.segments) {
      const edges = segmentBox(scale, segment, now);
      if (!edges) continue;
      const beside = Math.max(edges.left - x, 0, x - edges.right);
      if (beside > Math.max(SLACK, (LEAST_TARGET - (edges.right - edges.left)) / 2)) continue;
      const distance = beside + above * 2;
      if (!best || distance < best.distance) best = { interaction, segment, distance };
    }
  }
  return best;
}
