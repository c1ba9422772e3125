"""The address: what an analyst did lives in the URL, goes back and forth with the browser, and opens the same elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from journeymap.view.filters import QUERY_NAMES, parse_query
from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]

EVERYTHING: dict[str, Any] = {
    "filters": {
        "q": "ana",
        "customer": "cust-0",
        "channels": ["chat", "voice"],
        "states": ["ACTIVE", "CLOSED"],
        "queues": ["Billing", "Sales & more"],
        "agents": ["Bo Chen"],
        "dispositions": ["résolu"],
        "directions": ["inbound"],
        "flags": ["handed-over"],
        "minDuration": 90_000,
        "maxDuration": 7_200_000,
        "minTransfers": 1,
        "from": 1_790_000_000_000,
        "to": 1_790_000_600_500,
    },
    "sort": "wait",
    "group": "queue",
    "window": {"live": False, "from": 1_790_000_000_000, "to": 1_790_000_600_500},
    "selected": "j-00000000000000000001",
    "expanded": ["j-00000000000000000002"],
    "pinned": ["j-00000000000000000003", "j-12345678901234567890"],
    "table": True,
    "display": None,
}


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("async () => (await import('/assets/state/address.mjs')).address.state")
    return found


def change(page: Page, part: dict[str, Any], *, entry: bool = True) -> None:
    page.evaluate(
        "async ([part, entry]) => (await import('/assets/state/address.mjs')).address.change(part, { entry })",
        [part, entry],
    )


def query(page: Page) -> str:
    return urlsplit(page.url).query


def wait_for_state(page: Page, name: str, value: Any) -> None:
    page.wait_for_function(
        """async ([name, value]) => {
          const { address } = await import('/assets/state/address.mjs');
          return JSON.stringify(address.state[name]) === JSON.stringify(value);
        }""",
        arg=[name, value],
    )


def wait_for_question(page: Page, served: Served, wanted: Callable[[Any], bool]) -> Any:
    for _ in range(600):
        if served.read_model.questions and wanted(served.read_model.questions[-1]):
            return served.read_model.questions[-1]
        page.wait_for_timeout(50)
    raise AssertionError("the page did not ask so")


def test_all_of_it_lives_in_the_url(serve: Serve, visit: Visit, browser: Browser) -> None:
    served = serve(40)
    page = visit(served.url, rows=10)
    assert query(page) == ""
    change(page, EVERYTHING)
    found = state(page)
    assert {name: found[name] for name in EVERYTHING} == EVERYTHING

    # The names are those of the interface, which reads the conditions as the page means them.
    pairs = parse_qsl(query(page), strict_parsing=True)
    conditions = [pair for pair in pairs if pair[0] in QUERY_NAMES]
    assert {name for name, _ in pairs} - set(QUERY_NAMES) == {
        "sort",
        "group",
        "window",
        "selected",
        "expanded",
        "pinned",
        "view",
    }
    read = parse_query(conditions)
    assert (read.text, read.customer, read.min_duration, read.max_duration) == ("ana", "cust-0", 90_000, 7_200_000)
    assert (read.start, read.end, read.min_transfers) == (1_790_000_000_000, 1_790_000_600_500, 1)
    assert read.queues == {"billing", "sales & more"}

    # The question has them all.
    asked = wait_for_question(page, served, lambda question: question["sort"] == "wait")
    expected = EVERYTHING["filters"]
    for name in ("customer", "channels", "states", "queues", "agents", "dispositions", "directions", "flags"):
        assert asked[name] == expected[name]
    assert (asked["text"], asked["group"], asked["pinned"]) == ("ana", "queue", EVERYTHING["pinned"])
    assert (asked["min_duration"], asked["max_duration"], asked["min_transfers"]) == (90_000, 7_200_000, 1)
    assert (asked["start"], asked["end"]) == (1_790_000_000_000, 1_790_000_600_500)

    # Somebody else opens it and has the same.
    context = browser.new_context()
    other = visit(page.url, rows=0, context=context)
    wait_for_state(other, "filters", expected)
    assert {name: state(other)[name] for name in EVERYTHING} == EVERYTHING
    context.close()


def test_back_and_forward_go_through_what_was_done(serve: Serve, visit: Visit) -> None:
    served = serve(40)
    page = visit(served.url, rows=10)
    everything = state(page)["filters"]
    change(page, {"filters": {"channels": ["chat"]}})
    chats = state(page)["filters"]
    change(page, {"sort": "duration"})
    moved = {"live": False, "from": 1_790_000_000_000, "to": 1_790_000_600_000}
    change(page, {"window": moved}, entry=False)
    change(page, {"filters": {"q": "cust"}})
    page.go_back()
    wait_for_state(page, "filters", chats)
    assert state(page)["window"] == moved
    assert "window=2026-09-21T14:13:20Z/2026-09-21T14:23:20Z" in page.url
    page.go_back()
    wait_for_state(page, "sort", "activity")
    assert state(page)["window"]["live"]
    page.go_back()
    wait_for_state(page, "filters", everything)
    wait_for_question(page, served, lambda question: question["channels"] == [])
    page.go_forward()
    wait_for_state(page, "filters", chats)
    assert state(page)["sort"] == "activity"
    # Another page lies over the wall, which stays as it was.
    page.keyboard.press("h")
    page.wait_for_url("**/operations")
    page.keyboard.press("h")
    page.wait_for_url("**/?channel=chat")
    wait_for_question(page, served, lambda question: question["channels"] == ["chat"])


@pytest.mark.parametrize("text", ["+44 20 7946 0000", "ana@example.org"])
def test_a_phone_number_or_an_address_stays_out_of_the_url(serve: Serve, visit: Visit, text: str) -> None:
    served = serve(20)
    page = visit(f"{served.url}/?channel=chat&customer={text.replace('+', '%2B')}&selected=j-ana@example.org", rows=0)
    wait_for_question(page, served, lambda question: question["customer"] == text)
    assert query(page) == "channel=chat"
    personal = {"q": text, "customer": text, "queues": [text], "agents": ["Bo Chen", text], "dispositions": [text]}
    change(
        page, {"filters": personal, "pinned": ["j-0123456789012345678f", text], "expanded": [text], "selected": text}
    )
    assert query(page) == "channel=chat&agent=Bo+Chen&pinned=j-0123456789012345678f"
    assert set(state(page)["filters"]["agents"]) == {"Bo Chen", text}
    wait_for_question(page, served, lambda question: question["text"] == text)
    # It is still there where one comes back to.
    change(page, {"filters": {"q": "other"}})
    page.go_back()
    wait_for_state(page, "selected", text)
    assert state(page)["filters"]["q"] == text


def test_what_makes_no_sense_in_a_url_is_left_out(serve: Serve, visit: Visit) -> None:
    served = serve(20)
    nonsense = "?state=LOST&flag=none&sort=x&group=x&min_duration=soon&min_transfers=-1&from=never&to=2026-01-01"
    page = visit(f"{served.url}/{nonsense}&window=a/b&live=-1&display=x&view=x&max_duration=1&unknown=1", rows=0)
    wait_for_question(page, served, lambda question: question["end"] is not None)
    assert query(page) == "max_duration=1ms&to=2026-01-01T00:00:00Z"


def test_counts_are_asked_for_at_most_once_a_second(serve: Serve, visit: Visit) -> None:
    served = serve(40, 40)
    page = visit(served.url, rows=10)
    wait_for_question(page, served, lambda question: question["counted"] > 0)
    # By a clock of the test's own: how long a second is says something about the machine.
    asked = page.evaluate(
        """async () => {
          const { Counting } = await import('/assets/wall/counting.mjs');
          const counting = new Counting();
          const ask = (key, now) => counting.ask(key, now).facets;
          const found = [ask('a', 5000), ask('a', 5999), ask('a', 6000), ask('b', 6001), ask('b', 7000), ask('b', 7001)];
          counting.span = [0, 1, 2];
          return [...found, ask('b', 7002)];
        }"""
    )
    assert asked == [True, False, True, True, False, True, True], "once a second, and at once where others are wanted"
