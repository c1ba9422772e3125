// The small drawings that stand for channels and kinds, on a grid of 12 by 12: as elements in the heads, as paths on the canvas.

const HANDSET = "M3.1 1.4 4.9 1l1.1 2.7-1.2 1c.5 1.1 1.3 1.9 2.4 2.4l1-1.2L11 7l-.4 1.8c-.2 1-1 1.7-2.1 1.6C4.7 10.1 1.9 7.3 1.5 3.5 1.4 2.4 2.1 1.6 3.1 1.4Z";
const PATHS = {
  voice: HANDSET,
  chat: "M2 1.8h8a1.2 1.2 0 0 1 1.2 1.2v4.3a1.2 1.2 0 0 1-1.2 1.2H6.2L3.5 11V8.5H2A1.2 1.2 0 0 1 .8 7.3V3A1.2 1.2 0 0 1 2 1.8Z",
  email: "M1 2.3h10v7.4H1ZM1.9 3.3 6 6.6l4.1-3.3v1.3L6 7.9 1.9 4.6Z",
  message: "M4 .8h4a1 1 0 0 1 1 1v8.4a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V1.8a1 1 0 0 1 1-1ZM4.2 2.3v5.8h3.6V2.3Z",
  callback: "M5.2 1.6 1.2 5l4 3.4V6.2h1.9c1.4 0 2.2.8 2.2 2.2v2.2h1.7V8.1c0-2.2-1.5-3.7-3.7-3.7H5.2Z",
  other: "M1 6a1.3 1.3 0 1 0 2.6 0A1.3 1.3 0 1 0 1 6ZM4.7 6a1.3 1.3 0 1 0 2.6 0A1.3 1.3 0 1 0 4.7 6ZM8.4 6a1.3 1.3 0 1 0 2.6 0A1.3 1.3 0 1 0 8.4 6Z",
  transfer: "M1 4.9h5.5V2.2L11 6 6.5 9.8V7.1H1Z",
  wrapup: "M1.7 10.3 2.3 7.5 8.2 1.6l2.2 2.2-5.9 5.9Z",
  alert: "M6 .9a3.4 3.4 0 0 1 3.4 3.4v2.5l1.1 1.8h-9l1.1-1.8V4.3A3.4 3.4 0 0 1 6 .9ZM4.7 9.5h2.6a1.3 1.3 0 0 1-2.6 0Z",
  hold: "M2.6 1.6h2.5v8.8H2.6ZM6.9 1.6h2.5v8.8H6.9Z",
  expand: "M4.2 1.8 8.8 6l-4.6 4.2-1.2-1.3L6.2 6 3 3.1Z",
  pin: "M3.7.8h4.6v1.3l-.7.5v2.5L9.4 6.8V8H6.6v3.2H5.4V8H2.6V6.8l1.8-1.7V2.6l-.7-.5Z",
};
const SVG = "http://www.w3.org/2000/svg";
const paths = new Map();

/** The icon as a path for the canvas; holes want the rule `evenodd`. */
export function iconPath(name) {
  if (!paths.has(name)) paths.set(name, new Path2D(PATHS[name]));
  return paths.get(name);
}

/** A new element with the icon, in the colour of the text around it; `showIcon` changes which one it shows. */
export function makeIcon(name, parent) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  svg.firstChild.setAttribute("fill-rule", "evenodd");
  parent?.append(svg);
  showIcon(svg, name);
  return svg;
}

export function showIcon(svg, name) {
  svg.firstChild.setAttribute("d", PATHS[name]);
}
