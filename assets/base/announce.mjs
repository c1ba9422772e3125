// The voice of the page for screen readers: one place, so that nobody is talked to all the time.

/** The least time between two sentences that nobody asked for. */
const EVERY_MS = 10_000;
/** An answer to a key waits so long, so that of many key presses in a row only the last is told. */
const PAUSE_MS = 250;

export class Announcer {
  #place;
  #told = 0;
  #said = {};
  #timer = 0;

  /** `place` is a polite live region. */
  constructor(place) {
    this.#place = place;
  }

  /**
   * News that nobody asked for, on a topic: said at most once in ten seconds, and only if its `gist` differs from that of what was said
   * last on the topic. Call it again and again with what is true; what is no longer true when its turn comes is never said.
   */
  news(topic, text, gist = text) {
    const now = Date.now();
    if (gist === this.#said[topic] || now - this.#told < EVERY_MS) return;
    this.#said[topic] = gist;
    this.#told = now;
    this.#place.textContent = text;
  }

  /** The answer to something somebody did: said soon, of several the last. */
  answer(text) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#told = Math.max(this.#told, Date.now() - EVERY_MS / 2);
      // A region whose text stays the same is not read again.
      this.#place.textContent = this.#place.textContent === text ? `${text}\u00a0` : text;
    }, PAUSE_MS);
  }
}
