// The card that tells about the bar under the pointer. It stays while it is pointed at or pinned, and keeps up with time.

import { setText } from "../base/elements.mjs";
import { length, moment } from "../base/times.mjs";
import { channelLabel, channelToken, KIND_LABELS, STATE_LABELS } from "../base/words.mjs";
import { journeyPath } from "../state/address.mjs";

const LEAVE_MS = 250;
const GAP = 14;

export class Card {
  #root;
  #fields = {};
  #leaving = 0;
  #about = null;
  pinned = false;

  constructor(parent, changed) {
    this.changed = changed;
    this.#root = document.createElement("div");
    this.#root.id = "card";
    this.#root.className = "card";
    this.#root.hidden = true;
    this.#root.setAttribute("role", "dialog");
    this.#root.setAttribute("aria-label", "Details");
    parent.append(this.#root);
    this.#build();
    this.#root.addEventListener("pointerenter", () => clearTimeout(this.#leaving));
    this.#root.addEventListener("pointerleave", () => this.leave());
  }

  /** What the card is about: ids, so that it finds its bar again after any number of answers. */
  get about() {
    return this.#about;
  }
  get selected() {
    return this.#about && { interaction: this.#about.interaction, start: this.#about.start };
  }
  contains(node) {
    return this.#root.contains(node);
  }

  show(row, hit, at, pin) {
    clearTimeout(this.#leaving);
    if (this.pinned && !pin) return;
    this.#about = { row: row.id, interaction: hit.interaction.id, start: hit.segment.start };
    this.pinned = pin;
    this.#root.classList.toggle("pinned", pin);
    setText(this.#fields.hint, pin ? "Pinned. Esc closes." : "Click to pin");
    this.#root.hidden = false;
    this.update(row, at.now);
    this.#place(at);
  }

  /** Writes the card anew from the row as it is now; a segment that is gone leaves the card as it was. */
  update(row, now) {
    if (!this.#about || !row) return;
    const one = row.interactions.find((each) => each.id === this.#about.interaction);
    const place = one ? one.segments.findIndex((each) => each.start === this.#about.start) : -1;
    if (place < 0) return;
    const segment = one.segments[place];
    const fields = this.#fields;
    setText(fields.kind, KIND_LABELS[segment.kind]);
    setText(fields.channel, channelLabel(one.channel));
    this.#root.style.setProperty("--swatch", `var(--channel-${channelToken(one.channel)})`);
    setText(fields.customer, row.customer);
    fields.customer.href = journeyPath(row.id);
    setText(fields.state, one.timedOut ? "Closed by time-out" : STATE_LABELS[one.state] ?? one.state);
    setText(fields.queue, one.queue ?? "—");
    setText(fields.agent, one.agent ?? "—");
    setText(fields.from, moment(segment.start, now));
    setText(fields.to, segment.end === null ? "now" : moment(segment.end, now));
    setText(fields.length, length((segment.end ?? now) - segment.start));
    setText(fields.outcome, one.disposition ?? "—");
    const before = one.segments[place - 1];
    const after = one.segments[place + 1];
    const name = (other) => (other ? `${KIND_LABELS[other.kind]} ${length((other.end ?? now) - other.start)}` : "—");
    setText(fields.around, `${name(before)}  →  this  →  ${name(after)}`);
    setText(fields.id, one.id);
    fields.open.href = journeyPath(row.id);
  }

  /** The pointer left the bar: the card stays a moment, so that one can move onto it. */
  leave() {
    if (this.pinned) return;
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.close(), LEAVE_MS);
  }
  close() {
    if (!this.#about) return false;
    clearTimeout(this.#leaving);
    this.#about = null;
    this.pinned = false;
    this.#root.hidden = true;
    this.changed();
    return true;
  }

  #place({ x, y }) {
    const { offsetWidth: width, offsetHeight: height } = this.#root;
    const left = x + GAP + width > innerWidth - 8 ? x - GAP - width : x + GAP;
    const top = y + GAP + height > innerHeight - 8 ? y - GAP - height : y + GAP;
    this.#root.style.left = `${Math.max(8, left)}px`;
    this.#root.style.top = `${Math.max(8, top)}px`;
  }

  #build() {
    const make = (name, className, parent) => {
      const made = document.createElement(name);
      made.className = className;
      parent.append(made);
      return made;
    };
    const head = make("div", "card-head", this.#root);
    this.#fields.kind = make("strong", "card-kind", head);
    this.#fields.channel = make("span", "card-channel", head);
    this.#fields.length = make("span", "card-length", head);
    this.#fields.customer = make("a", "card-customer", this.#root);
    const list = make("dl", "card-facts", this.#root);
    const labels = {
      state: "State", queue: "Queue", agent: "Agent", from: "From", to: "To", outcome: "Outcome", around: "Around", id: "Id",
    };
    for (const [field, label] of Object.entries(labels)) {
      const pair = make("div", "", list);
      make("dt", "", pair).textContent = label;
      this.#fields[field] = make("dd", `card-${field}`, pair);
    }
    const foot = make("div", "card-foot", this.#root);
    this.#fields.open = make("a", "card-open", foot);
    this.#fields.open.textContent = "Open journey";
    this.#fields.hint = make("span", "card-hint", foot);
  }
}
