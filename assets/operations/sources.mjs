// The sources on the operations view: how each stands, its access token, and what happened to its connection.

import { setText } from "../base/elements.mjs";
import { keepElements, keepRows } from "../base/records.mjs";
import { length, moment } from "../base/times.mjs";
import { writeFigures } from "../base/units.mjs";

/** What only some sources have; the others' cards leave it out. */
const RARE = ["topics", "topic_channels", "topics_refused", "queue_waiting", "posts_turned_away"];

/** What only a subscription to a stream has; such a source says what it may ask for at most. */
const OF_A_STREAM = ["max_events_per_second", "configured_events_per_second", "dropped", "subscription_id", "connection_id"];

export class Sources {
  #parent;
  #template;

  /** `template` is copied for each source. `retry()` is done when somebody presses its "Try again". */
  constructor(parent, template, retry) {
    this.#parent = parent;
    this.#template = template;
    this.retry = retry;
  }

  write(sources, connections, now) {
    const write = (card, source) => writeCard(card, source, connections.filter((change) => change.source === source.name), now);
    keepElements(this.#parent, sources, ({ name }) => name, () => this.#make(), write);
  }

  #make() {
    const card = this.#template.cloneNode(true);
    card.removeAttribute("id");
    card.hidden = false;
    card.querySelector(".source-retry")?.addEventListener("click", () => this.retry());
    return card;
  }
}

function writeCard(card, source, changes, now) {
  const part = (name) => card.querySelector(`.source-${name}`);
  setText(part("name"), source.name);
  setText(part("state"), source.finished ? "FINISHED" : source.state);
  part("state").dataset.state = source.finished ? "FINISHED" : source.state;
  const down = source.state !== "OPEN" && !source.finished && source.down_since;
  const since = down || source.since;
  setText(part("since"), since ? `${down ? "not connected " : ""}since ${moment(since, now)} (${length(now - since)})` : "");
  setText(part("error"), source.error ?? "");
  part("error").hidden = !source.error;
  writeNotes(part("notes"), source.notes ?? []);
  if (part("retry")) part("retry").hidden = !source.refused;
  writeToken(card.querySelector(".token"), source, now);
  writeFigures(card, source, now);
  const missing = (name) => (source[name] ?? null) === null;
  const hide = (name, hidden) => { card.querySelector(`[data-figure="${name}"]`).closest("div").hidden = hidden; };
  for (const name of RARE) hide(name, missing(name));
  for (const name of OF_A_STREAM) hide(name, missing("configured_events_per_second"));
  const history = card.querySelector(".history");
  history.parentElement.classList.toggle("empty", !changes.length);
  keepRows(history, changes, ({ at, state }) => `${at} ${state}`, ({ at, state, until, reason }) => [
    moment(at, now), state, length((until ?? now) - at), reason,
  ]);
}

/** What the source cannot see although all is well, a line each. */
function writeNotes(list, notes) {
  list.hidden = !notes.length;
  keepElements(list, notes, (note) => note, () => document.createElement("li"), setText);
}

/** What is left of the token's life, as a bar. A source without a token has none. */
function writeToken(token, { token_obtained_at: obtained, token_expires_at: expires }, now) {
  token.hidden = !expires;
  if (!expires) return;
  const left = Math.max(0, expires - now);
  const share = obtained && expires > obtained ? Math.min(1, left / (expires - obtained)) : Number(left > 0);
  const bar = token.querySelector(".token-bar");
  bar.firstElementChild.style.width = `${(share * 100).toFixed(2)}%`;
  bar.dataset.level = left <= 0 ? "gone" : share < 0.1 ? "low" : "good";
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", "100");
  bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  bar.setAttribute("aria-valuetext", `${length(left)} left`);
}
