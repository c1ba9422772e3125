// The one place where time becomes pixels, and where the axis gets its ticks. Golden cases: tests/data/scale_cases.json.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
];

export const SHORTEST_SPAN = 10 * SECOND;
export const LONGEST_SPAN = 60 * DAY;

/** A span of time laid on a width of pixels. Both ways are exact inverses; nothing is rounded or cut here. */
export class TimeScale {
  constructor(start, end, width) {
    this.start = start;
    this.end = end;
    this.width = width;
  }
  x(time) {
    return ((time - this.start) / (this.end - this.start)) * this.width;
  }
  time(x) {
    return this.start + (x / this.width) * (this.end - this.start);
  }
  get span() {
    return this.end - this.start;
  }
  get perPixel() {
    return this.span / this.width;
  }
}

/** The step between ticks: the smallest that keeps them `apart` pixels from each other. */
export function tickStep(span, width, apart = 96) {
  const least = (span / Math.max(width, 1)) * apart;
  return STEPS.find((step) => step >= least) ?? STEPS[STEPS.length - 1];
}

/** Ticks on round local times; `offset` is what local time is ahead of UTC, in ms. */
export function ticks(start, end, width, offset = 0, apart = 96) {
  const step = tickStep(end - start, width, apart);
  const found = [];
  for (let time = Math.ceil((start + offset) / step) * step - offset; time <= end; time += step) found.push(time);
  return { step, ticks: found };
}

/** A window zoomed by `factor` (below 1 is closer) that keeps `anchor` where it is. */
export function zoomed(start, end, factor, anchor) {
  const span = Math.min(LONGEST_SPAN, Math.max(SHORTEST_SPAN, (end - start) * factor));
  const share = (anchor - start) / (end - start);
  const from = anchor - share * span;
  return { start: from, end: from + span };
}
