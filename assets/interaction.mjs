// What the mouse and the fingers do on the chart: point, click, drag, scroll, zoom.

const DRAG_FROM = 4;
const ZOOM_STEP = 1.0018;

/**
 * Ties the pointer to the wall. `wall` offers: `point(x, y)` → hit or null, `pan(pixels)`, `zoom(factor, x)`, `hover(hit, at)`,
 * `leave()`, `hoverGap(x, at)`, `pin(hit, at)`, `open(hit)`, `scroll(pixels)`.
 */
export function startInteraction(canvas, axis, wall) {
  let drag = null;
  let moved = false;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const press = (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY, touch: event.pointerType === "touch" };
    moved = false;
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event) => {
    if (!drag) {
      const at = place(event);
      const hit = wall.point(at.x, at.y);
      canvas.style.cursor = hit?.segment ? "pointer" : "grab";
      if (hit?.segment) wall.hover(hit, { x: event.clientX, y: event.clientY });
      else wall.leave(hit);
      wall.hoverGap(hit?.segment ? null : at.x, { x: event.clientX, y: event.clientY });
      return;
    }
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!moved && Math.abs(dx) < DRAG_FROM && Math.abs(dy) < DRAG_FROM) return;
    moved = true;
    wall.hoverGap(null);
    event.currentTarget.style.cursor = "grabbing";
    wall.pan(-dx);
    wall.scroll(-dy);
    drag.x = event.clientX;
    drag.y = event.clientY;
  };
  const release = (event) => {
    if (drag && !moved && event.type === "pointerup") {
      const at = place(event);
      const hit = event.currentTarget === canvas ? wall.point(at.x, at.y) : null;
      if (event.currentTarget === canvas) wall.pin(hit, { x: event.clientX, y: event.clientY });
      if (!hit?.segment) wall.hoverGap(at.x, { x: event.clientX, y: event.clientY });
    }
    drag = null;
    event.currentTarget.style.cursor = "";
  };
  for (const surface of [canvas, axis]) {
    surface.addEventListener("pointerdown", press);
    surface.addEventListener("pointermove", move);
    surface.addEventListener("pointerup", release);
    surface.addEventListener("pointercancel", release);
    surface.addEventListener(
      "wheel",
      (event) => {
        const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
        if (event.ctrlKey || event.metaKey) {
          event.preventDefault();
          wall.zoom(ZOOM_STEP ** (event.deltaY * unit), place(event).x);
        } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          event.preventDefault();
          wall.pan((event.deltaX || event.deltaY) * unit);
        }
      },
      { passive: false },
    );
  }
  canvas.addEventListener("pointerleave", () => wall.leave(null));
  for (const surface of [canvas, axis]) surface.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && wall.hoverGap(null));
  canvas.addEventListener("dblclick", (event) => {
    const at = place(event);
    wall.open(wall.point(at.x, at.y));
  });
}
