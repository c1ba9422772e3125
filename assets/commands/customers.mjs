// Finds customers for the command box: rows that the page holds at once, all others of the server a moment later.

import { match } from "../base/fuzzy.mjs";
import { looksPersonal } from "../base/spelling.mjs";
import { STATE_LABELS } from "../base/words.mjs";

const LEAST = 2;
const WAIT_MS = 180;
const MOST = 12;

export class Customers {
  #wall;
  #timer = 0;
  #asking = null;

  constructor(wall) {
    this.#wall = wall;
  }

  /** Those of the rows held that match, the best first; without a query the rows as they stand. */
  here(query) {
    const { order, model } = this.#wall;
    const rows = order.ids.map((id) => model.get(id)).filter(Boolean);
    const found = rows.map((row) => ({ row, found: match(query, row.customer) })).filter(({ found }) => found);
    if (query) found.sort((one, other) => other.found.score - one.found.score);
    return found.slice(0, MOST).map(({ row, found }) => ({
      id: row.id, customer: row.customer, state: STATE_LABELS[row.state] ?? row.state, places: found.places,
    }));
  }

  /**
   * Asks the server, and calls `tell(customers)` unless another query came in between. A text that may be a phone number or an e-mail
   * address is not asked for: it would stand in an address, and so in logs. The page's search finds it, which sends it otherwise.
   */
  elsewhere(query, tell) {
    this.stop();
    if (query.length < LEAST || looksPersonal(query)) return;
    this.#timer = setTimeout(async () => {
      this.#asking = new AbortController();
      try {
        const parameters = new URLSearchParams({ q: query.slice(0, 100), limit: String(MOST) });
        const response = await fetch(`/api/v1/journeys?${parameters}`, { signal: this.#asking.signal });
        if (!response.ok) return;
        const { journeys } = await response.json();
        tell(journeys.map((one) => ({
          id: one.journey_id, customer: one.customer_id, state: STATE_LABELS[one.state] ?? one.state, places: match(query, one.customer_id)?.places ?? [],
        })));
      } catch {
        // Taken back, or the server is away, which the page says elsewhere; what is held is found all the same.
      }
    }, WAIT_MS);
  }
  stop() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }
}
