"""The state table is whole: every known type in every state, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from journeymap.model.event import CREATED, DISPOSED, ENDED, MERGED, SPLIT, STARTED, STREAM_TYPES, TRANSFERRED
from journeymap.model.journey import Segment, State
from journeymap.stitch import machine
from journeymap.stitch.machine import BEFORE, TRANSITIONS, Fold, fold
from journeymap.testing import event

START = 1_700_000_000_000
FOLDED_STATES = (State.INITIATED, State.ACTIVE, State.TRANSFERRING, State.WRAPUP, State.CLOSED)
REACHING = {
    BEFORE: (),
    State.INITIATED: (CREATED,),
    State.ACTIVE: (STARTED,),
    State.TRANSFERRING: (TRANSFERRED,),
    State.WRAPUP: (ENDED,),
    State.CLOSED: (DISPOSED,),
}


def test_every_known_type_has_a_row_in_every_state() -> None:
    assert set(TRANSITIONS) == set(itertools.product(STREAM_TYPES, (BEFORE, *FOLDED_STATES)))


def test_idle_is_never_folded() -> None:
    assert set(State) - set(FOLDED_STATES) == {State.IDLE}
    assert all(move.to in FOLDED_STATES for move in TRANSITIONS.values())


def test_identity_events_have_no_row() -> None:
    assert not {MERGED, SPLIT} & {event_type for event_type, _ in TRANSITIONS}


@pytest.mark.parametrize("state", REACHING)
def test_every_state_is_reached(state: State | None) -> None:
    assert fold(event(kind, START, "a") for kind in REACHING[state]).state == state


@pytest.mark.parametrize(("event_type", "state"), TRANSITIONS)
def test_a_row_leads_where_it_says(event_type: str, state: State | None) -> None:
    folded = fold([event(kind, START, "a") for kind in REACHING[state]] + [event(event_type, START + 1, "a")])
    move = TRANSITIONS[event_type, state]
    assert folded.state == move.to
    if move.opens is not None:
        assert (folded.open_kind, folded.open_since) == (move.opens, START + 1)
    if move.closes:
        assert folded.open_kind is None
    assert len(folded.handings) == move.transfers + (state is State.TRANSFERRING)


@pytest.mark.parametrize("move", TRANSITIONS.values())
def test_rows_do_not_contradict_themselves(move: machine.Move) -> None:
    assert not (move.opens is not None and move.closes)
    assert not (move.reopens and (move.ends or move.closes_it))
    assert move.transfers == (move.to is State.TRANSFERRING and move.opens is not None)
    assert move.closes_it <= (move.to is State.CLOSED)


@pytest.mark.parametrize("state", REACHING)
def test_an_unknown_type_changes_no_state(state: State | None) -> None:
    known = [event(kind, START, "a") for kind in REACHING[state]]
    before, after = fold(known), fold([*known, event("note.added", START + 1, "a")])
    assert (after.state, after.segments, after.open_kind, after.ended_at) == (
        before.state, before.segments, before.open_kind, before.ended_at,
    )  # fmt: skip
    assert after.shown_state == (state or State.INITIATED)


def test_folds_share_nothing() -> None:
    one, other = Fold(), Fold()
    one.segments.append(Segment("wait", 0, 1))
    assert other.segments == []
    assert other.handings == ()


def test_a_handing_knows_when_it_was_left_and_superseded() -> None:
    kinds = (TRANSFERRED, ENDED, TRANSFERRED, STARTED, TRANSFERRED)
    folded = fold(event(kind, START + at, "a") for at, kind in enumerate(kinds))
    assert [(item.at - START, item.left_at, item.superseded_at) for item in folded.handings] == [
        (0, START + 1, START + 2),
        (2, START + 3, START + 3),
        (4, None, None),
    ]


def test_queue_and_agent_are_the_last_ones_named() -> None:
    folded = fold(
        [
            event(CREATED, START, "a", queueName="Support", agentId="ann"),
            event(STARTED, START + 1, "a", queueName="", agentId="bob"),
        ]
    )
    assert (folded.queue, folded.agent) == ("Support", "bob")


def test_direction_is_the_first_one_named() -> None:
    folded = fold(
        [
            event(CREATED, START, "a", direction=""),
            event(STARTED, START + 1, "a", direction="Inbound"),
            event(ENDED, START + 2, "a", direction="outbound"),
        ]
    )
    assert folded.direction == "inbound"
