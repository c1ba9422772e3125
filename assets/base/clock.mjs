// The server's clock as seen from here: its offset is taken from the answer that came back fastest of the last ones.

const KEPT = 24;

export class ServerClock {
  #samples = [];
  #offset = 0;

  /** An answer that says `now`, asked at `sent` and had at `received` (this machine's clock, ms). */
  learn(now, sent, received) {
    this.#samples.push({ trip: received - sent, offset: now - (sent + received) / 2 });
    if (this.#samples.length > KEPT) this.#samples.shift();
    this.#offset = this.#samples.reduce((best, one) => (one.trip < best.trip ? one : best)).offset;
  }
  get known() {
    return this.#samples.length > 0;
  }
  get trip() {
    return this.#samples.length ? Math.min(...this.#samples.map((sample) => sample.trip)) : 0;
  }
  now() {
    return Date.now() + this.#offset;
  }
}

/**
 * How long to wait for the next question so that it comes just behind a flush of the ingest side. Flushes come every
 * `flush` ms, the last one at `committedAt`, and are there to be read `behind` ms later; `now` is the server's clock.
 * `elapsed` is how long ago the last question was sent, `trip` how long one takes. Where nothing was committed lately: a
 * `period` from question to question.
 */
export function nextDelay({ now, committedAt, trip, elapsed, period = 500, flush = 100, behind = 30 }) {
  const plain = Math.max(50, period - elapsed);
  if (!committedAt || now - committedAt > 5000) return Math.round(plain);
  const phase = (((now + plain + trip / 2 - committedAt - behind) % flush) + flush) % flush;
  const delay = plain - phase;  // rather a little early than a whole flush late
  return Math.round(delay >= 50 ? delay : delay + flush);
}
