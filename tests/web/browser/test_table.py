"""The table in a real browser: loaded when it is wanted, the same set as the chart, live without taking anything away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.process import until
from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]

GRID = "#journey-table"
HEADS = f"{GRID} .ag-header-row-column .ag-header-cell-text"
FIRST = f"{GRID} .ag-row[row-index='0']"
COLUMNS = [
    *(
        "Customer",
        "State",
        "In state",
        "Last activity",
        "Channels",
        "Queue",
        "Agent",
        "Longest wait",
        "All waits",
        "Duration",
        "Started",
    ),
    *("Transfers", "Interactions", "Outcome", "Flags", "Direction", "Events"),
]


def open_table(page: Page) -> None:
    page.locator("#table-toggle").click()
    expect(page.locator(f"{FIRST} a.twin-customer")).to_have_text(re.compile("."))


def header(page: Page, name: str) -> Any:
    return page.get_by_role("columnheader", name=name, exact=True)


def texts(page: Page, column: str) -> list[str]:
    """What a column says, from the top down."""
    found: list[str] = page.evaluate(
        """column => [...document.querySelectorAll(`#journey-table .ag-row [col-id="${column}"]`)]
          .map(cell => [Number(cell.closest('.ag-row').getAttribute('row-index')), cell.textContent.trim()])
          .sort((one, other) => one[0] - other[0]).map(([, text]) => text)""",
        column,
    )
    return found


def stories(served: Served) -> list[Any]:
    return list(served.read_model.stories.values())


def test_opens_sorts_and_filters(serve: Serve, visit: Visit, page_requests: list[str]) -> None:
    served = serve(150)
    page = visit(served.url, rows=10)
    assert not [url for url in page_requests if "ag_grid" in url or "/grid.mjs" in url or "table.css" in url]
    open_table(page)
    assert len([url for url in page_requests if "dash_ag_grid" in url and url.endswith(".js")]) == 2
    expect(page.locator("#timeline")).to_be_hidden()
    expect(page.locator(HEADS)).to_have_text(COLUMNS)
    grid = page.locator(f"{GRID} [role=grid], {GRID} [role=treegrid]").first
    assert grid.get_attribute("aria-label") == "Journeys"
    assert int(grid.get_attribute("aria-rowcount") or 0) == 150 + 2, "the headers count, too"
    expect(header(page, "Last activity")).to_have_attribute("aria-sort", "descending")
    for name in ("Agent", "All waits", "Outcome", "Flags", "Direction"):
        assert header(page, name).get_attribute("aria-sort") is None
        expect(header(page, name)).to_have_attribute("title", re.compile("Not sortable: "))
    choice, toggle = (page.locator(f"#table-{part}").bounding_box() for part in ("columns", "toggle"))
    assert choice and toggle
    assert toggle["x"] - choice["x"] - choice["width"] < 24, "they stand side by side"
    latest = sorted(stories(served), key=lambda story: (story.last_event_at, story.journey_id), reverse=True)
    assert texts(page, "customer")[:10] == [story.customer for story in latest[:10]]

    header(page, "Customer").click()
    expect(header(page, "Customer")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("#sort option:checked")).to_have_text("As in the table")
    expect(page.locator(f"{FIRST} [col-id=customer]")).to_have_text("cust-00000")
    assert texts(page, "customer") == sorted(texts(page, "customer"))
    header(page, "Transfers").focus()
    page.keyboard.press("Enter")
    expect(header(page, "Transfers")).to_have_attribute("aria-sort", "descending")
    most = max(len(story.transfers) for story in stories(served))
    expect(page.locator(f"{FIRST} [col-id=transfers]")).to_have_text(str(most))

    page.get_by_label("Filter by state").select_option("CLOSED")
    closed = sum(story.closed for story in stories(served))
    expect(page.locator("#table-tools")).to_contain_text(f"{closed} journeys")
    until(lambda: set(texts(page, "state")) == {"Closed"}, "only closed journeys")
    page.get_by_label("Filter by customer").fill("cust-0001")
    few = [story for story in stories(served) if story.closed and "cust-0001" in story.customer]
    expect(page.locator("#table-tools")).to_contain_text(f"{len(few)} journey")
    expect(page.locator(f"{GRID} .ag-row a.twin-customer")).to_have_count(len(few))
    page.get_by_label("Filter by customer").fill("nobody")
    expect(page.locator(f"{GRID} .twin-empty")).to_be_visible()
    page.get_by_label("Filter by customer").fill("")
    expect(page.locator(f"{FIRST} a.twin-customer")).to_have_text(re.compile("cust"))
    assert "state=CLOSED" in page.url
    page.locator("#table-toggle").click()
    expect(page.locator("#timeline")).to_be_visible()
    expect(page.locator("#table-columns")).to_be_hidden()
    expect(page.locator("#sort option:checked")).to_have_text("Transfers")
    page.wait_for_function("count => Number(document.body.dataset.rows) >= count", arg=5)


@pytest.fixture
def page_requests(context: Any) -> list[str]:
    """The addresses of all that the pages of this test asked for."""
    seen: list[str] = []
    context.on("request", lambda request: seen.append(request.url))
    return seen


def test_keys_select_and_open_and_the_selection_shows_every_segment(serve: Serve, visit: Visit) -> None:
    served = serve(60)
    page = visit(served.url, rows=10)
    open_table(page)
    page.locator(f"{FIRST} [col-id=state]").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    third = page.locator(f"{GRID} .ag-row[row-index='2']").first
    expect(third).to_have_attribute("aria-selected", "true")
    story = next(each for each in stories(served) if each.customer == texts(page, "customer")[2])
    expect(page.locator("#table-detail h3")).to_have_text(story.customer)
    lines = page.locator("#table-detail tbody tr")
    expect(lines).to_have_count(sum(len(one["segments"]) for one in story.interactions))
    last = story.interactions[-1]
    expect(lines.last).to_contain_text(last["agent"])
    expect(lines.last).to_contain_text(last["queue"])
    assert third.get_attribute("aria-rowindex") == str(3 + 2), "the headers count, too"
    # In the table Space selects.
    expect(page.locator("#pause")).to_have_attribute("data-mode", "live")
    expect(page.locator("#drawer")).to_be_hidden()
    page.get_by_role("button", name="Close the selection").click()
    expect(page.locator("#table-detail")).to_be_hidden()
    expect(third).to_have_attribute("aria-selected", "false")
    expect(third.locator("[col-id=customer]")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"{GRID} .ag-row[row-index='2'] [col-id=state]")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#table-detail h3")).to_have_text(story.customer)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/journey/{story.journey_id}*")
    page.go_back()
    expect(third).to_have_attribute("aria-selected", "true")


def test_live_updates_leave_scroll_focus_selection_and_what_is_typed(serve: Serve, visit: Visit) -> None:
    served = serve(400)
    page = visit(served.url, rows=10)
    open_table(page)
    page.locator(f"{GRID} .ag-row[row-index='5'] [col-id=queue]").click()
    page.evaluate("() => { document.querySelector('#journey-table .ag-body-viewport').scrollTop = 2800 }")
    expect(page.locator(f"{GRID} .ag-row[row-index='105'] a.twin-customer")).to_be_visible()
    page.locator(f"{GRID} .ag-row[row-index='104'] [col-id=queue]").click()
    state = """() => ({
      top: document.querySelector('#journey-table .ag-body-viewport').scrollTop,
      focused: document.activeElement.closest('.ag-row')?.getAttribute('row-id') + document.activeElement.getAttribute('col-id'),
      selected: [...document.querySelectorAll('#journey-table .ag-row-selected')].map((row) => row.getAttribute('row-id')),
      // Of those in sight: the grid makes some more around them when it has the time.
      order: Array.from({ length: 10 }, (_, place) =>
        document.querySelector(`#journey-table .ag-row[row-index="${100 + place}"]`)?.getAttribute('row-id')),
    })"""
    before = page.evaluate(state)
    row = page.locator(f"{GRID} .ag-row[row-index='104'] [col-id=events]")
    events = row.text_content()
    model = served.read_model
    story = model.stories[before["selected"][0]]
    with model.lock:
        story.closed = False
        story.move(model.clock(), model.dice)
        model.commit([story])
        model.step(200)
    expect(row).not_to_have_text(str(events))
    expect(page.locator("#table-update")).to_be_visible()
    assert page.evaluate(state) == before
    since = page.locator(f"{GRID} .ag-row[row-index='104'] [col-id=since]")
    ticked = since.text_content()
    page.get_by_label("Filter by agent").press_sequentially("Ana Sil")
    expect(since).not_to_have_text(str(ticked))
    assert page.get_by_label("Filter by agent").input_value() == "Ana Sil"
    page.locator("#table-update").click()
    expect(page.locator("#table-update")).to_be_hidden()


def test_columns_are_kept_in_this_browser(serve: Serve, visit: Visit) -> None:
    served = serve(20)
    page = visit(served.url)
    open_table(page)
    page.locator("#table-columns").click()
    page.get_by_role("group", name="Columns of the table").get_by_label("Events", exact=True).uncheck()
    page.get_by_role("button", name="Agent: earlier").click()
    page.keyboard.press("Escape")
    wanted = [*COLUMNS[:5], "Agent", "Queue", *COLUMNS[7:-1]]
    heads = page.locator(HEADS)
    expect(heads).to_have_text(wanted)
    page.reload()
    open_table(page)
    expect(heads).to_have_text(wanted)


def test_a_phone_has_few_columns(serve: Serve, browser: Browser, visit: Visit) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = visit(serve(20).url, context=context)
    open_table(page)
    expect(page.locator(HEADS)).to_have_text(COLUMNS[:3])
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    last = header(page, COLUMNS[2]).bounding_box()
    assert last
    assert 380 <= last["x"] + last["width"] <= 390, "the columns fill the screen"
    page.locator(f"{FIRST} [col-id=state]").tap()
    expect(page.locator("#table-detail tbody tr").first).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator(FIRST).first).to_be_in_viewport()
    context.close()
