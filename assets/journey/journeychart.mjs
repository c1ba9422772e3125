// A journey's chart: puts the server's figure (true times) on the folded scale, keeps the part of time that the viewer looks at
// through every update, and lets what is open grow.

import { token } from "../base/palette.mjs";
import { length, shortDay, tickLabel, zoneOffset } from "../base/times.mjs";
import { Breaks } from "./breaks.mjs";
import { resolve } from "./figure.mjs";
import { FoldedScale, foldedTicks, LEAST_BAR } from "./folding.mjs";

const GROW_MS = 1000;
/** A chart that is slow to draw grows less often: it rests so many times as long as it took. */
const REST = 4;
const HOUR = 3_600_000;
const APART = 84;
const NARROW = 560;
const NARROW_MARGIN = 68;
const CLOSEST = 16;
const TOOTH = 4;

export class JourneyChart {
  #frame;
  #now;
  #breaks;
  #given = null;
  #journey = null;
  #expanded = new Set();
  #view = null;
  #scale = null;
  #drawn = null;
  #hovered = null;
  #held = false;
  #began = null;
  #restsUntil = 0;
  #tied = null;
  #said = () => {};

  /** `frame` holds the chart, `folds` what lies over it; `now()` is the server's clock; `said(state)` is told what folds. */
  constructor(frame, folds, now, said) {
    this.#frame = frame;
    this.#now = now;
    this.#said = said;
    this.#breaks = new Breaks(folds, (start) => this.toggle(start), (event) => this.#passOn(event));
    new ResizeObserver(() => this.#given && this.#scale && this.#width() !== this.#scale.width && this.redraw()).observe(frame);
    frame.addEventListener("pointerdown", () => (this.#held = true), true);
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => (this.#held = false), true);
    setInterval(() => this.#grow(), GROW_MS);
  }
  /**
   * The chart as a component, from the one that the server sent; null when there is none, undefined when the one that stands
   * shows it: a new one would take away the hover label, and what is being dragged.
   */
  take(chart) {
    this.#given = chart?.props.figure ?? null;
    const meta = this.#given?.layout.meta;
    const stays = this.#plot?.on && meta && meta.journey === this.#journey;
    if (meta?.journey !== this.#journey) {
      this.#journey = meta?.journey ?? null;
      this.#expanded = new Set();
      this.#view = this.#hovered = null;
    }
    if (!this.#given) {
      this.#breaks.show([], null);
      this.#scale = null;
      return null;
    }
    if (stays) {
      this.redraw();
      return undefined;
    }
    setTimeout(() => this.#tie());
    return { ...chart, props: { ...chart.props, figure: this.#place() } };
  }
  /** Draws it again, in the colours of the theme that is on now. */
  redraw() {
    if (!this.#given || !this.#plot) return;
    this.#began = performance.now();
    window.dash_clientside.set_props("journey-chart", { figure: this.#place() });
  }
  toggle(start) {
    if (!this.#expanded.delete(start)) this.#expanded.add(start);
    this.redraw();
  }
  /** Unfolds all idle stretches; folds them all where none is folded. */
  toggleAll() {
    const starts = this.#given?.layout.meta.folds.map(([start]) => start) ?? [];
    this.#expanded = this.#expanded.size < starts.length ? new Set(starts) : new Set();
    this.redraw();
  }
  fit() {
    this.#view = null;
    this.redraw();
  }
  zoom(factor) {
    const [left, right] = this.#range();
    const middle = (left + right) / 2;
    const half = Math.max(CLOSEST, (right - left) * factor) / 2;
    this.#look(middle - half, middle + half);
  }
  pan(part) {
    const [left, right] = this.#range();
    const way = (right - left) * part;
    this.#look(left + way, right + way);
  }
  /** The moments at both edges of what is shown. */
  get shown() {
    return this.#range().map((place) => this.#scale.time(place));
  }

  get #plot() {
    return this.#frame.querySelector(".js-plotly-plot");
  }
  #margins() {
    const { l, r, t, b } = this.#given.layout.margin;
    return { l: this.#frame.clientWidth < NARROW ? NARROW_MARGIN : l, r, t, b };
  }
  #width() {
    const { l, r } = this.#margins();
    return Math.max(120, this.#frame.clientWidth - l - r);
  }
  #range() {
    if (!this.#view) return [0, this.#scale.width];
    return [this.#scale.x(this.#view.from), this.#scale.x(this.#view.to)];
  }
  #look(left, right) {
    const { width } = this.#scale;
    const span = Math.min(width, right - left);
    const from = Math.min(Math.max(0, left), width - span);
    this.#view = span > width - 1 ? null : { from: this.#scale.time(from), to: this.#scale.time(from + span) };
    this.redraw();
  }

  #place() {
    const { layout, data } = this.#given;
    const { meta } = layout;
    const now = this.#now();
    const end = meta.open ? Math.max(meta.end, now) : meta.end;
    const width = this.#width();
    const margin = this.#margins();
    this.#scale = new FoldedScale(meta.start - meta.margin, end + meta.margin, width, meta.folds, this.#expanded);
    const scale = this.#scale;
    const [left, right] = this.#range();
    const closer = width / (right - left);
    const placed = { ...resolve(layout), margin, width: width + margin.l + margin.r };
    placed.xaxis = { ...placed.xaxis, range: [left, right], minallowed: 0, maxallowed: width, ...this.#ticks(left, right, closer) };
    placed.annotations = layout.annotations.map((mark) => ({ ...resolve(mark), x: scale.x(mark.x), ax: scale.x(mark.ax) }));
    placed.shapes = [...placed.shapes, ...this.#bands(), ...(meta.open ? [nowLine(scale.x(now))] : [])];
    delete placed.meta;
    this.#drawn = { data: data.map((trace) => placeTrace(trace, scale, now, LEAST_BAR / closer)), layout: placed };
    this.#breaks.show(meta.folds, { scale, left, closer, margin, height: layout.height - margin.t - margin.b, expanded: this.#expanded });
    this.#said({ folds: meta.folds.length, folded: scale.folds.length, threshold: meta.threshold });
    return this.#drawn;
  }
  #ticks(left, right, closer) {
    const offset = zoneOffset(this.#scale.start);
    const { step, times } = foldedTicks(this.#scale, left, right, offset, APART / closer);
    let day = null;
    const ticktext = times.map((time) => {
      const onGrid = (time + offset) % step === 0;
      const label = tickLabel(time, onGrid ? step : Math.min(step, HOUR));
      const today = shortDay(time);
      const shown = today === day || label === today ? label : `${label}<br>${today}`;
      day = today;
      return shown;
    });
    return { tickvals: times.map((time) => this.#scale.x(time)), ticktext };
  }
  /** Breaks: ground between two torn edges. A segment that goes on through a break is drawn over the ground. */
  #bands() {
    const teeth = Math.max(2, Math.round((this.#given.layout.meta.lanes * 36) / (2 * TOOTH)));
    let path = "M0,0";
    for (let tooth = 1; tooth <= teeth; tooth += 1) path += `L${tooth % 2 ? TOOTH : 0},${(tooth / teeth).toFixed(4)}`;
    const across = { yref: "paper", y0: 0, y1: 1 };
    return this.#scale.folds.flatMap(([from, to]) => {
      const [x0, x1] = [this.#scale.x(from), this.#scale.x(to)];
      const edge = (x) => ({
        type: "path", path, xref: "x", xsizemode: "pixel", xanchor: x, yref: "paper",
        line: { color: token("control"), width: 1.25 }, layer: "above",
      });
      return [
        { type: "rect", xref: "x", x0, x1, ...across, line: { width: 0 }, fillcolor: token("ground"), layer: "below" },
        edge(x0), edge(x1),
      ];
    });
  }

  /** Plotly's own events, once its chart is there; it may come only after its library. */
  #tie() {
    const plot = this.#plot;
    if (!plot?.on) {
      if (this.#given) setTimeout(() => this.#tie(), 100);
      return;
    }
    if (this.#tied === plot) return;
    this.#tied = plot;
    plot.on("plotly_relayout", (change) => this.#moved(change, true));
    plot.on("plotly_relayouting", (change) => this.#moved(change, false));
    plot.on("plotly_doubleclick", () => this.fit());
    plot.on("plotly_hover", ({ points: [point] }) => (this.#hovered = keyOf(point)));
    plot.on("plotly_unhover", () => (this.#hovered = null));
    plot.on("plotly_afterplot", () => {
      this.#hoverAgain();
      const now = performance.now();
      this.#restsUntil = now + REST * (now - (this.#began ?? now));
      this.#began = null;
    });
    plot.on("plotly_click", ({ points: [point] }) => {
      const detail = { key: keyOf(point)?.key };
      if (detail.key) this.#frame.dispatchEvent(new CustomEvent("journeymap:segment", { bubbles: true, detail }));
    });
  }
  #moved(change, settled) {
    const range = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range[0] === undefined || range[1] === undefined) return;
    const [left, right] = range.map(Number);
    if (settled) this.#look(left, right);
    else this.#breaks.move(left, this.#scale.width / (right - left));
  }
  #grow() {
    if (!this.#given?.layout.meta.open || !this.#plot || this.#held || performance.now() < this.#restsUntil || document.hidden || !this.#frame.offsetParent) return;
    this.redraw();
  }
  /** Plotly drops the hover label when it draws; whoever reads it keeps it. */
  #hoverAgain() {
    const wanted = this.#hovered;
    if (!wanted || !this.#drawn) return;
    const curve = this.#drawn.data.findIndex((trace) => (trace.customdata ?? trace.hovertext)?.includes(wanted.key));
    if (curve < 0) return;
    const trace = this.#drawn.data[curve];
    const point = (trace.customdata ?? trace.hovertext).indexOf(wanted.key);
    window.Plotly.Fx.hover(this.#plot, [{ curveNumber: curve, pointNumber: point }]);
  }
  #passOn(event) {
    const layer = this.#plot?.querySelector(".nsewdrag");
    layer?.dispatchEvent(new WheelEvent("wheel", event));
    event.preventDefault();
  }
}

function keyOf(point) {
  if (!point) return null;
  return { key: point.data.customdata?.[point.pointNumber] ?? point.data.hovertext?.[point.pointNumber] };
}

function placeTrace(trace, scale, now, least) {
  const copy = resolve(trace);
  if (trace.type !== "bar") return { ...copy, x: trace.x.map((time) => scale.x(time)) };
  delete copy.meta;
  const open = trace.meta?.open;
  const ends = trace.base.map((base, index) => (open?.[index] ? Math.max(now, base) : base + trace.x[index]));
  const bars = trace.base.map((base, index) => scale.bar(base, ends[index], least));
  if (open) copy.hovertext = copy.hovertext.map((text) => text.replace(/\{since:(\d+)\}/, (_, time) => length(now - time)));
  return { ...copy, base: bars.map(([left]) => left), x: bars.map(([, width]) => width) };
}

function nowLine(x) {
  return { type: "line", xref: "x", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: token("now"), width: 1.5 }, layer: "above" };
}
