// What is written on a bar: an icon, the queue or the agent, and how long; as much of it as fits, or nothing.

import { iconPath } from "../base/icons.mjs";
import { colours } from "../base/palette.mjs";
import { shortLength } from "../base/times.mjs";
import { channelToken, KIND_LABELS, shortName } from "../base/words.mjs";

/** Kinds with an icon of their own, and those whose lines words would be lost in. */
const OWN = new Set(["transfer", "wrapup", "alert", "hold"]);
const LINED = new Set(["transfer", "alert", "hold"]);
const ICON = 11;
const INSET = 5;
const LEAST_HEIGHT = 14;
/** Pixels that a bar is to be higher than its words are large. */
const LEAST_LEADING = 5;
const MOST_LETTERS = 60;
const MOST_WIDTHS = 4000;
const widths = new Map();

/** What a segment would say, the fullest first. */
function wordings(one, segment, now) {
  const length = shortLength((segment.end ?? now) - segment.start);
  const idle = segment.end === null && one.state === "IDLE";
  if (LINED.has(segment.kind)) return [];
  if (segment.kind === "wrapup" || segment.kind === "ivr") return [`${KIND_LABELS[segment.kind]} · ${length}`, length];
  const who = segment.passed ? null : segment.kind === "interact" ? one.agent ?? one.queue : one.queue;
  const name = who && shortName(who);
  // How long an idle one goes on is not known: nothing has been heard of it.
  if (idle) return name ? [name] : [];
  return name ? [`${name} · ${length}`, name, length] : [length];
}

/**
 * Writes on the bar in `box` (`{left, right, top, height, type}`, its faint end left out, `type` the size of words), with the channel's icon unless the interaction
 * is `named` already. Whether that icon was drawn.
 */
export function drawCaption(pen, one, segment, box, { now, colour, named }) {
  if (box.height < LEAST_HEIGHT) return false;
  const start = Math.max(box.left, 0) + INSET;
  const room = box.right - start - 3;
  if (room < ICON) return false;
  const { text, font } = colours();
  const own = OWN.has(segment.kind);
  const icon = own ? segment.kind : named ? null : channelToken(one.channel);
  pen.font = `${Math.min(box.type ?? 11, Math.max(11, Math.floor(box.height) - LEAST_LEADING))}px ${font}`;
  const behind = icon ? ICON + 4 : 0;
  const words = shownText(pen, wordings(one, segment, now), room - behind);
  const ink = segment.kind === "interact" ? colour.ink : text;
  const middle = box.top + box.height / 2;
  if (LINED.has(segment.kind)) backdrop(pen, start, middle);
  if (icon) drawIcon(pen, icon, start, middle, own || segment.kind === "interact" ? ink : colour.solid);
  if (words) {
    pen.fillStyle = ink;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillText(words, start + behind, middle + 0.5);
  }
  return Boolean(icon) && !own;
}

function drawIcon(pen, name, left, middle, colour) {
  pen.save();
  pen.translate(left, middle - ICON / 2);
  pen.scale(ICON / 12, ICON / 12);
  pen.fillStyle = colour;
  pen.fill(iconPath(name), "evenodd");
  pen.restore();
}

/** Lines would run through a symbol. */
function backdrop(pen, left, middle) {
  pen.fillStyle = colours().surface;
  pen.beginPath();
  pen.arc(left + ICON / 2, middle, ICON / 2 + 1.5, 0, 2 * Math.PI);
  pen.fill();
}

/** The first wording that fits whole; else as much of the shortest name as makes sense, three letters at least. */
function shownText(pen, texts, room) {
  const whole = texts.find((text) => widthOf(pen, text.slice(0, MOST_LETTERS)) <= room);
  if (whole !== undefined) return whole.slice(0, MOST_LETTERS);
  const name = texts.length > 1 ? texts[1] : texts[0];
  if (!name) return null;
  const letters = Math.floor((name.length * (room - 8)) / Math.max(1, widthOf(pen, name.slice(0, MOST_LETTERS))));
  return letters < 3 ? null : `${name.slice(0, Math.min(letters, MOST_LETTERS))}…`;
}

/** Measuring is dear, and the same names come again and again. */
function widthOf(pen, text) {
  const key = `${pen.font} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > MOST_WIDTHS) widths.clear();
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}
