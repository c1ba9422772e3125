// The journey page's own behaviour: its chart's controls, downloads, lengths that grow, and a contact to compare with.

import { theme } from "../base/palette.mjs";
import { dayAndTime, length, zoneName } from "../base/times.mjs";
import { EventList } from "./events.mjs";
import { loadPlotly } from "./figure.mjs";
import { JourneyChart } from "./journeychart.mjs";
import { Part } from "./parts.mjs";
import { Undo } from "./undo.mjs";

const PICTURE_WIDTHS = [640, 4000];
const AGAIN_MS = 1500;
const TRIES = 8;

/** `router` knows which page is shown, `now()` is the server's clock. Gives `receive` and `undone`, the handlers of the page's
 *  callbacks, and `does`, what can be done by key. */
export function startJourneyPage(router, now) {
  const page = document.getElementById("journey");
  const inPage = (selector) => page.querySelector(selector);
  const unfold = inPage(".journey-unfold");
  const note = inPage(".journey-fold-note");
  const chart = new JourneyChart(inPage("#journey-chart-frame"), inPage("#journey-folds"), now, ({ folds, folded, threshold }) => {
    note.textContent = folds ? `Idle for ${threshold} or longer: ${folded ? "folded" : "shown at full length"}` : "";
    unfold.hidden = !folds;
    unfold.textContent = folded ? (folded > 1 ? `Unfold all ${folded}` : "Unfold") : "Fold";
  });
  const [head, lists] = [new Part(inPage("#journey-head")), new Part(inPage("#journey-lists"))];
  const events = new EventList(inPage("#journey-events"));
  const undo = new Undo(page, () => router.page === "journey" && router.again());
  const compared = new Compared(inPage("#journey-compared"), page);
  const moves = {
    back: () => chart.pan(-0.25), on: () => chart.pan(0.25), in: () => chart.zoom(0.6), out: () => chart.zoom(1 / 0.6), fit: () => chart.fit(),
  };
  unfold.addEventListener("click", () => chart.toggleAll());
  page.addEventListener("click", (event) => {
    const move = event.target.closest("[data-zoom]");
    if (move) moves[move.dataset.zoom]();
    const other = event.target.closest(".journey-compare");
    if (other) compared.toggle(other.dataset.journey, Number(other.dataset.at));
    const file = event.target.closest(".journey-file");
    if (file) prepare(file);
  });
  page.addEventListener("journeymap:segment", ({ detail }) => mark(page, detail.key));
  setInterval(() => !document.hidden && router.page === "journey" && grow(page, now()), 1000);
  const turn = (way) => () => inPage(`[data-turn=${way}]`)?.click();
  const does = {
    ...moves, unfold: () => chart.toggleAll(), compare: () => compared.toggleEarlier(), previous: turn("previous"), next: turn("next"),
  };
  let last = null;
  const receive = async (answer) => {
    const same = window.dash_clientside.no_update;
    if (!answer) return same;
    // The callback runs once more when the theme changes: then only the colours are others.
    const recoloured = answer === last;
    last = answer;
    if (recoloured) {
      chart.redraw();
      return same;
    }
    if (answer.id !== compared.beside) compared.close();
    compared.beside = answer.id;
    if ("events" in answer) events.take(answer.events);
    // Dash gives up on a chart whose library takes more than half a minute to load.
    if (answer.figure && !window.Plotly) await loadPlotly().catch(() => {});
    if ("head" in answer) head.show(answer.head);
    if ("lists" in answer) {
      lists.show(answer.lists);
      nameKinds(page);
    }
    const drawn = "figure" in answer ? chart.take(answer.figure) : undefined;
    page.classList.toggle("no-journey", answer.figure === null);
    setTimeout(() => {
      router.drawn(answer.id, answer.marks);
      grow(page, now());
    });
    return drawn === undefined ? same : drawn;
  };
  return { receive, does, undone: (answer) => undo.receive(answer) };
}

/** Of the kinds that not every platform tells, the legend names those that this journey has. */
function nameKinds(page) {
  for (const entry of page.querySelectorAll("[data-rare]")) entry.hidden = !page.querySelector(`.journey-lists .fill-${entry.dataset.rare}`);
}

/** A download looks as the page does: its theme, the viewer's time zone. */
function prepare(link) {
  const address = new URL(link.href);
  address.searchParams.set("theme", theme());
  address.searchParams.set("time_zone", zoneName());
  link.href = address.href;
  link.closest("details").open = false;
}

function grow(page, now) {
  for (const element of page.querySelectorAll(".growing")) {
    const text = `${length(now - Number(element.dataset.since))} so far`;
    if (element.textContent !== text) element.firstChild.nodeValue = text;
  }
}

function mark(page, key) {
  for (const row of page.querySelectorAll("tr[data-key]")) {
    const marked = row.dataset.key === key;
    row.classList.toggle("marked", marked);
    if (marked) row.scrollIntoView({ block: "nearest" });
  }
}

/** The chart of another contact of the same customer, below the one that is open: a picture, as exports have it. */
class Compared {
  #root;
  #page;
  #shown = null;
  /** The journey that is open. */
  beside = null;

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
  }
  toggle(id, at) {
    const again = this.#shown === id;
    this.close();
    if (!again) this.#show(id, at);
  }
  toggleEarlier() {
    const contacts = [...this.#page.querySelectorAll(".journey-compare")];
    const earlier = this.#page.querySelector("[data-turn=previous]")?.pathname;
    const wanted = contacts.find((button) => earlier?.endsWith(encodeURIComponent(button.dataset.journey))) ?? contacts[0];
    if (wanted) this.toggle(wanted.dataset.journey, Number(wanted.dataset.at));
  }
  close() {
    this.#shown = null;
    this.#root.replaceChildren();
    this.#press();
  }
  #show(id, at) {
    this.#shown = id;
    const width = Math.min(Math.max(Math.round(this.#root.clientWidth), PICTURE_WIDTHS[0]), PICTURE_WIDTHS[1]);
    const query = new URLSearchParams({ theme: theme(), width, time_zone: zoneName() });
    const path = encodeURIComponent(id);
    const link = document.createElement("a");
    link.href = `/journey/${path}`;
    link.textContent = "Open it";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => this.close());
    const words = document.createElement("span");
    words.textContent = `Compared with the contact of ${dayAndTime(at)}`;
    const bar = document.createElement("div");
    bar.className = "compared-bar";
    bar.append(words, link, close);
    const picture = new Image();
    picture.alt = words.textContent;
    const frame = document.createElement("div");
    frame.className = "compared-picture";
    frame.tabIndex = 0;
    frame.append(picture);
    picture.onload = () => (this.#root.dataset.loaded = id);
    let tries = 0;
    picture.onerror = () => {
      tries += 1;
      if (tries < TRIES) setTimeout(() => this.#shown === id && this.#load(picture, path, query), AGAIN_MS);
      else words.textContent = "The chart of this contact cannot be shown now.";
    };
    this.#load(picture, path, query);
    this.#root.replaceChildren(bar, frame);
    this.#press();
  }
  /** Only so many exports are made at a time: who is refused asks again. */
  #load(picture, path, query) {
    picture.src = `/export/journey/${path}.svg?${query}#${Date.now()}`;
  }
  #press() {
    for (const button of this.#page.querySelectorAll(".journey-compare")) {
      button.setAttribute("aria-pressed", String(button.dataset.journey === this.#shown));
    }
  }
}
