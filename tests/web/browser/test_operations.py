"""The operations view in a real browser: what it says, what it keeps, and that it asks only while it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from journeymap.model.backfill import BackfillReport, Fill
from journeymap.model.status import ConnectionChange, Gap, Quarantined
from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
MINUTE = 60_000
HOSTILE = "<img src=x onerror=\"document.body.dataset.hacked='1'\">\u202e"


def verdict(page: Page) -> Any:
    return page.locator("#operations-verdict")


def figure(page: Page, path: str) -> Any:
    return page.locator(f"#operations [data-figure='{path}']").first


def looks(page: Page, count: int) -> None:
    """Wait until the page has asked and been answered so often."""
    for _ in range(count):
        with page.expect_response(lambda response: "operations-answer" in (response.request.post_data or "")):
            pass


def change_source(served: Served, **changes: Any) -> None:
    model = served.read_model
    (source,) = model.ingest.sources
    model.tell(sources=[msgspec.structs.replace(source, **changes)])


def unusable(served: Served, sample: str, count: int = 1) -> None:
    now = served.read_model.clock()
    served.read_model.unusable = [
        Quarantined("not-json", count, now, "eventstreams", "the text is not JSON", sample, len(sample), False)
    ]
    served.read_model.tell()


def test_is_reached_by_key_link_badge_and_address_and_left_again(serve: Serve, visit: Visit) -> None:
    served = serve(10)
    page = visit(served.url)
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="Operations")).to_be_focused()
    expect(page).to_have_title("Operations · Journeymap")
    assert page.url.endswith("/operations")
    page.keyboard.press("h")
    expect(page.locator("#timeline")).to_be_visible()
    page.locator("#operations-link").click()
    expect(verdict(page)).to_contain_text("All is well")
    page.get_by_role("link", name="Live view").click()
    page.locator(".connection").click()
    expect(verdict(page)).to_contain_text("All is well")
    again = visit(f"{served.url}/operations", rows=0)
    expect(verdict(again)).to_contain_text("All is well")
    again.keyboard.press("h")
    expect(again.locator("#timeline")).to_be_visible()
    again.keyboard.press("?")
    expect(again.locator("#help-sheet")).to_contain_text("Operations view")


def test_shows_what_ingest_says_with_units(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    page = visit(f"{served.url}/operations", rows=0)
    expect(figure(page, "status.events_per_second")).to_have_text("36")
    expect(figure(page, "status.store_bytes")).to_have_text("212 MB")
    expect(figure(page, "status.flush_ms")).to_have_text("4.2 ms")
    expect(figure(page, "status.counts.late")).to_have_text("214")
    expect(page.locator("#operations dd", has_text="214")).to_have_text("214 events")
    card = page.locator("#operations-sources .source")
    expect(card.locator("h3")).to_have_text("eventstreams")
    expect(card.locator(".source-state")).to_have_text("OPEN")
    expect(card.locator("[data-figure='configured_events_per_second']")).to_have_text("50")
    expect(card.locator(".source-notes")).to_be_hidden()
    expect(card.locator("[data-figure='topics']")).to_be_hidden()
    change_source(served, topics=1, topic_channels=1)
    expect(card.locator("div", has=page.locator("> dd > [data-figure='topic_channels']"))).to_contain_text(
        re.compile("1 channel$")
    )
    change_source(served, topics=2_500, topic_channels=3, notes=("4 topics refused", "no details"))
    expect(card.locator("[data-figure='topics']")).to_have_text("2,500")
    expect(card.locator(".source-notes li")).to_have_text(["4 topics refused", "no details"])
    meter = card.get_by_role("meter")
    expect(meter).to_have_attribute("aria-valuenow", re.compile("^6[5-7]$"))
    expect(meter).to_have_attribute("aria-valuetext", re.compile(r"^(20|19) min.* left$"))
    expect(page.locator(".explanation").first).to_be_hidden()
    page.get_by_role("button", name="Explain figures").click()
    expect(page.locator(".explanation").first).to_be_visible()


def test_says_how_far_back_fill_is(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    page = visit(f"{served.url}/operations", rows=0)
    words = page.locator("#operations-filling-words")
    expect(page.locator("#operations-gaps-words")).to_contain_text("in the last 24 hours")
    expect(words).to_be_hidden()
    fill = Fill("f", "gap", 0, 90_000, state="filling", share=0.325, conversations=1_204)
    served.read_model.tell(backfill=BackfillReport(now=fill, waiting=2))
    told = "what was missed in a gap of 1 min 30 s: 32%, 1,204 conversations so far. 2 more periods wait."
    expect(words).to_have_text(f"Fetching from the platform's records {told}")
    served.read_model.tell(backfill=BackfillReport(filled=1))
    expect(words).to_be_hidden()


@pytest.mark.parametrize(
    ("state", "error", "down_for", "kind"),
    [("CONNECTING", "no route", 2 * MINUTE, "error"), ("DISCONNECTED", "gone", 1_000, "warning")],
)
def test_says_what_is_wrong_since_when_and_what_to_do(
    serve: Serve, visit: Visit, state: str, error: str, down_for: int, kind: str
) -> None:
    served = serve(3)
    page = visit(f"{served.url}/operations", rows=0)
    expect(verdict(page)).to_have_attribute("data-kind", "good")
    change_source(served, state=state, error=error, down_since=served.read_model.clock() - down_for)
    words = f"not connected ({state}): {error}"
    expect(verdict(page).locator(".verdict-title")).to_contain_text(words)
    expect(verdict(page)).to_have_attribute("data-kind", kind)
    expect(verdict(page).locator(".verdict-since")).to_contain_text("since ")
    expect(verdict(page).locator(".verdict-remedy")).to_contain_text("tries again by itself")
    expect(page.locator("#operations-sources .source-error")).to_have_text(error)
    if kind == "error":  # once is enough: it waits, so that nobody is talked to all the time
        expect(page.locator("#announcer")).to_contain_text(words)


def test_refused_can_be_tried_again(serve: Serve, visit: Visit) -> None:
    tried: list[int] = []
    served = serve(3, retry=lambda: tried.append(1))
    page = visit(f"{served.url}/operations", rows=0)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    change_source(served, state="DISCONNECTED", refused=True, error="invalid_client")
    expect(verdict(page)).to_contain_text("The platform refuses access: invalid_client")
    expect(page.get_by_role("button", name="Try again")).to_have_count(2)
    verdict(page).get_by_role("button", name="Try again").click()
    expect(verdict(page).get_by_role("button", name="Try again")).to_be_disabled()
    looks(page, 1)
    assert tried == [1]
    change_source(served, state="OPEN", refused=False, error=None)
    expect(verdict(page)).to_contain_text("All is well")


def test_an_ingest_that_is_gone_is_said_loudly_and_its_figures_are_not_of_now(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    page = visit(f"{served.url}/operations", rows=0)
    served.read_model.silent_since = served.read_model.clock() - 7_000
    expect(verdict(page)).to_contain_text("Ingest is not running")
    expect(figure(page, "status.events_per_second")).to_have_text("—")
    expect(page.locator("#operations-as-of")).to_contain_text("ingest has not reported since")
    expect(page.locator("#operations-sources .source-state")).to_have_text("DISCONNECTED")
    served.read_model.ingest = None
    expect(verdict(page)).to_contain_text("never wrote a status")
    expect(page.locator("#operations-gaps-words")).to_have_text("Not known: ingest has not run yet.")
    expect(page.locator("#operations-no-source")).to_be_visible()
    served.read_model.problem = "store: the disk is away"
    expect(verdict(page)).to_contain_text("Store: the disk is away")


def test_a_server_that_is_gone_is_said_too(serve: Serve, visit: Visit) -> None:
    page = visit(f"{serve(3).url}/operations", rows=0)
    expect(verdict(page)).to_contain_text("All is well")
    page.route("**/_dash-update-component*", lambda route: route.abort())
    expect(verdict(page)).to_contain_text("This page cannot reach its server")
    expect(page.locator("#connection-state")).to_have_text("UNKNOWN")
    page.unroute("**/_dash-update-component*")
    expect(verdict(page)).to_contain_text("All is well")
    expect(page.locator("#connection-state")).to_have_text("OPEN")


def test_a_slow_server_is_not_taken_for_one_that_is_gone(serve: Serve, visit: Visit) -> None:
    page = visit(f"{serve(3).url}/operations", rows=0)
    expect(verdict(page)).to_contain_text("All is well")
    page.evaluate(
        """() => { const title = document.querySelector('.verdict-title'); window.said = [];
          new MutationObserver(() => window.said.push(title.textContent))
            .observe(title, { childList: true, characterData: true, subtree: true }) }"""
    )
    page.route("**/_dash-update-component*", lambda route: (page.wait_for_timeout(5_000), route.continue_()))
    looks(page, 1)
    page.unroute_all(behavior="ignoreErrors")
    assert page.evaluate("() => window.said") == []


def test_what_is_open_selected_or_scrolled_to_stays(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    model = served.read_model
    now = model.clock()
    model.changes = [
        ConnectionChange(now - n * MINUTE, "eventstreams", "OPEN", f"reason {n}") for n in range(40, 0, -1)
    ]
    unusable(served, "the first sample " + HOSTILE)
    page = visit(f"{served.url}/operations", rows=0)
    entry = page.locator("#operations-quarantine details")
    entry.locator("summary").click()
    sample = entry.locator("pre")
    expect(sample).to_have_text("the first sample " + HOSTILE)
    assert page.locator("img[src=x]").count() == 0
    history = page.locator("#operations-sources .list-scroll")
    history.evaluate("element => { element.scrollTop = 300 }")
    sample.evaluate("element => document.getSelection().selectAllChildren(element)")
    unusable(served, "the second sample", 2)
    model.changes = [*model.changes, ConnectionChange(now, "eventstreams", "OPEN", "the latest")]
    expect(entry.locator(".entry-count")).to_have_text("2 messages")
    looks(page, 2)
    assert page.evaluate("() => String(document.getSelection())").startswith("the first sample")
    assert entry.get_attribute("open") is not None
    assert history.evaluate("element => element.scrollTop") >= 300
    expect(page.locator("#operations-sources .history tbody tr").first).to_contain_text("the latest")
    page.evaluate("() => document.getSelection().removeAllRanges()")
    expect(sample).to_have_text("the second sample")
    assert "hacked" not in page.evaluate("() => ({...document.body.dataset})")


def test_a_sample_is_copied_as_it_is(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    unusable(served, HOSTILE)
    page = visit(f"{served.url}/operations", rows=0)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#operations-quarantine summary").click()
    page.get_by_role("button", name="Copy sample").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == HOSTILE


def test_gaps_stand_as_intervals_on_a_day_and_in_a_list(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    now = served.read_model.clock()
    served.read_model.gap_list = [
        Gap("eventstreams", "stopped", now - 12 * 60 * MINUTE, now - 6 * 60 * MINUTE),
        Gap("eventstreams", "dropped", now - 5 * 60 * MINUTE, now - 5 * 60 * MINUTE + 4_000, 120),
        Gap("eventstreams", "disconnected", now - MINUTE, None, 0, "no route"),
    ]
    page = visit(f"{served.url}/operations", rows=0)
    rows = page.locator("#operations-gaps tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("still open")
    expect(rows.nth(0)).to_contain_text("no route")
    expect(rows.nth(1)).to_contain_text("120 events left out")
    expect(rows.nth(2)).to_contain_text("6 h")
    expect(page.locator("#operations-gaps-words")).to_contain_text("in 2 gaps in the last 24 hours")
    band = page.locator("#operations-strip").bounding_box()
    marks = [mark.bounding_box() for mark in page.locator("#operations-strip .gap").all()]
    assert band and len(marks) == 3
    widest = max((mark for mark in marks if mark), key=lambda mark: mark["width"])
    assert abs(widest["width"] / band["width"] - 0.25) < 0.01
    assert abs((widest["x"] - band["x"]) / band["width"] - 0.5) < 0.01


def test_nothing_moves_while_it_is_updated(serve: Serve, visit: Visit) -> None:
    served = serve(3)
    page = visit(f"{served.url}/operations", rows=0)
    expect(verdict(page)).to_contain_text("All is well")
    places = """() => [...document.querySelectorAll('#operations .panel, #operations .headline, #operations dt, #operations th')]
      .map(each => { const { x, y, width, height } = each.getBoundingClientRect(); return [x, y, width, height] })"""
    before = page.evaluate(places)
    for rate in (9.96, 1_234.0, 0.0):
        served.read_model.tell(events_per_second=rate, lag_ms=int(rate), waiting_bytes=int(rate * 10_000))
        looks(page, 2)
        assert page.evaluate(places) == before
    expect(figure(page, "status.waiting_bytes")).to_have_text("0 B")


def test_asks_only_while_it_is_looked_at(serve: Serve, visit: Visit) -> None:
    page = visit(f"{serve(3).url}/operations", rows=0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    looks(page, 1)
    page.keyboard.press("h")
    expect(page.locator("#timeline")).to_be_visible()
    page.wait_for_function("() => Number(document.body.dataset.rows) > 0")
    asked.clear()
    page.wait_for_timeout(2_500)
    assert any("answer.data" in each for each in asked)
    assert not any("operations-answer" in each for each in asked)


def test_fits_a_phone(serve: Serve, browser: Browser, visit: Visit) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    served = serve(3)
    unusable(served, "x" * 2_000)
    now = served.read_model.clock()
    served.read_model.gap_list = [Gap("eventstreams", "disconnected", now - MINUTE, now, 0, "a reason " * 20)]
    page = visit(f"{served.url}/operations", rows=0, context=context)
    expect(verdict(page)).to_be_visible()
    page.locator("#operations-quarantine summary").click()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.evaluate("() => document.getElementById('operations').scrollWidth") <= 390
    context.close()
