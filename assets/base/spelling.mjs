// How lengths and moments are spelt in a URL, as the HTTP interface reads them, and what may not stand in one.

const PERSONAL = /@|\+?\d(?:[\s./()-]{0,2}\d){6,}/;
const UNITS = [[24 * 3600 * 1000, "d"], [3600 * 1000, "h"], [60 * 1000, "m"], [1000, "s"], [1, "ms"]];

/** Whether a text may be a phone number or an e-mail address: such a text never goes into a URL. */
export function looksPersonal(text) {
  return PERSONAL.test(text);
}

/** A length as the interface reads it: `90s`, `5m`, `2h`. */
export function writeLength(ms) {
  const [unit, name] = UNITS.find(([size]) => ms >= size && ms % size === 0) ?? [1, "ms"];
  return `${Math.round(ms / unit)}${name}`;
}
export function readLength(text) {
  const match = /^(\d{1,13}(?:\.\d{1,3})?) ?(ms|s|min|m|h|d)?$/.exec(text?.trim() ?? "");
  if (!match) return null;
  const unit = match[2] === "min" ? "m" : match[2] ?? "ms";
  return Math.round(Number(match[1]) * UNITS.find(([, name]) => name === unit)[0]);
}
export function writeMoment(ms) {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
export function readMoment(text) {
  const moment = /^\d{9,15}$/.test(text ?? "") ? Number(text) : Date.parse(zoned(text ?? ""));
  return moment >= Date.UTC(2000) && moment < Date.UTC(2100) ? moment : null;
}
// Without a zone a time is UTC, as the interface reads it; browsers take it for local.
function zoned(text) {
  return /T\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text}Z` : text;
}
