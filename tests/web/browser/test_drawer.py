"""The drawer: everything about the selected journey, up to date or said to be otherwise, until somebody closes it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from journeymap.model.change import Changes, RowChanges
from journeymap.store.base import Commit
from tests.web.browser.conftest import PATIENCE_MS
from tests.web.served import Served
from tests.web.stories import Story

Serve = Callable[..., Served]
Visit = Callable[..., Page]
SEGMENTS = ".told-segment"


def open_story(served: Served) -> Story:
    return next(story for story in served.read_model.stories.values() if not story.closed)


def newcomer(served: Served, customer: str) -> Story:
    """An open journey of this customer; a made-up one may be closed already."""
    story = served.read_model.add(customer)
    story.closed = False
    kind, start, _ = story.interactions[-1]["segments"][-1]
    story.interactions[-1]["segments"][-1] = (kind, start, None)
    return story


def move(served: Served, story: Story) -> None:
    """The segment that is open ends, and another begins."""
    model = served.read_model
    with model.lock:
        last = story.interactions[-1]
        kind, start, _ = last["segments"][-1]
        now = max(model.clock(), start + 1)
        last["segments"] += [("wait" if kind == "interact" else "interact", now, None)]
        last["segments"][-2] = (kind, start, now)
        last.update(state="INITIATED" if kind == "interact" else "ACTIVE", last=now)
        story.last_event_at = story.arrived_at = now
        model.commit([story])


def select(page: Page, story: Story) -> None:
    page.locator(f".row-head[data-id='{story.journey_id}'] .row-customer").click()
    expect(page.locator("#drawer .drawer-customer")).to_have_text(story.customer)


def test_the_drawer_stays_and_keeps_up_whatever_happens_to_its_row(serve: Serve, visit: Visit) -> None:
    served = serve(120)
    model = served.read_model
    story = newcomer(served, "the-chosen")
    page = visit(served.url, rows=10)
    drawer, standing = page.locator("#drawer"), page.locator(".drawer-standing")
    expect(drawer).to_be_hidden()
    before = page.evaluate("() => document.getElementById('timeline-rows').getBoundingClientRect().toJSON()")
    select(page, story)
    assert f"selected={story.journey_id}" in page.url
    assert page.evaluate("() => document.getElementById('timeline-rows').getBoundingClientRect().toJSON()") == before
    box = drawer.bounding_box()
    assert box
    assert box["width"] == 360
    expect(drawer.locator(".told")).to_have_count(len(story.interactions))
    expect(drawer.locator(".told-where").last).to_contain_text(f"Queue {story.interactions[-1]['queue']}")
    shown = sum(len(one["segments"]) for one in story.interactions)
    expect(drawer.locator(SEGMENTS)).to_have_count(shown)
    expect(standing).to_have_text("Up to date")

    # An update changes texts and adds elements; it makes none anew.
    page.evaluate(
        "() => document.querySelectorAll('.told, .told-segment').forEach(each => (each.dataset.kept = 'yes'))"
    )
    move(served, story)
    expect(drawer.locator(SEGMENTS)).to_have_count(shown + 1)
    expect(drawer.locator(f"{SEGMENTS}[data-kept]")).to_have_count(shown)

    # Scrolled out of sight, then among those that do not match: it goes on.
    page.evaluate("() => { document.getElementById('timeline-rows').scrollTop = 28 * 90 }")
    expect(page.locator(f".row-head[data-id='{story.journey_id}']:visible")).to_have_count(0)
    move(served, story)
    expect(drawer.locator(SEGMENTS)).to_have_count(shown + 2)
    page.locator("#filter-customer").fill("cust-0001")
    expect(standing).to_have_text("Up to date, though it does not match the filters")
    move(served, story)
    expect(drawer.locator(SEGMENTS)).to_have_count(shown + 3)
    page.locator("#filter-customer").fill("")

    # Held and lost are said, and end.
    page.locator("#pause").click()
    expect(standing).to_contain_text("Held as of ")
    page.locator("#pause").click()
    expect(standing).to_have_text("Up to date")
    page.route("**/_dash-update-component*", lambda route: route.abort())
    expect(standing).to_contain_text("the server does not answer")
    move(served, story)
    page.unroute("**/_dash-update-component*")
    expect(standing).to_have_text("Up to date")
    expect(drawer.locator(SEGMENTS)).to_have_count(shown + 4)

    # What it was joined into takes its place; what is gone is said to be.
    target = open_story(served)
    with model.lock:
        model.store.commit(Commit(model.clock(), RowChanges([], {story.journey_id: target.journey_id}), Changes(), {}))
    expect(page.locator(".drawer-customer")).to_have_text(target.customer)
    with model.lock:
        model.store.commit(Commit(model.clock(), RowChanges([], {target.journey_id: None}), Changes(), {}))
    expect(standing).to_contain_text("not kept up to date here")
    expect(page.locator(".drawer-customer")).to_have_text(target.customer)
    assert page.locator(".drawer-open").get_attribute("href") == f"/journey/{target.journey_id}"


def test_keys_and_buttons_of_the_drawer(serve: Serve, visit: Visit) -> None:
    served = serve(60)
    story = newcomer(served, "keyed")
    someone = served.read_model.add("+44 20 7946 0000")
    page = visit(served.url, rows=10)
    drawer = page.locator("#drawer")
    page.locator(".row-customer", has_text="keyed").focus()
    page.keyboard.press("Enter")
    expect(drawer.locator(".drawer-customer")).to_have_text("keyed")
    expect(page.locator(".row-customer", has_text="keyed")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer).to_be_focused()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    assert "selected" not in page.url
    page.keyboard.press("q")
    expect(drawer).to_be_visible()
    packet = drawer.get_by_role("link", name="Packet").get_attribute("href")
    assert packet
    assert packet.startswith(f"/export/journey/{story.journey_id}.zip?theme=light&time_zone=")
    drawer.get_by_role("button", name="Pin").click()
    expect(drawer.get_by_role("button", name="Unpin")).to_have_attribute("aria-pressed", "true")
    assert f"pinned={story.journey_id}" in page.url
    drawer.get_by_role("button", name="Unpin").click()
    drawer.get_by_role("link", name="Same customer").click()
    expect(page.locator("#customer-field input")).to_have_value("keyed")
    expect(drawer).to_be_visible()
    page.go_back()
    expect(page.locator("#customer-field input")).to_have_value("")
    # A copied address opens the same; a phone number gets into none.
    page.goto(f"{served.url}/?selected={someone.journey_id}")
    expect(drawer.locator(".drawer-customer")).to_have_text("+44 20 7946 0000")
    link = drawer.get_by_role("link", name="Same customer")
    assert link.get_attribute("href") == f"/journey/{someone.journey_id}"
    drawer.get_by_role("button", name="Close the drawer").click()
    expect(drawer).to_be_hidden()
    page.goto(f"{served.url}/?selected=nothing-of-that-name")
    expect(page.locator(".drawer-standing")).to_contain_text("not kept up to date here")


def test_on_a_phone_the_drawer_comes_from_below(serve: Serve, browser: Browser, visit: Visit) -> None:
    served = serve(60)
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.set_default_timeout(PATIENCE_MS)
    page = visit(served.url, rows=10, context=context)
    page.locator(".row-customer").first.tap()
    expect(page.locator("#drawer")).to_be_visible()
    box = page.locator("#drawer").bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, 390)
    assert abs(box["height"] - 844 * 2 / 3) < 3
    assert abs(box["y"] + box["height"] - 844) < 1
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    context.close()
