// What the mouse and the fingers do on the chart: point, click, drag, scroll, zoom, draw a stretch of time.

import { Brush } from "./brush.mjs";

const DRAG_FROM = 4;
const ZOOM_STEP = 1.0018;

/**
 * Ties the pointer to the wall. `wall` offers: `point(x, y)` → hit or null, `timeAt(x)`, `pan(pixels)`, `zoomAt(factor, x)`,
 * `moveTo(start, end)`, `hover(hit, at)`, `leave()`, `hoverGap(x, at)`, `pin(hit, at)`, `select(hit)`, `open(hit)`,
 * `scroll(pixels)`. Brushes are drawn over `place`.
 */
export function startInteraction(canvas, axis, place, wall) {
  const brush = new Brush(place, canvas, (x) => wall.timeAt(x));
  const fingers = new Map();
  let drag = null;
  let moved = false;

  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const inWindow = (event) => ({ x: event.clientX, y: event.clientY, add: event.shiftKey });

  const press = (event) => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, placeOf(event));
    event.currentTarget.setPointerCapture(event.pointerId);
    // A second finger: from now on both zoom, and what the first had begun is over.
    if (fingers.size > 1) {
      drag = null;
      brush.cancel();
      return;
    }
    drag = { x: event.clientX, y: event.clientY, from: placeOf(event).x };
    drag.brushes = event.pointerType !== "touch" && (event.shiftKey || event.currentTarget === axis);
    moved = false;
  };

  const hover = (event) => {
    const at = placeOf(event);
    const hit = wall.point(at.x, at.y);
    canvas.style.cursor = hit?.segment ? "pointer" : event.shiftKey ? "crosshair" : "grab";
    if (hit?.segment) wall.hover(hit, inWindow(event));
    else wall.leave(hit);
    wall.hoverGap(hit?.segment ? null : at.x, inWindow(event));
  };

  const move = (event) => {
    if (fingers.size > 1) return pinch(event);
    if (!drag) return hover(event);
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!moved && Math.abs(dx) < DRAG_FROM && Math.abs(dy) < DRAG_FROM) return;
    if (!moved) wall.hoverGap(null);
    if (!moved && drag.brushes) brush.start(drag.from);
    moved = true;
    if (drag.brushes) {
      if (brush.active) brush.move(placeOf(event).x);
      return;
    }
    event.currentTarget.style.cursor = "grabbing";
    wall.pan(-dx);
    wall.scroll(-dy);
    drag.x = event.clientX;
    drag.y = event.clientY;
  };

  /** Two fingers: the times under them stay under them. */
  const pinch = (event) => {
    if (!fingers.has(event.pointerId)) return;
    const middleAndWidth = () => {
      const [one, other] = [...fingers.values()];
      return [(one.x + other.x) / 2, Math.max(20, Math.abs(one.x - other.x))];
    };
    const [before, wide] = middleAndWidth();
    fingers.set(event.pointerId, placeOf(event));
    const [after, now] = middleAndWidth();
    wall.zoomAt(wide / now, before);
    wall.pan(before - after);
  };

  const release = (event) => {
    fingers.delete(event.pointerId);
    event.currentTarget.style.cursor = "";
    if (!drag) return;
    const { brushes } = drag;
    drag = null;
    if (event.type === "pointercancel") return brush.cancel();
    if (brushes && moved) {
      const drawn = brush.active ? brush.end() : null;
      if (drawn) wall.moveTo(...drawn);
    } else if (!moved) {
      const at = placeOf(event);
      const hit = event.currentTarget === canvas ? wall.point(at.x, at.y) : null;
      if (event.currentTarget === canvas) {
        wall.pin(hit, inWindow(event));
        wall.select(hit);
      }
      if (!hit?.segment) wall.hoverGap(at.x, inWindow(event));
    }
  };

  const turn = (event) => {
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      wall.zoomAt(ZOOM_STEP ** (event.deltaY * unit), placeOf(event).x);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      wall.pan((event.deltaX || event.deltaY) * unit);
    }
  };

  for (const surface of [canvas, axis]) {
    surface.addEventListener("pointerdown", press);
    surface.addEventListener("pointermove", move);
    surface.addEventListener("pointerup", release);
    surface.addEventListener("pointercancel", release);
    surface.addEventListener("wheel", turn, { passive: false });
    surface.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && wall.hoverGap(null));
  }
  canvas.addEventListener("pointerleave", () => wall.leave(null));
  canvas.addEventListener("dblclick", (event) => {
    const at = placeOf(event);
    wall.open(wall.point(at.x, at.y));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !brush.active) return;
    brush.cancel();
    event.stopPropagation();
  }, { capture: true });
}
