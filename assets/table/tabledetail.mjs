// The selected journey below the table: each of its segments, and its handovers, as the chart draws them.

import { make, setText } from "../base/elements.mjs";
import { length, moment, zoneName } from "../base/times.mjs";
import { channelLabel, directionLabel, KIND_LABELS, shortName, STATE_LABELS } from "../base/words.mjs";
import { journeyPath } from "../state/address.mjs";

const HEADS = ["Interaction", "State", "Segment", "Queue", "Agent", "Start", "End", "Length", "Outcome", "Direction"];

export class TableDetail {
  #place;
  #heading;
  #link;
  #pin;
  #packet;
  #id = null;
  #note;
  #table;
  #transfers;
  #tag = null;
  #ticking = [];

  /** `pin(id)` pins and unpins, `close()` ends the selection. */
  constructor(place, { pin, close }) {
    this.#place = place;
    const head = make("div", "twin-detail-head", place);
    this.#heading = make("h3", "", head);
    this.#heading.id = "table-detail-title";
    this.#link = make("a", "button twin-open", head);
    this.#link.textContent = "Open journey";
    this.#pin = make("button", "button", head);
    this.#pin.addEventListener("click", () => pin(this.#id));
    this.#packet = make("a", "button", head);
    this.#packet.textContent = "Packet";
    this.#packet.title = "Incident packet (zip)";
    this.#packet.setAttribute("download", "");
    this.#note = make("span", "twin-muted", head);
    make("span", "spacer", head);
    const end = make("button", "button button-icon button-bare", head);
    end.textContent = "×";
    end.title = "Close (Esc)";
    end.setAttribute("aria-label", "Close the selection");
    end.addEventListener("click", close);
    for (const button of [this.#pin, end]) button.type = "button";
    this.#table = make("table", "table", place);
    this.#table.setAttribute("aria-labelledby", this.#heading.id);
    const line = this.#table.createTHead().insertRow();
    for (const text of HEADS) {
      const cell = make("th", "", line);
      cell.scope = "col";
      cell.textContent = text;
    }
    this.#table.createTBody();
    this.#transfers = make("ul", "twin-transfers", place);
    place.tabIndex = 0;
    place.setAttribute("role", "region");
    place.setAttribute("aria-labelledby", this.#heading.id);
  }
  /** Shows the journey as of `now`, or nothing. Written anew only where something changed; what goes on ticks. */
  show(row, now, pinned) {
    this.#place.hidden = !row;
    if (!row) return;
    this.#id = row.id;
    this.#pin.setAttribute("aria-pressed", String(pinned));
    setText(this.#pin, pinned ? "Unpin" : "Pin");
    const tag = `${row.id} ${row.tag}`;
    if (tag !== this.#tag) this.#write(row, now);
    this.#tag = tag;
    for (const [cell, start] of this.#ticking) setText(cell, `${length(now - start)}, so far`);
  }
  #write(row, now) {
    setText(this.#heading, row.customer);
    const path = journeyPath(row.id);
    this.#link.href = path;
    this.#packet.href = `/export${path}.zip?${new URLSearchParams({ time_zone: zoneName() })}`;
    const left = row.count - row.interactions.length;
    setText(this.#note, left > 0 ? `${left} earlier interactions are on the journey's own page` : "");
    this.#ticking = [];
    const lines = row.interactions.flatMap((one, place) => {
      const segments = one.segments.length ? one.segments : [null];
      return segments.map((segment, nth) => [one, place, segment, nth]);
    });
    const body = this.#table.tBodies[0];
    while (body.rows.length > lines.length) body.deleteRow(-1);
    lines.forEach(([one, place, segment, nth], index) => {
      const line = body.rows[index] ?? makeLine(body);
      line.classList.toggle("first", nth === 0);
      const ended = segment && segment.end !== null;
      [
        `${place + 1} ${channelLabel(one.channel)}`,
        `${STATE_LABELS[one.state] ?? one.state}${one.timedOut ? ", timed out" : ""}`,
        segment ? KIND_LABELS[segment.kind] : "None",
        shortName(one.queue ?? ""),
        shortName(one.agent ?? ""),
        moment(segment?.start ?? one.start, now),
        ended ? moment(segment.end, now) : segment ? "goes on" : one.ended === null ? "" : moment(one.ended, now),
        ended ? length(segment.end - segment.start) : "",
        shortName(one.disposition ?? ""),
        row.directions[place] ? directionLabel(row.directions[place]) : "",
      ].forEach((text, column) => setText(line.cells[column], text));
      if (segment && !ended) this.#ticking.push([line.cells[7], segment.start]);
    });
    const name = (place) => (place === null ? "nobody yet" : `${place + 1} ${channelLabel(row.interactions[place].channel)}`);
    const texts = row.transfers.map(({ at, from, to }) => `${moment(at, now)}: handed over from ${name(from)} to ${name(to)}`);
    while (this.#transfers.children.length > texts.length) this.#transfers.lastChild.remove();
    texts.forEach((text, place) => setText(this.#transfers.children[place] ?? make("li", "", this.#transfers), text));
    this.#transfers.hidden = !texts.length;
  }
}

function makeLine(body) {
  const line = body.insertRow();
  for (const _ of HEADS) line.insertCell();
  return line;
}
