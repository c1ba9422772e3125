// How current what is shown is, in one word and a few more: LIVE is said only where nothing keeps new events away.

import { length, shortTime } from "../base/times.mjs";
import { leftOutLately } from "./gaps.mjs";

/** From here on what is shown counts as behind; the operations view says so from then on too (view/findings.py). */
export const BEHIND_MS = 5000;

/**
 * `{mode, word, text}` for the badge. `lost` is since when the server has not answered (0 while it does), `late` for how
 * long an answer is overdue, `lag` how old the newest event was when it was painted (null where nothing is painted: then
 * ingest's own lag counts), `now` the server's clock.
 */
export function standing({ paused, lost, late, status, gaps, lag, now }) {
  const stopped = (text) => ({ mode: "stopped", word: "NOT LIVE", text });
  const since = (at) => (at ? ` since ${shortTime(at)}` : "");
  if (paused) return { mode: "paused", word: "PAUSED", text: "picture held" };
  if (lost) return stopped(`no answer${since(lost)}`);
  if (!status) return stopped("connecting …");
  if (status.problem) return stopped("store cannot be read");
  if (!status.ingest_running) return stopped(`ingest stopped${since(status.since)}`);
  if (status.refused) return stopped(`refused${since(status.since)}`);
  if (status.reading_stopped) return stopped("reading is stopped");
  if (status.finished) return { mode: "ended", word: "COMPLETE", text: "all has been read" };
  // Whoever tries again after each failure is CONNECTING most of the time, and without a connection all of it.
  const down = since(status.down_since ?? status.since);
  if (status.state !== "OPEN") return stopped(`${status.error || status.state !== "CONNECTING" ? "connection lost" : "connecting"}${down}`);
  if (late) return { mode: "late", word: "BEHIND", text: `${length(late)} without an answer` };
  if (status.lag_ms > BEHIND_MS) return { mode: "late", word: "BEHIND", text: `${length(status.lag_ms)} behind` };
  const left = leftOutLately(gaps, now);
  if (left) return { mode: "late", word: "PARTIAL", text: `source throttles: ${left.toLocaleString("en-GB")} events left out` };
  return { mode: "live", word: "LIVE", text: `${((lag ?? status.lag_ms ?? 0) / 1000).toFixed(1)} s behind` };
}
