// Draws the bars of the rows on the screen, the axis and the now-line. Reads the model, changes nothing.

import { drawGapsInRows, drawGapsOnAxis } from "./gaps.mjs";
import { endOf } from "./model.mjs";
import { channelColours, colours, hatch } from "./palette.mjs";
import { ticks } from "./scale.mjs";
import { shortDay, tickLabel, zoneOffset } from "./times.mjs";

export const ROW = 28;
export const LEAST_BAR = 3;
const BAR = 18;
const MOST_LANES = 4;
const FADE = 28;
const LABEL_FROM = 46;

/** Makes a canvas as large as its place, sharp on any screen. Returns its pen, scaled to CSS pixels. */
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

export function drawAxis(pen, scale, now, gaps) {
  const palette = colours();
  pen.clearRect(0, 0, scale.width, 64);
  pen.font = `11px ${palette.font}`;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  const marks = ticks(scale.start, scale.end, scale.width, zoneOffset(scale.start));
  pen.fillStyle = palette.line;
  for (const time of marks.ticks) pen.fillRect(Math.round(scale.x(time)), 22, 1, 8);
  drawGapsOnAxis(pen, scale, gaps, now);
  pen.fillStyle = palette.muted;
  const nowX = scale.x(now);
  for (const time of marks.ticks) {
    const x = scale.x(time);
    if (x > 22 && x < scale.width - 22 && Math.abs(x - nowX) > 42) pen.fillText(tickLabel(time, marks.step), x, 14);
  }
  if (nowX > 0 && nowX < scale.width) {
    pen.fillStyle = palette.now;
    pen.font = `600 11px ${palette.font}`;
    pen.fillText("now", Math.min(nowX, scale.width - 16), 14);
    pen.fillRect(Math.round(nowX) - 0.5, 22, 1.5, 8);
  } else if (scale.end < now - 20 * 3600 * 1000) {
    pen.textAlign = "left";
    pen.fillText(shortDay(scale.start), 4, 14);
  }
}

/** Draws `rows` (`{row, y}`, row missing while it is on its way). `marked` is the row under the pointer or focus. */
export function drawRows(pen, scale, rows, { height, now, gaps, marked, selected }) {
  const palette = colours();
  pen.clearRect(0, 0, scale.width, height);
  for (const { row, y, index } of rows) {
    if (row && row.id === marked) pen.fillStyle = palette.hover;
    else if (index % 2) pen.fillStyle = palette.stripe;
    else continue;
    pen.fillRect(0, y, scale.width, ROW);
  }
  drawGapsInRows(pen, scale, gaps, height, now);
  pen.fillStyle = palette.line;
  for (const time of ticks(scale.start, scale.end, scale.width, zoneOffset(scale.start)).ticks) {
    pen.fillRect(Math.round(scale.x(time)), 0, 1, height);
  }
  for (const { row, y } of rows) {
    if (row) drawRow(pen, scale, row, y, now, selected);
    else drawAwaited(pen, scale, y);
  }
  const nowX = scale.x(now);
  if (nowX >= 0 && nowX <= scale.width) {
    pen.fillStyle = palette.now;
    pen.fillRect(Math.round(nowX) - 0.5, 0, 1.5, height);
  }
}

function drawAwaited(pen, scale, y) {
  pen.fillStyle = colours().line;
  pen.fillRect(8, y + ROW / 2 - 1, scale.width - 16, 2);
}

/** Top and height of a lane inside its row. */
export function laneBox(row, lane) {
  const lanes = Math.min(row.lanes, MOST_LANES);
  const gap = lanes > 1 ? 1 : 0;
  const height = (BAR + (lanes > 1 ? 4 : 0) - gap * (lanes - 1)) / lanes;
  const top = (ROW - (height * lanes + gap * (lanes - 1))) / 2;
  return { top: top + Math.min(lane, lanes - 1) * (height + gap), height };
}

/** Left and right edge of a segment on the screen, at least `LEAST_BAR` apart; null where it is out of sight. */
export function segmentBox(scale, segment, now) {
  const left = scale.x(segment.start);
  let right = scale.x(segment.end ?? Math.max(now, segment.start));
  if (right - left < LEAST_BAR) right = left + LEAST_BAR;
  return right < 0 || left > scale.width ? null : { left, right };
}

