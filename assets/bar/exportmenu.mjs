// Exports: files that the server makes of all that is stored and matches (docs/http.md, /export). Three have a button, all are in a menu.

import { made, startMenu } from "../base/menus.mjs";
import { theme } from "../base/palette.mjs";
import { writeMoment } from "../base/spelling.mjs";
import { zoneName } from "../base/times.mjs";
import { address } from "../state/address.mjs";
import { writeFilters } from "../state/conditions.mjs";
import { Making } from "./making.mjs";

const SCALES = [1, 2, 3, 4];
const FILES = [
  ["svg", "SVG", "scalable picture"], ["pdf", "PDF", "to print"], ["html", "HTML", "a page of its own"], ["csv", "CSV", "for spreadsheets"],
  ["json", "JSON", "all in one"], ["jsonl", "JSON Lines", "a journey a line"], ["parquet", "Parquet", "for data tools"], ["zip", "Incident packet", "chart, events, summary"],
];

/** The hooks that export at once, by form. */
const BUTTONS = { png: "export-png", svg: "export-svg", csv: "export-csv" };

/** `wall` tells which channels are asked for and what window is shown; `say` tells how it went. */
export function startExports(wall, say) {
  const menu = document.getElementById("export-menu");
  const making = new Making(document.getElementById("making"), say);
  const saveMatching = (name, form, scale) => making.begin(name, `/export/journeys.${form}`, matching(wall, scale));
  const savePicture = (scale) => saveMatching(`PNG, ${scale}×`, "png", scale);
  for (const [form, id] of Object.entries(BUTTONS)) {
    document.getElementById(id).addEventListener("click", ({ detail }) => {
      // A double click is one wish.
      if (detail > 1) return;
      if (form === "png") savePicture(screenScale());
      else saveMatching(form.toUpperCase(), form, null);
    });
  }
  const close = startMenu(menu, (panel) => fill(panel));
  const chosen = (action) => () => {
    close();
    action();
  };
  const item = (form, name, what, action) =>
    made("button", { class: "menu-item", type: "button", "data-form": form, onclick: chosen(action) }, made("span", {}, name), made("span", { class: "menu-what" }, what));
  const fill = (panel) => {
    const scales = SCALES.map((scale) =>
      made("button", { class: "button", type: "button", "aria-label": `PNG, ${scale} times the size`, onclick: chosen(() => savePicture(scale)) }, `${scale}×`));
    const files = FILES.map(([form, name, what]) => item(form, name, what, () => saveMatching(name, form, null)));
    const ids = chosenJourneys();
    if (ids.length > 0) files.push(item("chosen", "Selection packet", `${ids.length} selected or pinned`, () => making.begin("Selection packet", ...packet(ids))));
    panel.replaceChildren(
      made("div", { class: "menu-item menu-scales" }, made("span", {}, "PNG"), made("div", { class: "button-group", role: "group", "aria-label": "PNG, size" }, ...scales)),
      made("div", { class: "menu-list" }, ...files),
      made("p", { class: "menu-note" }, "All stored journeys that match, in the wall's order. Pictures show its groups, what is pinned on top, and its window of time."),
    );
  };
}

/** Whole steps: a picture as sharp as the screen. */
function screenScale() {
  return Math.min(SCALES.at(-1), Math.max(SCALES[0], Math.round(devicePixelRatio)));
}

/** What is selected, and what is pinned. */
function chosenJourneys() {
  const { selected, pinned } = address.state;
  return [...new Set(selected === null ? pinned : [selected, ...pinned])];
}

/** Path and parameters of the packet of these journeys; that of one is drawn as its page draws it. */
function packet(ids) {
  const asked = new URLSearchParams(look());
  if (ids.length === 1) return [`/export/journey/${encodeURIComponent(ids[0])}.zip`, asked];
  for (const id of ids) asked.append("journey", id);
  return ["/export/journeys.zip", asked];
}

function look() {
  return { time_zone: zoneName(), theme: theme() };
}

function matching(wall, scale) {
  const { filters, sort, group, pinned } = address.state;
  const { channels } = wall.conditions;
  const asked = new URLSearchParams(look());
  writeFilters(asked, { ...filters, channels });
  asked.set("sort", sort);
  if (group) asked.set("group", group);
  for (const id of pinned) asked.append("pinned", id);
  asked.set("window", wall.window.map(writeMoment).join("/"));
  if (scale !== null) asked.set("scale", scale);
  return asked;
}
