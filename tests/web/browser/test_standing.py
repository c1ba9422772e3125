"""What the wall says of itself: LIVE only while that is true, and hatching where events may be missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from playwright.sync_api import Page, expect

from journeymap.model.status import Gap
from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
MINUTE = 60_000
WELL: dict[str, Any] = {
    "state": "OPEN", "error": None, "refused": False, "lag_ms": 10, "ingest_running": True, "reading_stopped": None,
    "problem": None, "finished": False,
}  # fmt: skip
STANDINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"lag_ms": 12_400}, "BEHIND", "12 s behind"),
    ({"state": "DISCONNECTED", "error": "x"}, "NOT LIVE", "connection lost since "),
    ({"state": "CONNECTING"}, "NOT LIVE", "connecting since "),
    ({"state": "CONNECTING", "error": "x"}, "NOT LIVE", "connection lost since "),
    ({"state": "DISCONNECTED", "refused": True}, "NOT LIVE", "refused since "),
    ({"state": "DISCONNECTED", "reading_stopped": "the disk is nearly full"}, "NOT LIVE", "reading is stopped"),
    ({"state": "DISCONNECTED", "ingest_running": False}, "NOT LIVE", "ingest stopped since "),
    ({"problem": "store: unreadable"}, "NOT LIVE", "store cannot be read"),
    ({"state": "DISCONNECTED", "finished": True}, "COMPLETE", "all has been read"),
]
PIXELS = """([selector, x, y]) => {
  const canvas = document.querySelector(selector);
  const ratio = canvas.width / canvas.clientWidth;
  const pen = canvas.getContext("2d");
  return Array.from({ length: 17 }, (_, step) =>
    [...pen.getImageData(Math.round((x + step - 8) * ratio), Math.round(y * ratio), 1, 1).data]);
}"""


def x_of(page: Page, ago: int) -> float:
    """Where on the axis a time lies that was `ago` ms before now, with the wall's span of half an hour."""
    width = page.evaluate("() => document.querySelector('.timeline-axis').clientWidth")
    return float(width * (1 - 0.03 - ago / (30 * MINUTE)))


def wait_for_hatching(page: Page, x: float, hatched: bool) -> None:
    """Until there are lines on the axis at `x`, or nothing but its ground and perhaps a mark of time."""
    for _ in range(600):
        seen = len(colours(page, ".timeline-axis", x, 26))
        if (seen > 2) == hatched:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{seen} colours on the axis")


def colours(page: Page, selector: str, x: float, y: float) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in page.evaluate(PIXELS, [selector, x, y])}


def test_the_badge_says_how_current_the_picture_is(serve: Serve, visit: Visit) -> None:
    served = serve(5, 10)
    page = visit(served.url)
    expect(page.locator("#pause .live-word")).to_have_text("LIVE")
    expect(page.locator("#live")).to_contain_text("behind")
    for changes, word, text in STANDINGS:
        served.read_model.status.update({**WELL, **changes})
        expect(page.locator("#pause .live-word")).to_have_text(word)
        expect(page.locator("#live")).to_contain_text(text)
    served.read_model.status.update(WELL)
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
    wait_for_hatching(page, inside, True)
    assert len(colours(page, ".timeline-axis", outside, 26)) <= 2
    assert len(colours(page, ".rows-canvas", inside, 300)) > 2
    assert len(colours(page, ".rows-canvas", outside, 300)) <= 2
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
    with page.expect_download() as waiting:
        page.locator("#export-svg").click()
    picture = Path(waiting.value.path()).read_text()
    assert "url(#gap-all)" in picture
    assert "events may be missing" in picture


def test_a_gap_that_lasts_grows_to_the_now_line(serve: Serve, visit: Visit) -> None:
    served = serve(1, 5)
    model = served.read_model
    model.gap_list = [Gap("a", "disconnected", model.clock() - 3 * MINUTE)]
    model.status.update(state="DISCONNECTED", error="no route")
    page = visit(served.url)
    near = x_of(page, 40_000)
    wait_for_hatching(page, near, True)
    assert len(colours(page, ".timeline-axis", x_of(page, -25_000), 26)) == 1, "nothing beyond now"
    box = page.locator(".timeline-axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + near, box["y"] + 15)
    expect(page.locator("#gap-tip")).to_contain_text("No events since ")
    model.gap_list = [Gap("a", "disconnected", model.clock() - 3 * MINUTE, model.clock() - MINUTE)]
    model.status.update(state="OPEN", error=None)
    expect(page.locator("#pause .live-word")).to_have_text("LIVE")
    wait_for_hatching(page, near, False)


def test_a_gap_that_is_filled_is_hatched_no_more(serve: Serve, visit: Visit) -> None:
    served = serve(1, 5)
    model = served.read_model
    now = model.clock()
    gap = Gap("notifications", "disconnected", now - 12 * MINUTE, now - 8 * MINUTE, filling=0.4)
    model.gap_list = [gap]
    page = visit(served.url)
    inside = x_of(page, 10 * MINUTE)
    wait_for_hatching(page, inside, True)
    box = page.locator(".timeline-axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + inside, box["y"] + 15)
    expect(page.locator("#gap-tip")).to_contain_text("4 min; being filled, 40%")
    page.mouse.move(box["x"] + inside, box["y"] - 60)
    model.gap_list = [replace(gap, filling=None, filled_at=now, conversations=1_214)]
    wait_for_hatching(page, inside, False)
    expect(page.locator('[data-part="gaps"]')).to_have_text("no gaps")
    page.keyboard.press("h")
    row = page.locator("#operations-gaps tbody tr").first
    expect(row).to_contain_text("1,214 conversations")
