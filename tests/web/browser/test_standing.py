"""What the wall says of itself: LIVE only while that is true, and hatching where events may be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from journeymap.model.status import Gap
from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
MINUTE = 60_000
PIXEL = """([selector, x, y]) => {
  const canvas = document.querySelector(selector);
  const ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""


def x_of(page: Page, ago: int) -> float:
    """Where on the axis a time lies that was `ago` ms before now, with the wall's span of half an hour."""
    width = page.evaluate("() => document.querySelector('.timeline-axis').clientWidth")
    return float(width * (1 - 0.03 - ago / (30 * MINUTE)))


def colours(page: Page, selector: str, x: float, y: float) -> set[tuple[int, ...]]:
    return {tuple(page.evaluate(PIXEL, [selector, x + step, y])) for step in range(-8, 9)}


@pytest.mark.parametrize(
    ("changes", "word", "text"),
    [
        ({}, "LIVE", "behind"),
        ({"lag_ms": 12_400}, "BEHIND", "12 s behind"),
        ({"state": "DISCONNECTED", "error": "x"}, "NOT LIVE", "connection lost since "),
        ({"state": "CONNECTING", "error": "x"}, "NOT LIVE", "connection lost since "),
        ({"state": "CONNECTING"}, "NOT LIVE", "connecting since "),
        ({"state": "DISCONNECTED", "refused": True}, "NOT LIVE", "refused since "),
        ({"state": "DISCONNECTED", "reading_stopped": "the disk is nearly full"}, "NOT LIVE", "reading is stopped"),
        ({"state": "DISCONNECTED", "ingest_running": False}, "NOT LIVE", "ingest stopped since "),
        ({"problem": "store: unreadable"}, "NOT LIVE", "store cannot be read"),
        ({"state": "DISCONNECTED", "finished": True}, "COMPLETE", "all has been read"),
    ],
)
def test_the_badge_says_how_current_the_picture_is(
    serve: Serve, visit: Visit, changes: dict[str, Any], word: str, text: str
) -> None:
    served = serve(5, 10)
    served.read_model.status.update(changes)
    page = visit(served.url)
    expect(page.locator("#pause .live-word")).to_have_text(word)
    expect(page.locator("#live")).to_contain_text(text)
    if changes:
        served.read_model.status.update(
            state="OPEN", error=None, refused=False, lag_ms=10, ingest_running=True,
            reading_stopped=None, problem=None, finished=False,
        )  # fmt: skip
        expect(page.locator("#pause .live-word")).to_have_text("LIVE")


def test_events_left_out_make_the_picture_partial_for_a_minute(serve: Serve, visit: Visit) -> None:
    served = serve(5, 10)
    now = served.read_model.clock()
    served.read_model.gap_list = [Gap("a", "dropped", now - MINUTE, now - 1_000, 1_120)]
    page = visit(served.url)
    expect(page.locator("#pause .live-word")).to_have_text("PARTIAL")
    expect(page.locator("#live")).to_have_text("source throttles: 1,120 events left out")
    served.read_model.gap_list = [Gap("a", "dropped", now - 2 * MINUTE, now - MINUTE, 1_120)]
    expect(page.locator("#pause .live-word")).to_have_text("LIVE")


def test_a_server_that_does_not_answer_is_not_live(serve: Serve, visit: Visit) -> None:
    page = visit(serve(5, 10).url)
    expect(page.locator("#pause .live-word")).to_have_text("LIVE")
    page.route("**/_dash-update-component*", lambda route: route.abort())
    expect(page.locator("#pause .live-word")).to_have_text("NOT LIVE")
    expect(page.locator("#live")).to_contain_text("no answer since ")
    expect(page.locator("#connection-state")).to_have_text("UNKNOWN")
    page.unroute("**/_dash-update-component*")
    expect(page.locator("#pause .live-word")).to_have_text("LIVE")


def test_ingest_that_falls_further_behind_is_told_of_although_the_words_change(serve: Serve, visit: Visit) -> None:
    served = serve(5, 20)
    page = visit(served.url)
    for lag in range(8_000, 60_000, 1_000):
        served.read_model.status["lag_ms"] = lag
        page.wait_for_timeout(250)
        if page.locator("#notice").is_visible():
            break
    expect(page.locator("#notice")).to_contain_text("behind the source")


def test_a_gap_is_hatched_on_the_axis_and_through_the_rows(serve: Serve, visit: Visit) -> None:
    served = serve(1, 5)
    page = visit(served.url)
    now = served.read_model.clock()
    served.read_model.gap_list = [
        Gap("a", "disconnected", now - 12 * MINUTE, now - 8 * MINUTE, 0, "certificate expired")
    ]
    inside, outside = x_of(page, 10 * MINUTE), x_of(page, 5 * MINUTE)
    page.wait_for_function(
        """([x]) => { const canvas = document.querySelector('.timeline-axis');
          const ratio = canvas.width / canvas.clientWidth;
          return canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(26 * ratio), 1, 1).data[3] > 0 }""",
        arg=[inside],
    )
    assert len(colours(page, ".timeline-axis", inside, 26)) > 2, "lines on a ground"
    assert len(colours(page, ".timeline-axis", outside, 26)) == 1
    assert len(colours(page, ".rows-canvas", inside, 300)) > 2
    assert len(colours(page, ".rows-canvas", outside, 300)) == 1
    box = page.locator(".timeline-axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + inside, box["y"] + 15)
    tip = page.locator("#gap-tip")
    expect(tip).to_contain_text("No events from ")
    expect(tip).to_contain_text("disconnected (certificate expired), 4 min")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.mouse.move(box["x"] + outside, box["y"] + 15)
    expect(tip).to_be_hidden()
    page.mouse.move(box["x"] + inside, box["y"] + 330)
    expect(tip).to_be_visible()


def test_a_gap_that_lasts_grows_to_the_now_line(serve: Serve, visit: Visit) -> None:
    served = serve(1, 5)
    model = served.read_model
    model.gap_list = [Gap("a", "disconnected", model.clock() - 3 * MINUTE)]
    model.status.update(state="DISCONNECTED", error="no route")
    page = visit(served.url)
    near = x_of(page, 40_000)
    page.wait_for_timeout(500)
    assert len(colours(page, ".timeline-axis", near, 26)) > 2
    assert len(colours(page, ".timeline-axis", x_of(page, -25_000), 26)) == 1, "nothing beyond now"
    box = page.locator(".timeline-axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + near, box["y"] + 15)
    expect(page.locator("#gap-tip")).to_contain_text("No events since ")
    model.gap_list = [Gap("a", "disconnected", model.clock() - 3 * MINUTE, model.clock() - MINUTE)]
    model.status.update(state="OPEN", error=None)
    expect(page.locator("#pause .live-word")).to_have_text("LIVE")
    page.wait_for_timeout(500)
    assert len(colours(page, ".timeline-axis", near, 26)) == 1


def test_pictures_of_gaps_are_hatched(serve: Serve, visit: Visit, tmp_path: Any) -> None:
    served = serve(5)
    now = served.read_model.clock()
    served.read_model.gap_list = [Gap("a", "disconnected", now - 12 * MINUTE, now - 8 * MINUTE)]
    page = visit(served.url)
    with page.expect_download(timeout=100_000) as waiting:
        page.locator("#export-svg").click()
    waiting.value.save_as(tmp_path / "picture.svg")
    text = (tmp_path / "picture.svg").read_text()
    assert "No events" in text
    assert "Hatched: 1 gap in the stream" in text
