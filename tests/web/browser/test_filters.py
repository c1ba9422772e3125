"""Filters as people set them: ticked, typed, taken away, shared, saved; and what they leave in the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from journeymap.view.masking import Viewer
from journeymap.web.exporting import parse_export
from tests.web.browser.test_address import state, wait_for_state
from tests.web.browser.test_wall import first_customers
from tests.web.served import Served
from tests.web.stories import Story

Serve = Callable[..., Served]
Visit = Callable[..., Page]

SELECTED = "j-00000000000000000007"


def facet(page: Page, name: str, value: str) -> Any:
    return page.locator(f"#filter-{name} .facet-value", has_text=value)


def tick(page: Page, name: str, value: str) -> None:
    facet(page, name, value).click()


def count_of(page: Page, name: str, value: str) -> Any:
    return page.locator(f"[data-count='filter-{name}:{value}']")


def matching(served: Served, test: Callable[[Story], bool]) -> list[Story]:
    return [story for story in served.read_model.stories.values() if test(story)]


def queues(story: Story) -> set[str]:
    return {one["queue"] for one in story.interactions}


def query(page: Page) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(page.url).query)


def opens_the_same(page: Page, copied: str, visit: Visit, browser: Browser, rows: int) -> None:
    elsewhere = browser.new_context(viewport={"width": 1280, "height": 800})
    other = visit(copied, rows=rows, context=elsewhere)
    expect(other.locator("#counts")).to_have_text(page.locator("#counts").inner_text())
    assert state(other) == state(page)
    assert first_customers(other) == first_customers(page)
    expect(other.locator("#window-menu")).to_contain_text("Last hour")
    elsewhere.close()


def test_filters_combine_count_and_travel(
    serve: Serve, visit: Visit, browser: Browser, context: BrowserContext
) -> None:
    served = serve(90)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit(served.url, rows=10)
    billing = matching(served, lambda story: "Billing" in queues(story))
    expect(count_of(page, "queue", "Billing")).to_have_text(str(len(billing)))

    # Ticked values of one facet add up, facets narrow each other; a facet's counts disregard its own choice.
    tick(page, "queue", "Billing")
    expect(page.locator("#counts")).to_have_text(f"{len(billing)} of 90 match")
    sales = matching(served, lambda story: "Sales" in queues(story))
    expect(count_of(page, "queue", "Sales")).to_have_text(str(len(sales)))
    chats = [story for story in billing if "chat" in story.channels]
    expect(count_of(page, "channel", "chat")).to_have_text(str(len(chats)))
    tick(page, "queue", "Sales")
    both = matching(served, lambda story: bool(queues(story) & {"Billing", "Sales"}))
    expect(page.locator("#counts")).to_have_text(f"{len(both)} of 90 match")
    tick(page, "channel", "Chat")
    wanted = [story for story in both if "chat" in story.channels]
    expect(page.locator("#counts")).to_have_text(f"{len(wanted)} of 90 match")
    assert query(page) == [("channel", "chat"), ("queue", "Billing"), ("queue", "Sales")]
    page.wait_for_function("count => Number(document.body.dataset.rows) <= count", arg=len(wanted))
    assert set(first_customers(page)) <= {story.customer for story in wanted}

    # Back and Forward go through it, ticks and all.
    page.go_back()
    expect(page.locator("#counts")).to_have_text(f"{len(both)} of 90 match")
    expect(facet(page, "channel", "Chat").locator("input")).not_to_be_checked()
    page.go_forward()
    expect(facet(page, "channel", "Chat").locator("input")).to_be_checked()
    expect(page.locator("#counts")).to_have_text(f"{len(wanted)} of 90 match")

    # The rest is folded away; a window is chosen, a row selected.
    page.locator(".facets-summary").click()
    page.get_by_label("Lasts at least").select_option("5 min")
    page.locator("#window-menu").click()
    page.get_by_role("button", name="Last hour").click()
    expect(page.locator("#window-menu")).to_contain_text("Last hour")
    page.evaluate("async id => (await import('/assets/state/address.mjs')).address.change({ selected: id })", SELECTED)
    long = [story for story in wanted if story.last_event_at - story.started_at >= 300_000]
    expect(page.locator("#counts")).to_have_text(f"{len(long)} of 90 match")

    # What "Share" copies opens the same for somebody else.
    page.locator("#share").click()
    expect(page.locator("#said")).to_contain_text("Address copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == page.url
    opens_the_same(page, copied, visit, browser, min(1, len(long)))

    # Chips take one away each, "Clear" all of them.
    expect(page.locator(".chip")).to_have_count(4)
    page.get_by_role("button", name="Remove filter Channel: Chat").click()
    wait_for_state(page, "selected", SELECTED)
    assert state(page)["filters"]["channels"] == []
    page.locator("#filters-clear").click()
    expect(page.locator("#counts")).to_have_text("All 90 journeys")
    assert query(page) == [("live", "1h"), ("selected", SELECTED)]


def test_what_is_personal_is_shared_with_nobody(serve: Serve, visit: Visit, context: BrowserContext) -> None:
    served = serve(30)
    phone = served.read_model.add("+44 20 7946 0018")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit(served.url, rows=10)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.locator("#filter-customer").fill("20 7946 0018")
    expect(page.locator("#counts")).to_have_text("1 of 31 match")
    expect(page.locator(".row-customer", has_text=phone.customer)).to_be_visible()
    assert query(page) == []
    page.locator("#share").click()
    expect(page.locator("#said")).to_contain_text("Without what looks like a phone number")
    assert page.evaluate("() => navigator.clipboard.readText()") == f"{served.url}/"
    with page.expect_request("**/export/journeys.pdf") as exported:
        page.locator("#export-menu").click()
        page.locator("#export-menu-panel [data-form=pdf]").click()
    assert ("q", "20 7946 0018") in parse_qsl(exported.value.post_data or "")
    page.locator(".row-customer", has_text=phone.customer).click()
    page.locator("#drawer .drawer-open").click()
    page.wait_for_url(f"**/journey/{phone.journey_id}")
    page.go_back()
    expect(page.locator("#filter-customer")).to_have_value("20 7946 0018")
    assert not any("7946" in address for address in addresses)


def test_views_are_kept_in_this_browser(serve: Serve, visit: Visit) -> None:
    served = serve(60)
    page = visit(f"{served.url}/?state=ACTIVE&sort=wait", rows=1)
    page.locator("#views-menu").click()
    page.get_by_label("Name of the view").fill("Busy")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("Saved as “Busy”")
    page.locator("#filters-clear").click()
    expect(page.locator("#counts")).to_have_text("All 60 journeys")
    page.locator("#views-menu").click()
    page.locator(".view-open", has_text="Busy").click()
    expect(facet(page, "state", "Active").locator("input")).to_be_checked()
    assert query(page) == [("state", "ACTIVE"), ("sort", "wait")]
    page.locator("#views-menu").click()
    page.get_by_role("button", name="Start with it: Busy").click()
    expect(page.get_by_role("button", name="The page starts with it")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#views-menu-panel")).to_be_hidden()

    # Whoever comes without a wish starts with it; whoever has one gets that.
    again = visit(served.url)
    expect(facet(again, "state", "Active").locator("input")).to_be_checked()
    again.close()
    again = visit(f"{served.url}/?channel=chat")
    expect(facet(again, "channel", "Chat").locator("input")).to_be_checked()
    assert query(again) == [("channel", "chat")]
    again.locator("#views-menu").click()
    again.get_by_role("button", name="Delete Busy").click()
    expect(again.locator(".view-row")).to_have_count(0)


def test_exports_ask_for_what_is_shown_several_at_a_time(serve: Serve, visit: Visit) -> None:
    served = serve(40)
    page = visit(f"{served.url}/?q=cust&channel=other&channel=chat&min_duration=5m&flag=abandoned&sort=started", rows=0)
    expect(page.locator("#counts")).to_contain_text("of 40 match")
    asked: list[tuple[str, str]] = []
    held: dict[str, Any] = {}

    def send(route: Any) -> None:
        route.fulfill(status=200, body="{}", headers={"content-disposition": 'attachment; filename="them.jsonl"'})

    def answer(route: Any) -> None:
        form = urlsplit(route.request.url).path.rpartition(".")[2]
        asked.append((form, route.request.post_data))
        if form == "pdf":
            busy = [form for form, _ in asked].count("pdf") == 1
            said = {"detail": "2 exports are being made" if busy else "that would be 300 pages"}
            route.fulfill(status=429 if busy else 400, json=said, headers={"retry-after": "2"} if busy else {})
        elif form in ("csv", "svg"):
            held[form] = route
        else:
            send(route)

    page.route("**/export/**", answer)
    said, making = page.locator("#said"), page.locator("#making li")
    page.locator("#export-menu").click()
    with page.expect_download() as waiting:
        page.locator("#export-menu-panel [data-form=jsonl]").click()
    assert waiting.value.suggested_filename == "them.jsonl"
    expect(said).to_have_text("them.jsonl is saved.")
    # Whoever is refused because others have theirs made is seen to wait, and asks again.
    page.locator("#export-menu").click()
    page.locator("#export-menu-panel [data-form=pdf]").click()
    expect(making).to_have_text(["PDFwaits for its turnCancel"])
    expect(said).to_have_text("No file: that would be 300 pages.")
    expect(making).to_have_count(0)
    # Two at a time, each once for a double click; the third comes when one is cancelled.
    page.locator("#export-csv").dblclick()
    page.locator("#export-svg").click()
    page.locator("#export-menu").click()
    page.get_by_role("button", name="PNG, 3 times the size").click()
    expect(making).to_contain_text(["CSVbeing made, ", "SVGbeing made, ", "PNG, 3×waits for its turn"])
    assert [form for form, _ in asked] == ["jsonl", "pdf", "pdf", "csv", "svg"]
    page.get_by_role("button", name="Cancel CSV").press("Enter")
    expect(making.filter(has_text="CSV")).to_have_count(0)
    page.wait_for_function("() => document.getElementById('said').textContent === 'them.jsonl is saved.'")
    expect(making).to_contain_text(["SVG"])
    expect(page.get_by_role("button", name="Cancel SVG")).to_be_focused()
    with page.expect_download():
        send(held["svg"])
    expect(page.locator("#making")).to_be_hidden()
    expect(page.locator("#export-menu")).to_be_focused()
    form, body = asked[-1]
    read = parse_export(parse_qsl(body), Viewer())
    assert form == "png"
    assert (read.wanted.text, read.wanted.min_duration, read.sort, read.scale) == ("cust", 300_000, "started", 3.0)
    assert read.window is not None
