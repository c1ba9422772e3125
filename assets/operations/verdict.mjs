// The verdict on top of the operations view: everything all right, or what is wrong, since when, and what to do.

import { setText } from "../base/elements.mjs";
import { keepElements } from "../base/records.mjs";
import { length, moment } from "../base/times.mjs";
import { sentence } from "../base/units.mjs";

export class Verdict {
  #root;
  #announcer;

  /** `announcer` reads the news out. */
  constructor(root, announcer) {
    this.#root = root;
    this.#announcer = announcer;
  }

  /** `findings` are what is wrong, the worst first; `well` is the sentence for when nothing is, `since` since when. */
  write(findings, well, since, now) {
    const [worst, ...others] = findings;
    const kind = !worst ? "good" : worst.unready ? "error" : "warning";
    this.#root.dataset.kind = kind;
    const title = worst ? sentence(worst.sentence) : "All is well";
    this.#set("title", title);
    this.#set("remedy", worst ? worst.remedy : well);
    this.#set("since", lasting(worst ? worst.since : since, now));
    const list = this.#root.querySelector(".verdict-others");
    list.hidden = !others.length;
    keepElements(list, others, ({ code }, index) => `${code} ${index}`, makeOther, (element, other) => {
      setText(element.children[0], sentence(other.sentence));
      setText(element.children[1], other.since ? lasting(other.since, now) : "");
      setText(element.children[2], other.remedy);
    });
    const retry = this.#root.querySelector(".verdict-retry");
    if (retry) retry.hidden = !findings.some(({ code }) => ["refused", "names", "backfill"].includes(code));
    this.#announcer.news("operations", kind === "good" ? title : `${title}. ${worst.remedy}`);
  }

  #set(part, text) {
    setText(this.#root.querySelector(`.verdict-${part}`), text);
  }
}

function makeOther() {
  const item = document.createElement("li");
  for (const name of ["strong", "span", "p"]) item.append(document.createElement(name));
  return item;
}

function lasting(since, now) {
  return since ? `since ${moment(since, now)} (${length(now - since)})` : "";
}
