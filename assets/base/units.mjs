// Figures as people read them: each form takes a value and the server's clock, and answers text with its unit.

import { setText } from "./elements.mjs";
import { dayAndTime, length, moment } from "./times.mjs";

export const NOTHING = "—";
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const SIZES = ["B", "kB", "MB", "GB", "TB"];

export function count(value) {
  return whole.format(value);
}

/** A size in decimal units: `812 B`, `1.2 kB`, `35 MB`. */
export function bytes(value) {
  let [size, unit] = [value, 0];
  while (size >= 999.5 && unit < SIZES.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${unit && size < 9.95 ? tenths.format(size) : whole.format(size)} ${SIZES[unit]}`;
}

/** A length of time; below ten seconds to the tenth. */
export function span(ms) {
  return ms < 9950 ? `${tenths.format(Math.max(0, ms) / 1000)} s` : length(ms);
}

export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const FORMS = {
  text: (value) => value,
  reason: (value) => value,
  count,
  bytes,
  span,
  rate: (value) => (value < 9.95 ? tenths : whole).format(value),
  milliseconds: (value) => `${(value < 9.95 ? tenths : whole).format(value)} ms`,
  moment: (value, now) => moment(value, now),
  ago: (value, now) => `${length(now - value)} ago`,
  in: (value, now) => (value > now ? `in ${length(value - now)}` : "now"),
  left: (value, now) => length(Math.max(0, value - now)),
  since: (value, now) => `${moment(value, now)} (${length(now - value)})`,
};

/** What stands where a known thing has nothing to report. */
const ABSENT = { reason: "no" };

/** Writes the figures inside `root`: elements with `data-figure`, a path in `data`, in their `data-form`. */
export function writeFigures(root, data, now) {
  for (const place of root.querySelectorAll("[data-figure]")) {
    const value = place.dataset.figure.split(".").reduce((inner, name) => inner?.[name], data);
    const { form } = place.dataset;
    const known = value !== null && value !== undefined && value !== "";
    setText(place, known ? FORMS[form](value, now) : value === null ? ABSENT[form] ?? NOTHING : NOTHING);
    place.classList.toggle("value-none", !known);
    if (form === "count" && place.nextElementSibling) writeUnit(place.nextElementSibling, value);
    if (known && (form === "moment" || form === "since" || form === "ago")) place.title = dayAndTime(value);
  }
}

/** "3 topics", but "1 topic". The page's frame has the unit of many. */
function writeUnit(unit, value) {
  unit.dataset.many ??= unit.textContent;
  setText(unit, value === 1 ? unit.dataset.many.replace(/s\b/, "") : unit.dataset.many);
}
