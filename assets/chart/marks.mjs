// What stands at the ends of bars and between them: outcomes, time-outs, the arrows of transfers, and where a row lies out of sight.

import { channelColours, colours } from "../base/palette.mjs";
import { endOf } from "./lanes.mjs";

const SIZE = 4.5;
const BEYOND = 40;

/** How an interaction ended: a diamond for a noted outcome, a clock's face for a time-out. */
export function drawEnd(pen, scale, one, { top, height }) {
  const end = endOf(one);
  const at = one.ended ?? end;
  if (at === null || (!one.timedOut && !one.disposition)) return;
  const x = scale.x(Math.max(at, end ?? at));
  if (x < -12 || x > scale.width + 6) return;
  const size = Math.min(SIZE, height / 2);
  if (one.timedOut) drawClock(pen, x + size + 2, top + height / 2, size);
  else drawDiamond(pen, x, top + height / 2, size);
}

function drawDiamond(pen, x, middle, size) {
  pen.beginPath();
  pen.moveTo(x, middle - size);
  pen.lineTo(x + size, middle);
  pen.lineTo(x, middle + size);
  pen.lineTo(x - size, middle);
  pen.closePath();
  fillAndStroke(pen);
}

function drawClock(pen, x, middle, size) {
  pen.beginPath();
  pen.arc(x, middle, size, 0, 2 * Math.PI);
  fillAndStroke(pen);
  pen.beginPath();
  pen.moveTo(x, middle - size * 0.6);
  pen.lineTo(x, middle);
  pen.lineTo(x + size * 0.5, middle);
  pen.stroke();
}

function fillAndStroke(pen) {
  const { surface, text } = colours();
  pen.fillStyle = surface;
  pen.strokeStyle = text;
  pen.lineWidth = 1.25;
  pen.fill();
  pen.stroke();
}

/** An arrow from the bar that let go to the one that took over; an open ring while nobody has. `boxOf` tells where one lies. */
export function drawTransfer(pen, scale, row, transfer, boxOf) {
  const source = row.interactions[transfer.from];
  const target = transfer.to === null ? null : row.interactions[transfer.to];
  if (!source) return;
  const from = scale.x(transfer.at);
  const to = target ? scale.x(Math.max(transfer.at, target.start)) : from;
  if (to < -8 || from > scale.width + 8) return;
  const middle = (one) => boxOf(one).top + boxOf(one).height / 2;
  if (!target) {
    pen.beginPath();
    pen.arc(from, middle(source), 3, 0, 2 * Math.PI);
    fillAndStroke(pen);
    return;
  }
  const left = Math.max(from, -BEYOND);
  const tip = Math.min(to, scale.width + BEYOND) + 2;
  const [y1, y2] = [middle(source), middle(target)];
  const way = new Path2D();
  way.moveTo(left, y1);
  if (y1 !== y2) way.lineTo(left, y2);
  way.lineTo(Math.max(left, tip - 5), y2);
  const head = new Path2D();
  head.moveTo(tip, y2);
  head.lineTo(tip - 6.5, y2 - 4);
  head.lineTo(tip - 6.5, y2 + 4);
  head.closePath();
  // A rim in the colour of the ground sets the arrow off from any bar that it crosses.
  const { surface, text } = colours();
  pen.lineJoin = "round";
  for (const [colour, width] of [[surface, 3.5], [text, 1.25]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke(way);
    if (width > 2) pen.stroke(head);
  }
  pen.fillStyle = text;
  pen.fill(head);
}

/** A journey that lies outside the window: a small triangle says on which side. */
export function drawOutOfSight(pen, row, x, middle, side) {
  const point = side === "left" ? -1 : 1;
  pen.fillStyle = channelColours(row.channels[0]).solid;
  pen.beginPath();
  pen.moveTo(x - point, middle);
  pen.lineTo(x - point * 7, middle - 4.5);
  pen.lineTo(x - point * 7, middle + 4.5);
  pen.fill();
}
