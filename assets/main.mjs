// Starts the page once Dash has put its elements in place, and ties the parts to each other and to Dash.

import { address, same } from "./address.mjs";
import { isFiltered, NO_FILTERS } from "./conditions.mjs";
import { fromControls, setControls, showFacets } from "./filters.mjs";
import { keepZoom, resolveFigure, savePicture } from "./figure.mjs";
import { startInteraction } from "./interaction.mjs";
import { startHelp, startKeys } from "./keys.mjs";
import { Operations } from "./operations.mjs";
import { startTheme } from "./palette.mjs";
import { Router } from "./router.mjs";
import { keepMoments, setZone } from "./times.mjs";
import { Wall } from "./wall.mjs";

const element = (id) => document.getElementById(id);
const noUpdate = () => window.dash_clientside.no_update;

/** Resolves when Dash has drawn the page. */
function ready() {
  return new Promise((done) => {
    const look = () => element("timeline-rows") && element("announcer") && window.dash_clientside.set_props && (observer.disconnect(), done());
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    look();
  });
}

await ready();
const zone = document.querySelector("[data-time-zone]")?.dataset.timeZone;
if (zone) setZone(zone);

const wall = new Wall({ open: (path) => router.go(path), counted: (answer) => showFacets(answer.channels) });
const operations = new Operations(wall.clock, () => element("notice-retry")?.click());
startTheme(element("theme"), () => {
  wall.redraw();
  operations.redraw();
});
const places = { wall: element("wall"), journey: element("journey"), operations: element("operations") };
const router = new Router(places, (page) => {
  operations.show(page === "operations");
  wall.wake();
});
startInteraction(wall.chart.canvas, wall.chart.axis, element("timeline"), wall);
keepMoments(element("journey"));
startFilters();
startButtons();
startExports();

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
window.journeymap.handle("figure", (chart) => {
  router.loaded();
  if (!chart) return null;
  const figure = keepZoom(resolveFigure(chart.props.figure), element("journey"));
  return { ...chart, props: { ...chart.props, figure } };
});

function startFilters() {
  const { filters } = address.state;
  let early = isFiltered(filters);
  if (early) setControls(filters);
  window.journeymap.handle("filter", (customer, channels, states) => {
    const given = fromControls(customer, channels, states);
    // The page starts with empty controls and may get the address's filters a moment later.
    const empty = !given.customer && !given.channels.length && !given.states.length;
    if (early && empty) setControls(address.state.filters);
    else address.change({ filters: given });
    early = false;
    return noUpdate();
  });
  address.onChange((state, previous) => same(state.filters, previous.filters) || setControls(state.filters));
  element("filters-clear").addEventListener("click", () => address.change({ filters: NO_FILTERS }));
  const toggle = element("filters-toggle");
  toggle.addEventListener("click", () => {
    const open = element("filters").classList.toggle("open");
    toggle.setAttribute("aria-expanded", String(open));
  });
  element("brand").addEventListener("click", () => router.page === "wall" && address.change({ filters: NO_FILTERS }));
}

function startButtons() {
  const help = startHelp(element("help"), element("help-sheet"));
  const pause = () => wall.setPaused(!wall.paused);
  const onWall = (action) => (event) => (router.page === "wall" ? action(event) : false);
  const click = (id, action) => element(id).addEventListener("click", action);
  click("pause", pause);
  click("zoom-in", () => wall.zoom(0.6));
  click("zoom-out", () => wall.zoom(1 / 0.6));
  click("zoom-fit", () => wall.fit());
  click("pan-back", () => wall.panPart(-0.25));
  click("pan-on", () => wall.panPart(0.25));
  click("back-to-live", () => wall.live());
  const zoomIn = onWall(() => wall.zoom(0.75));
  const zoomOut = onWall(() => wall.zoom(1 / 0.75));
  const earlier = onWall((event) => wall.panPart(event.shiftKey ? -0.5 : -0.1));
  const later = onWall((event) => wall.panPart(event.shiftKey ? 0.5 : 0.1));
  startKeys({
    ArrowDown: onWall(() => wall.step(1)), ArrowUp: onWall(() => wall.step(-1)),
    PageDown: onWall(() => wall.step(20)), PageUp: onWall(() => wall.step(-20)),
    ArrowLeft: earlier, ArrowRight: later, a: earlier, d: later,
    "+": zoomIn, "=": zoomIn, w: zoomIn, "-": zoomOut, s: zoomOut,
    f: onWall(() => wall.fit()), Home: onWall(() => wall.live()),
    " ": onWall(pause), l: onWall(pause),
    t: onWall(() => element("table-toggle").click()), e: onWall(() => element("export-png").click()),
    "/": onWall(() => element("filter-customer").focus()),
    "?": help,
    o: () => (router.page === "operations" ? router.back() : router.go("/operations")),
    Escape: () => {
      if (wall.gapTip.close() || wall.card.close()) return true;
      return document.activeElement?.blur?.() ?? true;
    },
  });
}

function startExports() {
  let serial = 0;
  const question = () => ({ ...wall.conditions, since: 0 });
  const busy = (format, on) => element(`export-${format}`).toggleAttribute("aria-busy", on);
  for (const format of ["png", "svg"]) {
    element(`export-${format}`).addEventListener("click", () => {
      serial += 1;
      busy(format, true);
      const data = { format, serial, question: question(), window: wall.window };
      window.dash_clientside.set_props("export-wanted", { data });
    });
  }
  element("export-csv").addEventListener("click", () => {
    serial += 1;
    window.dash_clientside.set_props("csv-wanted", { data: { serial, question: question() } });
  });
  window.journeymap.handle("picture", async (wanted) => {
    try {
      await savePicture(wanted);
    } finally {
      busy(wanted.format, false);
    }
    return wanted.serial;
  });
}

/** For the browser's console and for tests. */
export { wall };
