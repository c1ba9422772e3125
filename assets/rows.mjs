// The rows' heads: real elements, made once, reused while scrolling, that can be read, focused and clicked.

import { channelLabel, channelLetter, channelToken, STATE_LABELS } from "./model.mjs";
import { ROW } from "./draw.mjs";
import { length, shortLength } from "./times.mjs";

const MOST_BADGES = 4;

/** A new element at the end of `parent`. */
export function make(name, className, parent) {
  const made = document.createElement(name);
  made.className = className;
  parent?.append(made);
  return made;
}

export function journeyPath(id) {
  return `/journey/${encodeURIComponent(id)}`;
}

/** Sets text only where it differs: an unchanged element costs no layout and keeps a selection. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class RowHeads {
  #cells = new Map();
  #free = [];
  #parent;

  constructor(parent) {
    this.#parent = parent;
  }

  /** Shows `visible` (`{row, y, index}`) and takes all other heads away. */
  show(visible, { now, marked, total, offset }) {
    const wanted = new Set();
    for (const { row } of visible) if (row) wanted.add(row.id);
    for (const [id, cell] of this.#cells) {
      if (wanted.has(id)) continue;
      this.#cells.delete(id);
      cell.root.hidden = true;
      cell.id = null;
      this.#free.push(cell);
    }
    for (const place of visible) if (place.row) this.#write(place, now, marked, total);
    this.#parent.dataset.offset = offset;
  }

  #write({ row, y, index }, now, marked, total) {
    let cell = this.#cells.get(row.id);
    if (!cell) {
      cell = this.#free.pop() ?? this.#make();
      cell.root.hidden = false;
      cell.id = row.id;
      cell.tag = null;
      this.#cells.set(row.id, cell);
    }
    if (cell.y !== y) {
      cell.y = y;
      cell.root.style.transform = `translateY(${y}px)`;
    }
    cell.root.classList.toggle("marked", row.id === marked);
    if (cell.index !== index || cell.total !== total) {
      cell.index = index;
      cell.total = total;
      cell.root.setAttribute("aria-posinset", index + 1);
      cell.root.setAttribute("aria-setsize", total);
    }
    if (cell.tag !== row.tag) this.#fill(cell, row);
    setText(cell.time, shortLength(now - row.since));
  }

  #fill(cell, row) {
    cell.tag = row.tag;
    cell.root.dataset.id = row.id;
    cell.root.dataset.state = row.state;
    setText(cell.link, row.customer);
    cell.link.href = journeyPath(row.id);
    cell.link.title = row.customer;
    setText(cell.word, STATE_LABELS[row.state] ?? row.state);
    cell.dot.style.setProperty("--swatch", `var(--state-${row.state.toLowerCase()})`);
    const shown = row.channels.slice(0, row.channels.length > MOST_BADGES ? MOST_BADGES - 1 : MOST_BADGES);
    const letters = shown.map((channel) => [channelLetter(channel), channelToken(channel), channelLabel(channel)]);
    if (shown.length < row.channels.length) letters.push([`+${row.channels.length - shown.length}`, "more", ""]);
    cell.badges.setAttribute("aria-label", row.channels.map(channelLabel).join(", "));
    while (cell.badges.children.length > letters.length) cell.badges.lastChild.remove();
    letters.forEach(([letter, token, label], place) => {
      const badge = cell.badges.children[place] ?? make("span", "badge", cell.badges);
      setText(badge, letter);
      badge.dataset.channel = token;
      badge.title = label;
    });
  }

  #make() {
    const root = make("div", "row-head", this.#parent);
    root.setAttribute("role", "listitem");
    root.style.height = `${ROW}px`;
    const dot = make("span", "row-dot", root);
    dot.setAttribute("aria-hidden", "true");
    const link = make("a", "row-customer", root);
    const badges = make("span", "row-channels", root);
    badges.setAttribute("role", "img");
    const state = make("span", "row-state", root);
    const word = make("span", "row-word", state);
    const time = make("span", "row-time", state);
    return { root, link, badges, dot, word, time, id: null, tag: null, y: null, index: null, total: null };
  }

  link(id) {
    return this.#cells.get(id)?.link;
  }
  focused() {
    const cell = document.activeElement?.closest?.(".row-head");
    return cell && this.#parent.contains(cell) ? cell.dataset.id : null;
  }
}

/** What is said of a row when it gets the focus. */
export function describe(row, now) {
  const state = STATE_LABELS[row.state] ?? row.state;
  return `${row.customer}, ${state} for ${length(now - row.since)}, ${row.channels.map(channelLabel).join(", ")}`;
}
