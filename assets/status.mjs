// What the page says about itself: connection, lag, counts, and the notice that tells what is wrong and what to do.

import { setText } from "./rows.mjs";
import { clockTime, length } from "./times.mjs";

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
  lag = null;

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

  show({ answer, asked, now, paused, shown, filtered, rowsHeld, hidden }) {
    const lost = this.lostSince(asked);
    const status = answer?.status ?? null;
    const state = status?.state ?? "CONNECTING";
    const place = element("connection-state");
    setText(place, state);
    place.dataset.state = status && !status.ingest_running ? "STOPPED" : state;
    const quiet = !lost && Date.now() - this.#answeredAt < MISSED_MS;
    this.#live(paused, quiet || hidden, lost);
    setText(element("counts"), counts(answer, shown, filtered));
    element("filters-clear").hidden = !filtered;
    this.#notice(lost, status, now);
    this.#empty(answer, status, filtered, rowsHeld);
    this.#announce(answer, state, paused, lost);
  }

  #live(paused, quiet, lost) {
    const button = element("pause");
    button.setAttribute("aria-pressed", String(paused));
    button.dataset.mode = paused ? "paused" : quiet ? "live" : "late";
    setText(button.querySelector(".live-word"), paused ? "PAUSED" : "LIVE");
    const late = lost ? `${length(Date.now() - lost)} without an answer` : "";
    const lag = this.lag === null ? "" : `${(this.lag / 1000).toFixed(1)} s behind`;
    setText(element("live"), paused ? "picture held" : late || lag);
  }

  #notice(lost, status, now) {
    const notice = element("notice");
    const [text, kind, retry] = noticeText(lost, status, now);
    // A source that is opened anew within a moment is no news.
    if (kind === "warning" && text !== this.#since?.text) this.#since = { text, at: Date.now() };
    const early = kind === "warning" && Date.now() - this.#since.at < DOWN_MS;
    notice.hidden = !text || early;
    notice.dataset.kind = kind;
    setText(element("notice-text"), text);
    const button = element("notice-retry");
    if (button) button.hidden = !retry;
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

  #announce(answer, state, paused, lost) {
    const now = Date.now();
    if (!answer || now - this.#announced < ANNOUNCE_MS) return;
    const said = lost ? "The server does not answer." : `${paused ? "Paused" : "Live"}, source ${state}, ${answer.matched} journeys match.`;
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

/** Text, kind (`error`, `warning`) and whether trying again helps. */
function noticeText(lost, status, now) {
  const since = (at) => (at ? ` since ${clockTime(at)}` : "");
  if (lost) {
    return [
      `The page cannot reach its server${since(lost)}. What you see is as of then; it keeps trying. If this lasts, check that Journeymap still runs.`,
      "error", false,
    ];
  }
  if (!status) return ["", "", false];
  if (status.refused) {
    return [
      `The platform refuses the credentials${status.error ? ` (${status.error})` : ""}. No further attempt is made. Correct JOURNEYMAP_CLIENT_ID and JOURNEYMAP_CLIENT_SECRET and start again, or try again once the platform's side is put right.`,
      "error", true,
    ];
  }
  if (!status.ingest_running) {
    return ["Ingest is not running: no new events come in. Start it with “journeymap run” or “journeymap ingest”.", "error", false];
  }
  if (status.state !== "OPEN") {
    const word = status.state === "CONNECTING" ? "Connecting to the event source" : "Disconnected from the event source";
    const why = status.error ? `: ${status.error}` : "";
    return [`${word}${since(status.since)}${why}. It tries again by itself; what is shown stays.`, "warning", false];
  }
  if (status.lag_ms > 10_000) {
    return [`Ingest is ${length(status.lag_ms)} behind the source. It catches up by itself; times shown are the events' own.`, "warning", false];
  }
  void now;
  return ["", "", false];
}
