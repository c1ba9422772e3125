// What lies over the breaks of a journey's chart: a button on each that says how long the idle stretch is and unfolds it, and one above
// each unfolded stretch that folds it again.

const HORIZONTAL = 40;
const FOLD_WIDTH = 92;

export class Breaks {
  #root;
  #toggle;
  #wheel;
  #buttons = new Map();
  #folds = [];
  #frame = null;

  constructor(root, toggle, wheel) {
    this.#root = root;
    this.#toggle = toggle;
    this.#wheel = wheel;
  }
  /** `folds` are `[start, end, label]`; `frame` says where the chart has its scale and margins, null for no chart. */
  show(folds, frame) {
    this.#folds = frame ? folds : [];
    this.#frame = frame;
    const wanted = new Set(this.#folds.map(([start]) => start));
    for (const [start, button] of this.#buttons) {
      if (wanted.has(start)) continue;
      button.remove();
      this.#buttons.delete(start);
    }
    for (const [start] of this.#folds) if (!this.#buttons.has(start)) this.#buttons.set(start, this.#button(start));
    if (frame) this.move(frame.left, frame.closer);
  }
  /** The chart shows its scale from `left` on, `closer` times as large. */
  move(left, closer) {
    const { scale, margin, height, expanded } = this.#frame;
    for (const [start, end, label] of this.#folds) {
      const button = this.#buttons.get(start);
      const from = (scale.x(start) - left) * closer;
      const to = (scale.x(end) - left) * closer;
      const [first, last] = [Math.max(0, from), Math.min(scale.width, to)];
      const open = expanded.has(start);
      button.hidden = last - first < 8 || from > scale.width || to < 0;
      button.classList.toggle("open", open);
      button.classList.toggle("narrow", !open && last - first < HORIZONTAL);
      button.setAttribute("aria-expanded", String(open));
      button.textContent = open ? `Fold ${label}` : label;
      button.title = open ? `Idle for ${label}: fold it` : `Idle for ${label}: show it at its true length`;
      const width = open ? Math.min(FOLD_WIDTH, last - first) : last - first;
      const style = { left: `${margin.l + first}px`, width: `${width}px`, top: open ? "2px" : `${margin.t}px`, height: open ? "24px" : `${height}px` };
      Object.assign(button.style, style);
    }
  }
  #button(start) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "journey-break";
    button.dataset.start = start;
    button.addEventListener("click", () => this.#toggle(start));
    button.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    const next = [...this.#buttons.keys()].filter((other) => other > start).sort((one, other) => one - other)[0];
    this.#root.insertBefore(button, next === undefined ? null : this.#buttons.get(next));
    return button;
  }
}
