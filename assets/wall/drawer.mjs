// The drawer: all about the journey that is selected. It lies over the chart's edge and keeps up with every answer, or says since
// when it does not.

import { make, setText, showBadge } from "../base/elements.mjs";
import { theme } from "../base/palette.mjs";
import { keepElements } from "../base/records.mjs";
import { looksPersonal } from "../base/spelling.mjs";
import { length, moment, zoneName } from "../base/times.mjs";
import { count } from "../base/units.mjs";
import { channelLabel, channelToken, STATE_LABELS } from "../base/words.mjs";
import { journeyPath } from "../state/address.mjs";
import { writeInteractions } from "./interactions.mjs";

/** What flags mean (view/flags.py), in a word or two. */
export const FLAG_LABELS = {
  "waiting-long": "Waiting long", abandoned: "Abandoned", "handed-over": "Handed over twice or more", reopened: "Reopened", "timed-out": "Timed out",
  "many-channels": "Three channels or more", anonymous: "Customer not known", large: "Very long, updated every few seconds",
};

export class Drawer {
  #root;
  #row = null;
  #id = null;
  #fields = {};

  /** `actions`: `close()`, `pin(id)`, `filter(customer)`. `root` is filled by `web/components/drawer.py`. */
  constructor(root, actions) {
    this.#root = root;
    for (const field of root.querySelectorAll("[data-field]")) this.#fields[field.dataset.field] = field;
    const click = (field, action) => this.#fields[field].addEventListener("click", action);
    click("close", () => actions.close());
    click("pin", () => actions.pin(this.#id));
    click("neighbours", (event) => {
      if (!this.#row || looksPersonal(this.#row.customer)) return;
      event.preventDefault();
      actions.filter(this.#row.customer);
    });
  }

  get open() {
    return !this.#root.hidden;
  }
  focus() {
    this.#root.focus({ preventScroll: true });
  }
  contains(node) {
    return this.#root.contains(node);
  }

  /**
   * Shows the journey `id`, null closes. `row` is what is known of it, undefined while nothing is; `stale` says why it is not kept
   * up and as of when it is shown (`{text, at}`), null while it is; `listed` is false where it is known not to match.
   */
  show(id, { row, stale, listed, pinned, now }) {
    const other = id !== this.#id;
    this.#id = id;
    this.#root.hidden = id === null;
    document.body.classList.toggle("with-drawer", id !== null);
    if (id === null) {
      this.#row = null;
      return;
    }
    if (other) {
      this.#row = null;
      this.#root.scrollTop = 0;
    }
    this.#row = row ?? this.#row;
    this.#root.classList.toggle("drawer-blank", !this.#row);
    this.#writeStanding(stale, listed);
    this.#writeLinks(pinned);
    if (this.#row) this.#write(this.#row, stale ? stale.at : now);
    else setText(this.#fields.customer, stale ? "A journey that is not here" : "Looking for it …");
  }

  /** One line that is always there: what is shown is up to date, or since when it is not. */
  #writeStanding(stale, listed) {
    const place = this.#fields.standing;
    const known = listed ? "Up to date" : "Up to date, though it does not match the filters";
    place.dataset.kind = stale ? "stale" : "live";
    setText(place, stale?.text ?? (this.#row ? known : ""));
  }

  #writeLinks(pinned) {
    const { open, packet, pin, neighbours } = this.#fields;
    const path = journeyPath(this.#id);
    if (open.getAttribute("href") !== path) open.href = path;
    const file = `/export${path}.zip?${new URLSearchParams({ theme: theme(), time_zone: zoneName() })}`;
    if (packet.getAttribute("href") !== file) packet.href = file;
    pin.setAttribute("aria-pressed", String(pinned));
    setText(pin, pinned ? "Unpin" : "Pin");
    const customer = this.#row?.customer;
    neighbours.hidden = !customer || Boolean(this.#row.flags?.includes("anonymous"));
    if (neighbours.hidden) return;
    // A phone number or an address is no condition to be passed on: the journey's page knows the others.
    const query = looksPersonal(customer) ? path : `/?${new URLSearchParams({ customer })}`;
    if (neighbours.getAttribute("href") !== query) neighbours.href = query;
    setText(neighbours, looksPersonal(customer) ? "Same customer: on its page" : "Same customer");
  }

  #write(row, now) {
    const fields = this.#fields;
    setText(fields.customer, row.customer);
    fields.state.style.setProperty("--swatch", `var(--state-${row.state.toLowerCase()})`);
    fields.state.dataset.state = row.state;
    setText(fields.word, STATE_LABELS[row.state] ?? row.state);
    setText(fields.time, `for ${length(Math.max(0, now - row.since))}`);
    keepElements(fields.channels, row.channels, String, makeChannel, (element, channel) => {
      showBadge(element.firstChild, channelToken(channel));
      setText(element.lastChild, channelLabel(channel));
    });
    keepElements(fields.flags, row.flags ?? [], String, () => make("li", "drawer-flag"), (element, flag) => {
      element.dataset.flag = flag;
      setText(element, FLAG_LABELS[flag] ?? flag);
    });
    setText(fields.started, moment(row.start, now));
    setText(fields.last, row.state === "CLOSED" ? moment(row.last, now) : `${moment(row.last, now)} (${length(Math.max(0, now - row.last))} ago)`);
    setText(fields.length, length((row.state === "CLOSED" ? row.last : now) - row.start));
    setText(fields.events, count(row.events));
    setText(fields.transfers, count(row.transfers.length));
    setText(fields.id, row.id);
    writeInteractions(fields.interactions, row, now);
    const cut = row.count - row.interactions.length;
    fields.cut.hidden = cut <= 0;
    setText(fields.cut, `${count(cut)} more on the journey's page`);
  }
}

function makeChannel() {
  const item = make("li", "drawer-channel");
  make("span", "badge", item).setAttribute("aria-hidden", "true");
  make("span", "", item);
  return item;
}
