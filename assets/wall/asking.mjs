// Questions and answers: when the wall asks its server, for what, and what it takes of what comes back.

import { nextDelay, ServerClock } from "../base/clock.mjs";
import { asOf } from "./asof.mjs";
import { Counting } from "./counting.mjs";

const RESTING_ASK_MS = 2000;
const UNREAD_MS = 1000;
const RETRY_MS = 1500;
const LOST_MS = 60_000;

/**
 * `wall` is who asks. It offers `paused`, `visible` (somebody can see the rows), `selection`, `locked` (the order has to stay),
 * `conditions` (which journeys are wanted), `left` and `overview` (as in the question), `onScreen()`, `order`, `model`, and
 * `status`, which is told of calls that went through or failed; and it is told of each answer: `took(answer, rows)`, where
 * `rows` says whether the rows are of it.
 */
export class Asking {
  clock = new ServerClock();
  counting = new Counting();
  /** The last answer, and the store's version that the rows are of. */
  answer = null;
  version = 0;
  /** How many match of how many, with the conditions of now: `{matched, total, filtered}`; null before the first answer. */
  matched = null;
  /** When the question that is on its way was sent (this machine's clock, ms); 0 while none is. */
  askedAt = 0;
  #wall;
  #asked = null;
  #unread = 0;
  #lastCall = null;
  #changed = true;

  constructor(wall) {
    this.#wall = wall;
    window.addEventListener("journeymap:call", ({ detail }) => detail.output === "answer.data" && this.#called(detail));
  }

  /** The next answer has to be a whole one: the conditions are others, or what came in between is not known. */
  forget() {
    this.#changed = true;
  }
  /** The next question; null where there is nothing to ask (nobody looks, or one is on its way). */
  question() {
    const wall = this.#wall;
    // An answer that has come but was not handed over yet would be thrown away by another question.
    if (document.hidden || this.askedAt || Date.now() - this.#unread < UNREAD_MS) return null;
    const { first, shown } = wall.onScreen();
    // Nobody looks at the rows (a journey lies over them), or the picture is held and whole: only counts and status, and less often.
    const resting = !wall.visible || (wall.paused && !this.#changed && !wall.order.lacks(first, shown));
    if (resting && this.#lastCall && Date.now() - this.#lastCall.received < RESTING_ASK_MS) return null;
    const part = resting ? { offset: 0, count: 0, hold: null } : wall.order.ask(first, shown, wall.locked, Date.now());
    const conditions = wall.conditions;
    const said = JSON.stringify(conditions);
    const watched = resting ? [] : wall.selection.watched;
    const key = JSON.stringify([part, said, wall.left, watched]);
    const anew = this.#changed || key !== this.#asked?.key;
    this.counting.span = resting ? null : wall.overview;
    this.#asked = { part, key, said, resting, paused: wall.paused };
    this.#changed = false;
    return {
      version: anew ? 0 : this.version, at: anew ? 0 : this.answer?.now ?? 0, ...conditions, since: 0, ...part, left: wall.left,
      watched, have: part.count ? wall.model.have() : [], ...this.counting.ask(said, Date.now()),
    };
  }
  /** Asks at once instead of at the next tick, unless a question is on its way. */
  now() {
    const question = this.question();
    if (question) window.dash_clientside.set_props("question", { data: question });
  }

  receive(answer) {
    this.#unread = 0;
    if (!answer || !this.#asked) return;
    const wall = this.#wall;
    if (this.#lastCall) this.clock.learn(answer.now, this.#lastCall.sent, this.#lastCall.received);
    const { part, said, resting, paused } = this.#asked;
    // Conditions may depend on the answer that they were made with, so they are compared before this one stands.
    const current = said === JSON.stringify(wall.conditions);
    const rows = !resting && paused === wall.paused && current;
    this.answer = answer;
    if (current) this.matched = { matched: answer.matched, total: answer.total, filtered: wall.filtered };
    if (rows) {
      // A held picture stays of the version that it was held at, whatever is fetched into it.
      if (!paused) this.version = answer.version;
      wall.model.upsert(paused ? answer.rows.map((row) => asOf(row, wall.now)) : answer.rows);
      wall.order.take(part, answer, wall.locked, Date.now(), wall.conditions.group);
    }
    this.counting.take(answer);
    wall.took(answer, rows);
    this.#aim();
    this.settle();
  }

  /** Asks at once for what was scrolled to, or for what changed, while a question was on its way. */
  settle() {
    const { visible, order } = this.#wall;
    if (!visible) return;
    const { first, shown } = this.#wall.onScreen();
    if (this.#changed || order.lacks(first, shown)) this.now();
  }
  /** A question that never came back, though the network said nothing, counts as lost. */
  watch() {
    if (this.askedAt && Date.now() - this.askedAt > LOST_MS) this.#called({ phase: "failed" });
  }

  /** Sets the clock of the questions so that the next one comes just behind a flush of the ingest side. */
  #aim() {
    if (!this.answer || !this.#lastCall) return;
    const elapsed = Date.now() - this.#lastCall.sent;
    const { committed_at: committedAt } = this.answer;
    const delay = nextDelay({ now: this.clock.now(), committedAt, trip: this.clock.trip, elapsed });
    window.dash_clientside.set_props("tick", { interval: this.#wall.paused ? 1000 : delay });
  }
  #called(call) {
    if (call.phase === "sent") {
      this.askedAt = call.sent;
      return;
    }
    this.askedAt = 0;
    if (call.phase === "answered") {
      this.#lastCall = call;
      this.#wall.status.answered();
      // An empty answer does not reach `receive`.
      if (call.status === 204) setTimeout(() => (this.#aim(), this.settle()), 0);
      else this.#unread = Date.now();
    } else {
      this.#wall.status.failed();
      this.forget();
      // Dash leaves its clock off after a lost connection.
      setTimeout(() => window.dash_clientside.set_props("tick", { disabled: false, interval: RETRY_MS }), 50);
    }
  }
}
