// Draws what is in sight: the axis, the rows with their ground and bars, and the now-line. Reads the model, changes nothing.

import { colours } from "../base/palette.mjs";
import { ticks } from "../base/scale.mjs";
import { shortDay, tickLabel, zoneOffset } from "../base/times.mjs";
import { drawGapsInRows, drawGapsOnAxis } from "../standing/gaps.mjs";
import { summary } from "./model.mjs";
import { drawInteraction } from "./bars.mjs";
import { endOf, typeOf } from "./lanes.mjs";
import { drawEnd, drawOutOfSight, drawTransfer } from "./marks.mjs";

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

/** `type` is the size of its words. */
export function drawAxis(pen, scale, now, gaps, type) {
  const palette = colours();
  pen.clearRect(0, 0, scale.width, 64);
  pen.font = `${type}px ${palette.font}`;
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
    if (x > 2 * type && x < scale.width - 2 * type && Math.abs(x - nowX) > 3.8 * type) pen.fillText(tickLabel(time, marks.step), x, 14);
  }
  if (nowX > 0 && nowX < scale.width) {
    pen.fillStyle = palette.now;
    pen.font = `600 ${type}px ${palette.font}`;
    pen.fillText("now", Math.min(nowX, scale.width - 1.45 * type), 14);
    pen.fillRect(Math.round(nowX) - 0.5, 22, 1.5, 8);
  } else if (scale.end < now - 20 * 3600 * 1000) {
    pen.textAlign = "left";
    pen.fillText(shortDay(scale.start), 4, 14);
  }
}

/**
 * Draws rows: `places` are `{row, y, height, laid, index, pinned}`, row missing while it is on its way, the pinned ones in a band
 * of their own down to `pinnedTo`. `marked` is the row under the pointer or focus, `chosen` the one that is selected,
 * `selected` the bar (`{interaction, start}`).
 */
export function drawRows(pen, scale, places, { height, pinnedTo, ...looks }) {
  pen.clearRect(0, 0, scale.width, height);
  const pinned = places.filter((place) => place.pinned);
  drawBand(pen, scale, places.filter((place) => !place.pinned), pinnedTo, height, looks);
  if (!pinned.length) return;
  drawBand(pen, scale, pinned, 0, pinnedTo, looks);
  pen.fillStyle = colours().lineStrong;
  pen.fillRect(0, pinnedTo - 1, scale.width, 1);
}

function drawBand(pen, scale, places, top, bottom, { now, gaps, marked, chosen, selected }) {
  pen.save();
  pen.beginPath();
  pen.rect(0, top, scale.width, bottom - top);
  pen.clip();
  for (const place of places) drawGround(pen, scale, place, marked, chosen);
  drawGapsInRows(pen, scale, gaps, bottom, now);
  const palette = colours();
  pen.fillStyle = palette.line;
  for (const time of ticks(scale.start, scale.end, scale.width, zoneOffset(scale.start)).ticks) {
    pen.fillRect(Math.round(scale.x(time)), top, 1, bottom - top);
  }
  for (const place of places) {
    if (place.row) drawRow(pen, scale, place, now, selected);
    else drawAwaited(pen, scale, place);
  }
  const nowX = scale.x(now);
  if (nowX >= 0 && nowX <= scale.width) {
    pen.fillStyle = palette.now;
    pen.fillRect(Math.round(nowX) - 0.5, top, 1.5, bottom - top);
  }
  pen.restore();
}

function drawGround(pen, scale, { row, y, height, laid, index }, marked, chosen) {
  const palette = colours();
  const colour = row && row.id === chosen ? palette.chosen : row && row.id === marked ? palette.hover : index % 2 ? palette.stripe : null;
  if (colour) {
    pen.fillStyle = colour;
    pen.fillRect(0, y, scale.width, height);
  }
  if (!laid?.tracks) return;
  pen.fillStyle = palette.line;
  for (const track of laid.tracks) pen.fillRect(0, y + track.top, scale.width, 1);
}

function drawAwaited(pen, scale, { y, height }) {
  pen.fillStyle = colours().line;
  pen.fillRect(8, y + height / 2 - 1, scale.width - 16, 2);
}

function drawRow(pen, scale, { row, y, laid }, now, selected) {
  const end = Math.max(row.last, ...row.interactions.map((one) => endOf(one) ?? now));
  const middle = y + laid.line / 2;
  if (laid.tracks) drawSpan(pen, scale, row, end, y, laid.line, now);
  if (scale.x(end) < 0) return drawOutOfSight(pen, row, 2, middle, "left");
  if (scale.x(row.start) > scale.width) return drawOutOfSight(pen, row, scale.width - 2, middle, "right");
  const boxOf = (one) => {
    const { top, height } = laid.boxes.get(one);
    return { top: y + top, height, type: typeOf(laid.line) };
  };
  for (const one of row.interactions) drawInteraction(pen, scale, one, boxOf(one), now, selected);
  for (const one of row.interactions) drawEnd(pen, scale, one, boxOf(one));
  for (const transfer of row.transfers) drawTransfer(pen, scale, row, transfer, boxOf);
}

/** The first line of an expanded row: what it is in words, over a line as long as the journey. */
function drawSpan(pen, scale, row, end, y, line, now) {
  const palette = colours();
  const left = Math.max(0, scale.x(row.start));
  const right = Math.min(scale.width, scale.x(end));
  if (right > left) {
    pen.fillStyle = palette.control;
    pen.fillRect(left, y + line - 5, Math.max(2, right - left), 2);
  }
  pen.font = `${typeOf(line)}px ${palette.font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillStyle = palette.muted;
  const text = summary(row, now);
  const room = scale.width - pen.measureText(text).width - 10;
  pen.fillText(text, Math.max(10, Math.min(left + 2, room)), y + line / 2 - 2);
}
