"""Moving in time on the chart itself: zoom, pan, draw a stretch, two fingers; and the way back to the present."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
MINUTE = 60_000
BOUNDS = """async () => {
  const { wall } = await import("/assets/main.mjs");
  const { start, end, following } = wall.time.bounds();
  return { start, end, following, width: wall.width };
}"""


class Chart:
    """The chart's canvas and what lies on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        box = page.locator(".rows-canvas").bounding_box()
        axis = page.locator(".timeline-axis").bounding_box()
        assert box
        assert axis
        self.left, self.top, self.width = box["x"], box["y"] + 40, box["width"]
        self.axis_top = axis["y"] + 15

    def bounds(self) -> tuple[float, float, bool]:
        """The window."""
        found = self.page.evaluate(BOUNDS)
        return found["start"], found["end"], found["following"]

    def time(self, part: float) -> float:
        """What lies at a part of the width."""
        start, end, _ = self.bounds()
        return start + (end - start) * part

    def point(self, part: float) -> None:
        """Put the pointer there."""
        self.page.mouse.move(self.left + self.width * part, self.top)

    def turn(self, across: float, down: float, key: str = "") -> None:
        """Turn the wheel, with a key held."""
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.wheel(across, down)
        if key:
            self.page.keyboard.up(key)

    def drag(self, start: float, to: float, *, axis: bool = False, key: str = "") -> None:
        """Drag between two parts of the width."""
        y = self.axis_top if axis else self.top
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(self.left + self.width * start, y)
        self.page.mouse.down()
        for part in ((start + to) / 2, to):
            self.page.mouse.move(self.left + self.width * part, y)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)


def test_zoom_pan_a_drawn_stretch_and_fingers(serve: Serve, visit: Visit) -> None:
    served = serve(60)
    page = visit(served.url, rows=10)
    chart, pill = Chart(page), page.locator("#back-to-live")
    page.locator("#zoom-in").click()
    start, end, following = chart.bounds()
    assert following, "buttons keep to the present"
    assert end - start == pytest.approx(18 * MINUTE)

    page.locator("#pan-back").click()
    chart.point(0.25)
    under = chart.time(0.25)
    chart.turn(0, -300, "Control")
    expect(pill).to_be_visible()
    closer = chart.bounds()
    assert not closer[2]
    assert closer[1] - closer[0] < (end - start) * 0.7
    assert chart.time(0.25) == pytest.approx(under, abs=1_500), "what is under the pointer stays there, to a pixel"

    held = chart.bounds()
    chart.turn(0, 150, "Shift")
    moved = chart.bounds()
    assert moved[0] > held[0]
    assert moved[1] - moved[0] == pytest.approx(held[1] - held[0], abs=2)
    chart.drag(0.2, 0.6)
    assert chart.bounds()[0] == pytest.approx(moved[0] - (moved[1] - moved[0]) * 0.4, rel=1e-9, abs=5_000)

    for options in ({"axis": True}, {"key": "Shift"}):
        wanted = chart.time(0.2), chart.time(0.7)
        chart.drag(0.2, 0.7, **options)
        drawn = chart.bounds()
        assert drawn[:2] == pytest.approx(wanted, abs=(wanted[1] - wanted[0]) * 0.02)
    expect(page.locator(".brush")).to_be_hidden()

    before = chart.bounds()
    page.mouse.move(chart.left + 200, chart.axis_top)
    page.mouse.down()
    page.mouse.move(chart.left + 500, chart.axis_top)
    expect(page.locator(".brush-label")).to_contain_text(" – ")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".brush")).to_be_hidden()
    assert chart.bounds() == before

    assert "window=" in page.url or page.wait_for_url("**window=**") is None
    expect(pill).to_have_text("Back to live")
    for number in range(3):
        served.read_model.add(f"newcomer-{number}")
    expect(pill).to_have_text("Back to live (3 new)")
    pill.click()
    expect(pill).to_be_hidden()
    assert chart.bounds()[2]
    expect(page.locator(".row-customer", has_text="newcomer-2")).to_be_visible()
    two_fingers_zoom_and_one_pans(page, chart)


def two_fingers_zoom_and_one_pans(page: Page, chart: Chart) -> None:
    touch = page.context.new_cdp_session(page)
    start, end, _ = chart.bounds()
    middle = chart.time(0.5)
    at = [(chart.left + chart.width * part, chart.top) for part in (0.4, 0.6)]
    fingers(touch, "touchStart", at)
    for step in range(1, 6):
        spread = chart.width * 0.04 * step
        fingers(touch, "touchMove", [(at[0][0] - spread / 2, chart.top), (at[1][0] + spread / 2, chart.top)])
    fingers(touch, "touchEnd", [])
    expect(page.locator("#back-to-live")).to_be_visible()
    closer = chart.bounds()
    assert closer[1] - closer[0] == pytest.approx((end - start) / 2, rel=0.1)
    assert chart.time(0.5) == pytest.approx(middle, abs=(end - start) * 0.03)

    fingers(touch, "touchStart", [at[0]])
    for step in range(1, 6):
        fingers(touch, "touchMove", [(at[0][0] + step * 10, chart.top)])
    fingers(touch, "touchEnd", [])
    panned = chart.bounds()
    assert panned[0] < closer[0]
    assert panned[1] - panned[0] == pytest.approx(closer[1] - closer[0], abs=2)


def fingers(touch: CDPSession, kind: str, points: list[tuple[float, float]]) -> None:
    touch.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": place} for place, (x, y) in enumerate(points)]},
    )
