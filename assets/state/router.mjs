// Which page is shown: the wall, or a journey or the operations view over it. The wall stays as it was, so that going back
// finds it unchanged.

import { address } from "./address.mjs";

const PATHS = /^\/(journey\/[^/]+|operations)?$/;
const TITLES = { wall: "Journeymap", journey: "Journeymap", operations: "Operations · Journeymap" };
const ASK_MS = 1000;
const NOTHING_NEW = 204;
const PATIENCE_MS = 60_000;

export class Router {
  #places;
  #changed;
  #asking = false;
  #opened = false;
  #id = null;
  #seen = null;
  #askedAt = 0;

  /** `places` are the pages' elements by name; `changed(page)` is called whenever another one is shown. */
  constructor(places, changed) {
    this.#places = places;
    this.#changed = changed;
    address.onChange((state, previous) => (state.page !== previous.page || state.id !== previous.id) && this.#show());
    document.addEventListener("click", (event) => this.#click(event));
    window.addEventListener("journeymap:call", ({ detail }) => {
      if (!detail.output.includes("journey-answer")) return;
      // Dash drops an answer that is not drawn yet when the next question comes.
      this.#asking = detail.phase === "sent" || (detail.phase === "answered" && detail.status !== NOTHING_NEW);
    });
    setInterval(() => this.#ask(), ASK_MS);
    this.#show();
  }

  /** The page: `wall`, `journey` or `operations`. */
  get page() {
    return address.state.page;
  }
  go(path, search = "") {
    this.#opened = true;
    address.follow(path, search);
    // Who came by key or with a screen reader is told where he is.
    if (this.page === "operations") this.#places.operations.querySelector("h1").focus({ preventScroll: true });
  }
  /** Back to where one came from, if that was a page of ours; to the wall otherwise. */
  back() {
    if (this.#opened) history.back();
    else this.go("/");
  }

  /** Links inside the page do not load it again; with a modifier key they are the browser's. */
  #click(event) {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.origin !== location.origin || link.target || link.download) return;
    if (!PATHS.test(link.pathname)) return;
    event.preventDefault();
    if (link.classList.contains("back")) this.back();
    else this.go(link.pathname, link.search);
  }

  #show() {
    const { page, id } = address.state;
    if (id !== this.#id && id !== null) {
      document.getElementById("journey-head").dataset.of = id;
      this.#seen = null;
      this.#places.journey.classList.add("loading");
      this.#places.journey.scrollTop = 0;
    }
    this.#id = id;
    for (const [name, place] of Object.entries(this.#places)) place.hidden = name !== page;
    document.body.dataset.page = page;
    document.title = TITLES[page];
    this.#asking = false;
    this.#ask();
    this.#changed(page);
  }

  #ask() {
    if (this.#id === null || document.hidden || (this.#asking && Date.now() - this.#askedAt < PATIENCE_MS)) return;
    this.#askedAt = Date.now();
    window.dash_clientside.set_props?.("journey-question", { data: { id: this.#id, at: this.#askedAt, seen: this.#seen } });
  }
  /** Asks for the lists of the journey page again, whatever was seen of them. */
  again() {
    if (this.#seen) this.#seen = { ...this.#seen, lists: "" };
    this.#ask();
  }
  /** An answer was drawn, with these marks of what it showed. */
  drawn(id, marks) {
    this.#asking = false;
    if (id !== this.#id) return;
    this.#seen = marks;
    this.#places.journey.classList.remove("loading");
  }
}
