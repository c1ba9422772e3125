"""The pipeline: from journal to store."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Collection, Iterable, Sequence
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.decode.event import decode_frame
from journeymap.errors import StoreError, StoreFullError
from journeymap.model.event import CREATED, ENDED, STARTED, Event
from journeymap.model.journey import journey_id_of
from journeymap.model.record import BACKFILL_SOURCE, Record
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.runtime import pipeline as module
from journeymap.runtime.pipeline import COSTLY_CHECKPOINT, JOURNAL
from journeymap.source.notifications.source import NotificationsSource
from journeymap.stitch.definition import journeys
from journeymap.store.base import Commit
from journeymap.testing import ManualClock, frame
from tests.property.soups import OPTIONS, soups
from tests.stored import Follower, journeys_in, rows_in
from tests.unit.runtime.feeding import NOW, Log, Store, crowd, pipeline_over


def test_an_event_is_held_for_the_window_and_then_stored_with_its_position(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    record = log.add(frame(CREATED, NOW, "a", customerId="ann"))
    assert pipeline.next_due() is None
    pipeline.feed([record], NOW)
    assert pipeline.next_due() == NOW + 100
    assert not pipeline.flush(NOW + 99)
    assert (pipeline.fed_to, pipeline.committed, store.offered) == (record.end, 0, [])
    assert pipeline.flush(NOW + 100)
    assert pipeline.committed == store.positions()[JOURNAL] == record.end
    assert journeys_in(store, OPTIONS) == journeys(log.events(), OPTIONS)
    assert pipeline.next_due() is None
    assert not pipeline.flush(NOW + 101)


def test_the_position_stops_before_what_is_on_hold_at_any_source(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    first = log.add(frame(CREATED, NOW, "a", customerId="ann"), NOW, "one")
    log.add(frame(CREATED, NOW, "b", customerId="bob"), NOW + 80, "two")
    third = log.add(frame(ENDED, NOW + 1, "a"), NOW + 80, "one")
    pipeline.feed(log.records, NOW + 80)
    pipeline.flush(NOW + 100)
    assert pipeline.committed == first.end
    pipeline.flush(NOW + 180)
    assert pipeline.committed == third.end


def test_unusable_frames_are_counted_by_reason_and_passed(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    for data in (b"not json", b"{}", b"[1, {}]", b"\xff", b""):
        log.add(data)
    pipeline.feed(log.records, NOW)
    assert pipeline.quarantine.counts == {"not-json": 2, "no-type": 2, "not-an-event": 1, "not-utf8": 1}
    assert pipeline.quarantine.total == 6
    assert (pipeline.counts.records, pipeline.counts.events) == (5, 0)
    entries = {entry.reason: entry for entry in pipeline.quarantine.entries()}
    assert (entries["not-utf8"].sample, entries["not-utf8"].source, entries["not-utf8"].last_at) == (
        "\\xff",
        "one",
        NOW,
    )
    assert pipeline.last_arrived_at is None
    assert pipeline.flush(NOW)
    assert pipeline.committed == log.records[-1].end
    assert store.head() == 0


def test_a_commit_that_failed_is_tried_again_as_it_is(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    pipeline.feed([log.add(frame(CREATED, NOW, "a", customerId="ann"))], NOW)
    store.refuse_commits = 3
    for turn in range(3):
        with pytest.raises(StoreFullError):
            pipeline.flush(NOW + 100 + turn)
        assert pipeline.next_due() == NOW + 100 + turn
    assert pipeline.committed == 0
    pipeline.feed([log.add(frame(ENDED, NOW + 50, "a"), NOW + 50)], NOW + 50)
    assert pipeline.flush(NOW + 200)
    assert all(commit is store.offered[0] for commit in store.offered[:4])
    assert len(store.offered) == 5
    assert pipeline.committed == log.records[-1].end
    assert journeys_in(store, OPTIONS) == journeys(log.events(), OPTIONS)
    assert (pipeline.counts.new, pipeline.counts.duplicate) == (2, 0)


def test_the_last_flush_writes_all_even_behind_a_commit_that_failed(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    pipeline.feed([log.add(frame(CREATED, NOW, "a", customerId="ann"))], NOW)
    store.refuse_commits = 1
    with pytest.raises(StoreFullError):
        pipeline.flush(NOW + 100)
    pipeline.feed([log.add(frame(ENDED, NOW + 50, "a"), NOW + 100)], NOW + 100)
    pipeline.flush(NOW + 101, last=True)
    assert pipeline.committed == log.records[-1].end
    assert journeys_in(store, OPTIONS) == journeys(log.events(), OPTIONS)


def test_nothing_is_lost_where_the_store_cannot_be_read_while_stitching(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    for turn, customer in enumerate(("ann", "bob", "ann", "cat")):
        log.add(frame(CREATED, NOW + turn, f"i{turn}", customerId=customer), NOW + turn)
    pipeline.feed(log.records[:1], NOW)
    pipeline.flush(NOW + 100)
    pipeline.feed([*log.records[1:], log.add(log.records[1].data)], NOW)
    for turn in range(2):
        store.refuse_reads = 1
        with pytest.raises(StoreError, match="cannot be read"):
            pipeline.flush(NOW + 200 + turn)
    assert pipeline.flush(NOW + 300)
    assert pipeline.committed == log.records[-1].end
    assert journeys_in(store, OPTIONS) == journeys(log.events(), OPTIONS)
    assert (pipeline.counts.new, pipeline.counts.duplicate, pipeline.counts.late) == (4, 1, 0)


def test_checkpoints_come_at_every_flush_while_cheap_and_at_intervals_under_load(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store, checkpoint_interval=2 * SECOND)

    def turn(at: int, count: int, event_type: str) -> Commit:
        pipeline.feed([log.add(crowd(count, at, event_type), at)], at)
        pipeline.flush(at + 100)
        return store.offered[-1]

    assert turn(NOW, 10, CREATED).positions
    assert turn(NOW + 100, 10, STARTED).positions
    assert turn(
        NOW + 500, COSTLY_CHECKPOINT, CREATED
    ).positions  # the one before was cheap, and so the next may be dear
    under_load = turn(NOW + 600, 301, STARTED)
    assert under_load.changes is None and under_load.positions is None and len(under_load.rows.rows) == 301
    before = pipeline.committed
    assert pipeline.next_due() == NOW + 600 + 2 * SECOND
    for at in range(700, 2_500, 100):
        assert turn(NOW + at, 5, STARTED).positions is None
    assert pipeline.committed == before
    commit = turn(NOW + 2_500, 5, ENDED)
    assert commit.positions == {JOURNAL: log.records[-1].end}
    assert (pipeline.committed, store.count()) == (log.records[-1].end, COSTLY_CHECKPOINT)
    assert journeys_in(store, OPTIONS) == journeys(log.events(), OPTIONS)


def test_counts_of_late_duplicate_and_conflicting_events(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)

    def turn(at: int, *frames: bytes) -> None:
        pipeline.feed([log.add(data, NOW + at) for data in frames], NOW + at)
        pipeline.flush(NOW + at + 100)

    start = frame(CREATED, NOW, "a", event_id="e1", customerId="ann")
    turn(0, start, start)
    turn(200, frame(STARTED, NOW + 50, "a", event_id="e2"))
    turn(400, frame(CREATED, NOW + 10, "b", event_id="e3"), start)  # late, and a late copy
    turn(600, frame(CREATED, NOW, "a", event_id="e1", customerId="another"))
    counts = pipeline.counts
    assert (counts.records, counts.events) == (6, 6)
    assert (counts.new, counts.late, counts.duplicate, counts.conflicting) == (3, 1, 2, 1)


def test_what_is_late_is_so_among_the_events_of_its_source(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    pipeline.feed([log.add(frame(CREATED, NOW, "a"), NOW, "one")], NOW)
    pipeline.flush(NOW + 100)
    pipeline.feed([log.add(frame(CREATED, NOW - HOUR, "b"), NOW + 100, "two")], NOW)
    pipeline.flush(NOW + 200)
    assert pipeline.counts.late == 0
    pipeline.feed([log.add(frame(CREATED, NOW - MINUTE, "c"), NOW + 200, "one")], NOW)
    pipeline.feed([log.add(frame(CREATED, NOW - MINUTE, "d"), NOW + 200, "two")], NOW)
    pipeline.flush(NOW + 300)
    assert pipeline.counts.late == 1


@pytest.mark.parametrize("source", [BACKFILL_SOURCE, NotificationsSource.name])
def test_nothing_is_late_that_tells_what_was_before(store: Store, log: Log, source: str) -> None:
    pipeline = pipeline_over(store)
    for turn, ago in enumerate((0, HOUR, MINUTE)):
        pipeline.feed([log.add(frame(CREATED, NOW - ago, f"i{turn}"), NOW + turn, source)], NOW)
        pipeline.flush(NOW + 200 * turn + 100)
    assert (pipeline.counts.new, pipeline.counts.late) == (3, 0)


def test_readers_learn_of_a_row_that_the_journal_does_not_bring_back(store: Store, log: Log) -> None:
    """Rows may be told of before their events are kept. After a crash they are folded again, but in other batches."""
    follower = Follower(store)
    with patch.object(module, "CHEAP_CHECKPOINT", -1), patch.object(module, "COSTLY_CHECKPOINT", 1):
        pipeline = pipeline_over(store)
        pipeline.feed([log.add(frame(CREATED, NOW, "first", customerId="bob"))], NOW)
        pipeline.flush(NOW + 100)
        pipeline.feed([log.add(frame(CREATED, NOW + 1_000, "b", customerId="ann"), NOW + 200)], NOW)
        pipeline.flush(NOW + 300)
        assert store.offered[-1].positions is None
    assert journey_id_of("b") in follower.follow()
    log.add(
        frame(CREATED, NOW + 500, "a", customerId="ann"), NOW + 310
    )  # in the journal, and not folded before the end
    pipeline = pipeline_over(store)
    pipeline.feed(log.behind(pipeline.committed), NOW + SECOND)
    pipeline.flush(NOW + SECOND, last=True)
    assert follower.follow() == rows_in(store)
    assert len(follower.rows) == 2


def test_a_start_after_a_clean_end_has_nothing_to_tell(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store)
    pipeline.feed([log.add(crowd(400, NOW))], NOW)
    pipeline.flush(NOW, last=True)
    head = store.head()
    assert not pipeline_over(store).flush(NOW + SECOND, last=True)
    assert store.head() == head


def records_of(events: Sequence[Event], chance: random.Random, log: Log, clock: ManualClock) -> Iterable[Record]:
    """Events as frames, alone or some together, from two sources."""
    left = [event.raw for event in events]
    while left:
        count = min(len(left), chance.choice((1, 1, 1, 2, 3)))
        taken, left = left[:count], left[count:]
        data = taken[0] if count == 1 else b"[" + b",".join(taken) + b"]"
        yield log.add(data, clock.now(), chance.choice(("one", "two")))


def ids(found: Collection[Event]) -> set[tuple[str, str]]:
    return {(event.interaction_id, event.event_id) for event in found if event.interaction_id}


@given(soups, st.integers(0, 9_999), st.sampled_from([-1, 2, 300]))
@settings(max_examples=250, deadline=None)
def test_crashes_and_failures_at_any_point_lose_and_double_nothing(soup: list[Event], seed: int, cheap: int) -> None:
    chance = random.Random(seed)
    store, log, clock = Store(), Log(), ManualClock(NOW + 8 * HOUR)
    follower = Follower(store)
    with patch.object(module, "CHEAP_CHECKPOINT", cheap), patch.object(module, "COSTLY_CHECKPOINT", max(1, cheap)):
        pipeline = pipeline_over(store, checkpoint_interval=SECOND)
        for record in records_of(soup + soup[::4], chance, log, clock):
            # What is in the journal need not have been fed when the process ends.
            if (action := chance.random()) < 0.85:
                pipeline.feed(log.behind(pipeline.fed_to), clock.now())
            clock.advance(chance.choice((0, 40, 150, 700)))
            if action < 0.7:
                store.refuse_commits = chance.choice((0, 0, 0, 1))
                store.refuse_reads = chance.choice((0, 0, 0, 1))
                with contextlib.suppress(StoreError):
                    pipeline.flush(clock.now(), last=chance.random() < 0.1)
                store.refuse_commits = store.refuse_reads = 0
            if chance.random() < 0.5:
                follower.follow()
            if action > 0.9:
                held = {event for journey in journeys_in(store, OPTIONS) for event in ids(journey.events)}
                behind = {event for item in log.behind(pipeline.committed) for event in ids(decode_frame(item.data)[0])}
                assert ids(log.events()) <= held | behind
                pipeline = pipeline_over(store, checkpoint_interval=SECOND)
                assert record.end >= pipeline.committed == pipeline.fed_to
        pipeline.feed(log.behind(pipeline.fed_to), clock.now())
        pipeline.flush(clock.now(), last=True)
    assert pipeline.committed == (log.records[-1].end if log.records else 0)
    assert journeys_in(store, OPTIONS) == journeys(soup, OPTIONS)
    assert follower.follow() == rows_in(store)
