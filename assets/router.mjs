// Which page is shown: the wall, or a journey over it. The wall stays as it was, so that going back finds it unchanged.

const JOURNEY = /^\/journey\/([^/]+)$/;
const ASK_MS = 1000;

export class Router {
  #wall;
  #journey;
  #changed;
  #asking = false;
  #opened = false;
  id = null;

  constructor(wall, journey, changed) {
    this.#wall = wall;
    this.#journey = journey;
    this.#changed = changed;
    window.addEventListener("popstate", () => this.#show());
    document.addEventListener("click", (event) => this.#click(event));
    window.addEventListener("journeymap:call", ({ detail }) => {
      if (detail.output.includes("journey-head")) this.#asking = detail.phase === "sent";
    });
    setInterval(() => this.#ask(), ASK_MS);
    this.#show();
  }

  go(path) {
    this.#opened = true;
    history.pushState({}, "", path);
    this.#show();
  }

  /** Links inside the page do not load it again; with a modifier key they are the browser's. */
  #click(event) {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.origin !== location.origin || link.target || link.download) return;
    if (link.pathname !== "/" && !JOURNEY.test(link.pathname)) return;
    event.preventDefault();
    if (link.classList.contains("back") && this.#opened) history.back();
    else this.go(link.pathname + link.search);
  }

  #show() {
    const match = JOURNEY.exec(location.pathname);
    let id = null;
    try {
      id = match ? decodeURIComponent(match[1]) : null;
    } catch {
      id = match[1];
    }
    if (id !== this.id && id !== null) {
      document.getElementById("journey-head").dataset.of = id;
      this.#journey.classList.add("loading");
      this.#journey.scrollTop = 0;
    }
    this.id = id;
    this.#wall.hidden = id !== null;
    this.#journey.hidden = id === null;
    document.body.dataset.page = id === null ? "wall" : "journey";
    this.#asking = false;
    this.#ask();
    this.#changed();
  }

  #ask() {
    if (this.id === null || this.#asking || document.hidden) return;
    window.dash_clientside.set_props?.("journey-question", { data: { id: this.id, at: Date.now() } });
  }
  loaded() {
    this.#journey.classList.remove("loading");
  }
}