function drawRow(pen, scale, row, y, now, selected) {
  const spanEnd = Math.max(row.last, ...row.interactions.map((one) => endOf(one) ?? now));
  if (scale.x(spanEnd) < 0) return drawEdgeHint(pen, y, row, 2, "left");
  if (scale.x(row.start) > scale.width) return drawEdgeHint(pen, y, row, scale.width - 2, "right");
  for (const one of row.interactions) {
    const box = laneBox(row, one.lane);
    const faded = one.state === "IDLE";
    pen.globalAlpha = faded ? 0.5 : 1;
    drawThread(pen, scale, one, y + box.top + box.height / 2, now);
    for (const segment of one.segments) drawSegment(pen, scale, one, segment, y + box.top, box.height, now, selected);
    pen.globalAlpha = 1;
    drawEnd(pen, scale, one, y + box.top, box.height);
  }
  for (const transfer of row.transfers) drawTransfer(pen, scale, row, transfer, y);
}

/** A journey that lies outside the window: a small triangle says on which side. */
function drawEdgeHint(pen, y, row, x, side) {
  const middle = y + ROW / 2;
  const point = side === "left" ? -1 : 1;
  pen.fillStyle = channelColours(row.channels[0]).solid;
  pen.beginPath();
  pen.moveTo(x + (side === "left" ? 1 : -1), middle);
  pen.lineTo(x - point * 6, middle - 4);
  pen.lineTo(x - point * 6, middle + 4);
  pen.fill();
}

/** The thin line that holds an interaction's segments together. */
function drawThread(pen, scale, one, middle, now) {
  const from = Math.max(0, scale.x(one.start));
  const to = Math.min(scale.width, scale.x(endOf(one) ?? now));
  if (to <= from) return;
  pen.fillStyle = channelColours(one.channel).solid;
  pen.fillRect(from, middle - 0.5, to - from, 1);
}

function drawSegment(pen, scale, one, segment, top, height, now, selected) {
  const box = segmentBox(scale, segment, now);
  if (!box) return;
  // A bar may reach far out of the window; a canvas does not like coordinates of millions.
  const left = Math.max(box.left, -4);
  const width = Math.min(box.right, scale.width + 4) - left;
  const open = segment.end === null && !one.timedOut;
  const colour = channelColours(one.channel);
  const fills = { wait: colour.tint, interact: colour.solid, transfer: hatch(pen, one.channel), wrapup: colours().surface };
  const before = pen.globalAlpha;
  pen.fillStyle = fills[segment.kind];
  pen.strokeStyle = colour.solid;
  pen.lineWidth = segment.kind === "wrapup" ? 1.5 : 1;
  const fade = open ? Math.min(FADE, width * 0.6) : 0;
  if (fade > 2) {
    pen.save();
    pen.beginPath();
    pen.rect(left - 1, top - 1, width - fade + 1, height + 2);
    pen.clip();
    drawBox(pen, left, top, width + 4, height, segment.kind);
    pen.restore();
    for (let strip = 0; strip < 7; strip += 1) {
      pen.globalAlpha = before * (0.9 - strip * 0.115);
      const x = left + width - fade + (fade * strip) / 7;
      pen.fillRect(x, top, fade / 7 + 0.3, height);
      if (segment.kind !== "interact") {
        pen.fillRect(x, top, fade / 7, 0);
        pen.save();
        pen.fillStyle = colour.solid;
        pen.fillRect(x, top, fade / 7 + 0.3, 1);
        pen.fillRect(x, top + height - 1, fade / 7 + 0.3, 1);
        pen.restore();
      }
    }
    pen.globalAlpha = before;
  } else {
    drawBox(pen, left, top, width, height, segment.kind);
  }
  if (selected && selected.interaction === one.id && selected.start === segment.start) {
    pen.strokeStyle = colours().text;
    pen.lineWidth = 2;
    pen.strokeRect(left - 1, top - 1, width + 2, height + 2);
  }
  drawLabel(pen, one, segment, left, top, width - fade, height, colour);
}

