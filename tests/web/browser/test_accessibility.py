"""What WCAG 2.2 AA asks for and a machine can see: axe-core on each page in both themes, reflow, sizes, names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)"
OUTSIDE = """() => [...document.querySelectorAll("button, a[href], input, h1, h2")]
  .filter(one => one.checkVisibility({visibilityProperty: true}))
  .filter(one => !one.closest(".unseen, .skip, dialog, .list-scroll, [role=grid], table"))
  .map(one => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.width > 1 && (box.right > innerWidth + 1 || box.left < -1))
  .map(([one]) => one.id || one.className || one.textContent.slice(0, 40))"""


def findings(page: Page, theme: Any) -> list[str]:
    """What axe-core calls serious or critical on the page as it is, in a theme."""
    page.emulate_media(color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", theme)
    found = page.evaluate(RUN, RULES)
    return [
        f"{page.url} {theme} {one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def lost_at_400_percent(page: Page) -> list[str]:
    """From the journey page on: what stands beside the page, which is one column at 400 % of 1280 pixels."""
    page.set_viewport_size({"width": 320, "height": 640})
    lost = [f"journey: {one}" for one in page.evaluate(OUTSIDE)]
    for key, name in (("h", "operations"), ("h", "journey again")):
        page.keyboard.press(key)
        lost += [f"{name}: {one}" for one in page.evaluate(OUTSIDE)]
    page.keyboard.press("Control+k")
    expect(page.locator("#command-box").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("all journeys")
    expect(page.locator("#command-box").get_by_role("option", selected=True)).to_contain_text("All journeys")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_be_visible()
    lost += [f"wall: {one}" for one in page.evaluate(OUTSIDE)]
    page.locator("#filters-toggle").click()
    expect(page.locator("#filters-done")).to_be_visible()
    lost += [f"filters: {one}" for one in page.evaluate(OUTSIDE)]
    page.locator("#filters-done").click()
    page.keyboard.press("t")
    page.locator("#journey-table .ag-row a.twin-customer").first.wait_for()
    lost += [f"table: {one}" for one in page.evaluate(OUTSIDE)]
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    return lost


@pytest.mark.timeout(600)  # axe-core looks sixteen times
def test_axe_finds_nothing_serious_on_any_page_in_either_theme(serve: Serve, visit: Visit) -> None:
    served = serve(40)
    page = visit(served.url, rows=10)
    page.evaluate(AXE_SCRIPT)
    found: list[str] = []
    both = ("light", "dark")

    def look() -> None:
        for theme in both:
            found.extend(findings(page, theme))

    page.keyboard.press("ArrowDown")
    page.keyboard.press(".")
    look()
    page.keyboard.press("Escape")
    for key, selector in (("Control+k", "#command-box [role=option]"), ("?", "#help-sheet dl")):
        page.keyboard.press(key)
        page.locator(selector).first.wait_for()
        look()
        page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.locator("#journey-table .ag-row a.twin-customer").first.wait_for()
    page.locator('#journey-table .ag-row [col-id="started"]').first.click()
    expect(page.locator("#table-detail")).to_be_visible()
    agent = page.locator("#journey-table").get_by_role("columnheader", name="Agent")
    expect(agent).to_have_accessible_description("The latest first. Not sortable: a journey has several")
    look()
    page.keyboard.press("h")
    expect(page.locator("#operations-verdict")).to_have_attribute("data-kind", re.compile("."))
    look()
    page.keyboard.press("h")
    expect(page.locator("#journey-table .ag-row a.twin-customer").first).to_be_visible()
    page.keyboard.press("t")
    page.locator(".row-head:not([hidden]) .row-customer").first.click()
    expect(page.locator("#drawer .told").first).to_be_visible()
    page.locator("#export-menu").click()
    expect(page.get_by_role("button", name="PNG, 1 times the size")).to_be_focused()
    look()
    page.keyboard.press("Escape")
    page.locator("#drawer .drawer-open").click()
    expect(page.locator("#journey-chart .barlayer path").first).to_be_attached()
    look()
    lost = lost_at_400_percent(page)
    assert not found + lost, "\n".join(lost + sorted(set(found)))
