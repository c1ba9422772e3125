// The keyboard's place on the chart: the bar that is selected, the one before and after it, and the times it reaches over.

import { clockTime, length } from "../base/times.mjs";
import { channelLabel, KIND_LABELS, shortName } from "../base/words.mjs";
import { address } from "../state/address.mjs";
import { TimeMark } from "./timemark.mjs";

const MARGIN = 0.1;
/** A centre that lies so near the window's (as a part of it) is there already: the same key then fits. */
const CENTRED = 0.01;

export class Cursor {
  #wall;
  #announcer;
  #pointer = null;
  #mark;

  /** `announcer.answer(text)` reads out where one has got to. */
  constructor(wall, announcer) {
    this.#wall = wall;
    this.#announcer = announcer;
    this.#mark = new TimeMark(wall);
    wall.chart.canvas.addEventListener("pointermove", (event) => (this.#pointer = event.clientX), { passive: true });
    wall.chart.canvas.addEventListener("pointerleave", () => (this.#pointer = null));
  }

  /** Where the pointer is on the chart, in pixels from its left edge; undefined if it is elsewhere. */
  pointerX() {
    return this.#pointer === null ? undefined : this.#pointer - this.#wall.chart.canvas.getBoundingClientRect().left;
  }

  /** The next (`step` 1) or previous (−1) bar of the row that is selected or has the focus. */
  step(step) {
    const place = this.#selected();
    if (!place) return false;
    const bars = barsOf(place.row);
    const at = place.bar ? bars.findIndex(({ interaction, segment }) => interaction.id === place.bar.interaction.id && segment.start === place.bar.segment.start) : -1;
    const first = step > 0 ? 0 : bars.length - 1;
    const next = bars[place.bar ? at + step : first];
    if (!next) {
      this.#announcer.answer(step > 0 ? "Last segment" : "First segment");
      return true;
    }
    this.#select(place.row, next);
    this.#announcer.answer(describeBar(next, this.#wall.now));
    return true;
  }

  /** The middle of the selection goes to the middle of the window; where it is already, the window goes around the selection. */
  centre() {
    const span = this.#span();
    if (!span) return this.#wall.fit();
    const [start, end] = this.#wall.window;
    const off = (span.start + span.end) / 2 - (start + end) / 2;
    if (Math.abs(off) < (end - start) * CENTRED) return this.fit();
    this.#show(start + off, end + off);
    return true;
  }
  /** The window becomes what the selection reaches over. */
  fit() {
    const span = this.#span();
    if (!span) return false;
    const margin = Math.max(1000, (span.end - span.start) * MARGIN);
    this.#show(span.start - margin, span.end + margin, true);
    return true;
  }

  /** Marks what the selection reaches over, or takes that mark away. */
  mark() {
    const span = this.#span();
    if (!span) return this.#mark.clear();
    const marked = this.#mark.toggle(span);
    this.#announcer.answer(marked ? `Marked ${length(span.end - span.start)}, from ${clockTime(span.start)} until ${clockTime(span.end)}` : "Mark removed");
    return true;
  }
  unmark() {
    return this.#mark.clear();
  }
  /** Shows the row in a track a channel, or in one line again. */
  expand(open) {
    const id = this.#selected()?.row.id;
    if (!id) return false;
    const others = address.state.expanded.filter((one) => one !== id);
    address.change({ expanded: open ? [...others, id] : others });
    return true;
  }
  expandAll(open) {
    address.change({ expanded: open ? this.#wall.order.ids : [] });
  }
  /** Keeps the row on top of all others, or lets it go. */
  pinRow() {
    const id = this.#selected()?.row.id;
    if (!id) return false;
    const others = address.state.pinned.filter((one) => one !== id);
    address.change({ pinned: others.length < address.state.pinned.length ? others : [...others, id] });
    return true;
  }

  /** The row whose bar is pinned, with the bar; else the row that has the focus; null where there is neither. */
  #selected() {
    const { card, model, chart } = this.#wall;
    const about = card.pinned ? card.about : null;
    const row = model.get(about?.row ?? chart.heads.focused());
    if (!row) return null;
    const bar = about && barsOf(row).find(({ interaction, segment }) => interaction.id === about.interaction && segment.start === about.start);
    return { row, bar: bar ?? null };
  }
  /** Pins the card of a bar, and moves the window to where the bar begins if that is out of sight. */
  #select(row, bar) {
    const wall = this.#wall;
    let [start, end] = wall.window;
    const { segment } = bar;
    if ((segment.end ?? wall.now) < start || segment.start > end) {
      const off = segment.start - (start + (end - start) * MARGIN);
      this.#show(start + off, end + off);
      [start, end] = wall.window;
    }
    const box = wall.chart.canvas.getBoundingClientRect();
    const middle = (Math.max(start, segment.start) + Math.min(end, segment.end ?? wall.now)) / 2;
    const x = box.left + ((middle - start) / (end - start)) * box.width;
    const y = box.top + (wall.chart.middleOf(row.id) ?? 0);
    wall.pin({ row, ...bar }, { x, y });
  }
  #show(start, end, entry = false) {
    address.change({ window: { live: false, from: start, to: end } }, { entry });
  }
  #span() {
    const place = this.#selected();
    if (!place) return null;
    const now = this.#wall.now;
    const { row, bar } = place;
    if (bar) return { start: bar.segment.start, end: bar.segment.end ?? now };
    return { start: row.start, end: row.state === "CLOSED" ? row.last : now };
  }
}

/** The bars of a row by time. */
function barsOf(row) {
  const bars = row.interactions.flatMap((interaction) => interaction.segments.map((segment) => ({ interaction, segment })));
  return bars.sort((one, other) => one.segment.start - other.segment.start);
}

function describeBar({ interaction, segment }, now) {
  const who = [interaction.queue, interaction.agent].filter(Boolean).map(shortName).join(", ");
  const ends = segment.end === null ? "still open" : `until ${clockTime(segment.end)}`;
  const told = `${KIND_LABELS[segment.kind]}, ${channelLabel(interaction.channel)}, ${length((segment.end ?? now) - segment.start)}`;
  return `${told}, from ${clockTime(segment.start)} ${ends}${who ? `, ${who}` : ""}`;
}