function drawBox(pen, left, top, width, height, kind) {
  if (width < 5 || height < 5) {
    pen.fillRect(left, top, width, height);
    if (kind !== "interact") pen.strokeRect(left + 0.5, top + 0.5, Math.max(0, width - 1), height - 1);
    return;
  }
  pen.beginPath();
  pen.roundRect(left + 0.5, top + 0.5, width - 1, height - 1, 2);
  pen.fill();
  pen.stroke();
}

function drawLabel(pen, one, segment, left, top, width, height, colour) {
  if (height < 14 || width < LABEL_FROM || segment.kind === "transfer") return;
  const text = segment.kind === "wait" ? one.queue : segment.kind === "interact" ? one.agent ?? one.queue : null;
  if (!text) return;
  const start = Math.max(left, 0) + 5;
  const room = Math.min(left + width, left + 4000) - start - 4;
  const shown = fitted(pen, text, room);
  if (!shown) return;
  pen.fillStyle = segment.kind === "interact" ? colour.ink : colours().text;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(shown, start, top + height / 2 + 0.5);
}

const widths = new Map();

/** As much of a text as fits, or nothing where that would be less than three letters. */
function fitted(pen, text, room) {
  pen.font = `11px ${colours().font}`;
  const measure = (part) => {
    let width = widths.get(part);
    if (width === undefined) {
      width = pen.measureText(part).width;
      if (widths.size > 4000) widths.clear();
      widths.set(part, width);
    }
    return width;
  };
  const whole = text.slice(0, 60);
  const width = measure(whole);
  if (width <= room) return whole;
  const letters = Math.floor((whole.length * (room - 8)) / width);
  return letters < 3 ? null : `${whole.slice(0, letters)}…`;
}

/** How an interaction ended: a diamond for a noted outcome, a small gap sign for a time-out. */
function drawEnd(pen, scale, one, top, height) {
  const at = one.ended ?? endOf(one);
  if (at === null) return;
  const x = scale.x(Math.max(at, endOf(one) ?? at));
  if (x < -6 || x > scale.width + 6) return;
  const middle = top + height / 2;
  const palette = colours();
  if (one.timedOut) {
    pen.fillStyle = palette.muted;
    for (const step of [4, 8, 12]) pen.fillRect(x + step, middle - 0.75, 2, 1.5);
  } else if (one.disposition) {
    const size = Math.min(4.5, height / 2);
    pen.beginPath();
    pen.moveTo(x, middle - size);
    pen.lineTo(x + size, middle);
    pen.lineTo(x, middle + size);
    pen.lineTo(x - size, middle);
    pen.closePath();
    pen.fillStyle = palette.surface;
    pen.fill();
    pen.strokeStyle = palette.text;
    pen.lineWidth = 1.25;
    pen.stroke();
  }
}

/** An arrow from the interaction that let go to the one that took over; an open ring while nobody has. */
function drawTransfer(pen, scale, row, transfer, y) {
  const source = row.interactions[transfer.from];
  const target = transfer.to === null ? null : row.interactions[transfer.to];
  const from = scale.x(transfer.at);
  const to = target ? scale.x(Math.max(transfer.at, target.start)) : from;
  if (!source || to < -8 || from > scale.width + 8) return;
  const palette = colours();
  const middle = (one) => {
    const box = laneBox(row, one.lane);
    return y + box.top + box.height / 2;
  };
  pen.strokeStyle = palette.text;
  pen.fillStyle = palette.text;
  pen.lineWidth = 1.25;
  if (!target) {
    pen.beginPath();
    pen.arc(from, middle(source), 3, 0, 2 * Math.PI);
    pen.fillStyle = palette.surface;
    pen.fill();
    pen.stroke();
    return;
  }
  const [y1, y2] = [middle(source), middle(target)];
  const tip = to - 1;
  pen.beginPath();
  pen.moveTo(from, y1);
  if (y1 === y2) pen.lineTo(tip - 5, y2);
  else {
    pen.lineTo(from, y2);
    pen.lineTo(Math.max(from, tip - 5), y2);
  }
  pen.stroke();
  pen.beginPath();
  pen.moveTo(tip + 3, y2);
  pen.lineTo(tip - 4, y2 - 4);
  pen.lineTo(tip - 4, y2 + 4);
  pen.fill();
}
