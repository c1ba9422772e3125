// The menu of exports: files that the server makes of all that is stored and matches (docs/http.md, /export).

import { address } from "./address.mjs";
import { writeFilters } from "./conditions.mjs";
import { made, startMenu } from "./menus.mjs";
import { writeMoment } from "./spelling.mjs";
import { zoneName } from "./times.mjs";

const SCALES = [1, 2, 3, 4];
const FILES = [
  ["svg", "SVG", "scalable picture"], ["pdf", "PDF", "to print"], ["html", "HTML", "a page of its own"], ["csv", "CSV", "for spreadsheets"],
  ["jsonl", "JSON Lines", "a journey a line"], ["parquet", "Parquet", "for data tools"], ["zip", "Incident packet", "chart, data and summary"],
];

/** `wall` tells which channels are asked for and what window is shown; `say` tells how it went. */
export function startExportMenu(button, wall, say) {
  const close = startMenu(button, (panel) => fill(panel));
  const save = async (form, more = {}) => {
    close();
    button.setAttribute("aria-busy", "true");
    try {
      say(await download(`/export/journeys.${form}`, parameters(wall, more)));
    } finally {
      button.removeAttribute("aria-busy");
    }
  };
  const fill = (panel) => {
    const scales = SCALES.map((scale) => made("button", { class: "button", type: "button", "aria-label": `PNG, ${scale} times the size`, onclick: () => save("png", { scale }) }, `${scale}×`));
    const files = FILES.map(([form, name, what]) =>
      made("button", { class: "menu-item", type: "button", "data-form": form, onclick: () => save(form) }, made("span", {}, name), made("span", { class: "menu-what" }, what)));
    panel.replaceChildren(
      made("div", { class: "menu-item menu-scales" }, made("span", {}, "PNG"), made("div", { class: "button-group", role: "group", "aria-label": "PNG, size" }, ...scales)),
      made("div", { class: "menu-list" }, ...files), made("p", { class: "menu-note" }, "All stored journeys that match, in the order of the wall; pictures show its window of time."),
    );
  };
}

function parameters(wall, more) {
  const { filters, sort } = address.state;
  const { channels } = wall.conditions;
  const asked = new URLSearchParams();
  writeFilters(asked, { ...filters, channels });
  asked.set("sort", sort);
  asked.set("window", wall.window.map(writeMoment).join("/"));
  asked.set("time_zone", zoneName());
  asked.set("theme", document.documentElement.dataset.mantineColorScheme === "dark" ? "dark" : "light");
  for (const [name, value] of Object.entries(more)) asked.set(name, value);
  return asked;
}

/** Fetches a file and hands it to the browser. Returns what is to be said. */
async function download(path, body) {
  try {
    // In the body: a filter may be a phone number, and addresses of requests are kept in logs.
    const answer = await fetch(path, { method: "POST", body });
    if (!answer.ok) return `No file: ${(await answer.json().catch(() => ({}))).detail ?? `the server says ${answer.status}`}.`;
    const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "journeymap";
    const link = made("a", { href: URL.createObjectURL(await answer.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return `${name} is saved.`;
  } catch {
    return "No file: the server cannot be reached.";
  }
}
