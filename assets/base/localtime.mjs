// Moments in fields for date and time, which know no zone: they are of the page's zone.

import { zoneOffset } from "./times.mjs";

/** What a field shows for a moment (ms); nothing for none. */
export function toLocal(moment) {
  if (moment === null) return "";
  return new Date(moment + zoneOffset(moment)).toISOString().slice(0, 19);
}

/** The moment (ms) that a field's text is; null for none. */
export function fromLocal(text) {
  const local = text ? Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`) : NaN;
  if (Number.isNaN(local)) return null;
  // The offset there, not here: a day of the other season has another one.
  const first = local - zoneOffset(local);
  return local - zoneOffset(first);
}
