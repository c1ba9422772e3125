// The bar on top: window of time, views, share, exports.

import { element } from "../base/elements.mjs";
import { startMenu } from "../base/menus.mjs";
import { clearFilters } from "../filters/chips.mjs";
import { address } from "../state/address.mjs";
import { startExports } from "./exportmenu.mjs";
import { startSaying, startShare } from "./share.mjs";
import { openDefaultView, startViews } from "./views.mjs";
import { startWindowMenu } from "./windowmenu.mjs";

/** `wall` tells what window is shown and which channels are asked for. */
export function startTopbar(wall) {
  const say = startSaying(element("said"));
  openDefaultView();
  startWindowMenu(element("window-menu"), () => wall.window);
  startViews(element("views-menu"), say);
  startShare(element("share"), say);
  startExports(wall, say);
  startMore(element("more"));
  // The brand leads to the wall; on the wall, to all of it.
  element("brand").addEventListener("click", () => address.state.page === "wall" && clearFilters());
}

/** On a phone the bar's end is a menu; what was chosen from it closes it, but for the menus in it and the theme. */
function startMore(button) {
  const close = startMenu(button, () => {});
  document.getElementById(button.dataset.menu).addEventListener("click", ({ target }) => {
    const chosen = target.closest(".button, .menu-item");
    if (chosen && !chosen.matches(".menu-button, #theme, .view-row *, .menu-form *")) close();
  });
}
