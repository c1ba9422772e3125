// The groups' headings: a bar across heads and chart with the group's name and size. The one of the rows on top stays on top.

import { make, setText } from "../base/elements.mjs";
import { isId, shortName, STATE_LABELS } from "../base/words.mjs";

/** Height in pixels. */
export const HEADING = 26;

export class Headings {
  #parent;
  #made = [];

  constructor(parent) {
    this.#parent = parent;
  }
  /** Shows `headings` (`{name, rows, y}`, from top to bottom); `group` says what the rows are grouped by. */
  show(headings, group) {
    while (this.#made.length < headings.length) this.#made.push(this.#make());
    this.#made.forEach((one, place) => {
      const heading = headings[place];
      one.root.hidden = !heading;
      if (!heading) return;
      one.root.style.transform = `translateY(${heading.y}px)`;
      one.root.dataset.group = heading.name;
      setText(one.name, group === "state" ? STATE_LABELS[heading.name] ?? heading.name : shortName(heading.name) || "No queue");
      one.name.title = isId(heading.name) ? heading.name : "";
      setText(one.rows, heading.rows.toLocaleString("en-GB"));
      one.dot.hidden = group !== "state";
      if (group === "state") one.dot.style.setProperty("--swatch", `var(--state-${heading.name.toLowerCase()})`);
    });
  }
  #make() {
    const root = make("div", "group-heading", this.#parent);
    root.setAttribute("role", "heading");
    root.setAttribute("aria-level", "3");
    root.style.height = `${HEADING}px`;
    const dot = make("span", "row-dot", root);
    dot.setAttribute("aria-hidden", "true");
    return { root, dot, name: make("span", "group-name", root), rows: make("span", "group-rows", root) };
  }
}
