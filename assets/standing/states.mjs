// What is wrong, and why nothing is shown: for each state what has happened, and what to do about it. Words only.

import { clockTime, length } from "../base/times.mjs";
import { count, sentence } from "../base/units.mjs";
import { BEHIND_MS } from "./standing.mjs";

const REFUSED = "Correct JOURNEYMAP_CLIENT_ID and JOURNEYMAP_CLIENT_SECRET and start again, or try again once the platform's side is put right.";
const START = "Start it with “journeymap run” or “journeymap ingest”.";
const KEEPS_TRYING = "What you see is as of then; it keeps trying.";

const since = (at) => (at ? ` since ${clockTime(at)}` : "");

/**
 * What is wrong, `null` while nothing is: `code` names it, `kind` is `error` or `warning`, `title` says what has happened and
 * `text` what to do. `lost` is since when the server has not answered (0 while it does); `status` is null before the first answer.
 */
export function wrong(lost, status) {
  const error = (code, title, text) => ({ code, kind: "error", title, text });
  const warning = (code, title, text) => ({ code, kind: "warning", title, text });
  if (lost) {
    return error("lost", `The page cannot reach its server${since(lost)}`, `${KEEPS_TRYING} If this lasts, check that Journeymap still runs.`);
  }
  if (!status) return null;
  if (status.problem) {
    return error("store", sentence(status.problem), `${KEEPS_TRYING} Check that the store is where it was, that its disk has room, and that Journeymap may read it; “journeymap doctor” tells which.`);
  }
  if (status.refused) {
    return error("refused", `The platform refuses the credentials${status.error ? `: ${status.error}` : ""}`, `No further attempt is made. ${REFUSED}`);
  }
  if (!status.ingest_running) {
    return error("stopped", `Ingest is not running${since(status.since)}`, `No new events come in. ${START}`);
  }
  if (status.reading_stopped) {
    return error("reading", `Reading is stopped: ${status.reading_stopped}`, "What came in is kept; it goes on by itself once there is room.");
  }
  if (status.state !== "OPEN" && !status.finished) {
    const word = status.state === "CONNECTING" && !status.error ? "Connecting to the event source" : "Disconnected from the event source";
    const why = status.error ? `: ${status.error}` : "";
    return warning("connection", `${word}${since(status.down_since ?? status.since)}${why}`, "It tries again by itself; what is shown stays. If this lasts, “journeymap doctor” checks the way to the platform.");
  }
  if (status.lag_ms > BEHIND_MS) {
    return warning("behind", `Ingest is ${length(status.lag_ms)} behind the source`, "It catches up by itself; times shown are the events' own. If it stays so, the machine is too slow for what comes in: see Operations.");
  }
  return null;
}

/** What is said once to a newcomer whose page shows the simulated platform; null for all others. */
export function firstStart(status) {
  if (!status?.simulated) return null;
  return {
    code: "simulated", kind: "info", title: "These customers are simulated",
    text: "No source is configured, so Journeymap runs a simulated contact centre. For your own: set JOURNEYMAP_SOURCE, the region and the credentials, let “journeymap doctor” check them, and start again.",
  };
}

/**
 * Why there are no rows: `{code, title, text, clears}`, `clears` where clearing the filters would bring some; null where there are
 * rows. The codes are those of `wrong` where that is the reason. `settled` says that what is wrong has been so for a moment: a page that
 * is opened while all starts need not be alarmed.
 */
export function emptiness({ answer, lost, filtered, settled }) {
  if (answer?.matched) return null;
  const fault = wrong(lost, answer?.status);
  const state = (code, title, text) => ({ code, title, text, clears: false });
  const starting = state("starting", "Connecting to Journeymap …", "The first journeys appear within a second or two.");
  if (!answer) return lost ? state("lost", "Journeymap does not answer", "The page keeps trying. Check that Journeymap still runs.") : starting;
  if (answer.total && filtered) {
    const others = answer.total === 1 ? "One journey is here; it does" : `${count(answer.total)} journeys are here; none of them does`;
    const text = answer.total === 1 ? `${others} not. Loosen a filter, or clear them all.` : `${others}. Loosen a filter, or clear them all.`;
    return { ...state("no-match", "No journey matches", text), clears: true };
  }
  const { status } = answer;
  const opening = fault && !settled && ["stopped", "connection"].includes(fault.code);
  if (opening && !status.simulated) return starting;
  if (fault && !opening && fault.code !== "behind") return state(fault.code, fault.title, fault.text);
  if (status.finished) return state("finished", "All has been read, and no journey was in it", "Was it the right file? “journeymap run --source file:PATH” names it; what could not be read stands in Operations.");
  if (status.simulated) return state("simulated", "The simulated contact centre starts", "No source is configured: these customers will be nobody's. The first journeys appear within seconds.");
  return state("no-data", "No journeys yet", `Connected${since(status.since)}. The first journey appears here as soon as the source sends an event; if that takes longer than it should, see Operations.`);
}
