"""Nothing that an analyst does is taken away: not by ticks, not by a lost connection, not by a slow server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.web.browser.conftest import PATIENCE_MS
from tests.web.browser.fast import TICK, FastTime
from tests.web.browser.test_address import state
from tests.web.served import Served
from tests.web.stories import Story

Serve = Callable[..., Served]
Visit = Callable[..., Page]
TICKS = 120
SECOND = 1000
MINUTE = 60 * SECOND
STATE = """async () => {
  const { wall } = await import("/assets/main.mjs");
  const { address } = await import("/assets/state/address.mjs");
  const { start, end, following } = wall.time.bounds();
  const { selected, expanded } = address.state;
  const [typed, drawer] = [document.getElementById("filter-customer"), document.getElementById("drawer")];
  const heads = [...document.querySelectorAll(".row-head:not([hidden])")];
  return {
    window: [start, end, following], scrolled: document.getElementById("timeline-rows").scrollTop,
    rows: heads.map((head) => [head.dataset.id, head.style.transform, head.offsetHeight]).sort(),
    typed: [document.activeElement === typed, typed.value, typed.selectionStart],
    selected, expanded, drawer: !drawer.hidden && [drawer.querySelector("[data-field=id]").textContent, drawer.scrollTop],
    legend: document.querySelector(".legend-whole").open,
  };
}"""
OPEN_BARS = """async () => {
  const { wall } = await import("/assets/main.mjs");
  const box = wall.chart.canvas.getBoundingClientRect();
  const x = wall.width - 20;
  const bars = [...document.querySelectorAll(".row-head:not([hidden])")].map((head) => {
    const y = wall.chart.middleOf(head.dataset.id);
    const hit = y === undefined || y < 28 || y > box.height - 60 ? null : wall.point(x, y);
    return hit?.segment && hit.segment.end === null ? [hit.row.id, box.left + x, box.top + y] : null;
  });
  return bars.filter(Boolean);
}"""
SEGMENTS = """async () => {
  const { wall } = await import("/assets/main.mjs");
  return Object.fromEntries(wall.order.ids.map((id) => [
    id, wall.model.get(id).interactions.map((one) => [one.id, one.segments.map(({ kind, start, end }) => [kind, start, end])]),
  ]));
}"""
NEWEST = """async () => {
  const { wall } = await import("/assets/main.mjs");
  const segments = wall.order.ids.flatMap((id) => wall.model.get(id).interactions).flatMap((one) => one.segments);
  return [wall.now, Math.max(...segments.map(({ start }) => start))];
}"""
PLACES = "[...document.querySelectorAll('.row-head:not([hidden])')].map((head) => Number(head.ariaPosInSet))"
LAST_ROW = """rows =>
  [...document.querySelectorAll(".row-head:not([hidden])")].some((head) => Number(head.ariaPosInSet) === rows)"""
VERSION_PAINTED = """async () => {
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);  // it is told two after the drawing
  return document.body.dataset.version;
}"""
AS_OF = """async ([row, moments]) => {
  const { asOf } = await import("/assets/wall/asof.mjs");
  return moments.map((moment) => asOf(row, moment));
}"""
VOICE = ["a", "voice", "CLOSED", 0, 0, 500, 500, "done", "Sales", "Bo", [0, 0, 200], [1, 200, 300]]
CHAT = ["b", "chat", "CLOSED", 1, 450, 900, 900, "lost", None, None, [0, 450, 250], [2, 700, 200]]
DRAWINGS = """() => {
  window.drawings = 0;
  const plain = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    window.drawings += 1;
    plain.apply(this, box);
  };
}"""
RESUME = """async () => {
  const { wall } = await import("/assets/main.mjs");
  const resumed = new Promise((done) => {
    wall.took = (answer, rows) => {
      Object.getPrototypeOf(wall).took.call(wall, answer, rows);
      if (!rows) return;  // what was asked for while the picture was held
      delete wall.took;
      done(answer.version);
    };
  });
  document.getElementById("pause").click();
  return resumed;
}"""
DRAWN_BEFORE_THE_ANSWER = """async (answers) => {
  const { wall } = await import("/assets/main.mjs");
  const frame = () => new Promise(requestAnimationFrame);
  const before = [];
  while (before.length < answers) {
    while (!wall.asking.askedAt) await frame();
    const [asked, drawings] = [wall.asking.askedAt, window.drawings];
    wall.pan(-1);
    while (wall.asking.askedAt === asked && window.drawings === drawings) await frame();
    before.push(wall.asking.askedAt === asked);
    while (wall.asking.askedAt === asked) await frame();
  }
  return before;
}"""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => hidden ? "hidden" : "visible" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def seconds(text: str) -> int:
    """A length as the page writes it, such as `3 min 5 s`."""
    parts = text.split()
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    return sum(int(number) * units[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))


def point_at_an_open_bar(page: Page, served: Served) -> Story:
    """Moves the pointer to the right edge of the chart, where a bar lies that goes on."""
    journey_id, x, y = page.evaluate(OPEN_BARS)[0]
    page.mouse.move(x, y)
    expect(page.locator("#card")).to_be_visible()
    return served.read_model.stories[journey_id]


def type_among_ticks(page: Page, time: FastTime, text: str) -> None:
    """A letter a tick."""
    typed = page.locator("#filter-customer")
    typed.focus()
    for place, letter in enumerate(text, 1):
        page.keyboard.type(letter)
        time.ticks(page, 1)
        expect(typed).to_have_value(text[:place])
    page.wait_for_url(f"**/?q={text}")


def expand_a_row(page: Page) -> str:
    """One in sight that has more than a channel."""
    head = page.locator(".row-head:not([hidden])", has=page.locator(".row-channels .badge + .badge")).nth(1)
    head.hover()
    journey_id = head.get_attribute("data-id")
    head.locator(".row-expand").click()
    assert journey_id
    return journey_id


@pytest.mark.timeout(600)
def test_all_that_was_done_survives_120_ticks_and_a_reconnect(
    serve: Serve, visit: Visit, context: BrowserContext
) -> None:
    time = FastTime(context)
    served = time.served = serve(400, clock=time.clock)
    page = visit(served.url, rows=10)
    type_among_ticks(page, time, "cust-")
    page.locator("#timeline-rows").evaluate("rows => { rows.scrollTop = 28 * 100 }")
    page.wait_for_function(f"() => {PLACES}.includes(105)")
    page.locator("#zoom-in").click()
    page.locator("#pan-back").click()
    expanded = expand_a_row(page)

    card = page.locator("#card")
    story = point_at_an_open_bar(page, served)
    about = card.locator(".card-id").inner_text()
    time.ticks(page, 10, lambda each: each is story)
    expect(card).to_be_visible()
    expect(card.locator(".card-id")).to_have_text(about)

    page.mouse.down()
    page.mouse.up()
    expect(card).to_have_class("card pinned")
    expect(page.locator("#drawer .drawer-customer")).to_have_text(story.customer)
    page.locator(".legend-whole summary").click()
    page.locator("#filter-customer").evaluate("field => { field.focus(); field.setSelectionRange(4, 4) }")
    before = page.evaluate(STATE)
    assert (before["scrolled"], before["window"][2], before["legend"]) == (28 * 100, False, True)
    assert (before["selected"], before["expanded"]) == (story.journey_id, [expanded])
    assert before["typed"] == [True, "cust-", 4]
    assert max(height for _, _, height in before["rows"]) > 28
    length = seconds(card.locator(".card-length").inner_text())
    place = card.bounding_box()
    time.ticks(page, TICKS, lambda each: each is story)
    assert page.evaluate(STATE) == before
    assert_pinned(card, about, place)
    assert seconds(card.locator(".card-length").inner_text()) - length >= TICKS * TICK // SECOND

    page.route("**/_dash-update-component*", lambda route: route.abort())
    time.pass_by(3 * SECOND)
    expect(page.locator("#connection-state")).to_have_text("UNKNOWN")
    assert page.evaluate(STATE) == before
    page.unroute("**/_dash-update-component*")
    time.pass_by(3 * SECOND)
    expect(page.locator("#connection-state")).to_have_text("OPEN")
    time.ticks(page, 4, lambda each: each is story)
    assert page.evaluate(STATE) == before
    assert_pinned(card, about, place)


def assert_pinned(card: Locator, about: str, place: Any) -> None:
    expect(card).to_have_class("card pinned")
    expect(card.locator(".card-id")).to_have_text(about)
    assert card.bounding_box() == place


def test_a_paused_and_a_hidden_page_catch_up_with_nothing_missing(
    serve: Serve, visit: Visit, context: BrowserContext
) -> None:
    time = FastTime(context)
    served = time.served = serve(50, clock=time.clock)
    model = served.read_model
    page = visit(served.url, rows=10)
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_contain_text("PAUSED")
    page.mouse.move(5, 5)
    time.pass_by(SECOND)
    picture = "() => document.querySelector('.rows-canvas').toDataURL()"
    held, version = page.evaluate(picture), page.evaluate("() => document.body.dataset.version")
    for _ in range(30):
        model.step(4)
        time.pass_by(5 * MINUTE // 30)
    expect(page.locator("#back-to-live")).to_contain_text("new)")
    assert page.evaluate(picture) == held
    assert page.evaluate("() => document.body.dataset.version") == version

    page.locator("#timeline-rows").evaluate("rows => { rows.scrollTop = rows.scrollHeight }")
    page.wait_for_function(LAST_ROW, arg=len(model.stories))
    moment, newest = page.evaluate(NEWEST)
    assert newest <= moment, "what is fetched now is shown as it was"
    assert page.evaluate(VERSION_PAINTED) == version, "nor is the picture another one for it"
    assert_rows_are_as_they_were(page)

    assert page.evaluate(RESUME) >= model.store.head()
    assert_whole(page, served)
    expect(page.locator("#back-to-live")).to_be_hidden()

    page.evaluate(DRAWINGS)
    page.evaluate(HIDE, True)
    time.pass_by(SECOND)
    asked, drawn = len(model.questions), page.evaluate("() => window.drawings")
    for _ in range(6):
        model.step(10)
        time.pass_by(10 * SECOND)
    assert (len(model.questions), page.evaluate("() => window.drawings")) == (asked, drawn)
    page.evaluate(HIDE, False)
    page.wait_for_function("version => Number(document.body.dataset.version) >= version", arg=model.store.head())
    assert_whole(page, served)
    assert len(model.questions) <= asked + 4


def assert_rows_are_as_they_were(page: Page) -> None:
    """Of a row is shown what was there at a moment."""
    start, flags = 1_000_000, ["timed-out"]
    row = ["j", 7, "cust", "CLOSED", start, 900, start + 901, 6, 2, [VOICE, CHAT], [[450, 0, 1]], 900, flags]
    now, then, before, at_first = page.evaluate(AS_OF, [row, [start + each for each in (900, 460, 449, 0)]])
    assert now == row
    talk = ["a", "voice", "ACTIVE", 0, 0, 460, None, None, "Sales", "Bo", [0, 0, 200], [1, 200, -1]]
    wait = ["b", "chat", "INITIATED", 0, 450, 460, None, None, None, None, [0, 450, -1]]
    assert then == ["j", 0, "cust", "ACTIVE", start, 460, start + 901, 6, 2, [talk, wait], [[450, 0, 1]], 200, flags]
    assert [one[0] for one in before[9]] == ["a"]
    assert before[10] == []
    assert (at_first[3], at_first[9][0][10:]) == ("INITIATED", [[0, 0, -1]])


def assert_whole(page: Page, served: Served) -> None:
    """The page holds each segment of each journey that it shows, as they are in the store."""
    found = page.evaluate(SEGMENTS)
    stories = served.read_model.stories
    assert len(found) >= 20
    for journey_id, interactions in found.items():
        real = stories[journey_id].interactions
        assert interactions == [[one["id"], [list(segment) for segment in one["segments"]]] for one in real]


def test_a_slow_server_slows_the_ticks_and_not_the_page(serve: Serve, visit: Visit) -> None:
    served = serve(30, 20)
    model = served.read_model
    page = visit(served.url, rows=10)
    page.locator("#pan-back").click()
    start, end, _ = page.evaluate(STATE)["window"]
    page.evaluate(DRAWINGS)
    model.slow_s = 1.5
    assert page.evaluate(DRAWN_BEFORE_THE_ANSWER, 3) == [True] * 3
    page.locator("#filter-customer").focus()
    page.keyboard.type("cust-0001", delay=20)
    expect(page.locator("#filter-customer")).to_have_value("cust-0001")
    page.wait_for_url("**/?q=cust-0001**")
    expect(page.locator("#counts")).to_have_text("10 of 30 match")
    then = page.evaluate(STATE)
    assert then["typed"] == [True, "cust-0001", 9]
    assert not then["window"][2]
    assert then["window"][1] - then["window"][0] == pytest.approx(end - start)
    assert then["window"][0] < start


def test_two_viewers_at_once_share_nothing(serve: Serve, visit: Visit, browser: Browser) -> None:
    served = serve(60)
    page = visit(served.url, rows=10)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    other = visit(served.url, rows=10, context=context)
    untouched = state(other)
    page.locator("#filter-customer").fill("cust-0001")
    expect(page.locator("#counts")).to_have_text("10 of 60 match")
    page.locator("#sort").select_option("duration")
    page.locator("#pan-back").click()
    page.locator(".row-customer", has_text="cust-00012").click()
    expect(page.locator("#drawer .drawer-customer")).to_have_text("cust-00012")
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_contain_text("PAUSED")
    done, held = state(page), page.evaluate(STATE)

    newcomer = served.read_model.add("cust-0001-and-new")
    expect(other.locator(".row-customer", has_text=newcomer.customer)).to_be_visible()
    expect(other.locator("#pause .live-word")).to_have_text("LIVE")
    expect(other.locator("#counts")).to_have_text("All 61 journeys")
    expect(other.locator("#drawer")).to_be_hidden()
    assert state(other) == untouched
    other.locator("#group").select_option("queue")
    other.locator(".row-customer", has_text=newcomer.customer).click()
    expect(other.locator("#drawer .drawer-customer")).to_have_text(newcomer.customer)

    expect(page.locator("#back-to-live")).to_have_text("Back to live (1 new)")
    assert state(page) == done
    assert page.evaluate(STATE) == held
    page.locator("#pause").click()
    expect(page.locator("#counts")).to_have_text("11 of 61 match")
    assert state(page) == done
    context.close()
