// The keyboard: one map for the whole page, silent while somebody types.

/** `actions` by key; an action that returns false leaves the key to the browser. */
export function startKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    const typing = target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (typing) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (document.querySelector("dialog[open]") && event.key !== "?") return;
    const pressable = target.matches?.("button, a, summary, input[type=checkbox]");
    if (pressable && (event.key === " " || event.key === "Enter")) {
      // A focused row's link: Enter opens it by itself, Space has no meaning there and stays ours.
      if (event.key === "Enter" || !target.matches(".row-customer")) return;
    }
    const action = actions[event.key] ?? actions[event.key.toLowerCase()];
    if (action && action(event) !== false) event.preventDefault();
  });
}

export function startHelp(button, sheet) {
  const toggle = () => (sheet.open ? sheet.close() : sheet.showModal());
  button.addEventListener("click", toggle);
  return toggle;
}
