// Plotly figures from the server: puts in the theme's colours and the viewer's time zone, and makes pictures of them.

import { token } from "./palette.mjs";
import { moment, zoneName, zoneOffset } from "./times.mjs";

const PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js";
const TIMES = ["x0", "x1", "ax"];

/** A copy of `figure` with tokens and moments resolved. Plotly shows milliseconds as UTC, so they are shifted to local. */
export function resolveFigure(figure) {
  if (!figure?.data) return { data: [], layout: {} };
  const local = (time) => (time === null ? null : time + zoneOffset(time));
  const data = figure.data.map((trace) => {
    const copy = resolve(trace);
    if (trace.type === "bar") copy.base = trace.base.map(local);
    else copy.x = trace.x.map(local);
    return copy;
  });
  const layout = resolve(figure.layout);
  if (layout.xaxis?.range) layout.xaxis.range = figure.layout.xaxis.range.map(local);
  for (const mark of [...(layout.annotations ?? []), ...(layout.shapes ?? [])]) {
    if (mark.xref !== "x") continue;
    mark.x = local(mark.x);
    for (const key of TIMES) if (key in mark) mark[key] = local(mark[key]);
  }
  return { data, layout };
}

let given = { of: null, range: null };

/** Plotly keeps a zoom only while the figure's own range stays the same; ours grows with the journey. */
export function keepZoom(figure, place) {
  const shown = place.querySelector(".js-plotly-plot")?.layout?.xaxis?.range;
  const of = figure.layout.uirevision ?? null;
  const same = (one, other) => one && other && one.every((edge, index) => String(edge) === String(other[index]));
  const zoomed = of !== null && of === given.of && shown && !same(shown, given.range);
  if (!zoomed) given = { of, range: figure.layout.xaxis?.range?.slice() ?? null };
  else figure.layout.xaxis.range = shown.slice();
  return figure;
}

function resolve(value) {
  if (typeof value === "string") return resolveText(value);
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(resolve);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  }
  return value;
}

function resolveText(text) {
  if (text.startsWith("token:")) return token(text.slice(6));
  if (!text.includes("{")) return text;
  return text.replace(/\{t:(\d+)\}/g, (_, time) => moment(Number(time))).replaceAll("{zone}", zoneName());
}

let loading = null;

/** Plotly, loaded when it is first needed: most viewers never export and never pay for it. */
function loadPlotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = PLOTLY;
    script.onload = () => done(window.Plotly);
    script.onerror = () => {
      loading = null;
      failed(new Error("the chart library could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}

/** Makes a PNG (twice the screen's resolution) or SVG of `wanted.figure` and hands it to the browser as a download. */
export async function savePicture(wanted) {
  const Plotly = await loadPlotly();
  const { data, layout } = resolveFigure(wanted.figure);
  const width = 1400;
  const address = await Plotly.toImage(
    { data, layout: { ...layout, width } },
    { format: wanted.format, width, height: layout.height, scale: wanted.format === "png" ? pictureScale(layout.height) : 1 },
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = `journeymap-${fileTime(Date.now())}.${wanted.format}`;
  document.body.append(link);
  link.click();
  link.remove();
}

/** Twice as sharp as the screen unless the picture would get larger than canvases may be. */
function pictureScale(height) {
  return height * 2 > 16_000 ? 16_000 / height : 2;
}

export function fileTime(time) {
  return new Date(time + zoneOffset(time)).toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
}
