// Moments and lengths as people read them, in the viewer's time zone or the one that the server sets.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
let formats = {};

export function setZone(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    zone = name;
    formats = {};
  } catch {
    // An unknown zone: the browser's own stays.
  }
}

export function zoneName() {
  return zone;
}

function format(key, options) {
  return (formats[key] ??= new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
}

export function clockTime(time) {
  return format("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(time);
}

export function shortTime(time) {
  return format("short", { hour: "2-digit", minute: "2-digit" }).format(time);
}

export function dayAndTime(time) {
  return `${format("day", { day: "numeric", month: "short", year: "numeric" }).format(time)}, ${clockTime(time)}`;
}

export function shortDay(time) {
  return format("shortDay", { day: "numeric", month: "short" }).format(time);
}

/** A tick's label: seconds, minutes or days, as fine as the ticks are apart; midnight shows the day. */
export function tickLabel(time, step) {
  if (step >= DAY || (time + zoneOffset(time)) % DAY === 0) return shortDay(time);
  return step < MINUTE ? clockTime(time) : shortTime(time);
}

/** A moment: with its day unless it is within 20 hours of now. */
export function moment(time, now = Date.now()) {
  return Math.abs(now - time) < 20 * HOUR ? clockTime(time) : dayAndTime(time);
}

/** What local time is ahead of UTC at `time`, in ms. */
export function zoneOffset(time) {
  const parts = {};
  const numeric = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
  for (const part of format("parts", { ...numeric, hourCycle: "h23" }).formatToParts(time)) parts[part.type] = +part.value;
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return local - Math.floor(time / SECOND) * SECOND;
}

/** A length in its two largest units: `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function length(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return pair(ms, MINUTE, "min", SECOND, "s");
  return ms < DAY ? pair(ms, HOUR, "h", MINUTE, "min") : pair(ms, DAY, "d", HOUR, "h");
}

function pair(ms, unit, name, smaller, smallerName) {
  const rest = Math.floor((ms % unit) / smaller);
  return `${Math.floor(ms / unit)} ${name}${rest ? ` ${rest} ${smallerName}` : ""}`;
}

/** A length for a narrow column: `42s`, `3m`, `2h`, `4d`. */
export function shortLength(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  return ms < DAY ? `${Math.floor(ms / HOUR)}h` : `${Math.floor(ms / DAY)}d`;
}

/** Writes the moments inside `root` (`.when` elements with milliseconds for text), now and whenever they change. */
export function keepMoments(root) {
  const write = () => {
    for (const element of root.querySelectorAll(".when")) {
      const text = element.firstChild;
      if (!text || !/^\d{9,15}$/.test(text.nodeValue)) continue;
      const time = Number(text.nodeValue);
      element.dateTime = new Date(time).toISOString();
      element.title = `${element.dateTime} (UTC)`;
      text.nodeValue = dayAndTime(time);
    }
  };
  write();
  new MutationObserver(write).observe(root, { childList: true, subtree: true, characterData: true });
}
