// The health strip at the page's foot: counts and truth in one line. What cannot be known is a dash, never a zero.

import { setText } from "../base/elements.mjs";
import { length, shortTime } from "../base/times.mjs";
import { count, FORMS, NOTHING } from "../base/units.mjs";

const DAY = 24 * 3600 * 1000;

export class HealthStrip {
  #root;

  /** Each part is a link to the operations view and names the place there in `data-to`. */
  constructor(root) {
    this.#root = root;
    root.addEventListener("click", ({ target }) => {
      const place = target.closest("[data-to]")?.dataset.to;
      // The router shows the view first.
      if (place) setTimeout(() => document.getElementById(place)?.scrollIntoView({ block: "start" }), 0);
    });
  }

  /** `stands` is how current the picture is (`standing`), `lost` since when the server has not answered, 0 while it does. */
  show({ answer, stands, lost, gaps, filtered, now }) {
    const running = Boolean(answer && !lost && answer.status.ingest_running);
    const known = running ? answer.status : null;
    this.#write("journeys", journeys(answer, filtered), Boolean(lost));
    this.#write("simulated", answer?.status.simulated ? "Simulated" : "", false);
    this.#write("rate", `${known ? FORMS.rate(known.events_per_second) : NOTHING} events/s`, !known);
    this.#write("behind", behind(stands, known), stands.mode === "late");
    const counts = ["late", "duplicate", "quarantined"].map((name) => (known ? count(known[name]) : NOTHING));
    this.#write("counts", `late ${counts[0]} · duplicates ${counts[1]} · quarantined ${counts[2]}`, Boolean(known?.quarantined));
    this.#write("gaps", ...gapWords(answer, gaps, now));
  }

  #write(part, text, notable) {
    const place = this.#root.querySelector(`[data-part="${part}"]`);
    setText(place, text);
    place.classList.toggle("strip-notable", notable);
  }
}

function journeys(answer, filtered) {
  if (!answer) return `${NOTHING} journeys`;
  const total = `${count(answer.total)} ${answer.total === 1 ? "journey" : "journeys"}`;
  const all = filtered ? `${count(answer.matched)} of ${total}` : total;
  return `${all} · ${count(answer.open)} in progress`;
}

function behind({ mode, word, text }, known) {
  if (known && (word === "BEHIND" || (mode === "live" && text))) return text;
  // Held or partial pictures tell of something else; how far ingest is behind is known all the same.
  if (known && known.state === "OPEN") return known.lag_ms < 9950 ? `${(known.lag_ms / 1000).toFixed(1)} s behind` : `${length(known.lag_ms)} behind`;
  return `${NOTHING} behind`;
}

/** The gaps of the last day, and whether they are worth a look. */
function gapWords(answer, gaps, now) {
  if (!answer) return [`${NOTHING} gaps`, false];
  const lately = gaps.filter(({ end }) => end === null || end > now - DAY);
  if (!lately.length) return ["no gaps", false];
  const open = lately.find(({ end }) => end === null);
  const number = lately.length === 1 ? "1 gap" : `${count(lately.length)} gaps`;
  return [open ? `${number}, one since ${shortTime(open.start)}` : `${number} in 24 h`, true];
}
