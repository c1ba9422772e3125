"""Keys, the sheet of keys and the command box in a real browser: they say and do the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from playwright.sync_api import Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
FUZZY = """async (cases) => {
  const { match } = await import("/assets/base/fuzzy.mjs");
  return cases.map(([query, text]) => match(query, text)?.places.map((place) => text[place]).join("") ?? null);
}"""
BEST = """async ([query, texts]) => {
  const { match } = await import("/assets/base/fuzzy.mjs");
  return texts.map((text) => [match(query, text)?.score ?? -1e9, text]).sort((a, b) => b[0] - a[0])[0][1];
}"""
NAMES = """async (events) => {
  const { keyName } = await import("/assets/commands/keys.mjs");
  return events.map((event) => keyName(new KeyboardEvent("keydown", event)));
}"""
TABLE = """async () => {
  const { makeCommands, GROUPS } = await import("/assets/commands/commands.mjs");
  const { keyLabels } = await import("/assets/commands/keys.mjs");
  const nothing = new Proxy({}, { get: () => () => true });
  const labels = (one) => (one.said ?? one.keys).map((key) => keyLabels(key).join("+"));
  const known = (one) => GROUPS.includes(one.group);
  const pages = (one) => ["wall", "journey", "operations"].filter((page) => !one.when || one.when(page));
  const told = (one) => ({ pages: pages(one), labels: labels(one), known: known(one), act: typeof one.act });
  return makeCommands(nothing).map((one) => ({ ...one, ...told(one) }));
}"""

WRITTEN = """() => Object.fromEntries([...document.querySelectorAll("#help-sheet dl > div")].map((line) => [
  line.querySelector("dd").textContent,
  [...line.querySelectorAll(".keys")].map((keys) => [...keys.querySelectorAll(".key")].map((key) => key.textContent).join("+")),
]))"""


def searched(found: list[dict[str, Any]], asked: list[str]) -> APIRouter:
    """The list of journeys of the HTTP interface, with one answer."""
    router = APIRouter()

    @router.get("/api/v1/journeys")
    async def journeys(q: str, limit: int) -> dict[str, Any]:
        asked.append(q)
        return {"journeys": found[:limit], "next": None, "version": 1}

    return router


def documented() -> dict[str, list[str]]:
    """The keys of docs/keyboard.md by what they do."""
    lines = (Path(__file__).parents[3] / "docs" / "keyboard.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    # "Page up" is one key, all others have no blanks.
    return {row[1]: [row[0]] if row[0].startswith("Page") else row[0].split() for row in rows if row[1]}


def focused(page: Page) -> str:
    return page.evaluate("() => document.activeElement.textContent || document.activeElement.id")


def window(page: Page) -> str:
    return page.locator("#window").inner_text()


def box(page: Page) -> Any:
    return page.locator("#command-box")


def test_keys_are_named_found_and_written_alike(serve: Serve, visit: Visit) -> None:
    page = visit(serve(5).url)
    events = [
        {"key": "A", "code": "KeyA", "shiftKey": True}, {"key": "w", "code": "KeyW"}, {"key": "?", "shiftKey": True},
        {"key": "K", "ctrlKey": True, "code": "KeyK"}, {"key": "P", "ctrlKey": True, "shiftKey": True, "code": "KeyP"},
        {"key": "ArrowLeft", "shiftKey": True}, {"key": "ц", "code": "KeyW"},
        {"key": "[", "ctrlKey": True, "altKey": True, "modifierAltGraph": True},
        {"key": "k", "metaKey": True, "code": "KeyK"}, {"key": " "},
    ]  # fmt: skip
    names = ["Shift+a", "w", "?", "Ctrl+k", "Ctrl+Shift+p", "Shift+ArrowLeft", "w", "[", "Ctrl+k", " "]
    assert page.evaluate(NAMES, events) == names
    cases = [["zi", "Zoom in"], ["live", "Back to live"], ["LV", "Back to live"], ["xq", "Zoom in"], ["zmn", "Zoom in"]]
    assert page.evaluate(FUZZY, cases) == ["Zi", "live", "lv", None, "Zmn"]
    assert page.evaluate(BEST, ["png", ["Pause, or go on", "Export a picture (PNG)"]]) == "Export a picture (PNG)"
    assert page.evaluate(BEST, ["row", ["Jump to a customer or row", "Row above", "Theme: grow"]]) == "Row above"
    table = page.evaluate(TABLE)
    for place in ("wall", "journey", "operations"):
        keys = [key for one in table if place in one["pages"] for key in one["keys"]]
        assert len(keys) == len(set(keys))
    assert len({one["name"] for one in table}) == len(table)
    assert all(one["known"] for one in table)
    page.keyboard.press("?")
    page.locator("#help-sheet dl").first.wait_for()
    written = page.evaluate(WRITTEN)
    wanted = {one["title"]: one["labels"] for one in table if one["keys"]}
    assert documented() == wanted
    # What the page has no part for has no command, and so no line.
    assert {tuple(keys) for keys in written.values()} <= {tuple(keys) for keys in wanted.values()}


def test_keys_move_in_time_and_through_rows(serve: Serve, visit: Visit) -> None:
    page = visit(serve(200).url, rows=10)
    seen = [window(page)]
    for key in ("w", "d", "Shift+A", "ArrowLeft"):
        page.keyboard.press(key)
        page.wait_for_function("seen => document.getElementById('window').textContent !== seen", arg=seen[-1])
        seen.append(window(page))
    expect(page.locator("#back-to-live")).to_be_visible()
    page.keyboard.press("l")
    expect(page.locator("#back-to-live")).to_be_hidden()
    page.keyboard.press("l")
    expect(page.locator("#pause")).to_contain_text("PAUSED")
    page.keyboard.press("l")
    expect(page.locator("#pause")).not_to_contain_text("PAUSED")
    page.keyboard.press("End")
    page.wait_for_function("() => document.activeElement.closest('.row-head')?.ariaPosInSet === '200'")
    page.keyboard.press("Home")
    page.wait_for_function("() => document.activeElement.closest('.row-head')?.ariaPosInSet === '1'")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(".")
    expect(page.locator("#card.pinned")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("from ")
    page.keyboard.press("m")
    expect(page.locator(".time-mark")).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.press("f")
    expect(page.locator("#back-to-live")).to_be_visible()
    band, chart = page.locator(".time-mark").bounding_box(), page.locator(".rows-canvas").bounding_box()
    assert band and chart
    assert band["width"] > 0.7 * chart["width"], "what is fitted is what is marked"
    page.keyboard.press("m")
    expect(page.locator(".time-mark")).to_be_hidden()
    page.keyboard.press(",")
    expect(page.locator("#announcer")).to_contain_text("First segment")
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()


def test_single_keys_are_off_where_somebody_types_and_where_they_are_switched_off(serve: Serve, visit: Visit) -> None:
    page = visit(serve(30).url, rows=10)
    before = window(page)
    page.keyboard.press("Control+b")
    page.keyboard.type("w?tea")
    expect(page.locator("#filter-customer")).to_have_value("w?tea")
    assert window(page) == before
    expect(page.locator("#help-sheet")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#filter-customer")).to_have_value("")
    assert page.evaluate("() => document.activeElement.id") == "filter-customer"
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.tagName") == "BODY"
    page.keyboard.press("?")
    switch = page.get_by_role("checkbox", name="Single-character keys")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator("#help-sheet")).to_be_hidden()
    page.keyboard.press("w")
    page.keyboard.press("?")
    assert window(page) == before
    expect(page.locator("#help-sheet")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.activeElement.closest('.row-head')")
    again = visit(page.url, rows=10)
    again.keyboard.press("?")
    expect(again.locator("#help-sheet")).to_be_hidden()
    again.keyboard.press("Control+k")
    expect(box(again)).to_be_visible()
    again.keyboard.type("single")
    again.keyboard.press("Enter")
    expect(box(again)).to_be_hidden()
    again.keyboard.press("?")
    expect(again.get_by_role("checkbox", name="Single-character keys")).to_be_checked()


def test_the_command_box_does_what_is_chosen_and_gives_the_focus_back(serve: Serve, visit: Visit) -> None:
    asked: list[str] = []
    other = {"journey_id": "j-elsewhere", "customer_id": "cust-elsewhere", "state": "CLOSED"}
    page = visit(serve(60, routers=[searched([other], asked)]).url, rows=10)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    row = focused(page)
    page.keyboard.press("Control+k")
    field = box(page).get_by_role("combobox")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(box(page)).to_be_hidden()
    assert focused(page) == row
    before = window(page)
    page.keyboard.press(">")
    expect(field).to_have_value(">")
    page.keyboard.type("zoo")
    expect(box(page).get_by_role("option", selected=True)).to_contain_text("Zoom in")
    page.keyboard.press("Enter")
    page.wait_for_function("seen => document.getElementById('window').textContent !== seen", arg=before)
    assert focused(page) == row
    page.keyboard.press("Control+Shift+P")
    expect(box(page).get_by_role("group", name="Recent").get_by_role("option")).to_have_text(
        [r"Zoom in, at the pointerTimeW or +"]
    )
    page.keyboard.press("Escape")
    page.keyboard.press("Control+p")
    expect(box(page).get_by_role("option").first).to_contain_text("cust-")
    page.keyboard.type("elsewh")
    option = box(page).get_by_role("option", name="cust-elsewhere")
    expect(option).to_contain_text("Closed · journey page")
    assert asked == ["elsewh"]
    field.fill("+44 20 7946 0000")
    expect(box(page).get_by_role("option")).to_have_text(["Show only journeys with “+44 20 7946 0000”"])
    page.wait_for_timeout(400)
    assert asked == ["elsewh"], "a phone number stands in no address"
    customer = page.locator(".row-head:not([hidden]) .row-customer").nth(5).inner_text()
    field.fill(customer[-4:])
    page.keyboard.press("Enter")
    page.wait_for_function("customer => document.activeElement.textContent === customer", arg=customer)
    page.keyboard.press("Control+k")
    expect(box(page).get_by_role("group", name="Recent").get_by_role("option").first).to_contain_text(customer)
    field.fill("cust-0001")
    page.keyboard.press("ArrowUp")
    expect(box(page).get_by_role("option", selected=True)).to_contain_text("Show only journeys with")
    page.keyboard.press("Enter")
    expect(page.locator("#counts")).to_contain_text("10 of 60 match")
    expect(page.locator("#filter-customer")).to_have_value("cust-0001")
    page.keyboard.press("Control+k")
    field.fill(">only in state closed")
    page.keyboard.press("Enter")
    expect(page.locator("#filter-chips")).to_contain_text("Closed")
