// What the page says about itself: connection, lag, counts, and the notice that tells what is wrong and what to do.

import { setText } from "./rows.mjs";
import { BEHIND_MS, standing } from "./standing.mjs";
import { clockTime, length } from "./times.mjs";
import { sentence } from "./units.mjs";

const ANNOUNCE_MS = 10_000;
const MISSED_MS = 3500;
const DOWN_MS = 3000;
const element = (id) => document.getElementById(id);

export class Status {
  #announced = 0;
  #said = "";
  #lost = 0;
  #answeredAt = Date.now();
  #since = null;

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

  show({ answer, gaps, painted, asked, now, paused, shown, filtered, rowsHeld, hidden }) {
    const lost = this.lostSince(asked);
    const status = answer?.status ?? null;
    const state = status?.state ?? "CONNECTING";
    const place = element("connection-state");
    setText(place, lost ? "UNKNOWN" : state);
    place.dataset.state = lost ? "UNKNOWN" : status && !status.ingest_running ? "STOPPED" : state;
    const waited = Date.now() - this.#answeredAt;
    const late = hidden || waited < MISSED_MS ? 0 : waited;
    const stands = standing({ paused, lost, late, status, gaps, lag: painted.lag, now });
    this.#live(paused, stands);
    setText(element("counts"), counts(answer, shown, filtered));
    element("filters-clear").hidden = !filtered;
    this.#notice(lost, status);
    this.#empty(answer, status, filtered, rowsHeld);
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

  #notice(lost, status) {
    const notice = element("notice");
    const told = lost || status ? wrong(lost, status) : null;
    // A source that is opened anew within a moment is no news.
    if (told?.code !== this.#since?.code) this.#since = told && { code: told.code, at: Date.now() };
    const early = told?.kind === "warning" && Date.now() - this.#since.at < DOWN_MS;
    notice.hidden = !told || early;
    if (!told) return;
    notice.dataset.kind = told.kind;
    setText(element("notice-text"), told.text);
    const button = element("notice-retry");
    if (button) button.hidden = told.code !== "refused";
  }

  #empty(answer, status, filtered, rowsHeld) {
    const place = element("timeline-empty");
    let text = "";
    if (!answer) text = "Connecting to Journeymap …|The first journeys appear within a second or two.";
    else if (!answer.matched && filtered) text = "No journey matches|Loosen a filter, or clear them all.";
    else if (!answer.matched && status && !status.ingest_running) text = "No data yet|Ingest is not running. Start it with “journeymap run” or “journeymap ingest”.";
    else if (!answer.matched) text = "No journeys yet|The first one appears here as soon as the source sends an event.";
    else if (!rowsHeld) text = "";
    place.hidden = !text;
    if (place.dataset.text === text) return;
    place.dataset.text = text;
    place.replaceChildren();
    if (!text) return;
    const [title, what] = text.split("|");
    const heading = document.createElement("strong");
    heading.textContent = title;
    const line = document.createElement("p");
    line.textContent = what;
    place.append(heading, line);
    if (filtered && answer) {
      const clear = document.createElement("button");
      clear.type = "button";
      clear.className = "button";
      clear.textContent = "Clear filters";
      clear.addEventListener("click", () => element("filters-clear").click());
      place.append(clear);
    }
  }

  #announce(answer, state, { word, text, mode }, lost) {
    const now = Date.now();
    if (!answer || now - this.#announced < ANNOUNCE_MS) return;
    const how = mode === "live" ? "Live" : `${word}, ${text}`;
    const said = lost ? "The server does not answer." : `${how}, source ${state}, ${answer.matched} journeys match.`;
    if (said === this.#said) return;
    this.#announced = now;
    this.#said = said;
    element("announcer").textContent = said;
  }
}

function counts(answer, shown, filtered) {
  if (!answer) return "";
  const number = (value) => value.toLocaleString("en-GB");
  const of = filtered ? `${number(answer.matched)} matching of ${number(answer.total)}` : number(answer.total);
  return `Showing ${number(shown)} of ${of} journeys, ${number(answer.open)} in progress`;
}

/** What is wrong: `code` names it, `kind` is `error` or `warning`; null while nothing is. */
function wrong(lost, status) {
  const since = (at) => (at ? ` since ${clockTime(at)}` : "");
  const error = (code, text) => ({ code, text, kind: "error" });
  const warning = (code, text) => ({ code, text, kind: "warning" });
  if (lost) {
    return error("lost", `The page cannot reach its server${since(lost)}. What you see is as of then; it keeps trying. If this lasts, check that Journeymap still runs.`);
  }
  if (status.problem) return error("store", `${sentence(status.problem)}. What you see is as of then; it is tried again all the time.`);
  if (status.refused) {
    const why = status.error ? ` (${status.error})` : "";
    return error("refused", `The platform refuses the credentials${why}. No further attempt is made. Correct JOURNEYMAP_CLIENT_ID and JOURNEYMAP_CLIENT_SECRET and start again, or try again once the platform's side is put right.`);
  }
  if (!status.ingest_running) {
    return error("stopped", `Ingest is not running${since(status.since)}: no new events come in. Start it with “journeymap run” or “journeymap ingest”.`);
  }
  if (status.reading_stopped) {
    return error("reading", `Reading is stopped: ${status.reading_stopped}. What came in is kept; it goes on by itself once there is room.`);
  }
  if (status.state !== "OPEN" && !status.finished) {
    const word = status.state === "CONNECTING" && !status.error ? "Connecting to the event source" : "Disconnected from the event source";
    const why = status.error ? `: ${status.error}` : "";
    return warning("connection", `${word}${since(status.down_since ?? status.since)}${why}. It tries again by itself; what is shown stays.`);
  }
  if (status.lag_ms > BEHIND_MS) {
    return warning("behind", `Ingest is ${length(status.lag_ms)} behind the source. It catches up by itself; times shown are the events' own.`);
  }
  return null;
}
