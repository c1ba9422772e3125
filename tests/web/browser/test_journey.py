"""The journey page in a real browser: how it opens, what it shows, and that it goes on living."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.testing import event
from tests.web.double import wall_clock
from tests.web.served import Served
from tests.web.stitched import Stitched

Serve = Callable[..., Served]
Visit = Callable[..., Page]
CASES = json.loads((Path(__file__).parents[2] / "data" / "folding_cases.json").read_text())
FOLDING = """async (cases) => {
  const { FoldedScale, foldedTicks } = await import("/assets/journey/folding.mjs");
  return cases.map(({ start, end, width, folds, expanded, points, ticked: [left, right, offset, apart] }) => {
    const scale = new FoldedScale(start, end, width, folds, new Set(expanded));
    const { step, times } = foldedTicks(scale, left, right, offset, apart);
    return { x: points.map(([time]) => scale.x(time)), step, times };
  });
}"""
LEFT_EDGE = "() => Number(document.querySelector('#journey-chart .js-plotly-plot').layout.xaxis.range[0])"

LAST_BAR = """() => {
  const boxes = [...document.querySelectorAll('#journey-chart .barlayer path')].map((bar) => bar.getBoundingClientRect());
  const { left, top, height, right } = boxes.sort((one, other) => other.right - one.right)[0];
  return { x: (left + right) / 2, y: top + height / 2 };
}"""
THINGS = [
    "h1",
    ".journey-files",
    "#journey-chart .js-plotly-plot",
    "#journey-lists .list-scroll",
    "#journey-events pre",
]
MINE = f"() => {THINGS}.forEach((thing) => {{ document.querySelector('#journey ' + thing).mine = true }})"
KEPT = f"() => {THINGS}.map((thing) => document.querySelector('#journey ' + thing)).map((one) => one.mine && one.open !== false)"
HOVER_TEXT = "() => document.querySelector('#journey-chart .hoverlayer .hovertext')?.textContent"
WATCH_HOVER = f"""() => {{
  let last = performance.now();
  window.longestWithout = 0;
  const look = () => {{
    const now = performance.now();
    if (({HOVER_TEXT})()) last = now;
    window.longestWithout = Math.max(window.longestWithout, now - last);
    requestAnimationFrame(look);
  }};
  look();
}}"""


def call(at: int, name: str, channel: str, customer: str, talk: int = 3 * MINUTE) -> list[Any]:
    about = {"channelType": channel, "queueName": "Billing", "customerId": customer, "direction": "inbound"}
    return [
        event("interaction.created", at, name, event_id=f"{name}-1", **about),
        event("conversation.started", at + SECOND, name, event_id=f"{name}-2", agentId="Ana Silva", **about),
        event("conversation.ended", at + SECOND + talk, name, event_id=f"{name}-3", **about),
        event("disposition.completed", at + 2 * SECOND + talk, name, event_id=f"{name}-4", disposition="done", **about),
    ]


class Told:
    """A customer who came back over nine days and is in a chat now, and who had called before."""

    def __init__(self) -> None:
        self.now = wall_clock()
        self.model = Stitched(wall_clock)
        first = self.now - 9 * DAY
        self.model.apply(
            *call(first - 5 * DAY, "old-call", "voice", "cust-1"),
            *(each for day in range(9) for each in call(first + day * 23 * HOUR, f"mail-{day}", "email", "cust-1", MINUTE)),
            *call(self.now - 14 * HOUR, "late-call", "voice", "cust-1"),
            event("interaction.created", self.now - 4 * MINUTE, "chat-now", event_id="now-1", channelType="chat",
                  customerId="cust-1", queueName="Sales"),
        )  # fmt: skip
        self.served = Served(self.model, routers=(self.model.exports,))
        self.journey = self.model.journey_of("cust-1")
        self.old = self.model.store.spans("cust-1")[0].journey_id
        self.url = f"{self.served.url}/journey/{self.journey}"


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.served.close()


def test_opens_by_click_and_comes_back_to_the_same_wall(serve: Serve, visit: Visit) -> None:
    page = visit(serve(300).url, rows=10)
    page.evaluate("() => { document.getElementById('timeline-rows').scrollTop = 1400 }")
    page.locator("#zoom-in").click()
    page.wait_for_timeout(300)
    window = page.locator("#window").inner_text()
    assert page.evaluate("() => !window.Plotly"), "nothing of Plotly is loaded before it is needed"
    link = page.locator(".row-head:not([hidden]) .row-customer").nth(3)
    customer = link.inner_text()
    link.click()
    page.get_by_role("link", name="Open journey").click()
    page.wait_for_url("**/journey/j-*")
    expect(page.locator("#journey h1")).to_have_text(customer)
    expect(page.locator("#journey-chart .barlayer path").first).to_be_attached()
    expect(page.locator("#journey-lists h2").first).to_contain_text("Segments")
    expect(page.locator("#journey .when").first).to_contain_text(":")
    page.get_by_text("All journeys").click()
    expect(page.locator("#timeline")).to_be_visible()
    assert page.evaluate("() => document.getElementById('timeline-rows').scrollTop") == 1400
    assert page.locator("#window").inner_text() == window


def test_opens_by_enter_and_by_address(serve: Serve, visit: Visit) -> None:
    served = serve(20)
    page = visit(served.url)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/journey/j-*")
    expect(page.locator("#journey h1")).to_contain_text("cust-")
    expect(page.locator("#journey h1")).to_be_visible()
    customer = page.locator("#journey h1").inner_text()
    again = visit(page.url, rows=0)
    expect(again.locator("#journey h1")).to_have_text(customer)


def points_at_the_bar_that_ends_last(page: Page) -> str:
    """Returns what the hover label says."""
    bar = page.evaluate(LAST_BAR)
    page.mouse.move(bar["x"], bar["y"])
    page.mouse.move(bar["x"] + 1, bar["y"])
    expect(page.locator("#journey-chart .hoverlayer .hovertext")).to_be_visible()
    said: str = page.evaluate(HOVER_TEXT)
    return said


def test_lives_while_it_is_open_and_keeps_what_the_viewer_did(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    story, clock, dice = served.read_model.add("traveller"), served.read_model.clock, served.read_model.dice
    now = clock()
    story.closed = False
    talk = [("wait", now - 9 * MINUTE, now - 5 * MINUTE), ("interact", now - 5 * MINUTE, None)]
    story.interactions[-1].update(state="ACTIVE", disposition=None, segments=talk)
    page = visit(f"{served.url}/journey/{story.journey_id}", rows=0)
    expect(page.locator("#journey h1")).to_have_text("traveller")
    expect(page.locator("#journey-chart .barlayer path").first).to_be_attached()
    for case, found in zip(CASES, page.evaluate(FOLDING, CASES), strict=True):
        assert found["x"] == pytest.approx([x for _, x in case["points"]], abs=1e-6)
        assert (found["step"], found["times"]) == (case["step"], case["ticks"])
    events = page.locator("#journey-events .event")
    before = events.count()
    events.first.locator(".event-json").click()
    expect(events.first.locator("pre")).to_contain_text("customerId")
    page.locator(".journey-files summary").click()
    page.evaluate(MINE)

    # The hover label stays while its bar grows below it, and when something happens.
    said = points_at_the_bar_that_ends_last(page)
    page.evaluate(WATCH_HOVER)
    page.wait_for_function(f"said => (text => text && text !== said)(({HOVER_TEXT})())", arg=said)
    story.move(clock(), dice)
    expect(events).to_have_count(before + 1)
    assert page.evaluate(HOVER_TEXT)
    assert page.evaluate("() => window.longestWithout") < 250, "it is drawn anew, and nobody sees it gone"

    # So do the part of time, how far the page is scrolled, focus, a selection, an open menu and raw JSON.
    page.keyboard.press("+")
    page.wait_for_function(f"() => ({LEFT_EDGE})() > 1")
    scrolled = page.evaluate("() => (document.querySelector('#journey').scrollTop = 250)")
    page.evaluate("() => document.querySelector('#journey-lists .list-scroll').focus({ preventScroll: true })")
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('#journey-events pre'))")
    story.move(clock(), dice)
    expect(events).to_have_count(before + 2)
    assert page.evaluate(KEPT) == [True] * 5
    assert page.evaluate("() => document.activeElement.matches('#journey-lists .list-scroll')")
    assert "customerId" in page.evaluate("() => getSelection().toString()")
    assert page.evaluate("() => document.querySelector('#journey').scrollTop") == scrolled > 0
    assert page.evaluate(LEFT_EDGE) > 1
    expect(page.locator("#journey-lists tr[data-key]")).to_have_count(
        sum(len(x["segments"]) for x in story.interactions)
    )
    expect(page.locator("#journey-lists .growing")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.querySelector('#journey-chart .js-plotly-plot').layout.width <= 390")
    for place in ("document.documentElement", "document.querySelector('#journey')"):
        assert page.evaluate(f"() => {place}.scrollWidth - {place}.clientWidth") == 0


def test_idle_days_are_folded_and_other_contacts_are_a_key_away(told: Told, visit: Visit) -> None:
    page = visit(told.url, rows=0)
    expect(page.locator("[data-turn=previous]")).to_be_visible()
    expect(page.locator("#journey-chart .barlayer path").first).to_be_attached()
    breaks = page.locator(".journey-break")
    expect(breaks.first).to_have_text("22 h 58 min")
    breaks.first.click()
    expect(breaks.first).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("o")
    expect(page.locator(".journey-break[aria-expanded=false]")).to_have_count(0)
    page.keyboard.press("o")
    expect(page.locator(".journey-break[aria-expanded=true]")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.locator("#journey-compared")).to_contain_text("Compared with the contact of")
    page.wait_for_function("id => document.getElementById('journey-compared').dataset.loaded === id", arg=told.old)
    expect(page.locator(".journey-compare[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("c")
    expect(page.locator(".compared-picture")).to_have_count(0)
    # The same keys that expand and collapse rows on the wall.
    page.keyboard.press("[")
    page.wait_for_url(f"**/journey/{told.old}")
    expect(page.locator("#journey h1 + .state-badge")).to_have_text("Closed")
    page.keyboard.press("]")
    page.wait_for_url(f"**/journey/{told.journey}")
    expect(page.locator(".journey-live")).to_be_visible()


def test_an_unknown_journey_says_so(serve: Serve, visit: Visit) -> None:
    page = visit(f"{serve(3).url}/journey/j-nothing%3Cb%3E", rows=0)
    expect(page.locator("#journey h1")).to_have_text("There is no such journey")
    expect(page.locator("#journey code")).to_have_text("j-nothing<b>")
    page.get_by_text("Open the live view").click()
    expect(page.locator("#timeline")).to_be_visible()
