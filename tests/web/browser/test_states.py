"""What the page says when something is not as it should be, and that nothing moves when it says so; and the health strip."""

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
WELL: dict[str, Any] = {
    "state": "OPEN", "error": None, "refused": False, "lag_ms": 40, "ingest_running": True, "reading_stopped": None,
    "problem": None, "finished": False, "simulated": False, "events_per_second": 5.1, "late": 2, "duplicate": 1,
    "quarantined": 0, "dropped": 0,
}  # fmt: skip
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"problem": "the store cannot be read: disk I/O error"}, "The store cannot be read", "journeymap doctor"),
    ({"state": "DISCONNECTED", "refused": True, "error": "bad secret"}, "credentials: bad secret", "JOURNEYMAP_CLIENT_ID"),
    ({"state": "DISCONNECTED", "ingest_running": False}, "Ingest is not running since", "journeymap run"),
    ({"state": "DISCONNECTED", "reading_stopped": "the disk is nearly full"}, "the disk is nearly full", "once there is room"),
    ({"state": "DISCONNECTED", "error": "no route"}, "Disconnected from the event source since", "It tries again by itself"),
    ({"lag_ms": 12_400}, "Ingest is 12 s behind the source", "catches up by itself"),
]  # fmt: skip
PLACES = """() => ['.topbar', '#wall', '#timeline', '#timeline-rows', '#health-strip']
  .map(name => document.querySelector(name)).filter(Boolean)
  .map(part => { const box = part.getBoundingClientRect(); return [box.x, box.y, box.width, box.height].map(Math.round) })"""


def tell(served: Served, **changes: Any) -> None:
    served.read_model.status.update({**WELL, **changes})
    served.read_model.step(0)


def test_each_fault_says_what_happened_and_what_to_do_and_moves_nothing(serve: Serve, visit: Visit) -> None:
    served = serve(20, 5, retry=lambda: None)
    tell(served)
    page = visit(served.url, rows=10)
    before = page.evaluate(PLACES)
    notice = page.locator("#notice")
    expect(notice).to_be_hidden()
    for changes, title, remedy in FAULTS:
        tell(served, **changes)
        expect(page.locator("#notice-title")).to_contain_text(title)
        expect(page.locator("#notice-text")).to_contain_text(remedy)
        expect(notice.get_by_role("link", name="Operations")).to_be_visible()
        expect(page.locator("#notice-retry")).to_be_visible(visible="refused" in changes)
        assert page.evaluate(PLACES) == before, title
    tell(served)
    expect(notice).to_be_hidden()
    page.route("**/_dash-update-component*", lambda route: route.abort())
    expect(page.locator("#notice-title")).to_contain_text("cannot reach its server since")
    expect(page.locator("[data-part=rate]")).to_have_text("— events/s")
    expect(page.locator("[data-part=counts]")).to_have_text("late — · duplicates — · quarantined —")
    assert page.evaluate(PLACES) == before
    page.unroute("**/_dash-update-component*")
    expect(notice).to_be_hidden()


def test_an_empty_wall_says_why(serve: Serve, visit: Visit) -> None:
    tried: list[int] = []
    served = serve(0, retry=lambda: tried.append(1))
    tell(served)
    page = visit(served.url, rows=0)
    title, text = page.locator(".empty-title"), page.locator(".empty-text")
    expect(title).to_have_text("No journeys yet")
    expect(text).to_contain_text("as soon as the source sends an event")
    before = page.evaluate(PLACES)
    for changes, what, remedy in FAULTS[:-1]:
        tell(served, **changes)
        expect(title).to_contain_text(what)
        expect(text).to_contain_text(remedy)
        expect(page.locator("#notice")).to_be_hidden()
        expect(page.locator(".empty-retry")).to_be_visible(visible="refused" in changes)
        if "refused" in changes:
            page.locator(".empty-retry").click()
            page.wait_for_function("() => !document.getElementById('notice-retry').disabled")
            assert tried == [1]
    tell(served, state="DISCONNECTED", finished=True)
    expect(title).to_contain_text("no journey was in it")
    tell(served, simulated=True)
    expect(title).to_have_text("The simulated contact centre starts")
    assert page.evaluate(PLACES) == before
    tell(served)
    served.read_model.add("first-of-all")
    expect(page.locator(".row-customer")).to_have_text("first-of-all")
    expect(page.locator("#timeline-empty")).to_be_hidden()


def test_a_newcomer_is_told_once_that_nobody_is_shown(serve: Serve, visit: Visit) -> None:
    served = serve(20)
    tell(served, simulated=True)
    page = visit(served.url)
    expect(page.locator("#notice-title")).to_have_text("These customers are simulated")
    expect(page.locator("#notice-text")).to_contain_text("JOURNEYMAP_SOURCE")
    expect(page.locator("#notice").get_by_role("link", name="Operations")).to_be_hidden()
    # A wall display has nobody who could say that it is understood.
    page.goto(f"{served.url}/?display=wall")
    expect(page.locator(".display-simulated")).to_have_text("Simulated")
    expect(page.locator("#notice")).to_be_hidden()
    page.goto(served.url)
    page.locator("#notice").get_by_role("button", name="Got it").click()
    expect(page.locator("#notice")).to_be_hidden()
    page.reload()
    expect(page.locator(".strip-part[data-part=simulated]")).to_have_text("Simulated")
    expect(page.locator("#notice")).to_be_hidden()


def test_the_strip_counts_and_leads_to_operations(serve: Serve, visit: Visit) -> None:
    served = serve(60, 5)
    tell(served)
    model = served.read_model
    page = visit(served.url, rows=10)

    def part(name: str) -> Any:
        return page.locator(f"[data-part={name}]")

    expect(part("journeys")).to_contain_text("60 journeys · ")
    expect(part("rate")).to_have_text("5.1 events/s")
    expect(part("behind")).to_contain_text("s behind")
    expect(part("counts")).to_have_text("late 2 · duplicates 1 · quarantined 0")
    expect(part("gaps")).to_have_text("no gaps")
    assert page.locator("#health-strip").bounding_box()["height"] == pytest.approx(26)  # type: ignore[index]
    model.gap_list = [Gap("a", "disconnected", model.clock() - 9 * MINUTE, model.clock() - 8 * MINUTE)]
    expect(part("gaps")).to_have_text("1 gap in 24 h")
    model.gap_list = [*model.gap_list, Gap("a", "disconnected", model.clock() - MINUTE)]
    expect(part("gaps")).to_contain_text("2 gaps, one since ")
    tell(served, ingest_running=False, state="DISCONNECTED")
    expect(part("rate")).to_have_text("— events/s")
    expect(part("counts")).to_have_text("late — · duplicates — · quarantined —")
    expect(part("behind")).to_have_text("— behind")
    part("gaps").click()
    expect(page.locator("#operations-gaps")).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#timeline-rows")).to_be_visible()


def test_no_match_offers_to_clear_the_filters(serve: Serve, visit: Visit) -> None:
    served = serve(20)
    tell(served)
    page = visit(f"{served.url}/?customer=nobody-at-all", rows=0)
    expect(page.locator(".empty-title")).to_have_text("No journey matches")
    expect(page.locator(".empty-text")).to_contain_text("20 journeys are here")
    expect(page.locator("[data-part=journeys]")).to_contain_text("0 of 20 journeys")
    page.locator(".empty-clear").click()
    expect(page.locator("#timeline-empty")).to_be_hidden()
    assert "customer" not in page.url
