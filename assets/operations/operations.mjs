// The operations view: asks every second while it is looked at, and writes the answers into the page's fixed frame.

import { setText } from "../base/elements.mjs";
import { keepElements, keepRows } from "../base/records.mjs";
import { ticks, TimeScale } from "../base/scale.mjs";
import { length, moment, tickLabel, zoneName, zoneOffset } from "../base/times.mjs";
import { count, writeFigures } from "../base/units.mjs";
import { fillingText, GAP_KINDS } from "../standing/gaps.mjs";
import { writeQuarantine } from "./quarantine.mjs";
import { Sources } from "./sources.mjs";
import { Spark } from "./spark.mjs";
import { Verdict } from "./verdict.mjs";

const EVERY_MS = 1000;
const FAILED_MS = 2500;
const HUNG_MS = 10_000;
const DAY = 24 * 3600 * 1000;
const RETRY_REST_MS = 3000;
const FETCHED = {
  start: () => "what was before the first start",
  gap: (lasted) => `what was missed in a gap of ${lasted}`,
  asked: (lasted) => `a period of ${lasted} that was asked for`,
  again: () => "once more what had been missed, for late records",
};
const element = (name) => document.getElementById(`operations${name && `-${name}`}`);

export class Operations {
  #root = element("");
  #clock;
  #parts = null;
  #tags = {};
  #asked = 0;
  #sent = 0;
  #answered = Date.now();
  #failing = false;
  #shown = false;
  #spark = new Spark(element("rate"));

