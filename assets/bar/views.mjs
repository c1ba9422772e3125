// Saved views: what the address says, under a name, in this browser only.

import { made, startMenu } from "../base/menus.mjs";
import { conditionsInForce } from "../filters/chips.mjs";
import { address, START } from "../state/address.mjs";

const STORED = "journeymap-views";
const MOST = 50;
/** What a view keeps: not what was selected, which is of the moment. */
const PARTS = ["filters", "sort", "group", "window", "pinned", "table"];

export function readViews() {
  try {
    const views = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(views) ? views.filter((view) => typeof view?.name === "string" && view.state && typeof view.state === "object") : [];
  } catch {
    // No storage, or something that is no list: then there are no views.
    return [];
  }
}

function writeViews(views) {
  try {
    localStorage.setItem(STORED, JSON.stringify(views.slice(0, MOST)));
    return true;
  } catch {
    return false;
  }
}

function openView(view) {
  const kept = Object.fromEntries(PARTS.map((part) => [part, view.state[part] ?? START[part]]));
  address.change({ page: "wall", id: null, selected: null, expanded: [], ...kept });
}

/** Who comes without any wish gets the default view, if there is one. */
export function openDefaultView() {
  const view = readViews().find((one) => one.default);
  if (view && address.untouched) openView(view);
}

export function startViews(button, say) {
  const close = startMenu(button, (panel) => fill(panel));

  const keep = (views, panel) => {
    if (!writeViews(views)) say("This browser keeps nothing: the view could not be saved.");
    fill(panel);
    panel.querySelector("button, input")?.focus();
  };

  const row = (view, views, panel) => {
    const star = () => keep(views.map((one) => ({ ...one, default: one === view && !view.default })), panel);
    const drop = () => keep(views.filter((one) => one !== view), panel);
    const open = () => {
      close();
      openView(view);
    };
    const starred = view.default ? "The page starts with it; press to change that" : "Start with it";
    return made("li", { class: "view-row" },
      made("button", { class: "menu-item view-open", type: "button", title: words(view), onclick: open }, view.name),
      made("button", { class: "button button-icon button-bare", type: "button", "aria-pressed": String(Boolean(view.default)), title: starred, "aria-label": `${starred}: ${view.name}`, onclick: star }, view.default ? "★" : "☆"),
      made("button", { class: "button button-icon button-bare", type: "button", title: "Delete", "aria-label": `Delete ${view.name}`, onclick: drop }, "×"));
  };

  const fill = (panel) => {
    const views = readViews();
    const name = made("input", { class: "field", type: "text", maxlength: 60, required: true, placeholder: "Name", "aria-label": "Name of the view", autocomplete: "off" });
    const save = (event) => {
      event.preventDefault();
      const called = name.value.trim();
      if (!called) return;
      const state = Object.fromEntries(PARTS.map((part) => [part, address.state[part]]));
      const known = views.find((one) => one.name === called);
      const others = views.filter((one) => one !== known);
      if (!known && views.length >= MOST) return say(`At most ${MOST} views are kept: delete one first.`);
      if (!writeViews([...others, { name: called, default: known?.default ?? false, state }])) return say("This browser keeps nothing: the view could not be saved.");
      close();
      return say(`Saved as “${called}” in this browser.`);
    };
    panel.replaceChildren(
      views.length ? made("ul", { class: "menu-list view-list" }, ...views.map((view) => row(view, views, panel))) : made("p", { class: "menu-note" }, "A view is the filters, order, window and pinned rows of now, under a name. Views stay in this browser."),
      made("form", { class: "menu-form menu-line", onsubmit: save }, name, made("button", { class: "button button-filled", type: "submit" }, "Save")),
    );
  };
}

function words(view) {
  const chips = conditionsInForce({ ...START.filters, ...view.state.filters });
  return chips.length ? chips.map(({ text }) => text).join(", ") : "All journeys";
}
