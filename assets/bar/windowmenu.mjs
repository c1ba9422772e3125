// The menu of the window of time: the last minutes or hours, or from one moment to another.

import { fromLocal, toLocal } from "../base/localtime.mjs";
import { made, startMenu } from "../base/menus.mjs";
import { length, moment, shortTime, zoneName } from "../base/times.mjs";
import { address } from "../state/address.mjs";

const MINUTE = 60_000;
const SPANS = [[5, "Last 5 min"], [15, "Last 15 min"], [30, "Last 30 min"], [60, "Last hour"], [240, "Last 4 hours"], [480, "Last 8 hours"], [1440, "Last 24 hours"]];

/** `shown()` is the window now on the screen, `[start, end]`. */
export function startWindowMenu(button, shown) {
  const close = startMenu(button, (panel) => fill(panel, shown(), () => close()));
  const text = button.querySelector(".menu-text");
  const write = () => (text.textContent = words(address.state.window));
  write();
  address.onChange((state, previous) => state.window !== previous.window && write());
}

function words(shown) {
  if (!shown.live) return `${moment(shown.from).replace(/:\d\d$/, "")} – ${shortTime(shown.to)}`;
  return SPANS.find(([minutes]) => minutes * MINUTE === shown.span)?.[1] ?? `Last ${length(shown.span)}`;
}

function fill(panel, [start, end], close) {
  const { window: shown } = address.state;
  const items = SPANS.map(([minutes, text]) => {
    const span = minutes * MINUTE;
    const chosen = shown.live && shown.span === span;
    // Rows of a fixed stretch of time were asked for with it; the present has no bounds.
    const choose = () => {
      close();
      address.change({ window: { live: true, span }, filters: { from: null, to: null } });
    };
    return made("button", { class: "menu-item", type: "button", "aria-pressed": String(chosen), onclick: choose }, text);
  });
  const from = made("input", { class: "field", type: "datetime-local", step: 1, required: true, value: toLocal(Math.round(start / 1000) * 1000) });
  const to = made("input", { class: "field", type: "datetime-local", step: 1, required: true, value: toLocal(Math.round(end / 1000) * 1000) });
  const wrong = made("p", { class: "menu-wrong", role: "alert", hidden: true }, "“From” has to be earlier than “to”.");
  const apply = (event) => {
    event.preventDefault();
    const [first, last] = [fromLocal(from.value), fromLocal(to.value)];
    wrong.hidden = first !== null && last !== null && first < last;
    if (!wrong.hidden) return;
    close();
    address.change({ window: { live: false, from: first, to: last }, filters: { from: first, to: last } });
  };
  panel.replaceChildren(
    made("div", { class: "menu-list" }, ...items),
    made("form", { class: "menu-form", onsubmit: apply },
      made("label", { class: "field-column" }, made("span", {}, "From"), from), made("label", { class: "field-column" }, made("span", {}, "To"), to), wrong,
      made("p", { class: "menu-note" }, `Shows what was active then. Times in ${zoneName()}.`), made("button", { class: "button button-filled", type: "submit" }, "Show this time")),
  );
}
