// Plotly figures from the server: puts in the theme's colours and the viewer's time zone, and loads Plotly where one is shown.

import { token } from "../base/palette.mjs";
import { moment, zoneName } from "../base/times.mjs";

const PLOTLY = window._dashPlotlyJSURL;

/** A copy of a part of a figure with tokens and moments in texts resolved. */
export function resolve(value) {
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

/** Plotly, loaded when the first chart is shown: who only looks at the wall never pays for it. */
export function loadPlotly() {
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
