"""Sorting, grouping, pinning and expanding rows on the wall, with the real answers. A page is dear: one for what needs rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
TICKS = 4
COUNT = 3000

HEADS = """() => [...document.querySelectorAll('.row-head:not([hidden])')].map((head) => ({
  top: head.getBoundingClientRect().top - document.getElementById('timeline-rows').getBoundingClientRect().top,
  height: head.offsetHeight, id: head.dataset.id, state: head.dataset.state, pinned: head.classList.contains('pinned'),
  channels: head.querySelectorAll('.row-channels .badge').length,
})).sort((one, other) => one.top - other.top)"""
IDS = "[...document.querySelectorAll('.row-head:not([hidden])')].map((head) => head.dataset.id)"
PLACES = "[...document.querySelectorAll('.row-head:not([hidden])')].map((head) => Number(head.ariaPosInSet))"


def heads(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(HEADS)
    return found


def ids(page: Page) -> list[str]:
    return [head["id"] for head in heads(page)]


def head_of(page: Page, row: str) -> Locator:
    return page.locator(f'.row-head[data-id="{row}"]:not([hidden])')


def scroll(page: Page, top: float) -> None:
    page.evaluate("top => { document.getElementById('timeline-rows').scrollTop = top }", top)


def wait_for_ticks(page: Page, served: Served, count: int = TICKS) -> None:
    goal = len(served.read_model.questions) + count
    while len(served.read_model.questions) < goal:
        page.wait_for_timeout(50)


def sorts_and_groups(page: Page, served: Served) -> None:
    """As the menus say; the address says so too, and Back takes it back."""
    stories = served.read_model.stories
    before = ids(page)
    page.locator("#sort").select_option("duration")
    page.wait_for_function(f"before => {IDS}.length && !{IDS}.some((id) => before.includes(id))", arg=before)
    lengths = [stories[each].last_event_at - stories[each].started_at for each in ids(page)]
    assert lengths == sorted(lengths, reverse=True)
    page.locator("#group").select_option("state")
    heading = page.locator(".group-heading:not([hidden])").first
    waiting = sum(story.state == "INITIATED" for story in stories.values())
    expect(heading).to_have_text(f"Waiting{waiting:,}")
    assert "sort=duration" in page.url and "group=state" in page.url
    assert {head["state"] for head in heads(page)[:5]} == {"INITIATED"}
    # A group's heading stays while its rows scroll by, and the next one's takes its place.
    for top, name in ((200, "Waiting"), ((waiting + 3) * 28, "Active")):
        scroll(page, top)
        expect(heading.locator(".group-name")).to_have_text(name)
        box, place = heading.bounding_box(), page.locator("#timeline-rows").bounding_box()
        assert box and place and abs(box["y"] - place["y"]) < 1
    page.go_back()
    expect(page.locator("#group")).to_have_value("")
    expect(heading).to_be_hidden()
    page.go_back()
    expect(page.locator("#sort")).to_have_value("activity")
    expect(page.locator('.row-head:not([hidden])[aria-posinset="1"]')).to_have_attribute("data-id", before[0])


def expands(page: Page) -> dict[str, Any]:
    """A row gets a track a channel; what is below makes room, what is above stays."""
    rows = heads(page)
    place = next(place for place, head in enumerate(rows) if head["channels"] > 1)
    row, below = rows[place], rows[place + 1]
    head = head_of(page, row["id"])
    head.hover()
    box = head.bounding_box()
    expect(head.locator(".row-expand")).to_be_visible()
    assert head.bounding_box() == box  # the button appears, nothing shifts
    head.locator(".row-expand").click()
    expect(head.locator(".row-track")).to_have_count(row["channels"])
    expect(head.locator(".row-expand")).to_have_attribute("aria-expanded", "true")
    after = {each["id"]: each for each in heads(page)}
    assert after[row["id"]]["top"] == row["top"]
    assert after[row["id"]]["height"] >= 28 + 22 * row["channels"]
    assert after[below["id"]]["top"] - below["top"] == after[row["id"]]["height"] - 28
    assert f"expanded={row['id']}" in page.url
    return after[row["id"]]


def pins(page: Page, expanded: dict[str, Any]) -> None:
    """Pinned rows stand on top however far the others are scrolled; all others are reached."""
    first, second = (head["id"] for head in heads(page)[-4:-2])
    for row in (first, second):
        head_of(page, row).hover()
        head_of(page, row).locator(".row-pin").click()
        expect(head_of(page, row).locator(".row-pin")).to_have_attribute("aria-pressed", "true")
    assert ids(page)[:2] == [first, second]
    assert page.url.count("pinned=") == 2
    scroll(page, 28 * 2000)
    page.wait_for_function(f"() => {PLACES}.some((place) => place > 2000)")
    assert [(head["id"], head["top"]) for head in heads(page) if head["pinned"]] == [(first, 0), (second, 28)]
    scroll(page, 1e9)
    page.wait_for_function(f"() => {PLACES}.includes({COUNT})")
    total = page.evaluate("() => document.querySelector('.rows-space').offsetHeight")
    assert total == COUNT * 28 + expanded["height"] - 28  # though the expanded row is far away
    head_of(page, first).locator(".row-pin").click()
    page.wait_for_function(f"row => !{IDS}.includes(row)", arg=first)
    scroll(page, 0)
    expect(head_of(page, expanded["id"]).locator(".row-track")).to_have_count(expanded["channels"])


def test_rows_are_sorted_grouped_expanded_and_pinned(serve: Serve, visit: Visit) -> None:
    served = serve(COUNT)
    page = visit(served.url, rows=10)
    sorts_and_groups(page, served)
    pins(page, expands(page))


def test_the_order_stays_under_the_pointer_and_rows_stay_expanded(serve: Serve, visit: Visit) -> None:
    served = serve(300, 60)
    page = visit(served.url, rows=10)
    page.locator("#timeline-rows").hover(position={"x": 150, "y": 240})
    page.wait_for_function("() => document.querySelector('.row-head.marked')")
    expanded = expands(page)
    before = heads(page)
    wait_for_ticks(page, served)
    expect(head_of(page, expanded["id"])).to_be_visible()
    assert ids(page) == [head["id"] for head in before]
    page.mouse.move(5, 5)
    page.evaluate("() => document.activeElement.blur()")
    # Nobody points any more: within a few seconds the rows are in their order again.
    page.wait_for_function(f"before => !{IDS}.every((id) => before.includes(id))", arg=[head["id"] for head in before])