  /** `clock` is the server's; `retry()` tells ingest to try again after a refusal; `announcer` reads the news out. */
  constructor(clock, retry, announcer) {
    this.#clock = clock;
    const again = () => this.#retry(retry);
    this.verdict = new Verdict(element("verdict"), announcer);
    this.sources = new Sources(element("sources"), element("source"), again);
    this.#root.querySelector(".verdict-retry")?.addEventListener("click", again);
    const explain = element("explain");
    explain.addEventListener("click", () => {
      explain.setAttribute("aria-pressed", String(this.#root.classList.toggle("explaining")));
    });
    window.addEventListener("journeymap:call", ({ detail }) => detail.output === "operations-answer.data" && this.#called(detail));
    document.addEventListener("visibilitychange", () => this.#look());
    setInterval(() => this.#look(), EVERY_MS);
  }

  /** Tells that the page is shown, or no longer. */
  show(shown) {
    if (shown && !this.#shown) this.#answered = Date.now();
    this.#shown = shown;
    this.#look();
  }
  redraw() {
    if (this.#shown) this.#write();
  }

  #look() {
    if (!this.#shown || document.hidden) {
      this.#answered = Date.now();  // nobody asked, so nothing is overdue
      return;
    }
    if (this.#asked && Date.now() - this.#asked > HUNG_MS) this.#asked = 0;
    if (!this.#asked) window.dash_clientside.set_props?.("operations-question", { data: { seen: this.#tags, at: Date.now() } });
    this.#write();
  }
  #called({ phase, sent }) {
    this.#asked = phase === "sent" ? sent : 0;
    this.#sent = sent;
    if (phase !== "sent") this.#failing = phase === "failed";
    if (phase === "answered") this.#answered = Date.now();
  }
  /** Since when the server has not answered; 0 while it does, be it slowly. */
  get #lost() {
    return Date.now() - this.#answered > (this.#failing ? FAILED_MS : HUNG_MS) ? this.#answered : 0;
  }

  /** Takes an answer in: the parts that changed, each with its tag. */
  receive(answer) {
    if (!answer) return;
    this.#clock.learn(answer.now, this.#sent, Date.now());
    this.#parts = { ...this.#parts, ...answer.parts };
    this.#tags = answer.tags;
    const { status, running } = this.#parts;
    this.#spark.add(answer.now, running ? status.events_per_second : null);
    this.#write();
  }

  #write() {
    const now = this.#clock.now();
    const lost = this.#lost;
    const parts = this.#parts;
    this.#root.dataset.loaded = String(Boolean(parts));
    if (lost) {
      const remedy = "What you see is as of then; it keeps trying. If this lasts, check that Journeymap still runs.";
      this.verdict.write([{ code: "lost", sentence: "this page cannot reach its server", remedy, since: lost, unready: true }], "", 0, now);
    } else if (parts) {
      this.verdict.write(parts.findings, parts.well, parts.status?.since, now);
    }
    if (!parts) return;
    this.#root.classList.toggle("stale", Boolean(lost) || !parts.running);
    this.#writeAge(parts, lost, now);
    writeFigures(this.#root, parts, now);
    this.sources.write(parts.sources, parts.connections, now);
    element("no-source").hidden = parts.sources.length > 0;
    this.#root.classList.toggle("one-source", parts.sources.length < 2);
    this.#writeGaps(parts, now);
    this.#writeQuarantine(parts, now);
    this.#spark.draw(now);
  }

  #writeAge({ status, running }, lost, now) {
    let text = "Ingest has not reported yet.";
    if (lost) text = `As of ${moment(lost, now)}.`;
    else if (running) text = `Updated every second. Times are those of ${zoneName()}.`;
    else if (status) text = `Figures are as of ${moment(status.written_at, now)}: ingest has not reported since.`;
    setText(element("as-of"), text);
  }

  #writeGaps({ gaps, missing, status, running }, now) {
    setText(element("gaps-words"), missing ? missingWords(missing) : "Not known: ingest has not run yet.");
    const fetched = running ? status.backfill : null;
    element("filling-words").hidden = !fetched?.now;
    if (fetched?.now) setText(element("filling-words"), fetchingWords(fetched));
    const scale = new TimeScale(now - DAY, now, 100);
    const recent = gaps.filter(({ end }) => end === null || end > now - DAY);
    keepElements(element("strip"), recent, ({ start, source, kind }) => `${start} ${source} ${kind}`, () => document.createElement("div"), (mark, gap) => {
      const left = Math.max(0, scale.x(gap.start));
      mark.className = `gap${gap.kind === "dropped" ? " gap-partial" : ""}${gap.filled_at ? " gap-filled" : ""}`;
      mark.style.left = `${left.toFixed(3)}%`;
      mark.style.width = `${Math.max(0, scale.x(gap.end ?? now) - left).toFixed(3)}%`;
      mark.title = `${moment(gap.start, now)}, ${length((gap.end ?? now) - gap.start)}: ${GAP_KINDS[gap.kind] ?? gap.kind}`;
    });
    const width = element("strip").clientWidth || 600;
    const marks = ticks(scale.start, scale.end, width, zoneOffset(scale.start), 110);
    const inside = marks.ticks.filter((time) => scale.x(time) > 3 && scale.x(time) < 95);
    keepElements(element("strip-axis"), inside, String, () => document.createElement("span"), (label, time) => {
      label.style.left = `${scale.x(time).toFixed(3)}%`;
      setText(label, tickLabel(time, marks.step));
    });
    const place = element("gaps");
    place.hidden = !gaps.length;
    keepRows(place.querySelector("table"), gaps, ({ start, source, kind }) => `${start} ${source} ${kind}`, (gap) => [
      moment(gap.start, now), gap.end === null ? "still open" : moment(gap.end, now), length((gap.end ?? now) - gap.start),
      gap.kind === "dropped" ? `${count(gap.dropped)} events left out` : GAP_KINDS[gap.kind] ?? gap.kind, filledText(gap, now), gap.detail, gap.source,
    ]);
  }

  #writeQuarantine({ quarantine: unusable, status }, now) {
    const all = unusable.reduce((sum, one) => sum + one.count, 0);
    let told = status ? "Nothing unusable has come in since ingest started." : "Not known: ingest has not run yet.";
    if (all) told = `${count(all)} messages could not be used since ingest started. The last of each kind is kept; open one to read it.`;
    setText(element("quarantine-words"), told);
    writeQuarantine(element("quarantine"), unusable, now);
  }

  #retry(retry) {
    retry();
    for (const button of this.#root.querySelectorAll(".verdict-retry, .source-retry")) {
      button.disabled = true;
      setTimeout(() => (button.disabled = false), RETRY_REST_MS);
    }
  }
}

/** When a gap was filled and with what, or how that stands. */
function filledText(gap, now) {
  if (!gap.filled_at) return fillingText(gap) || (gap.end === null ? "" : "not filled");
  return `${moment(gap.filled_at, now)}, ${count(gap.conversations)} conversations`;
}

function missingWords({ ms, gaps, dropped }) {
  const times = gaps === 1 ? "one gap" : `${count(gaps)} gaps`;
  const told = gaps ? `${length(ms)} without events in ${times} in the last 24 hours.` : "No gap in the last 24 hours.";
  return dropped ? `${told} The platform left ${count(dropped)} events out.` : told;
}

/** What back-fill is about, and how far it is. */
function fetchingWords({ now: fill, waiting }) {
  const what = FETCHED[fill.reason]?.(length(fill.end - fill.start)) ?? "a period";
  const far = `${Math.floor(100 * fill.share)}%, ${count(fill.conversations)} conversations so far`;
  const others = waiting ? ` ${count(waiting)} more ${waiting === 1 ? "period waits" : "periods wait"}.` : "";
  return `Fetching from the platform's records ${what}: ${far}.${others}`;
}
