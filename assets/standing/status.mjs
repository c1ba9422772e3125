// What the page says about itself: connection, lag, counts, and the notice that tells what is wrong and what to do.

import { element, setText } from "../base/elements.mjs";
import { standing } from "./standing.mjs";
import { emptiness, firstStart, wrong } from "./states.mjs";
import { HealthStrip } from "./strip.mjs";

const MISSED_MS = 3500;
const DOWN_MS = 3000;
const UNDERSTOOD = "journeymap-simulated-understood";

export class Status {
  #announcer;
  #lost = 0;
  #answeredAt = Date.now();
  #since = null;
  #strip = new HealthStrip(element("health-strip"));
  #newcomer = !understood();
  /** How current the picture is (`standing`); null before it was first told. */
  stands = null;
  /** The connection to the source as it is shown: `{word, state}`. */
  connection = null;
  /** Whether the events come from the simulated platform. */
  simulated = false;

  /** `announcer` reads the news out. */
  constructor(announcer) {
    this.#announcer = announcer;
    element("notice").querySelector("[data-for=simulated]").addEventListener("click", () => this.#understood());
    for (const [name, button] of [["clear", "filters-clear"], ["retry", "notice-retry"]]) {
      element("timeline-empty").querySelector(`.empty-${name}`)?.addEventListener("click", () => element(button)?.click());
    }
  }

  /** A call for rows went through or failed (`at`: this machine's clock). */
  answered() {
    this.#answeredAt = Date.now();
    this.#lost = 0;
  }
  failed() {
    this.#lost ||= Date.now();
  }
  /** Since when the server has not answered; 0 while it does. `asked` is when the question on its way was sent, if one is. */
  lostSince(asked) {
    if (this.#lost) return this.#answeredAt;
    return asked && Date.now() - asked > 10_000 ? this.#answeredAt : 0;
  }

  show({ answer, matched, gaps, painted, asked, now, paused, filtered, hidden }) {
    const lost = this.lostSince(asked);
    const status = answer?.status ?? null;
    const state = status?.state ?? "CONNECTING";
    const place = element("connection-state");
    this.connection = { word: lost ? "UNKNOWN" : state, state: lost ? "UNKNOWN" : status && !status.ingest_running ? "STOPPED" : state };
    this.simulated = Boolean(status?.simulated);
    setText(place, this.connection.word);
    place.dataset.state = this.connection.state;
    const waited = Date.now() - this.#answeredAt;
    const late = hidden || waited < MISSED_MS ? 0 : waited;
    const stands = standing({ paused, lost, late, status, gaps, lag: hidden ? null : painted.lag, now });
    this.stands = stands;
    this.#live(paused, stands);
    setText(element("counts"), counts(matched));
    element("filters-clear").hidden = !filtered;
    this.#strip.show({ answer, stands, lost, gaps, filtered, now });
    const fault = wrong(lost, status);
    if (fault?.code !== this.#since?.code) this.#since = fault && { code: fault.code, at: Date.now() };
    const settled = fault && Date.now() - this.#since.at >= DOWN_MS;
    const empty = emptiness({ answer, lost, filtered, settled });
    this.#empty(empty);
    const told = fault?.code === empty?.code && !hidden ? null : fault;
    // A source that is opened anew within a moment is no news.
    const news = told?.kind === "warning" && !settled ? null : told;
    this.#notice(news ?? (this.#newcomer && !empty && !fault && !hidden ? firstStart(status) : null));
    if (!hidden) this.#announce(answer, state, stands, lost);
  }

  #live(paused, { mode, word, text }) {
    const button = element("pause");
    button.setAttribute("aria-pressed", String(paused));
    button.dataset.mode = mode;
    setText(button.querySelector(".live-word"), word);
    const place = element("live");
    setText(place, text);
    place.dataset.mode = mode;
  }

  /** The worst of what is wrong; a newcomer's first start is told of while nothing is. */
  #notice(told) {
    const notice = element("notice");
    notice.hidden = !told;
    if (!told) return;
    notice.dataset.kind = told.kind;
    notice.dataset.code = told.code;
    setText(element("notice-title"), told.title);
    setText(element("notice-text"), told.text);
    for (const button of notice.querySelectorAll("[data-for]")) button.hidden = !button.dataset.for.split(" ").includes(told.code);
  }
  #understood() {
    this.#newcomer = false;
    element("notice").hidden = true;
    try {
      localStorage.setItem(UNDERSTOOD, "yes");
    } catch {
      // No storage: it is told again with the next page.
    }
  }

  /** Says why there are no rows. Where that is a fault, the notice need not say it again. */
  #empty(told) {
    const place = element("timeline-empty");
    place.hidden = !told;
    if (!told || place.dataset.text === told.title + told.text) return;
    place.dataset.text = told.title + told.text;
    place.dataset.code = told.code;
    setText(place.querySelector(".empty-title"), told.title);
    setText(place.querySelector(".empty-text"), told.text);
    for (const button of place.querySelectorAll("[data-for]")) button.hidden = !button.dataset.for.split(" ").includes(told.code);
  }

  #announce(answer, state, { word, text, mode }, lost) {
    if (!answer) return;
    // Lag and counts change all the time; only another standing is news.
    const how = mode === "live" ? "Live" : `${word}, ${text}`;
    const said = lost ? "The server does not answer." : `${how}, source ${state}, ${answer.matched} journeys match.`;
    this.#announcer.news("wall", said, lost ? "lost" : `${word} ${state}`);
  }
}

function understood() {
  try {
    return localStorage.getItem(UNDERSTOOD) !== null;
  } catch {
    return false;
  }
}

/** How many match of how many. */
function counts(known) {
  if (!known) return "";
  const number = (value) => value.toLocaleString("en-GB");
  return known.filtered ? `${number(known.matched)} of ${number(known.total)} match` : `All ${number(known.total)} journeys`;
}
