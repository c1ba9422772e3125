// Counts by facet and over time: asked for at most once a second, and kept until newer ones come.

const EVERY_MS = 1000;

export class Counting {
  /** The span that counts over time are wanted of, `[start, end, bins]`; null for none. */
  span = null;
  /** The last counts (docs/architecture.md: `facets`, `overview`); null before the first. */
  facets = null;
  overview = null;
  #counted = 0;
  #askedAt = 0;
  #key = "";

  /** The part of a question about counts. `key` names the question: other counts than before are asked for at once. */
  ask(key, now) {
    const whole = JSON.stringify([key, this.span]);
    const anew = whole !== this.#key;
    if (!anew && now - this.#askedAt < EVERY_MS) return { facets: false, overview: null, counted: 0 };
    if (anew) this.#counted = 0;
    this.#key = whole;
    this.#askedAt = now;
    return { facets: true, overview: this.span, counted: this.#counted };
  }
  /** Takes an answer that has counts; returns whether it had some. */
  take(answer) {
    if (!answer.counted) return false;
    this.#counted = answer.counted;
    if (answer.facets) this.facets = answer.facets;
    if (answer.overview) this.overview = answer.overview;
    return true;
  }
}
