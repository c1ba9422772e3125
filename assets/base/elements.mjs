// Elements: found, made, and changed only where something differs.

import { makeIcon, showIcon } from "./icons.mjs";

/** The element with this id. */
export const element = (id) => document.getElementById(id);

/** A new element at the end of `parent`. */
export function make(name, className, parent) {
  const made = document.createElement(name);
  made.className = className;
  parent?.append(made);
  return made;
}

/** Sets text only where it differs: an unchanged element costs no layout and keeps a selection. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Makes `badge` the channel's: its colour and its icon. */
export function showBadge(badge, token) {
  if (badge.dataset.channel === token) return;
  badge.dataset.channel = token;
  if (badge.firstChild) showIcon(badge.firstChild, token);
  else makeIcon(token, badge);
}
