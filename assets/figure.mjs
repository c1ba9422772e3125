// Plotly figures from the server: puts in the theme's colours and the viewer's time zone.

import { token } from "./palette.mjs";
import { moment, zoneName, zoneOffset } from "./times.mjs";

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
