// The theme: which one is on, its colours read from the tokens, and the button that switches it.

import { channelToken } from "./words.mjs";

const THEMES = ["system", "light", "dark"];
const CHANNELS = ["voice", "chat", "email", "message", "callback", "other"];
const STORED = "journeymap-theme";
let palette = null;

export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The theme that is on: light or dark. */
export function theme() {
  return document.documentElement.dataset.mantineColorScheme === "dark" ? "dark" : "light";
}

/** The colours that the canvas needs, read once a theme. */
export function colours() {
  if (palette) return palette;
  const channels = {};
  for (const channel of CHANNELS) {
    channels[channel] = {
      solid: token(`channel-${channel}`), tint: token(`channel-${channel}-tint`), ink: token("on-channel"), lined: {},
    };
  }
  palette = {
    channels, surface: token("surface"), text: token("text"), muted: token("muted"), line: token("line"),
    lineStrong: token("line-strong"), stripe: token("stripe"), hover: token("row-hover"), focus: token("focus"),
    chosen: token("accent-ground"), control: token("control"),
    now: token("now"), font: token("font"), gap: token("gap"), gapGround: token("gap-ground"), gapTiles: {},
  };
  return palette;
}

export function channelColours(channel) {
  return colours().channels[channelToken(channel)];
}

/** A token's colour (`#rrggbb`) with an opacity of 0 to 1. */
export function translucent(colour, opacity) {
  return `${colour}${Math.round(opacity * 255).toString(16).padStart(2, "0")}`;
}

/** Kinds that are told by lines: how they run, and the size of the tile. */
const LINES = { transfer: ["rising", 8], alert: ["upright", 6], hold: ["lying", 6] };

/** The fill of a kind that is told by its lines, made once a colour; null for the others. */
export function lined(context, channel, kind) {
  if (!Object.hasOwn(LINES, kind)) return null;
  const colour = channelColours(channel);
  colour.lined[kind] ??= context.createPattern(lineTile(colour, ...LINES[kind]), "repeat");
  return colour.lined[kind];
}

function lineTile({ tint, solid }, way, size) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.fillStyle = tint;
  pen.fillRect(0, 0, size, size);
  if (way !== "rising") {
    pen.fillStyle = solid;
    pen.fillRect(0, 0, way === "upright" ? 2 : size, way === "upright" ? size : 3);
    return tile;
  }
  pen.strokeStyle = solid;
  pen.lineWidth = 2.6;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 2, size + 2);
    pen.lineTo(shift + size + 2, -2);
  }
  pen.stroke();
  return tile;
}

export function startTheme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "system";
  try {
    chosen = localStorage.getItem(STORED) ?? "system";
  } catch {
    // No storage: the choice lasts as long as the page.
  }
  const apply = () => {
    const scheme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
    document.documentElement.dataset.mantineColorScheme = scheme;
    window.dash_clientside.set_props?.("shell", { forceColorScheme: scheme });
    button.dataset.theme = chosen;
    button.title = `Theme: ${chosen === "system" ? "as the system" : chosen}`;
    button.setAttribute("aria-label", button.title);
    palette = null;
    changed(scheme);
  };
  button.addEventListener("click", () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    try {
      localStorage.setItem(STORED, chosen);
    } catch {
      // See above.
    }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
