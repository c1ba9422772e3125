// The overview: a strip over all the time there is something of, how much went on in it, and the window of the rows in it.

import { make, setText } from "../base/elements.mjs";
import { colours, token } from "../base/palette.mjs";
import { ticks, TimeScale } from "../base/scale.mjs";
import { length, moment, shortTime, tickLabel, zoneOffset } from "../base/times.mjs";
import { fitCanvas } from "../chart/draw.mjs";
import { drawGapsInRows } from "../standing/gaps.mjs";
import { AHEAD, binsOf, chooseExtent } from "./extent.mjs";
import { startViewport } from "./viewport.mjs";

const TOP = 3;
const BASE = 29;
const LABELS = 37;
const HEIGHT = 44;
const LEAST_WINDOW = 4;

export class Overview {
  #place;
  #canvas;
  #window;
  #tip;
  #view;
  #counts = null;
  #asked = null;
  #first = Infinity;
  #scale = new TimeScale(0, 1, 1);
  #drawn = "";
  #drag;

  /** `view`: the window of the rows; `bounds(now)` → `{start, end, following}`, `now()`, `moveTo(start, end)`, `live()`, `span(ms)`, `zoom(factor, time)`. */
  constructor(place, view) {
    this.#place = place;
    this.#view = view;
    this.#canvas = place.querySelector("canvas");
    this.#window = place.querySelector("[role=slider]");
    this.#tip = make("div", "overview-tip", place);
    this.#tip.hidden = true;
    this.#drag = startViewport(place, this.#window, {
      view,
      scale: () => this.#scale,
      known: () => this.#counts !== null,
      tell: (x) => this.#tell(x),
    });
  }

  /** Which counts over time to ask for. Under the pointer the strip stays as long as it is. */
  wanted(now) {
    const extent = this.#drag.active && this.#counts ? this.#counts.extent : this.#choose(now);
    this.#asked = { extent, bins: binsOf(extent, now) };
    return this.#asked.bins;
  }
  /** Takes what was asked for last. */
  take({ start, end, active, waiting, first }, now) {
    if (!this.#asked || this.#asked.bins[0] !== start || this.#asked.bins[1] !== end) return;
    if (first !== null) this.#first = Math.min(this.#first, first);
    const { extent } = this.#asked;
    // None is better than one that changes at once: the next question is for a longer strip.
    if (!this.#counts && extent.length !== this.#choose(now).length) return;
    this.#counts = { extent, start, active, waiting, most: Math.max(4, ...active, ...waiting) };
    this.#drawn = "";
  }

  draw(now, gaps) {
    const counts = this.#counts;
    const width = this.#place.clientWidth;
    if (!counts || !width) return;
    if (!this.#drag.active) {
      const { length: span } = counts.extent;
      this.#scale = new TimeScale(now - span, now + span * AHEAD, width);
    }
    const scale = this.#scale;
    const theme = document.documentElement.dataset.mantineColorScheme;
    const about = `${Math.round(scale.start / scale.perPixel)} ${Math.round(now / scale.perPixel)} ${width} ${theme} ${devicePixelRatio}`;
    const drawn = `${about} ${gaps.length} ${gaps.at(-1)?.start} ${gaps.at(-1)?.end} ${gaps.map(({ filling, problem }) => filling !== null && !problem)}`;
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#draw(fitCanvas(this.#canvas, width, HEIGHT), scale, counts, now, gaps);
    }
    this.#place.dataset.known = "";
    this.#showWindow(scale, now);
  }

  #draw(pen, scale, counts, now, gaps) {
    const palette = colours();
    pen.clearRect(0, 0, scale.width, HEIGHT);
    drawGapsInRows(pen, scale, gaps, BASE, now);
    drawBins(pen, scale, counts, "active", now, token("muted-fill-tint"));
    drawLine(pen, scale, counts, now, token("muted-fill"));
    drawBins(pen, scale, counts, "waiting", now, token("state-initiated"));
    pen.fillStyle = palette.lineStrong;
    pen.fillRect(0, BASE, scale.width, 1);
    pen.font = `10.5px ${palette.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const marks = ticks(scale.start, scale.end, scale.width, zoneOffset(scale.start));
    for (const time of marks.ticks) {
      const x = Math.round(scale.x(time));
      pen.fillStyle = palette.lineStrong;
      pen.fillRect(x, BASE, 1, 4);
      pen.fillStyle = palette.muted;
      if (x > 20 && x < scale.width - 20) pen.fillText(tickLabel(time, marks.step), x, LABELS + 1);
    }
    pen.fillStyle = palette.now;
    pen.fillRect(Math.round(scale.x(now)) - 0.5, 0, 1.5, BASE + 1);
  }

  #showWindow(scale, now) {
    const bounds = this.#view.bounds(now);
    const left = Math.max(0, scale.x(bounds.start));
    const right = Math.min(scale.width, scale.x(bounds.end));
    const style = this.#window.style;
    const [from, wide] = [`${left.toFixed(1)}px`, `${Math.max(LEAST_WINDOW, right - left).toFixed(1)}px`];
    if (style.left !== from) style.left = from;
    if (style.width !== wide) style.width = wide;
    const text = windowText(bounds, now);
    if (this.#window.getAttribute("aria-valuetext") === text) return;
    const values = { valuetext: text, valuemin: scale.start, valuemax: now, valuenow: Math.min(now, bounds.end) };
    for (const [name, value] of Object.entries(values)) {
      this.#window.setAttribute(`aria-${name}`, typeof value === "number" ? Math.round(value) : value);
    }
  }

  /** Says what went on at `x`, or what the window is while it is moved; nothing where `x` is null. */
  #tell(x) {
    this.#tip.hidden = x === null || !this.#counts;
    if (this.#tip.hidden) return;
    const now = this.#view.now();
    setText(this.#tip, this.#drag.active ? windowText(this.#view.bounds(now), now) : this.#wordsAt(this.#scale.time(x), now));
    const room = this.#scale.width - this.#tip.offsetWidth - 4;
    this.#tip.style.left = `${Math.max(4, Math.min(room, x - this.#tip.offsetWidth / 2))}px`;
  }
  #wordsAt(time, now) {
    const { extent, start, active, waiting } = this.#counts;
    const place = Math.floor((time - start) / extent.bin);
    const from = start + place * extent.bin;
    if (from > now || place < 0 || place >= active.length) return "not yet";
    const number = (count, one, more) => `${count.toLocaleString("en-GB")} ${count === 1 ? one : more}`;
    return `${moment(from, now)}, ${length(extent.bin)}: ${number(active[place], "journey", "journeys")} active, ${number(waiting[place], "wait", "waits")}`;
  }

  #choose(now) {
    return chooseExtent(now, this.#first, this.#view.bounds(now).start);
  }
}

/** The window in words: `Last 30 min`, or its bounds. */
export function windowText({ start, end, following }, now) {
  if (following) return `Last ${length(end - start)}`;
  const [from, to] = [start, end].map((time) => (now - start < 20 * 3_600_000 ? shortTime(time) : moment(time, now)));
  return `${from} – ${to} (${length(end - start)})`;
}

function edges(scale, { extent, start }, place, now) {
  const from = start + place * extent.bin;
  return { left: scale.x(from), right: scale.x(Math.min(now, from + extent.bin)) };
}

function drawBins(pen, scale, counts, name, now, colour) {
  pen.fillStyle = colour;
  counts[name].forEach((count, place) => {
    const { left, right } = edges(scale, counts, place, now);
    if (!count || right <= left || right < 0) return;
    const height = Math.max(1, ((BASE - TOP) * count) / counts.most);
    const x = Math.floor(left);
    pen.fillRect(x, BASE - height, Math.ceil(right) - x, height);
  });
}

/** The upper edge of the active ones: it keeps the contrast that their light ground has not. */
function drawLine(pen, scale, counts, now, colour) {
  pen.fillStyle = colour;
  counts.active.forEach((count, place) => {
    const { left, right } = edges(scale, counts, place, now);
    if (!count || right <= left || right < 0) return;
    const top = BASE - Math.max(1, ((BASE - TOP) * count) / counts.most);
    pen.fillRect(Math.floor(left), top - 0.5, Math.ceil(right) - Math.floor(left), 1.25);
  });
}
