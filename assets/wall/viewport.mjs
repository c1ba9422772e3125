// Moving the window of the rows on the overview strip: drag it, its edges or a new one, click, turn the wheel, arrow keys.

const DRAG_FROM = 4;
const EDGE = 7;
const NARROW = 30;
const LEAST_PIXELS = 3;
const ZOOM_STEP = 1.0018;
const STEP = 0.1;
const LONG_STEP = 0.5;

/**
 * Ties pointer and keys of `place` to the window. `strip`: `view` (see overview.mjs), `scale()`, `known()`, and `tell(x)`, which
 * shows what lies there, null for nothing. Returns an object whose `active` says whether the window is being dragged.
 */
export function startViewport(place, slider, { view, scale, known, tell }) {
  const state = { active: false };
  let drag = null;

  const x = (event) => event.clientX - place.getBoundingClientRect().left;
  const bounds = () => view.bounds(view.now());

  /** What a press at `at` takes hold of. The edges of a narrow window lie outside of it, so that the window can be had too. */
  const grip = (at) => {
    const { start, end } = bounds();
    const [left, right] = [scale().x(start), Math.min(scale().x(end), scale().width)];
    const inside = right - left < NARROW ? 0 : EDGE;
    if (at >= left - EDGE && at <= left + inside) return "left";
    if (at >= right - inside && at <= right + EDGE) return "right";
    return at > left && at < right ? "window" : "beside";
  };

  const cursor = (hold) => {
    place.style.cursor = { left: "ew-resize", right: "ew-resize", window: state.active ? "grabbing" : "grab", beside: "crosshair" }[hold];
  };

  const press = (event) => {
    if (event.button !== 0 || !known()) return;
    const at = x(event);
    drag = { at, hold: grip(at), moved: false, ...bounds() };
    place.setPointerCapture(event.pointerId);
  };

  const move = (event) => {
    const at = x(event);
    if (!drag) {
      if (!known()) return;
      cursor(grip(at));
      tell(at);
      return;
    }
    if (!drag.moved && Math.abs(at - drag.at) < DRAG_FROM) return;
    drag.moved = state.active = true;
    cursor(drag.hold);
    pull(Math.max(0, Math.min(scale().width, at)));
    tell(at);
  };

  const pull = (at) => {
    const by = scale().time(at) - scale().time(drag.at);
    const least = LEAST_PIXELS * scale().perPixel;
    const { start, end, following } = drag;
    if (drag.hold === "window") {
      const held = Math.max(by, scale().start - start);
      view.moveTo(start + held, end + held);
    } else if (drag.hold === "left") {
      const from = Math.min(start + by, end - least);
      if (following) view.span(end - from);
      else view.moveTo(from, end);
    } else if (drag.hold === "right") {
      view.moveTo(start, Math.max(end + by, start + least));
    } else {
      const [from, to] = [Math.min(drag.at, at), Math.max(drag.at, at, Math.min(drag.at, at) + LEAST_PIXELS)];
      view.moveTo(scale().time(from), scale().time(to));
    }
  };

  const release = (event) => {
    if (drag && !drag.moved && event.type === "pointerup" && drag.hold === "beside") {
      const middle = scale().time(drag.at);
      const half = (drag.end - drag.start) / 2;
      view.moveTo(middle - half, middle + half);
    }
    drag = null;
    state.active = false;
    if (event.pointerType === "touch") tell(null);
  };

  place.addEventListener("pointerdown", press);
  place.addEventListener("pointermove", move);
  place.addEventListener("pointerup", release);
  place.addEventListener("pointercancel", release);
  place.addEventListener("pointerleave", () => drag || tell(null));
  place.addEventListener("dblclick", () => view.live());
  place.addEventListener(
    "wheel",
    (event) => {
      if (!known()) return;
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      const { start, end } = bounds();
      const across = event.shiftKey ? event.deltaX || event.deltaY : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
      if (across) view.moveTo(start + across * unit * scale().perPixel, end + across * unit * scale().perPixel);
      else view.zoom(ZOOM_STEP ** (event.deltaY * unit), scale().time(x(event)));
    },
    { passive: false },
  );

  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !known()) return;
    const { start, end } = bounds();
    const span = end - start;
    const step = span * (event.shiftKey ? LONG_STEP : STEP);
    const by = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageUp: span, PageDown: -span, Home: scale().start - start }[event.key];
    if (by === undefined && event.key !== "End") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "End") view.live();
    else view.moveTo(start + by, end + by);
  });
  return state;
}
