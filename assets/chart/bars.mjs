// The bars of an interaction: colour is the channel, fill the kind. What is open fades at the present, what is idle since its last event.

import { channelColours, colours, lined, translucent } from "../base/palette.mjs";
import { drawCaption } from "./captions.mjs";
import { endOf } from "./lanes.mjs";

/** Shortest bar in pixels. */
export const LEAST_BAR = 3;
const RADIUS = 2;
const FADE = 28;
const STRIPS = 7;
const IDLE_FILL = 0.3;
const BEYOND = 4;

/** Left and right edge of a segment on the screen, at least `LEAST_BAR` apart; null where it is out of sight. */
export function segmentBox(scale, segment, now) {
  const left = scale.x(segment.start);
  let right = scale.x(segment.end ?? Math.max(now, segment.start));
  if (right - left < LEAST_BAR) right = left + LEAST_BAR;
  return right < 0 || left > scale.width ? null : { left, right };
}

/** The thread of an interaction and its segments, in `box` (`{top, height}`). */
export function drawInteraction(pen, scale, one, box, now, selected) {
  drawThread(pen, scale, one, box.top + box.height / 2, now);
  // The channel's icon stands once, on the first bar that has room for it.
  let named = false;
  for (const segment of one.segments) {
    const edges = segmentBox(scale, segment, now);
    if (edges) named = drawSegment(pen, scale, one, segment, { ...box, ...cut(edges, scale) }, { now, selected, named }) || named;
  }
}

/** A bar may reach far out of the window; a canvas does not like coordinates of millions. */
function cut({ left, right }, scale) {
  return { left: Math.max(left, -BEYOND), right: Math.min(right, scale.width + BEYOND) };
}

/** The thin line that holds an interaction's segments together. */
function drawThread(pen, scale, one, middle, now) {
  const from = Math.max(0, scale.x(one.start));
  const to = Math.min(scale.width, scale.x(endOf(one) ?? now));
  if (to <= from) return;
  pen.fillStyle = channelColours(one.channel).solid;
  pen.fillRect(from, middle - 0.5, to - from, 1);
}

/** Draws a bar; whether the channel's icon stands on it. */
function drawSegment(pen, scale, one, segment, box, { now, selected, named }) {
  const colour = channelColours(one.channel);
  const look = { kind: segment.kind, colour, fill: fillOf(pen, one.channel, segment.kind) };
  const open = segment.end === null && !one.timedOut;
  let solidTo = box.right;
  if (open && one.state === "IDLE") {
    // What is known is as strong as ever; what nothing has been heard of since is faint.
    solidTo = Math.min(box.right, Math.max(box.left, scale.x(one.last)));
    if (solidTo > box.left) drawBox(pen, { ...box, right: solidTo }, look);
    drawIdle(pen, { ...box, left: solidTo }, look);
  } else if (open) {
    solidTo = box.right - Math.min(FADE, (box.right - box.left) * 0.6);
    drawFading(pen, box, solidTo, look);
  } else drawBox(pen, box, look);
  if (selected && selected.interaction === one.id && selected.start === segment.start) outline(pen, box);
  return drawCaption(pen, one, segment, { ...box, right: solidTo }, { now, colour, named });
}

function fillOf(pen, channel, kind) {
  const colour = channelColours(channel);
  const plain = { wait: colour.tint, ivr: colour.tint, queue: colour.tint, interact: colour.solid, wrapup: colours().surface };
  return plain[kind] ?? lined(pen, channel, kind);
}

function drawBox(pen, { left, right, top, height }, { kind, colour, fill }) {
  const width = right - left;
  pen.fillStyle = fill;
  pen.strokeStyle = colour.solid;
  pen.lineWidth = kind === "wrapup" ? 1.5 : 1;
  if (width < 5 || height < 5) {
    pen.fillRect(left, top, width, height);
    if (kind !== "interact") pen.strokeRect(left + 0.5, top + 0.5, Math.max(0, width - 1), height - 1);
    return;
  }
  pen.beginPath();
  pen.roundRect(left + 0.5, top + 0.5, width - 1, height - 1, RADIUS);
  pen.fill();
  pen.stroke();
}

/** A bar without an end: as usual up to `solidTo`, from there on ever fainter. */
function drawFading(pen, box, solidTo, look) {
  const { left, right, top, height } = box;
  pen.save();
  pen.beginPath();
  pen.rect(left - 1, top - 1, solidTo - left + 1, height + 2);
  pen.clip();
  drawBox(pen, { ...box, right: right + BEYOND }, look);
  pen.restore();
  const width = right - solidTo;
  if (typeof look.fill === "string") {
    pen.fillStyle = fading(pen, solidTo, right, look.fill);
    pen.fillRect(solidTo, top, width, height);
  } else {
    // A pattern knows no gradient.
    pen.fillStyle = look.fill;
    for (let strip = 0; strip < STRIPS; strip += 1) {
      pen.globalAlpha = 0.92 - (strip * 0.8) / STRIPS;
      pen.fillRect(solidTo + (width * strip) / STRIPS, top, width / STRIPS + 0.3, height);
    }
    pen.globalAlpha = 1;
  }
  if (look.kind === "interact") return;
  pen.fillStyle = fading(pen, solidTo, right, look.colour.solid);
  const line = look.kind === "wrapup" ? 1.5 : 1;
  pen.fillRect(solidTo, top, width, line);
  pen.fillRect(solidTo, top + height - line, width, line);
}

function fading(pen, from, to, colour) {
  const gradient = pen.createLinearGradient(from, 0, to, 0);
  gradient.addColorStop(0, translucent(colour, 0.95));
  gradient.addColorStop(1, translucent(colour, 0.08));
  return gradient;
}

function drawIdle(pen, { left, right, top, height }, { colour, fill }) {
  if (right - left < 1) return;
  pen.globalAlpha = IDLE_FILL;
  pen.fillStyle = fill;
  pen.fillRect(left, top, right - left, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = colour.solid;
  pen.lineWidth = 1;
  pen.setLineDash([3, 3]);
  // The dashes stay with the bar while it moves.
  pen.lineDashOffset = 0;
  pen.beginPath();
  for (const y of [top + 0.5, top + height - 0.5]) {
    pen.moveTo(left, y);
    pen.lineTo(right, y);
  }
  pen.stroke();
  pen.setLineDash([]);
}

function outline(pen, { left, right, top, height }) {
  const { text, surface } = colours();
  for (const [colour, width, out] of [[surface, 1.5, 0.5], [text, 2, 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.strokeRect(left - out, top - out, right - left + 2 * out, height + 2 * out);
  }
}
