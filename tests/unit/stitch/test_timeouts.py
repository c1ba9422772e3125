"""Time-outs are read off the clock: boundaries included, per channel, and never against an interaction that is CLOSED."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.model.event import DISPOSED, ENDED, STARTED, TRANSFERRED
from journeymap.model.journey import Interaction, State
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.timeouts import Shown, closed_from, journey_state, next_due, shown
from journeymap.testing import event

START = 1_700_000_000_000
PLAIN = Timeouts()
BY_CHANNEL = Timeouts(
    idle_after_by_channel={"email": HOUR}, close_after_by_channel={"email": 2 * HOUR, "voice": MINUTE}
)


class Part(msgspec.Struct):
    """An interaction as far as time-outs look at it."""

    state: str = "ACTIVE"
    channel: str = "chat"
    last_event_at: int = START
    ended_at: int | None = None


def read(quiet: int, part: Part | None = None, timeouts: Timeouts = PLAIN) -> Shown:
    return shown(part or Part(), START + quiet, timeouts)


@pytest.mark.parametrize(
    ("quiet", "state", "timed_out"),
    [
        (0, "ACTIVE", False),
        (5 * MINUTE - 1, "ACTIVE", False),
        (5 * MINUTE, "IDLE", False),
        (30 * MINUTE - 1, "IDLE", False),
        (30 * MINUTE, "CLOSED", True),
        (1000 * HOUR, "CLOSED", True),
    ],
)
def test_both_boundaries_are_included(quiet: int, state: str, timed_out: bool) -> None:
    assert (read(quiet).state, read(quiet).timed_out) == (state, timed_out)


@pytest.mark.parametrize("state", ["INITIATED", "ACTIVE", "TRANSFERRING", "WRAPUP"])
def test_every_state_but_closed_times_out(state: str) -> None:
    part = Part(state)
    assert read(5 * MINUTE - 1, part).state == state
    assert read(5 * MINUTE, part).state == "IDLE"
    assert read(30 * MINUTE, part).state == "CLOSED"


@pytest.mark.parametrize("quiet", [-HOUR, 0, 5 * MINUTE, 30 * MINUTE, 1000 * HOUR])
def test_closed_stays_closed_and_is_not_timed_out(quiet: int) -> None:
    assert read(quiet, Part("CLOSED", ended_at=START - 7)) == Shown(State.CLOSED, False, START - 7)


def test_the_end_of_a_timed_out_interaction_is_its_last_event_where_it_is_unset() -> None:
    assert read(30 * MINUTE).ended_at == START
    assert read(30 * MINUTE, Part("WRAPUP", ended_at=START - 9)).ended_at == START - 9


def test_an_idle_interaction_has_not_ended() -> None:
    assert read(5 * MINUTE).ended_at is None
    assert read(5 * MINUTE, Part("WRAPUP", ended_at=START - 9)).ended_at == START - 9


def test_a_clock_before_the_last_event_is_no_quiet_at_all() -> None:
    assert read(-HOUR) == Shown(State.ACTIVE, False, None)
    assert read(-HOUR, timeouts=Timeouts(idle_after=0)).state == "IDLE"


@pytest.mark.parametrize(
    ("channel", "quiet", "state"),
    [
        ("email", HOUR - 1, "ACTIVE"),
        ("email", HOUR, "IDLE"),
        ("email", 2 * HOUR, "CLOSED"),
        ("voice", MINUTE - 1, "ACTIVE"),
        ("voice", MINUTE, "CLOSED"),  # close_after lies before idle_after: never IDLE
        ("pigeon", 5 * MINUTE, "IDLE"),
        ("other", 30 * MINUTE, "CLOSED"),
    ],
)
def test_each_channel_has_its_own(channel: str, quiet: int, state: str) -> None:
    assert read(quiet, Part(channel=channel), BY_CHANNEL).state == state


def test_the_next_event_undoes_a_time_out() -> None:
    def state_of(events: Sequence[str], now: int) -> str:
        stream = [event(kind, START + hours * HOUR, "a") for hours, kind in enumerate(events)]
        interaction: Interaction = journeys(stream, StitchOptions())[0].interactions[0]
        return shown(interaction, now, PLAIN).state

    assert state_of([STARTED], START + HOUR) == "CLOSED"
    assert state_of([STARTED, "note.added"], START + HOUR) == "ACTIVE"
    assert state_of([STARTED, TRANSFERRED], START + HOUR) == "TRANSFERRING"
    assert state_of([STARTED, ENDED], START + HOUR) == "WRAPUP"
    assert state_of([STARTED, DISPOSED], START + 9 * HOUR) == "CLOSED"


ORDER = ["TRANSFERRING", "ACTIVE", "INITIATED", "IDLE", "CLOSED"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_state_of_a_journey_goes_by_precedence(size: int) -> None:
    for states in itertools.product(State, repeat=size):
        ranks = [ORDER.index("ACTIVE" if state is State.WRAPUP else state) for state in states]
        assert journey_state(states) == ORDER[min(ranks)]


def test_a_journey_reads_what_its_interactions_show_not_what_they_are() -> None:
    parts = [Part("TRANSFERRING", last_event_at=START - HOUR), Part("INITIATED", last_event_at=START - 6 * MINUTE)]
    assert journey_state(shown(part, START, PLAIN).state for part in parts) == "IDLE"


def test_next_due_is_the_next_boundary() -> None:
    assert next_due([Part()], START, PLAIN) == START + 5 * MINUTE
    assert next_due([Part()], START + 5 * MINUTE - 1, PLAIN) == START + 5 * MINUTE
    assert next_due([Part()], START + 5 * MINUTE, PLAIN) == START + 30 * MINUTE
    assert next_due([Part()], START + 30 * MINUTE, PLAIN) is None
    assert next_due([Part()], START - HOUR, PLAIN) == START + 5 * MINUTE


def test_next_due_is_the_earliest_of_all_and_asks_no_closed_one() -> None:
    parts = [Part("CLOSED", last_event_at=START - MINUTE), Part(), Part(last_event_at=START - SECOND)]
    assert next_due(parts, START, PLAIN) == START + 5 * MINUTE - SECOND
    assert next_due(parts[:1], START, PLAIN) is None
    assert next_due([], START, PLAIN) is None
    assert next_due([Part(channel="email")], START, BY_CHANNEL) == START + HOUR


def test_closed_from_is_when_the_last_one_closes() -> None:
    assert closed_from([Part()], PLAIN) == START + 30 * MINUTE
    assert closed_from([Part("CLOSED")], PLAIN) == START
    assert closed_from([Part("CLOSED", last_event_at=START + HOUR), Part()], PLAIN) == START + HOUR
    assert closed_from([Part(channel="email"), Part()], BY_CHANNEL) == START + 2 * HOUR


parts = st.builds(
    Part,
    st.sampled_from(["INITIATED", "ACTIVE", "TRANSFERRING", "WRAPUP", "CLOSED"]),
    st.sampled_from(["chat", "email", "voice"]),
    st.integers(-3, 3).map(lambda n: START + n * 10 * MINUTE),
    st.sampled_from([None, START - 5]),
)


@given(st.lists(parts, min_size=1, max_size=4), st.integers(-60, 240).map(lambda n: START + n * MINUTE))
def test_nothing_reads_otherwise_before_next_due(found: list[Part], now: int) -> None:
    def reading(at: int) -> list[Shown]:
        return [shown(part, at, BY_CHANNEL) for part in found]

    due = next_due(found, now, BY_CHANNEL)
    last = START + 100 * HOUR if due is None else due - 1
    assert all(reading(at) == reading(now) for at in {last, now + (last - now) // 2})


@given(st.lists(parts, min_size=1, max_size=4))
def test_a_journey_reads_closed_exactly_from_closed_from(found: list[Part]) -> None:
    def state(at: int) -> State:
        return journey_state(shown(part, at, BY_CHANNEL).state for part in found)

    moment = closed_from(found, BY_CHANNEL)
    assert state(moment) == "CLOSED"
    if any(part.state != "CLOSED" and shown(part, moment - 1, BY_CHANNEL).state != "CLOSED" for part in found):
        assert state(moment - 1) != "CLOSED"
