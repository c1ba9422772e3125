// Starts the page once Dash has put its elements in place, and ties the parts to each other and to Dash.

import { startTopbar } from "./bar/topbar.mjs";
import { Announcer } from "./base/announce.mjs";
import { element } from "./base/elements.mjs";
import { startTheme } from "./base/palette.mjs";
import { keepMoments, setZone } from "./base/times.mjs";
import { Cursor } from "./chart/cursor.mjs";
import { startInteraction } from "./chart/interaction.mjs";
import { startLegend } from "./chart/legend.mjs";
import { makeCommands } from "./commands/commands.mjs";
import { Dialogs } from "./commands/dialogs.mjs";
import { Keys } from "./commands/keys.mjs";
import { nameChosen, startFilters } from "./filters/filters.mjs";
import { startJourneyPage } from "./journey/journeypage.mjs";
import { Operations } from "./operations/operations.mjs";
import { address } from "./state/address.mjs";
import { Router } from "./state/router.mjs";
import { Table } from "./table/table.mjs";
import { Display } from "./wall/display.mjs";
import { startSorting } from "./wall/sorting.mjs";
import { Wall } from "./wall/wall.mjs";

const noUpdate = () => window.dash_clientside.no_update;

/** Resolves when Dash has drawn the page, and what is not Dash's (`web/frames.py`) is in its place. */
function ready() {
  const templates = [...document.querySelectorAll("template[data-frame]")];
  const drawn = () => element("announcer") && templates.every(({ dataset }) => element(dataset.frame)) && window.dash_clientside.set_props;
  return new Promise((done) => {
    const look = () => {
      if (!drawn()) return;
      observer.disconnect();
      for (const template of templates) element(template.dataset.frame).append(template.content);
      done();
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    look();
  });
}

await ready();
const zone = document.querySelector("[data-time-zone]")?.dataset.timeZone;
if (zone) setZone(zone);

const announcer = new Announcer(element("announcer"));
const counted = (answer) => {
  facets.show(answer.facets);
  nameChosen(answer.named);
};
const wall = new Wall({ open: (path) => router.go(path), counted, announcer });
const facets = startFilters(() => wall.agents);
const operations = new Operations(wall.clock, () => element("notice-retry")?.click(), announcer);
startTheme(element("theme"), () => {
  wall.redraw();
  operations.redraw();
});
const places = { wall: element("wall"), journey: element("journey"), operations: element("operations") };
const router = new Router(places, (page) => {
  operations.show(page === "operations");
  wall.wake();
});
const display = new Display(wall, element("display-bar"));
startInteraction(wall.chart.canvas, wall.chart.axis, element("timeline"), wall);
keepMoments(element("journey"));
startTopbar(wall);
startLegend(document.querySelector(".legend-whole"));
startSorting(element("sort"), element("group"));
startButtons();
const journeyPage = startJourneyPage(router, () => wall.clock.now());
startCommands();
new Table(wall, (path) => router.go(path), announcer);

window.journeymap.handle("ask", () => {
  return wall.asking.question() ?? noUpdate();
});
window.journeymap.handle("receive", (answer) => {
  wall.asking.receive(answer);
  return noUpdate();
});
window.journeymap.handle("operations", (answer) => {
  operations.receive(answer);
  return noUpdate();
});
window.journeymap.handle("journey", journeyPage.receive);
window.journeymap.handle("undone", (answer) => {
  journeyPage.undone(answer);
  return noUpdate();
});

function startButtons() {
  const pause = () => wall.setPaused(!wall.paused);
  const click = (id, action) => element(id).addEventListener("click", action);
  click("pause", pause);
  click("zoom-in", () => wall.zoom(0.6));
  click("zoom-out", () => wall.zoom(1 / 0.6));
  click("zoom-fit", () => wall.fit());
  click("pan-back", () => wall.panPart(-0.25));
  click("pan-on", () => wall.panPart(0.25));
  click("back-to-live", () => wall.live());
}

/** The commands, and the three ways to them: the keyboard, the command box, the sheet of keys. */
function startCommands() {
  const keys = new Keys(() => router.page);
  const search = (text) => {
    if (router.page !== "wall") router.go("/");
    address.change({ filters: { q: text } }, { entry: true });
  };
  const onWall = () => router.page === "wall";
  const leave = () => wall.gapTip.close() || wall.card.close() || cursor.unmark() || (onWall() && (wall.selection.close() || display.leave())) || (document.activeElement?.blur?.() ?? true);
  const dialogs = new Dialogs({
    commands: () => commands, page: () => router.page, keys, wall, router, search, box: element("command-box"), sheet: element("help-sheet"),
  });
  const cursor = new Cursor(wall, announcer);
  const has = (part) => (part === "tracks" ? "toggleTracks" in wall : element(part) !== null);
  const choose = (part) => address.change(part);
  const commands = makeCommands({ wall, router, dialogs, keys, cursor, leave, has, choose, journey: journeyPage.does });
  keys.bind(commands);
  element("help").addEventListener("click", () => dialogs.sheet());
  element("skip").addEventListener("click", (event) => {
    event.preventDefault();
    if (router.page === "wall") wall.step(0);
    else element("content").focus();
  });
}

/** For the browser's console and for tests. */
export { wall };
