"""What a platform tells of several sessions of one conversation comes to one line of segments."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from journeymap.model.event import PLATFORM_TYPES, Event, order_key
from journeymap.model.journey import Kind, State
from journeymap.stitch import handover
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.machine import LEGS, NEW, OVER, SHOWN, Fold, fold
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import event

START = 1_700_000_000_000
OPTIONS = StitchOptions(Timeouts())
ANSWER = [(0, "customer.start c"), (1, "acd.start q"), (5, "user.start a ada"), (8, "acd.answered q ada")]


def told(*steps: tuple[int, str]) -> list[Event]:
    """Events, each a time after START and `type session agent`."""
    found = []
    for at, words in steps:
        kind, leg, agent = [*words.split(), None, None][:3]
        fields: dict[str, Any] = {"sessionId": leg} if leg else {}
        if agent:
            fields["agentId"] = agent
        found.append(event(kind, START + at, "i", event_id=words, **fields))
    return sorted(found, key=order_key)


def line(*steps: tuple[int, str]) -> tuple[str, list[tuple[str, int, int | None]]]:
    """The state and the segments, their times after START."""
    folded = fold(told(*steps))
    _, segments = handover.segments(folded, {})
    return (
        str(folded.shown_state),
        [(each.kind, each.start - START, None if each.end is None else each.end - START) for each in segments],
    )


def test_every_row_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "stitching.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| [^|]* \| (?:`?(\w+)`?)", text, re.MULTILINE))
    assert {name: rows.get(name) for name in LEGS} == {name: str(row.to) for name, row in LEGS.items()}


def test_rows_are_of_known_types_and_kinds() -> None:
    assert set(LEGS) < set(PLATFORM_TYPES)
    for row in LEGS.values():
        assert row.to in {*Kind, OVER}
        assert row.of <= {*Kind, NEW}
    assert set(SHOWN.values()) == {State.ACTIVE, State.INITIATED, State.WRAPUP}


# A conversation as it goes


def test_a_call_from_the_menu_to_the_paperwork() -> None:
    assert line(
        (0, "customer.start c"), (1, "flow.start f"), (4, "flow.end f"), (5, "acd.start q"), (9, "user.start a ada"),
        (12, "acd.answered q ada"), (13, "user.answer a ada"), (20, "hold.start a ada"), (25, "hold.end a ada"),
        (30, "user.end a ada"), (31, "customer.end c"), (40, "acw a ada"),
    ) == ("CLOSED", [
        ("wait", 0, 1), ("ivr", 1, 5), ("queue", 5, 9), ("alert", 9, 12), ("interact", 12, 20), ("hold", 20, 25),
        ("interact", 25, 30), ("wrapup", 30, 40),
    ])  # fmt: skip


def test_ends_may_come_in_any_order() -> None:
    ends = ["user.end a ada", "customer.end c", "acd.end q"]
    for order in itertools.permutations(ends):
        state, segments = line(*ANSWER, *((20 + place, each) for place, each in enumerate(order)), (30, "acw a ada"))
        assert (state, segments[-1][0], segments[-1][2]) == ("CLOSED", "wrapup", 30), order
        assert segments[-1][1] == 20 + min(order.index(ends[0]), order.index(ends[1]))


def test_paperwork_that_is_done_before_the_customer_is_gone() -> None:
    assert line(*ANSWER, (20, "user.end a ada"), (25, "acw a ada")) == (
        "WRAPUP", [("wait", 0, 1), ("queue", 1, 5), ("alert", 5, 8), ("interact", 8, 20), ("wrapup", 20, None)],
    )  # fmt: skip
    state, segments = line(*ANSWER, (20, "user.end a ada"), (25, "acw a ada"), (26, "customer.end c"))
    assert (state, segments[-1]) == ("CLOSED", ("wrapup", 20, 26))


def test_a_missed_alert_leads_back_to_the_queue() -> None:
    missed = [(0, "customer.start c"), (1, "acd.start q"), (5, "user.start a ada"), (9, "user.missed a ada")]
    assert line(*missed)[1][1:] == [("queue", 1, 5), ("alert", 5, 9), ("queue", 9, None)]
    again = [*missed, (9, "user.start b ada"), (12, "acd.answered q ada")]
    assert line(*again)[1][1:] == [("queue", 1, 5), ("alert", 5, 12), ("interact", 12, None)]


def test_who_leaves_the_queue_has_abandoned_it() -> None:
    assert line((0, "customer.start c"), (1, "acd.start q"), (9, "acd.end q"), (10, "customer.end c")) == (
        "CLOSED", [("wait", 0, 1), ("queue", 1, 10)],
    )  # fmt: skip


def test_a_blind_transfer_is_a_transfer_until_the_next_queue() -> None:
    steps = [*ANSWER, (20, "user.transferred a ada"), (22, "acd.start r"), (25, "acw a ada"), (30, "user.answer b bo")]
    assert line(*steps[:5])[0] == "TRANSFERRING"
    assert line(*steps) == (
        "ACTIVE",
        [
            ("wait", 0, 1), ("queue", 1, 5), ("alert", 5, 8), ("interact", 8, 20), ("transfer", 20, 22),
            ("queue", 22, 30), ("interact", 30, None),
        ],
    )  # fmt: skip
    folded = fold(told(*steps))
    (handing,) = folded.handings
    assert (handing.at, handing.superseded_at, handing.left_at) == (START + 20, START + 22, START + 22)
    assert folded.agent == "bo"


def test_a_consult_transfer_goes_on_with_the_one_who_was_asked() -> None:
    steps = [
        *ANSWER, (15, "user.start b bo"), (17, "user.answer b bo"), (20, "user.transferred a ada"), (25, "acw a ada"),
        (30, "user.end b bo"), (31, "customer.end c"), (35, "acw b bo"),
    ]  # fmt: skip
    state, segments = line(*steps)
    assert (state, segments[-2:]) == ("CLOSED", [("interact", 8, 30), ("wrapup", 30, 35)])
    assert len(fold(told(*steps)).handings) == 1


def test_whoever_was_only_asked_may_go_again() -> None:
    assert line(*ANSWER, (15, "user.start b bo"), (17, "user.answer b bo"), (20, "user.end b bo"))[1][-1] == (
        "interact", 8, None,
    )  # fmt: skip


def test_a_conference_goes_on_when_one_of_the_customers_leaves() -> None:
    third = [(12, "customer.start x"), (15, "customer.end x")]
    assert line(*ANSWER, *third) == line(*ANSWER)
    assert line(*ANSWER, *third, (20, "customer.end c"))[0] == "WRAPUP"


def test_it_goes_on_again() -> None:
    over = [*ANSWER, (20, "user.end a ada"), (21, "customer.end c"), (22, "acw a ada")]
    again = [*over, (50, "acd.start r"), (60, "user.answer b bo")]
    folded = fold(told(*again))
    assert (folded.state, folded.ended_at, folded.closed_at) == (State.ACTIVE, None, None)
    assert line(*again)[1][-3:] == [("wrapup", 20, 22), ("queue", 50, 60), ("interact", 60, None)]


def test_an_early_agents_late_paperwork_closes_nothing() -> None:
    steps = [
        *ANSWER, (20, "user.transferred a ada"), (22, "acd.start r"), (30, "user.answer b bo"), (40, "customer.end c"),
        (45, "acw a ada"),
    ]  # fmt: skip
    assert line(*steps)[0] == "WRAPUP"
    assert line(*steps, (50, "acw b bo"))[0] == "CLOSED"


# What was not heard


def test_who_answered_counts_although_nothing_was_heard_of_the_ringing() -> None:
    heard = [(0, "customer.start c"), (1, "acd.start q"), (8, "acd.answered q ada")]
    assert line(*heard)[1][-1] == ("interact", 8, None)
    state, segments = line(*heard, (20, "user.end a ada"))
    assert (state, segments[-2:]) == ("WRAPUP", [("interact", 8, 20), ("wrapup", 20, None)])


def test_an_answer_of_somebody_leaves_the_others_ringing() -> None:
    steps = [(0, "user.start a ada"), (0, "user.start b bo"), (5, "acd.answered q bo")]
    assert fold(told(*steps)).legs == {"a": "alert", "b": "interact", "q": "over"}


def test_what_is_over_does_not_begin_again() -> None:
    late = [*ANSWER, (20, "user.end a ada"), (21, "customer.end c"), (22, "acw a ada"), (23, "user.start a ada")]
    assert line(*late)[0] == "CLOSED"


def test_an_end_alone_says_when_it_began() -> None:
    told_so = event("customer.end", START, "i", sessionId="c", durationSeconds=90)
    folded = fold([told_so])
    assert (folded.started_at, folded.state) == (START - 90_000, State.CLOSED)
    assert [(each.kind, each.end - each.start if each.end else None) for each in folded.segments] == [
        (Kind.INTERACT, 90_000)
    ]


@pytest.mark.parametrize(
    ("alone", "state"),
    [
        ("customer.start c", "INITIATED"), ("flow.start f", "INITIATED"), ("flow.end f", "INITIATED"),
        ("acd.start q", "INITIATED"), ("acd.end q", "INITIATED"), ("acd.answered q ada", "ACTIVE"),
        ("user.start a ada", "INITIATED"), ("user.answer a ada", "ACTIVE"), ("hold.start a ada", "ACTIVE"),
        ("hold.end a ada", "INITIATED"), ("user.missed a ada", "INITIATED"), ("user.end a ada", "WRAPUP"),
        ("user.transferred a ada", "TRANSFERRING"), ("acw a ada", "CLOSED"), ("customer.end c", "CLOSED"),
        ("voicemail.start v", "INITIATED"), ("voicemail.end v", "INITIATED"),
    ],
)  # fmt: skip
def test_a_stream_may_be_joined_anywhere(alone: str, state: str) -> None:
    assert line((0, alone))[0] == state


@pytest.mark.parametrize("kind", sorted(set(PLATFORM_TYPES) - set(LEGS)))
def test_the_other_types_move_nothing(kind: str) -> None:
    assert line(*ANSWER, (9, f"{kind} a ada")) == line(*ANSWER)


def test_a_transfer_inside_a_conversation_takes_no_other_one_as_its_target() -> None:
    steps = told(*ANSWER, (20, "user.transferred a ada"), (22, "acd.start r"))
    later = event("customer.start", START + 5_000, "next", sessionId="z", customerId="ann", event_id="z")
    first = event("contact", START, "i", sessionId="c", customerId="ann", event_id="contact")
    (journey,) = journeys([*steps, first, later], OPTIONS)
    assert [(each.at - START, each.to_interaction) for each in journey.transfers] == [(20, None)]


def test_beside_a_stream_of_the_same_conversation() -> None:
    """Whichever tells it first: both may say that somebody talks, and what is disposed of is closed for both."""
    stream = [event("conversation.started", START + 8, "i"), event("disposition.completed", START + 40, "i")]
    folded = fold(sorted([*told(*ANSWER), *stream], key=order_key))
    assert folded.state is State.CLOSED
    assert [each.kind for each in folded.segments] == ["wait", "queue", "alert", "interact"]


def test_folds_share_no_legs() -> None:
    one, other = Fold(), Fold()
    one.legs["a"] = Kind.QUEUE
    one.agents["a"] = "ada"
    assert (other.legs, other.agents) == ({}, {})


def test_the_raw_form_of_a_sessions_event() -> None:
    (one,) = told((0, "acd.start q"))
    assert json.loads(one.raw)["payload"]["sessionId"] == one.leg == "q"


def test_what_sessions_tell_of_transfers_is_in_the_row_at_once() -> None:
    """A golden case: rows were handed out, and then an agent hands on, and somebody takes over in the same conversation."""
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    steps = [*ANSWER, (20, "user.transferred a ada"), (21, "acd.start q2"), (30, "customer.end c")]
    taken: list[Event] = []
    for each in told(*steps):
        stitcher.apply([each])
        taken.append(each)
        (row,) = stitcher.take_rows(START).rows
        (expected,) = journeys(taken, OPTIONS)
        assert row.transfer_count == len(expected.transfers)
        assert row.interactions[0].state == expected.interactions[0].state
        assert stitcher.journeys() == [expected]
    assert row.transfer_count == 1
