"""The overview strip: what it shows, and how the window of the rows is moved on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEAR = 15
"""Pixels: the strip moves on by one every three seconds, and the machine may have much else to do."""
NOW = 1_764_100_000_000

EXTENTS = [
    # began, start of the window, both as long before now: length of the strip, of a bin
    (10 * MINUTE, 30 * MINUTE, HOUR, 15_000),
    (61 * MINUTE, 30 * MINUTE, 2 * HOUR, 30_000),
    (20 * HOUR, 30 * MINUTE, DAY, 5 * MINUTE),
    (9 * DAY, 30 * MINUTE, DAY, 5 * MINUTE),
    (9 * DAY, 3 * DAY, 4 * DAY, 20 * MINUTE),
    (10 * MINUTE, 100 * DAY, 120 * DAY, 8 * HOUR),
]
CHOOSE = """async ([now, cases]) => {
  const { binsOf, chooseExtent } = await import("/assets/wall/extent.mjs");
  return cases.map(([first, from]) => {
    const extent = chooseExtent(now, now - first, now - from);
    return [extent, binsOf(extent, now), binsOf(extent, now + 1)];
  });
}"""
STRIP = """() => {
  const canvas = document.querySelector(".overview-canvas");
  const pen = canvas.getContext("2d"), ratio = canvas.width / canvas.clientWidth;
  const heights = [];
  for (let x = 0; x < canvas.width; x += Math.round(4 * ratio)) {
    const column = pen.getImageData(x, 0, 1, Math.round(29 * ratio)).data;
    let painted = 0;
    for (let y = 0; y < column.length / 4; y += 1) painted += column[4 * y + 3] > 0;
    heights.push(painted / ratio);
  }
  return heights;
}"""


def window_of(page: Page) -> tuple[float, float]:
    """Left and right edge of the window on the strip, in pixels from its left edge."""
    left, width = page.evaluate(
        "async () => { for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);"
        " const { left, width } = document.querySelector('.overview-window').style;"
        " return [parseFloat(left), parseFloat(width)] }"
    )
    return left, left + width


def words(page: Page) -> str:
    return page.locator(".overview-window").get_attribute("aria-valuetext") or ""


def at(page: Page, x: float) -> tuple[float, float]:
    box = page.locator("#overview").bounding_box()
    assert box
    return box["x"] + x, box["y"] + 15


def drag(page: Page, start: float, to: float) -> None:
    page.mouse.move(*at(page, start))
    page.mouse.down()
    page.mouse.move(*at(page, (start + to) / 2))
    page.mouse.move(*at(page, to))
    page.mouse.up()


@pytest.fixture
def page(serve: Serve, visit: Visit) -> Page:
    """Journeys of the last forty minutes: a strip of an hour, the window on its right half."""
    page = visit(serve(80, 5).url, rows=10)
    page.locator("#overview[data-known]").wait_for()
    return page


def test_the_strip_is_as_long_as_there_is_something_to_see_and_shows_it(page: Page) -> None:
    found = page.evaluate(CHOOSE, [NOW, [case[:2] for case in EXTENTS]])
    for (_, _, length, bin_), (extent, asked, later) in zip(EXTENTS, found, strict=True):
        assert extent == {"length": length, "bin": bin_}
        start, end, bins = asked
        assert start % bin_ == 0
        assert end - start == bins * bin_
        assert bins <= 1_000
        assert start <= NOW - length < start + bin_
        assert end > NOW
        assert later == asked, "bins stay what they are"

    heights = page.evaluate(STRIP)
    early, late = heights[: len(heights) // 5], heights[len(heights) // 2 : -len(heights) // 20]
    assert max(early) == 0, "nothing before the first journey"
    assert min(late) > 3
    page.mouse.move(*at(page, 4 * len(heights) * 0.9))
    expect(page.locator(".overview-tip")).to_contain_text("active, ")
    page.mouse.move(5, 5)
    expect(page.locator(".overview-tip")).to_be_hidden()
    assert words(page) == "Last 30 min"


def test_pointer_wheel_and_keys_move_the_window(page: Page) -> None:
    left, right = window_of(page)
    assert right - left > 300, "half of the strip"
    drag(page, (left + right) / 2, (left + right) / 2 - 200)
    moved = window_of(page)
    assert moved[0] == pytest.approx(left - 200, abs=NEAR)
    assert moved[1] - moved[0] == pytest.approx(right - left, abs=NEAR)
    expect(page.locator("#back-to-live")).to_be_visible()
    assert "(30 min)" in words(page)
    drag(page, moved[0], moved[0] + 100)
    assert window_of(page)[0] == pytest.approx(moved[0] + 100, abs=NEAR)
    assert window_of(page)[1] == pytest.approx(moved[1], abs=NEAR)
    drag(page, moved[1], moved[1] - 50)
    assert window_of(page)[1] == pytest.approx(moved[1] - 50, abs=NEAR)
    drag(page, 40, 120)
    assert window_of(page) == pytest.approx((40, 120), abs=NEAR)
    page.mouse.dblclick(*at(page, 80))
    expect(page.locator("#back-to-live")).to_be_hidden()
    assert words(page).startswith("Last ")

    left, right = window_of(page)
    page.mouse.click(*at(page, left / 2))
    moved = window_of(page)
    assert moved[0] == pytest.approx(max(0, left / 2 - (right - left) / 2), abs=NEAR)
    expect(page.locator("#back-to-live")).to_be_visible()
    page.mouse.click(*at(page, right))
    expect(page.locator("#back-to-live")).to_be_hidden()
    assert words(page).startswith("Last ")

    drag(page, 200, 800)
    left, right = window_of(page)
    page.mouse.move(*at(page, (left + right) / 2))
    page.mouse.wheel(0, -400)
    closer = window_of(page)
    assert closer[1] - closer[0] < (right - left) * 0.7
    assert closer[0] > left
    assert closer[1] < right
    page.locator(".overview-window").focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert window_of(page)[0] == pytest.approx(closer[0] - (closer[1] - closer[0]) / 2, abs=NEAR)
    page.keyboard.press("ArrowRight")
    assert window_of(page)[0] == pytest.approx(closer[0] - (closer[1] - closer[0]) * 0.4, abs=NEAR)
    page.keyboard.press("Home")
    assert window_of(page)[0] == pytest.approx(0, abs=NEAR)
    page.keyboard.press("End")
    expect(page.locator("#back-to-live")).to_be_hidden()
    slider: dict[str, Any] = page.evaluate(
        "() => { const one = document.querySelector('.overview-window');"
        " return { min: +one.ariaValueMin, max: +one.ariaValueMax, now: +one.ariaValueNow } }"
    )
    assert slider["min"] < slider["now"] <= slider["max"]
