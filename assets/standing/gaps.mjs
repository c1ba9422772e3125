// Gaps in the stream: stretches of time of which events may be missing. Their words, and how they are hatched on the chart.

import { colours } from "../base/palette.mjs";
import { length, moment } from "../base/times.mjs";

const LEAST = 3;
const SLACK = 3;
const TILE = 8;
const AXIS_TOP = 22;
const AXIS_BOTTOM = 30;
const FADING = 0.5;
const LATELY_MS = 60_000;
const TIP_GAP = 14;

/** Why there are no events, by kind; `dropped` is the one in which some came. */
export const GAP_KINDS = {
  disconnected: "disconnected", stopped: "ingest did not run", disk: "reading was stopped", dropped: "the source throttled",
};

/** Gaps as the tick's answer brings them (docs/architecture.md), `end` null while one lasts. */
export function readGaps(wire) {
  return wire.map(([start, end, kind, dropped = 0, detail = "", filling = null, problem = ""]) => (
    { start, end, kind, dropped, detail, filling, problem }));
}

/** How the filling of a gap stands; nothing where nothing is fetched. */
export function fillingText({ filling = null, problem = "" }) {
  if (problem) return `not filled: ${problem}`;
  return filling === null ? "" : `being filled, ${Math.floor(100 * filling)}%`;
}

/** What a gap means, in a sentence. */
export function gapText({ start, end, kind, dropped, detail }, now) {
  const from = moment(start, now);
  const span = end === null ? `since ${from}` : `from ${from} to ${moment(end, now)}`;
  const why = `${GAP_KINDS[kind] ?? kind}${detail ? ` (${detail})` : ""}`;
  if (kind === "dropped") return `${dropped.toLocaleString("en-GB")} events left out ${span}: ${why}`;
  return `No events ${span}: ${why}`;
}

/** How many events the platform has left out during the last minute, or in gaps of that kind that still last. */
export function leftOutLately(gaps, now) {
  const lately = gaps.filter(({ kind, end }) => kind === "dropped" && (end === null || end > now - LATELY_MS));
  return lately.reduce((sum, { dropped }) => sum + dropped, 0);
}

/** The gap at `x`, the shortest where several lie; null where there is none. */
export function gapAt(gaps, scale, x, now) {
  const hit = gaps.filter((gap) => {
    const box = gapBox(gap, scale, now);
    return box && x >= box.left - SLACK && x <= box.right + SLACK;
  });
  const spanOf = (gap) => (gap.end ?? now) - gap.start;
  return hit.reduce((best, gap) => (best && spanOf(best) <= spanOf(gap) ? best : gap), null);
}

/** Left and right edge on the screen, whole pixels, at least `LEAST` apart; null where it is out of sight. */
function gapBox(gap, scale, now) {
  const left = Math.round(scale.x(gap.start));
  const right = Math.max(Math.round(scale.x(gap.end ?? now)), left + LEAST);
  return right < 0 || left > scale.width ? null : { left, right };
}

/** A strong band below the axis' labels. */
export function drawGapsOnAxis(pen, scale, gaps, now) {
  const palette = colours();
  for (const gap of gaps) {
    const box = gapBox(gap, scale, now);
    if (!box) continue;
    pen.fillStyle = palette.gapGround;
    fill(pen, box, scale, AXIS_TOP, AXIS_BOTTOM - AXIS_TOP);
    hatchGap(pen, box, scale, gap, AXIS_TOP, AXIS_BOTTOM - AXIS_TOP);
    pen.fillStyle = palette.gap;
    fill(pen, box, scale, AXIS_TOP - 1, 1);
  }
}

/** A faint one through all rows, below their bars. */
export function drawGapsInRows(pen, scale, gaps, height, now) {
  const palette = colours();
  for (const gap of gaps) {
    const box = gapBox(gap, scale, now);
    if (!box) continue;
    pen.globalAlpha = 0.45;
    pen.fillStyle = palette.gapGround;
    fill(pen, box, scale, 0, height);
    pen.globalAlpha = 0.2;
    hatchGap(pen, box, scale, gap, 0, height);
    pen.fillStyle = palette.gap;
    for (const edge of gap.end === null ? [box.left] : [box.left, box.right - 1]) pen.fillRect(edge, 0, 1, height);
    pen.globalAlpha = 1;
  }
}

function fill(pen, { left, right }, scale, top, height) {
  const from = Math.max(left, -1);
  pen.fillRect(from, top, Math.min(right, scale.width + 1) - from, height);
}

/** Lines that lean to the left, where transfers' lean to the right; half as many where some events came. */
function hatchGap(pen, box, scale, gap, top, height) {
  const size = gap.kind === "dropped" ? 2 * TILE : TILE;
  // The lines stay with the gap while it moves, and a canvas does not like coordinates of millions.
  const origin = box.left < -size ? box.left % size : box.left;
  pen.save();
  // What is being filled is on its way out.
  if (gap.filling !== null && !gap.problem) pen.globalAlpha *= FADING;
  pen.translate(origin, top);
  pen.fillStyle = pattern(pen, size);
  const from = Math.max(box.left, -1);
  pen.fillRect(from - origin, 0, Math.min(box.right, scale.width + 1) - from, height);
  pen.restore();
}

function pattern(pen, size) {
  const { gap, gapTiles } = colours();
  if (!gapTiles[size]) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const ink = tile.getContext("2d");
    ink.strokeStyle = gap;
    ink.lineWidth = 1.8;
    ink.beginPath();
    for (const shift of [-size, 0, size]) {
      ink.moveTo(shift - 2, -2);
      ink.lineTo(shift + size + 2, size + 2);
    }
    ink.stroke();
    gapTiles[size] = pen.createPattern(tile, "repeat");
  }
  return gapTiles[size];
}

/** The words beside the pointer while it is over a gap. */
export class GapTip {
  #root;
  #gap = null;

  constructor(parent) {
    this.#root = document.createElement("div");
    this.#root.id = "gap-tip";
    this.#root.className = "gap-tip";
    this.#root.setAttribute("role", "tooltip");
    this.#root.hidden = true;
    parent.append(this.#root);
  }

  /** Shows the gap's words at a place of the window; hides them where there is no gap. */
  show(gap, at, now) {
    this.#gap = gap;
    this.#root.hidden = !gap;
    if (!gap) return;
    this.update(now);
    const { offsetWidth: width, offsetHeight: height } = this.#root;
    this.#root.style.left = `${Math.max(8, Math.min(at.x + TIP_GAP, innerWidth - width - 8))}px`;
    this.#root.style.top = `${at.y + TIP_GAP + height > innerHeight - 8 ? at.y - TIP_GAP - height : at.y + TIP_GAP}px`;
  }
  update(now) {
    const gap = this.#gap;
    if (!gap) return;
    const filled = fillingText(gap);
    this.#root.textContent = `${gapText(gap, now)}, ${length((gap.end ?? now) - gap.start)}${filled && `; ${filled}`}`;
  }
  /** Whether there was one to close. */
  close() {
    const open = Boolean(this.#gap);
    this.show(null);
    return open;
  }
}
