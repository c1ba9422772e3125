// The sheet of keys, written from the table of commands.

import { make } from "../base/elements.mjs";
import { GROUPS } from "./commands.mjs";
import { keyLabels, keyName } from "./keys.mjs";

const HINT = "Drag the chart to move in time, wheel to scroll, Ctrl or ⌘ and wheel to zoom. Point at a bar for its details, click to pin them.";
const SWITCH = "Single-character keys";
const SWITCH_HINT = "Off: only keys such as Ctrl, Esc and arrows do something, and characters nothing. This browser remembers it.";

export class Sheet {
  #dialog;

  constructor(dialog, commands, keys) {
    this.#dialog = dialog;
    const head = make("div", "sheet-head", dialog);
    make("h2", "", head).textContent = "Keys";
    head.append(closing("×", "button button-icon sheet-close", "Close"));
    const groups = make("div", "sheet-groups", dialog);
    for (const group of GROUPS) write(groups, group, commands.filter((command) => command.group === group && command.keys.length));
    make("p", "sheet-hint", dialog).textContent = HINT;
    dialog.append(switchFor(keys));
    // The key that opened it closes it, too.
    dialog.addEventListener("keydown", (event) => keyName(event) === "?" && dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
  open() {
    this.#dialog.showModal();
  }
}

function write(parent, group, commands) {
  const section = make("section", "sheet-group", parent);
  make("h3", "", section).textContent = group;
  const list = make("dl", "", section);
  for (const command of commands) {
    const pair = make("div", "", list);
    writeKeys(make("dt", "", pair), command.said ?? command.keys);
    make("dd", "", pair).textContent = command.title;
  }
}

/** Writes keys into `parent`, each key a `kbd`. */
export function writeKeys(parent, keys) {
  keys.forEach((key, place) => {
    if (place) make("span", "keys-or", parent).textContent = " or ";
    const combined = make("kbd", "keys", parent);
    for (const [step, label] of keyLabels(key).entries()) {
      if (step) combined.append(" ");
      make("kbd", "key", combined).textContent = label;
    }
  });
}

function switchFor(keys) {
  const label = document.createElement("label");
  label.className = "sheet-switch";
  const box = make("input", "", label);
  box.type = "checkbox";
  box.id = "single-keys";
  box.checked = keys.single;
  box.setAttribute("aria-describedby", "single-keys-hint");
  make("span", "", label).textContent = SWITCH;
  const hint = make("span", "sheet-switch-hint", label);
  hint.id = "single-keys-hint";
  hint.textContent = SWITCH_HINT;
  box.addEventListener("change", () => (keys.single = box.checked));
  keys.onChange((on) => (box.checked = on));
  return label;
}

function closing(text, className, name) {
  const form = document.createElement("form");
  form.method = "dialog";
  const button = make("button", className, form);
  button.textContent = text;
  button.setAttribute("aria-label", name);
  return form;
}
