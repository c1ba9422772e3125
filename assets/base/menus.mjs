// Panels that open below a button: in the browser's top layer, closed by Escape and by a click beside them, one at a time.

const MARGIN = 8;

/**
 * Makes a menu of `button` and the panel that its `data-menu` names. `fill(panel)` writes the panel each time it opens, so that
 * nothing is made for those who never open it. Returns a function that closes it.
 */
export function startMenu(button, fill) {
  const panel = document.getElementById(button.dataset.menu);
  panel.popover = "auto";
  button.popoverTargetElement = panel;
  panel.addEventListener("beforetoggle", (event) => event.newState === "open" && fill(panel));
  panel.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(panel, button);
    items(panel)[0]?.focus();
  });
  const onKey = (event) => {
    if (!panel.matches(":popover-open")) return;
    move(event, panel);
    if (event.key !== "Escape") return;
    // Here and not left to the browser: the page's own keys would take it for theirs.
    event.preventDefault();
    event.stopPropagation();
    panel.hidePopover();
    button.focus();
  };
  panel.addEventListener("keydown", onKey);
  // The button too: it has the focus until the panel has taken it, and a menu around both would close instead.
  button.addEventListener("keydown", onKey);
  window.addEventListener("resize", () => panel.matches(":popover-open") && place(panel, button));
  return () => panel.hidePopover();
}

function place(panel, button) {
  const box = button.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - panel.offsetWidth - MARGIN);
  panel.style.left = `${Math.max(MARGIN, left)}px`;
  panel.style.top = `${box.bottom + 4}px`;
  panel.style.maxHeight = `${document.documentElement.clientHeight - box.bottom - 4 - MARGIN}px`;
}

function items(panel) {
  return [...panel.querySelectorAll("button:not(:disabled), input, a[href]")].filter((item) => item.checkVisibility());
}

/** Up and down go from one thing in the panel to the next, as in a menu; text fields keep their keys. */
function move(event, panel) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target.matches("input:not([type=checkbox])")) return;
  const all = items(panel);
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next?.focus();
  event.preventDefault();
  event.stopPropagation();
}

/** A new element: `made("button", { class: "button", type: "button" }, "Save")`; `on…` are listeners, null leaves an attribute out. */
export function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
