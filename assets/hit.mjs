// What lies under a point of the chart.

import { laneBox, ROW, segmentBox } from "./draw.mjs";

const SLACK = 4;

/** The segment at `x` in `row` (`y` from the row's top): the nearest within a few pixels, in the lane under the pointer first. */
export function hitSegment(row, x, y, scale, now) {
  let best = null;
  for (const interaction of row.interactions) {
    const box = laneBox(row, interaction.lane);
    const above = Math.max(box.top - y, 0, y - box.top - box.height);
    for (const segment of interaction.segments) {
      const edges = segmentBox(scale, segment, now);
      if (!edges) continue;
      const beside = Math.max(edges.left - x, 0, x - edges.right);
      if (beside > SLACK) continue;
      const distance = beside + above * 2;
      if (above <= ROW && (!best || distance < best.distance)) best = { interaction, segment, distance };
    }
  }
  return best;
}
