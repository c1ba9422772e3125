// The rows' heads: real elements, made once, reused while scrolling, that can be read, focused and clicked.

import { make, setText, showBadge } from "../base/elements.mjs";
import { makeIcon } from "../base/icons.mjs";
import { length, shortLength } from "../base/times.mjs";
import { channelLabel, channelToken, STATE_LABELS, STATE_WORDS } from "../base/words.mjs";
import { journeyPath } from "../state/address.mjs";

const MOST_BADGES = 3;

export class RowHeads {
  #cells = new Map();
  #free = [];
  #parent;
  #looks = {};

  constructor(parent) {
    this.#parent = parent;
  }

  /** Shows the heads of `places` (draw.mjs) and takes all others away; `total` is how many rows there are in all. */
  show(places, looks) {
    this.#looks = looks;
    const wanted = new Set();
    for (const { row } of places) if (row) wanted.add(row.id);
    for (const [id, cell] of this.#cells) {
      if (wanted.has(id)) continue;
      this.#cells.delete(id);
      cell.root.hidden = true;
      cell.id = null;
      this.#free.push(cell);
    }
    for (const place of places) if (place.row) this.#write(place);
  }

  #write({ row, y, height, laid, index, pinned }) {
    const { now, marked, chosen, total } = this.#looks;
    const cell = this.#cells.get(row.id) ?? this.#take(row.id);
    if (cell.y !== y) {
      cell.y = y;
      cell.root.style.transform = `translateY(${y}px)`;
    }
    const { classList } = cell.root;
    classList.toggle("marked", row.id === marked);
    classList.toggle("chosen", row.id === chosen);
    classList.toggle("pinned", pinned);
    if (cell.index !== index || cell.total !== total) {
      cell.index = index;
      cell.total = total;
      cell.root.setAttribute("aria-posinset", index + 1);
      cell.root.setAttribute("aria-setsize", total);
    }
    if (cell.tag !== row.tag) this.#fill(cell, row);
    if (cell.laid !== laid) this.#lay(cell, laid, height);
    if (cell.isPinned !== pinned) {
      cell.isPinned = pinned;
      cell.pin.setAttribute("aria-pressed", String(pinned));
      cell.pin.title = pinned ? "Let go of the top" : "Pin to the top";
    }
    setText(cell.time, shortLength(now - row.since));
  }

  #fill(cell, row) {
    cell.tag = row.tag;
    cell.root.dataset.id = row.id;
    cell.root.dataset.state = row.state;
    setText(cell.link, row.customer);
    cell.link.href = journeyPath(row.id);
    cell.link.title = row.customer;
    cell.link.removeAttribute("aria-label");
    cell.expand.setAttribute("aria-label", `Channels of ${row.customer}`);
    cell.pin.setAttribute("aria-label", `Pin ${row.customer}`);
    setText(cell.word, STATE_WORDS[row.state] ?? row.state);
    cell.word.title = STATE_LABELS[row.state] ?? row.state;
    cell.dot.style.setProperty("--swatch", `var(--state-${row.state.toLowerCase()})`);
    const shown = row.channels.slice(0, row.channels.length > MOST_BADGES ? MOST_BADGES - 1 : MOST_BADGES);
    cell.badges.setAttribute("aria-label", row.channels.map(channelLabel).join(", "));
    cell.badges.title = row.channels.map(channelLabel).join(", ");
    showBadges(cell.badges, shown.map(channelToken));
    setText(cell.more, shown.length < row.channels.length ? `+${row.channels.length - shown.length}` : "");
  }
  /** Puts the tracks' names beside the tracks. */
  #lay(cell, laid, height) {
    cell.laid = laid;
    cell.root.style.height = `${height}px`;
    cell.line.style.height = `${laid.line}px`;
    const tracks = laid.tracks ?? [];
    cell.expand.setAttribute("aria-expanded", String(Boolean(laid.tracks)));
    cell.expand.title = laid.tracks ? "Back to one line" : "A track for each channel";
    while (cell.tracks.children.length > tracks.length) cell.tracks.lastChild.remove();
    tracks.forEach(({ channel, top, height: high }, place) => {
      const track = cell.tracks.children[place] ?? makeTrack(cell.tracks);
      track.style.top = `${top}px`;
      track.style.height = `${high}px`;
      showBadges(track.firstChild, [channelToken(channel)]);
      setText(track.lastChild, channelLabel(channel));
    });
  }

  #take(id) {
    const cell = this.#free.pop() ?? this.#make();
    Object.assign(cell, { id, tag: null, laid: null });
    cell.root.hidden = false;
    this.#cells.set(id, cell);
    return cell;
  }
  #make() {
    const root = make("div", "row-head", this.#parent);
    root.setAttribute("role", "listitem");
    const line = make("div", "row-line", root);
    const expand = makeButton("row-expand", "expand", line);
    const dot = make("span", "row-dot", line);
    dot.setAttribute("aria-hidden", "true");
    const link = make("a", "row-customer", line);
    const channels = make("span", "row-channels", line);
    const badges = make("span", "row-badges", channels);
    badges.setAttribute("role", "img");
    const more = make("span", "row-more", channels);
    const state = make("span", "row-state", line);
    const word = make("span", "row-word", state);
    const time = make("span", "row-time", state);
    const pin = makeButton("row-pin", "pin", line);
    const tracks = make("div", "row-tracks", root);
    return { root, line, expand, dot, link, badges, more, word, time, pin, tracks, y: null, index: null, total: null };
  }

  link(id) {
    return this.#cells.get(id)?.link;
  }
  /** The id of the row that has the focus, in its head. */
  focused() {
    const cell = document.activeElement?.closest?.(".row-head");
    return cell && this.#parent.contains(cell) ? cell.dataset.id : null;
  }
}

function makeButton(className, icon, parent) {
  const button = make("button", `row-button ${className}`, parent);
  button.type = "button";
  makeIcon(icon, button);
  return button;
}

function makeTrack(parent) {
  const track = make("div", "row-track", parent);
  make("span", "row-badges", track).setAttribute("aria-hidden", "true");
  make("span", "row-channel", track);
  return track;
}

/** A square in the channel's colour, with its icon, for each of `tokens`. */
function showBadges(place, tokens) {
  while (place.children.length > tokens.length) place.lastChild.remove();
  tokens.forEach((token, at) => showBadge(place.children[at] ?? make("span", "badge", place), token));
}

/** What is said of a row when it gets the focus. */
export function describe(row, now) {
  const state = STATE_LABELS[row.state] ?? row.state;
  return `${row.customer}, ${state} for ${length(now - row.since)}, ${row.channels.map(channelLabel).join(", ")}`;
}
