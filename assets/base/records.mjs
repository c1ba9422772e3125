// Lists that live: elements kept by key, so that a selection, an open sample and the place scrolled to survive every update.

import { setText } from "./elements.mjs";

const keptIn = new WeakMap();

/**
 * Makes the children of `parent` those of `items`, in their order. An element that stands for the same `key(item, index)`
 * stays the same and is not moved; `make()` makes a new one, `write(element, item)` fills it.
 */
export function keepElements(parent, items, key, make, write) {
  if (!keptIn.has(parent)) keptIn.set(parent, new Map());
  const kept = keptIn.get(parent);
  const names = items.map(key);
  const wanted = new Set(names);
  for (const [name, element] of kept) {
    if (wanted.has(name)) continue;
    element.remove();
    kept.delete(name);
  }
  let next = parent.firstElementChild;
  for (const [index, item] of items.entries()) {
    const name = names[index];
    let element = kept.get(name);
    if (!element) {
      element = make();
      kept.set(name, element);
    }
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
    write(element, item);
  }
}

/** Rows of a table: `cells(item)` gives the texts, and null where a column has nothing to say. */
export function keepRows(table, items, key, cells) {
  keepElements(table.tBodies[0], items, key, () => document.createElement("tr"), (row, item) => {
    cells(item).forEach((text, column) => {
      setText(row.cells[column] ?? row.insertCell(), text ?? "");
    });
  });
}

/** Whether somebody has something inside `node` selected: it is not to be written over then. */
export function isSelected(node) {
  const selection = document.getSelection();
  return Boolean(selection && !selection.isCollapsed && selection.rangeCount && selection.getRangeAt(0).intersectsNode(node));
}
