// The command box and the sheet of keys: loaded when one of them is opened first, so that the first picture does not wait for them.

const STYLES = "/assets/commands/commands.css";

let styled = null;
/** Resolves when the dialogs' own style sheet is there: without it they would flash. */
function style() {
  styled ??= new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLES;
    // Better a plain dialog than none.
    link.onload = link.onerror = done;
    document.head.append(link);
  });
  return styled;
}

export class Dialogs {
  #parts;
  #box = null;
  #sheet = null;

  /** `parts`: `commands()`, `page()`, `keys`, `wall`, `router`, and the two dialogs' elements `box` and `sheet`. */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Opens the command box with `all` there is to find, only `commands`, or only `customers`. */
  async commands(mode) {
    const [{ CommandBox }] = await Promise.all([import("./commandbox.mjs"), style()]);
    this.#box ??= new CommandBox(this.#parts);
    if (!document.querySelector("dialog[open]")) this.#box.open(mode);
  }

  async sheet() {
    const [{ Sheet }] = await Promise.all([import("./sheet.mjs"), style()]);
    this.#sheet ??= new Sheet(this.#parts.sheet, this.#parts.commands(), this.#parts.keys);
    if (!document.querySelector("dialog[open]")) this.#sheet.open();
  }
}
