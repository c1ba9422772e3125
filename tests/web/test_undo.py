"""Undoing a join from the journey page: what is offered, to whom, and what ingest is told."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from dash import no_update

from journeymap.decode.event import decode_frame
from journeymap.errors import StoreError
from journeymap.model.event import MERGED, SPLIT
from journeymap.model.time import HOUR, SECOND
from journeymap.testing import event
from journeymap.view.masking import Viewer
from journeymap.web.app import create_app
from journeymap.web.callbacks.identity import undo_join
from journeymap.web.callbacks.journey import show_journey
from journeymap.web.components.undo import STOPPED
from tests.telling import call
from tests.web.asgi import Client
from tests.web.stitched import Stitched

NOW = 1_795_000_000_000
LATER = NOW + 10 * SECOND
"""Long after ingest has last been heard of."""
NUMBER = "+15555550123"
KEY = f"phone:{NUMBER}"


def anonymous() -> Stitched:
    """Two calls from a number that nobody knows."""
    ticks = itertools.count(NOW)
    model = Stitched(lambda: next(ticks))
    frames = [*call("c-1", NOW - 2 * HOUR, NUMBER), *call("c-2", NOW - HOUR, NUMBER)]
    model.apply(*(found for frame in frames for found in decode_frame(frame)[0]))
    return model


def stitched(viewer: Viewer | None = None) -> Stitched:
    ticks = itertools.count(NOW)
    model = Stitched(lambda: next(ticks), viewer)
    frames = [*call("c-1", NOW - 2 * HOUR, NUMBER, "ann"), *call("c-2", NOW - HOUR, NUMBER)]
    model.apply(*(found for frame in frames for found in decode_frame(frame)[0]))
    model.apply(event(MERGED, NOW - HOUR, event_id="m", fromCustomerId="anna", toCustomerId="ann"))
    return model


def joins(model: Stitched, customer: str = "ann") -> dict[str, dict[str, Any]]:
    evidence = model.evidence(model.journey_of(customer))
    assert evidence is not None
    return {each["rule"]: each for each in evidence["joined"]}


def lists(model: Stitched, now: int = NOW, **more: Any) -> str:
    answer = show_journey({"id": model.journey_of("ann")}, model, now, **more)
    return json.dumps(answer["lists"], default=lambda component: component.to_plotly_json())


def test_what_can_be_undone() -> None:
    found = joins(stitched())
    assert {rule: each["undo"] for rule, each in found.items()} == {"named": SPLIT, "phone": SPLIT, "merged": SPLIT}
    assert list(found["phone"]["decides"]) == ["c-2"]
    assert found["phone"]["event_of"] == "c-1"


def test_ingest_is_told_of_what_stands_in_the_list() -> None:
    model, told = stitched(), []
    question = {"journey": model.journey_of("ann"), "join": joins(model)["phone"]["mark"], "at": 7}

    def change(do: str, one: str, other: str) -> None:
        told.append((do, one, other))
        model.change(do, one, other)

    assert undo_join(question, model, change, NOW) == {"at": 7, "problem": None}
    assert told == [("split", KEY, "ann")]
    assert len(model.store.spans(KEY)) == 1
    again = undo_join(question, model, change, NOW)
    assert "does not stand any more" in again["problem"]
    back = {"journey": model.journey_of(KEY), "join": joins(model)["split"]["mark"], "at": 8}
    assert undo_join(back, model, change, NOW) == {"at": 8, "problem": None}
    assert told[1:] == [("join", KEY, "ann")]
    assert model.store.spans(KEY) == []


def test_a_number_that_nobody_knows_is_taken_from_everybody_and_given_back() -> None:
    model, told = anonymous(), []

    def change(do: str, one: str, other: str) -> None:
        told.append((do, one, other))
        model.change(do, one, other)

    question = {"journey": model.journey_of(KEY), "join": joins(model, KEY)["phone"]["mark"], "at": 7}
    assert undo_join(question, model, change, NOW)["problem"] is None
    assert model.store.spans(KEY) == []
    found = joins(model, "interaction:c-1")
    assert found.keys() == {"alone", "anonymous"}
    assert found["alone"]["type"] == SPLIT
    back = {"journey": model.journey_of("interaction:c-1"), "join": found["alone"]["mark"], "at": 8}
    assert undo_join(back, model, change, NOW)["problem"] is None
    assert told == [("split", KEY, KEY), ("join", KEY, KEY)]
    assert len(model.store.spans(KEY)) == 1


def test_a_wrong_contact_is_undone_of_one_interaction_and_made_again() -> None:
    model, told = stitched(), []
    model.apply(
        *(found for frame in call("c-3", NOW - HOUR, "+15555550199", "ann") for found in decode_frame(frame)[0])
    )
    evidence = model.evidence(model.journey_of("ann"))
    assert evidence is not None
    links = {each["interactions"][0]: each for each in evidence["joined"] if each["rule"] == "named"}
    assert {name: each["event_of"] for name, each in links.items()} == {"c-1": "c-1", "c-3": "c-3"}

    def change(do: str, one: str, other: str) -> None:
        told.append((do, one, other))
        model.change(do, one, other)

    question = {"journey": model.journey_of("ann"), "join": links["c-1"]["mark"], "at": 7}
    assert undo_join(question, model, change, NOW)["problem"] is None
    assert [len(model.store.spans(name)) for name in ("ann", KEY)] == [1, 1]
    split = joins(model, KEY)["split"]
    assert (split["id"], split["to"]) == ("interaction:c-1", "ann")
    back = {"journey": model.journey_of(KEY), "join": split["mark"], "at": 8}
    assert undo_join(back, model, change, NOW)["problem"] is None
    assert told == [("split", "interaction:c-1", "ann"), ("join", "interaction:c-1", "ann")]
    assert model.store.spans(KEY) == []


def test_a_shared_number_is_taken_from_one_of_those_who_share_it() -> None:
    model = stitched()
    model.apply(*(found for frame in call("c-3", NOW - HOUR, NUMBER, "bob") for found in decode_frame(frame)[0]))
    assert len(model.store.spans("interaction:c-2")) == 1
    assert joins(model, "interaction:c-2")["shared"]["undo"] is None
    shared = joins(model)["shared"]
    assert "Is this key not this customer's?" in lists(model, can_undo=True)
    question = {"journey": model.journey_of("ann"), "join": shared["mark"], "at": 7}
    assert undo_join(question, model, model.change, NOW)["problem"] is None
    assert model.store.spans("interaction:c-2") == []
    assert joins(model, "bob")["phone"]["decides"] == ("c-2",)
    assert joins(model)["elsewhere"]["undo"] is None


@pytest.mark.parametrize("question", [None, 7, "x"])
def test_what_is_no_question(question: Any) -> None:
    assert undo_join(question, stitched(), lambda *_: pytest.fail("told"), NOW) is no_update


def test_why_it_was_not_done_is_said() -> None:
    model = stitched()
    question = {"journey": model.journey_of("ann"), "join": joins(model)["phone"]["mark"], "at": 7}

    def fails(*_: str) -> None:
        raise StoreError("the command could not be left")

    assert undo_join(question, model, fails, NOW)["problem"] == "the command could not be left"
    for wrong in ({**question, "join": "x"}, {**question, "journey": "j-x"}, {}):
        assert "does not stand" in undo_join(wrong, model, fails, NOW)["problem"]
    model.running = False
    assert undo_join(question, model, fails, LATER)["problem"] == STOPPED
    assert STOPPED in lists(model, LATER, can_undo=True)


def test_there_are_no_buttons_where_nothing_can_be_told() -> None:
    model = stitched()
    assert "identity-undo" not in lists(model)
    assert lists(model, can_undo=True).count("identity-undo") == 3
    answers = []
    for change in (None, model.change):
        _, server = create_app(model, clock=lambda: NOW, change_customers=change)
        known = Client(server).get("/_dash-dependencies").json()
        answers.append(any("undo-answer.data" in each["output"] for each in known))
    assert answers == [False, True]


def test_who_may_not_see_identifiers_can_undo_without_seeing_them() -> None:
    model = stitched(Viewer(sees_identifiers=False))
    shown = lists(model, can_undo=True)
    assert "5555550123" not in shown
    assert "phone:•••23 will not lead to ann any more" in json.loads(f'["{shown.split("data-text")[2][4:90]}"]')[0]
    told: list[Any] = []
    question = {"journey": model.journey_of("ann"), "join": joins(model)["phone"]["mark"], "at": 7}
    assert undo_join(question, model, lambda *each: told.append(each), NOW)["problem"] is None
    assert told == [("split", KEY, "ann")]
