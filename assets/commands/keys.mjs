// The keyboard: finds the command of a key. Silent while somebody types, and where a key belongs to what has the focus.

const STORED = "journeymap-keys";
const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=range]), textarea, select, [contenteditable]";
/** Elements that move a focus or a value of their own with the arrow keys. */
const COMPOSITES = "[role=grid], [role=treegrid], [role=tree], [role=slider], [role=tablist], [role=radiogroup], [type=range], [type=radio]";
/** Elements that look up letters too, and close with Esc. */
const MENUS = "[role=menu], [role=listbox]";
const OWN_KEYS = new Set([
  " ", "Enter", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Shift+ArrowLeft", "Shift+ArrowRight", "Home", "End", "PageUp", "PageDown",
]);
const PAGES = ["wall", "journey", "operations"];
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES = {
  " ": "Space", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", PageUp: "Page up", PageDown: "Page down",
  Ctrl: MAC ? "⌘" : "Ctrl", "-": "−",
};

/** A key press by name: `w`, `Shift+a`, `Ctrl+k`, `?`. Shift counts with letters and named keys; signs are what they are on any keyboard. */
export function keyName(event) {
  let { key } = event;
  // Where letters are not Latin ones, the key's place counts.
  const code = /^Key([A-Z])$/.exec(event.code ?? "");
  if (key.length === 1 && key > "\u007f" && code) key = code[1];
  const letter = /^[a-z]$/i.test(key);
  // Signs may need AltGr or ⌥ to be typed at all.
  const composed = event.getModifierState?.("AltGraph") || (MAC && event.altKey && key.length === 1 && !letter);
  const parts = [];
  if ((event.ctrlKey || event.metaKey) && !composed) parts.push("Ctrl");
  if (event.altKey && !composed) parts.push("Alt");
  if (event.shiftKey && (letter || key.length > 1)) parts.push("Shift");
  return [...parts, letter ? key.toLowerCase() : key].join("+");
}

/** The parts of a key's name as people know them: `Ctrl+Shift+p` → `["Ctrl", "Shift", "P"]`. */
export function keyLabels(name) {
  const parts = name === "+" ? ["+"] : name.split("+");
  return parts.map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

/** Whether a key is one character alone: such keys can be switched off (WCAG 2.1.4). */
export function isCharacter(name) {
  return name.length === 1 && name !== " ";
}

/** Keys and what they do. `single` says whether single-character keys are on; this browser remembers it. */
export class Keys {
  #commands = new Map();
  #page;
  #single = true;
  #listeners = [];

  /** `page()` is the place that is shown. */
  constructor(page) {
    this.#page = page;
    try {
      this.#single = localStorage.getItem(STORED) !== "off";
    } catch {
      // No storage: the choice lasts as long as the page.
    }
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }
  bind(commands) {
    for (const command of commands) {
      for (const key of command.browser ? [] : command.keys) {
        const others = this.#commands.get(key) ?? [];
        const other = others.find((one) => PAGES.some((page) => isFor(one, page) && isFor(command, page)));
        if (other) throw new Error(`${key} is the key of ${other.name} and of ${command.name}`);
        this.#commands.set(key, [...others, command]);
      }
    }
  }
  get single() {
    return this.#single;
  }
  set single(on) {
    this.#single = on;
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // See above.
    }
    for (const told of this.#listeners) told(on);
  }
  toggle() {
    this.single = !this.#single;
  }
  onChange(told) {
    this.#listeners.push(told);
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const name = keyName(event);
    const page = this.#page();
    const command = this.#commands.get(name)?.find((one) => isFor(one, page));
    if (!command || (isCharacter(name) && !this.#single)) return;
    const target = event.target;
    const typing = target.matches?.(FIELDS);
    if (typing && name === "Escape") {
      event.preventDefault();
      return leaveField(target);
    }
    if ((typing && !name.startsWith("Ctrl+")) || belongsTo(target, name)) return;
    if (command.act(event) !== false) event.preventDefault();
  }
}

function isFor(command, page) {
  return !command.when || command.when(page);
}

/** Whether what has the focus does something of its own with the key. */
function belongsTo(target, name) {
  if (name.startsWith("Ctrl+") || !target.closest) return false;
  if (target.closest(MENUS)) return true;
  if (target.closest(COMPOSITES)) return OWN_KEYS.has(name);
  // Space does nothing with a link; on a row's it holds the picture, as anywhere on the chart.
  const pressed = target.matches("button, summary, a, input, [role=button]") && (name === " " || name === "Enter");
  return pressed && !(name === " " && target.matches(".row-customer"));
}

/** Esc in a field: first it is emptied, then left. */
function leaveField(field) {
  if (field.type !== "search" || !field.value) return field.blur();
  // As if typed, so that whoever listens to the field (React) hears of it.
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, "");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
