"""What an operator says of keys: whose they are, whose they are not, and that they join nobody."""

from __future__ import annotations

import itertools

import pytest

from journeymap.decode.event import decode_frame
from journeymap.model.event import MERGED, SPLIT, STARTED, Event
from journeymap.model.time import HOUR, MINUTE
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import event
from tests.telling import call

START = 1_795_000_000_000
NUMBER = "+15555550123"
KEY = f"phone:{NUMBER}"
OTHER = "phone:+15555550199"


def said(*calls: tuple[str, str | None], then: tuple[tuple[str, str, str], ...] = ()) -> dict[str, str]:
    """The customers of these calls from one number, each an hour after the one before, and of what is said in the end. In every
    order in which calls and sayings can arrive they are the same."""
    events: list[list[Event]] = []
    for place, (name, contact) in enumerate(calls):
        frames = call(name, START + place * HOUR, NUMBER, contact)
        events.append([each for frame in frames for each in decode_frame(frame)[0]])
    for place, (kind, one, other) in enumerate(then):
        at = START + 100 * HOUR + place * MINUTE
        events.append([event(kind, at, event_id=f"x{place}", fromCustomerId=one, toCustomerId=other)])
    found = _customers(journeys([each for some in events for each in some], StitchOptions()))
    for order in itertools.permutations(events):
        stitcher = Stitcher(StitchOptions(), EmptyShelf())
        for some in order:
            stitcher.apply(some)
        assert _customers(stitcher.journeys()) == found
    return found


def _customers(found: list) -> dict[str, str]:  # type: ignore[type-arg]  # of journeys
    return {part.interaction_id: journey.customer_id for journey in found for part in journey.interactions}


def test_a_key_split_from_itself_joins_nobody_until_it_is_joined_again() -> None:
    split = (SPLIT, KEY, KEY)
    assert said(("a", None), ("b", None)) == {"a": KEY, "b": KEY}
    assert said(("a", None), ("b", None), then=(split,)) == {"a": "interaction:a", "b": "interaction:b"}
    assert said(("a", "ann"), ("b", None), then=(split,)) == {"a": "ann", "b": "interaction:b"}
    assert said(("a", None), ("b", None), then=(split, (MERGED, KEY, KEY))) == {"a": KEY, "b": KEY}


def test_a_customer_does_not_count_who_was_taken_from_a_key() -> None:
    calls = (("a", "ann"), ("b", "bob"), ("c", None))
    assert said(*calls)["c"] == "interaction:c"
    assert said(*calls, then=((SPLIT, KEY, "ann"),))["c"] == "bob"
    assert said(*calls, then=((SPLIT, KEY, "ann"), (SPLIT, KEY, "bob")))["c"] == KEY
    assert said(*calls, then=((SPLIT, KEY, "ann"), (MERGED, KEY, "ann")))["c"] == "ann"
    assert said(*calls, then=((SPLIT, KEY, "anna"), (MERGED, "ann", "anna")))["c"] == "bob"


@pytest.mark.parametrize("then", [(), ((SPLIT, KEY, "ann"),), ((SPLIT, KEY, KEY),), ((SPLIT, KEY, "bob"),)])
def test_to_whom_a_key_was_joined_has_it(then: tuple[tuple[str, str, str], ...]) -> None:
    found = said(("a", "ann"), ("b", "cat"), ("c", None), then=(*then, (MERGED, KEY, "bob")))
    assert found == {"a": "ann", "b": "cat", "c": "bob"}


def test_when_a_join_is_undone_what_was_said_before_holds() -> None:
    calls = (("a", "ann"), ("b", "bob"), ("c", None))
    join, undo = (MERGED, KEY, "bob"), (SPLIT, KEY, "bob")
    assert said(*calls, then=(join, undo))["c"] == "ann"
    assert said(*calls, then=((SPLIT, KEY, KEY), join, undo))["c"] == "interaction:c"


def test_a_key_that_was_joined_to_another_key_is_whose_it_is_known_to_be() -> None:
    join = (MERGED, KEY, OTHER)
    assert said(("a", None), then=(join,))["a"] == OTHER
    assert said(("a", "ann"), ("b", None), then=(join,))["b"] == "ann"
    assert said(("a", "ann"), ("b", "bob"), ("c", None), then=(join,))["c"] == OTHER


def test_a_contact_that_an_operator_called_wrong_names_its_call_no_more() -> None:
    wrong = (SPLIT, "interaction:a", "ann")
    assert said(("a", "ann"), ("b", "ann"), ("c", None), then=(wrong,)) == {"a": "ann", "b": "ann", "c": "ann"}
    assert said(("a", "ann"), ("b", None), then=(wrong,)) == {"a": KEY, "b": KEY}
    assert said(("a", "ann"), ("b", "bob"), ("c", None), then=(wrong,)) == {"a": "bob", "b": "bob", "c": "bob"}
    assert said(("a", "ann"), then=(wrong, (MERGED, KEY, "bob"))) == {"a": "bob"}
    assert said(("a", "ann"), then=((SPLIT, KEY, KEY), wrong, (MERGED, "interaction:a", "bob"))) == {"a": "bob"}
    assert said(("a", "ann"), then=(wrong, (MERGED, "interaction:a", "ann"))) == {"a": "ann"}


def test_what_an_event_stream_says_of_an_interaction_stands() -> None:
    named = event(STARTED, START, "a", customerId="ann")
    split = event(SPLIT, START, event_id="x", fromCustomerId="interaction:a", toCustomerId="ann")
    assert _customers(journeys([named, split], StitchOptions())) == {"a": "ann"}
