"""One call seen as detail events, as EventBridge envelopes, as snapshots and as an analytics record is one and the same journey:
each for itself, and together in any order, however often and however late."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.hold import COPY_DELAY
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.event import Event
from journeymap.model.journey import Journey
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.stitcher import Stitcher
from tests.holds import without_holds
from tests.unit.decode.genesys.samples import (
    ANALYTICS,
    BEGIN,
    CALL,
    CONTACT,
    DETAIL,
    EVENTBRIDGE,
    messages,
    sampled_snapshots,
    told,
    whole_call,
)

OPTIONS = StitchOptions()
(RECORD,) = [each for each in messages(ANALYTICS)[0]["conversations"] if each["conversationId"] == CALL]
HELD_MS = 14_500

Frame = tuple[int, bytes]
"""A frame and when it arrived."""


def frames(values: Iterable[Any], at: int = BEGIN + 500_000) -> list[Frame]:
    return [(at, json.dumps(value).encode()) for value in values]


SOURCES: dict[str, list[Frame]] = {
    "detail": frames(messages(DETAIL)),
    "eventbridge": frames(messages(EVENTBRIDGE)),
    "snapshots": [(BEGIN + at, json.dumps(value).encode()) for at, value in whole_call()],
    "analytics": frames([RECORD]),
}
KNOW_HOLDS = {"snapshots", "analytics"}


def decode(given_frames: Iterable[Frame]) -> list[Event]:
    memory = Snapshots()
    events = []
    for at, frame in given_frames:
        found, rejected = decode_frame(frame, at, memory)
        assert rejected == []
        events += found
    return events


def journey_of(events: Sequence[Event]) -> Journey:
    (journey,) = journeys(events, OPTIONS)
    return journey


def drawn(journey: Journey, *, holds: bool) -> Journey:
    """All of a journey but its list of events, which is what each source knows."""
    shown = tuple(one if holds else without_holds(one) for one in journey.interactions)
    return msgspec.structs.replace(journey, events=(), interactions=shown)


WITHOUT_HOLDS = drawn(journey_of(decode(SOURCES["detail"])), holds=False)
WITH_HOLDS = drawn(journey_of(decode(SOURCES["analytics"])), holds=True)


# Each for itself


def test_what_the_journey_is() -> None:
    (call,) = WITH_HOLDS.interactions
    assert (WITH_HOLDS.customer_id, call.interaction_id, call.channel, call.state) == (CONTACT, CALL, "voice", "CLOSED")
    assert [(each.kind, each.start - BEGIN, (each.end or 0) - BEGIN) for each in call.segments] == [
        ("wait", 0, 60), ("ivr", 60, 42_100), ("queue", 42_100, 61_000), ("alert", 61_000, 65_500),
        ("interact", 65_500, 120_000), ("hold", 120_000, 134_500), ("interact", 134_500, 180_000),
        ("transfer", 180_000, 180_100), ("queue", 180_100, 190_000), ("alert", 190_000, 193_000),
        ("interact", 193_000, 400_000), ("wrapup", 400_000, 431_000),
    ]  # fmt: skip
    assert [(each.at - BEGIN, each.to_interaction) for each in WITH_HOLDS.transfers] == [(180_000, None)]
    assert msgspec.structs.replace(WITH_HOLDS, interactions=(without_holds(call),)) == WITHOUT_HOLDS


def test_eventbridge_gives_the_very_same_journey_as_the_websocket() -> None:
    arrivals = [msgspec.structs.replace(event, arrived_at=0) for event in decode(SOURCES["eventbridge"])]
    same = [msgspec.structs.replace(event, arrived_at=0) for event in decode(SOURCES["detail"])]
    assert journey_of(arrivals) == journey_of(same)


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_each_source_gives_the_same_journey(source: str) -> None:
    journey = journey_of(decode(SOURCES[source]))
    assert drawn(journey, holds=False) == WITHOUT_HOLDS
    if source in KNOW_HOLDS:
        assert drawn(journey, holds=True) == WITH_HOLDS


def test_the_hold_is_as_long_as_detail_events_say() -> None:
    (said,) = [
        json.loads(event.raw)["payload"]["heldDurationMs"]
        for event in decode(SOURCES["detail"])
        if event.type == "user.transferred"
    ]
    assert [
        each.end - each.start for each in WITH_HOLDS.interactions[0].segments if each.kind == "hold" and each.end
    ] == [said]
    assert said == HELD_MS


def test_the_sampled_snapshots_are_the_call_so_far() -> None:
    """Five snapshots, the last of the moment of the transfer: what detail events had told until then."""
    until = [event for event in decode(SOURCES["detail"]) if event.timestamp <= BEGIN + 180_000]
    seen = journey_of(told(sampled_snapshots()))
    assert drawn(seen, holds=False) == drawn(journey_of(until), holds=False)
    assert seen.interactions[0].state == "TRANSFERRING"


def test_one_event_has_one_id_whatever_brought_it() -> None:
    everything = decode([frame for source in SOURCES.values() for frame in source])
    by_kind: dict[str, set[str]] = {}
    for event in everything:
        by_kind.setdefault(event.event_id.split(":")[0], set()).add(event.event_id)
    assert {kind: len(ids) for kind, ids in by_kind.items()} == {
        "customer.start": 1, "customer.end": 1, "flow.start": 1, "flow.end": 1, "flow.outcome": 1, "attributes": 1,
        "acd.start": 2, "acd.end": 2, "user.start": 2, "user.answer": 2, "user.end": 2, "acw": 2,
        "hold.start": 1, "hold.end": 1,
    }  # fmt: skip


# All at once


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[set[str], list[Frame]]:
    """Some of the sources, each frame once or more, in any order; snapshots late by up to a minute, or early by a wrong clock."""
    chosen = draw(st.sets(st.sampled_from(sorted(SOURCES)), min_size=1))
    late = draw(st.integers(-2_000, 60_000)) if chosen - {"snapshots"} else 0
    given_frames = [
        (at + late if source == "snapshots" else at, frame)
        for source in sorted(chosen)
        for at, frame in SOURCES[source]
    ]
    if chosen == {"snapshots"}:
        return chosen, given_frames  # what only our clock dates has nobody else to tell it
    again = draw(st.lists(st.sampled_from(given_frames), max_size=6))
    return chosen, draw(st.permutations([*given_frames, *again]))


@given(deliveries())
def test_any_of_them_in_any_order_give_the_same_journey(delivered: tuple[set[str], list[Frame]]) -> None:
    chosen, given_frames = delivered
    journey = journey_of(decode(given_frames))
    assert drawn(journey, holds=False) == WITHOUT_HOLDS
    if "analytics" in chosen:
        assert drawn(journey, holds=True) == WITH_HOLDS


@settings(max_examples=50)
@given(deliveries(), st.integers(1, 7))
def test_event_by_event_too(delivered: tuple[set[str], list[Frame]], batch: int) -> None:
    events = decode(delivered[1])
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    conflicting = 0
    for place in range(0, len(events), batch):
        conflicting += stitcher.apply(events[place : place + batch]).conflicting
    assert stitcher.journeys() == journeys(events, OPTIONS)
    assert conflicting == 0


# Snapshots alone, doubled and late


@st.composite
def replays(draw: st.DrawFn) -> list[Frame]:
    """The snapshots with copies: some stretches of them come again, by another topic or channel, up to `COPY_DELAY` after the
    latest."""
    given_frames = SOURCES["snapshots"]
    found = list(given_frames)
    for latest in draw(st.lists(st.integers(0, len(given_frames) - 1), max_size=6)):
        first = draw(st.integers(0, latest))
        at = given_frames[latest][0] + draw(st.integers(0, COPY_DELAY - len(given_frames)))
        found += [(at + place, frame) for place, (_, frame) in enumerate(given_frames[first : latest + 1])]
    return sorted(found, key=lambda each: each[0])


@given(replays())
def test_snapshots_that_come_again_late_change_nothing(given_frames: list[Frame]) -> None:
    assert drawn(journey_of(decode(given_frames)), holds=True) == WITH_HOLDS


def test_every_snapshot_twice_changes_nothing() -> None:
    twice = [(at + late, frame) for at, frame in SOURCES["snapshots"] for late in (0, 300)]
    assert drawn(journey_of(decode(sorted(twice, key=lambda each: each[0]))), holds=True) == WITH_HOLDS


# Where the sources' times differ by milliseconds


def shifted(value: Any, by: int) -> Any:
    """A JSON value with all its dates so many milliseconds later."""
    if isinstance(value, dict):
        return {name: shifted(item, by) for name, item in value.items()}
    if isinstance(value, list):
        return [shifted(item, by) for item in value]
    if isinstance(value, str) and value.startswith("2026-11-20T"):
        moment = datetime.fromisoformat(value).astimezone(UTC) + timedelta(milliseconds=by)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


@settings(max_examples=30)
@given(st.integers(-20, 20), st.integers(-20, 20), st.randoms(use_true_random=False))
def test_where_times_differ_the_detail_events_are_believed(record_by: int, snapshots_by: int, dice: Any) -> None:
    given_frames = [
        *SOURCES["detail"],
        *frames([shifted(copy.deepcopy(RECORD), record_by)]),
        *((at, json.dumps(shifted(json.loads(frame), snapshots_by)).encode()) for at, frame in SOURCES["snapshots"]),
    ]
    dice.shuffle(given_frames)
    journey = journey_of(decode(given_frames))
    one, other = without_holds(journey.interactions[0]), WITHOUT_HOLDS.interactions[0]
    assert journey.last_event_at == WITHOUT_HOLDS.last_event_at
    assert [each.kind for each in one.segments] == [each.kind for each in other.segments]
    for seen, said in zip(one.segments, other.segments, strict=True):
        # An answer's own time is the record's: detail events only let it be reckoned.
        assert seen.start == said.start or (seen.kind == "interact" and -20 <= seen.start - said.start < 0)
    assert (one.ended_at, one.disposition, one.agent, one.queue) == (
        other.ended_at, other.disposition, other.agent, other.queue,
    )  # fmt: skip


# What a source missed


@settings(max_examples=50)
@given(st.sets(st.integers(0, len(SOURCES["detail"]) - 1), max_size=10))
def test_what_was_missed_is_filled_by_the_record(lost: set[int]) -> None:
    heard = [frame for place, frame in enumerate(SOURCES["detail"]) if place not in lost]
    assert drawn(journey_of(decode([*heard, *SOURCES["analytics"]])), holds=True) == WITH_HOLDS
