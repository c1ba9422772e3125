// The legend's sheet: the channels' icons in it, and how it closes. Native `details` does the rest.

import { makeIcon } from "../base/icons.mjs";

export function startLegend(sheet) {
  for (const badge of sheet.querySelectorAll(".badge")) makeIcon(badge.dataset.channel, badge);
  const close = () => (sheet.open = false);
  document.addEventListener("pointerdown", (event) => sheet.contains(event.target) || close());
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !sheet.open) return;
    event.stopPropagation();
    close();
    sheet.querySelector("summary").focus();
  });
}
