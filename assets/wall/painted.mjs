// Tells the body what the last frame shows (docs/http.md: the page's hooks), once it is on the screen.

export class Painted {
  #newest = 0;
  #told = false;
  /** How old the newest drawn event was when it was painted, from its arrival at ingest, in ms; null before the first. */
  lag = null;

  report(version, rows, clock) {
    let newest = 0;
    for (const row of rows) newest = Math.max(newest, row.arrived);
    const fresh = newest > this.#newest;
    if (fresh) this.#newest = newest;
    const body = document.body.dataset;
    if (!fresh && this.#told && body.version === String(version) && body.rows === String(rows.length)) return;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.#told = true;
        body.version = version;
        body.rows = rows.length;
        if (!fresh) return;
        this.lag = Math.max(0, clock.now() - newest);
        body.lagMs = Math.round(this.lag);
      }),
    );
  }
}
