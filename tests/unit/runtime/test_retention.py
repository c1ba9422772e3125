"""What the pipeline lets go of, and when."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from journeymap.errors import StoreFullError
from journeymap.model.event import CREATED, DISPOSED, ENDED, MERGED, STARTED
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.runtime import pipeline as module
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.testing import frame
from tests.property.soups import OPTIONS
from tests.stored import Follower, journeys_in, rows_in
from tests.unit.runtime.feeding import NOW, Log, Store, crowd, pipeline_over


def test_expired_events_are_counted_and_not_folded(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store, retention=DAY)
    data = b"[" + b",".join(frame(CREATED, at, f"i{at}") for at in (NOW - DAY - 1, NOW - DAY, NOW)) + b"]"
    pipeline.feed([log.add(data)], NOW)
    pipeline.flush(NOW, last=True)
    assert (pipeline.counts.events, pipeline.counts.expired, pipeline.counts.new) == (3, 1, 2)
    assert store.count() == 2
    assert pipeline.committed == log.records[-1].end


def test_retention_evicts_closed_journeys_that_are_older_and_never_open_ones(store: Store, log: Log) -> None:
    patient = StitchOptions(Timeouts(HOUR, 2 * HOUR, {"email": 50 * DAY}, {"email": 90 * DAY}), HOUR)
    pipeline = pipeline_over(store, patient, retention=30 * DAY)
    for name, at, channel in (("old", 0, "voice"), ("open", 0, "email"), ("young", 2 * DAY, "voice")):
        log.add(frame(CREATED, NOW + at, name, customerId=name, channelType=channel), NOW + at)
    pipeline.feed(log.records, NOW + 2 * DAY)
    pipeline.flush(NOW + 2 * DAY, last=True)
    pipeline.flush(NOW + 30 * DAY)
    assert store.count() == 3
    pipeline.flush(NOW + 30 * DAY + MINUTE)
    assert {journey.customer_id for journey in journeys_in(store, patient)} == {"open", "young"}
    assert pipeline.counts.evicted == 1
    assert Follower(store).follow() == rows_in(store)
    pipeline.flush(NOW + 80 * DAY)
    assert {journey.customer_id for journey in journeys_in(store, patient)} == {"open"}


def test_too_many_journeys_evict_the_closed_ones_that_were_silent_longest(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store, max_journeys=3)
    for n in range(4):
        log.add(frame(CREATED, NOW + n, f"closed{n}", customerId=f"closed{n}"), NOW)
        log.add(frame(DISPOSED, NOW + n, f"closed{n}", disposition="done"), NOW)
    for n in range(2):
        log.add(frame(CREATED, NOW - HOUR // 4 + n, f"open{n}", customerId=f"open{n}"), NOW)
    pipeline.feed(log.records, NOW)
    pipeline.flush(NOW + SECOND, last=True)
    pipeline.flush(NOW + MINUTE + SECOND)
    assert {item.customer_id for item in journeys_in(store, OPTIONS)} == {"closed3", "open0", "open1"}
    assert pipeline.counts.evicted == 3
    for n in range(2, 5):
        log.add(frame(CREATED, NOW + MINUTE + n, f"open{n}", customerId=f"open{n}"), NOW + MINUTE)
    pipeline.feed(log.records[-3:], NOW + MINUTE)
    pipeline.flush(NOW + MINUTE + 2 * SECOND, last=True)
    pipeline.flush(NOW + 3 * MINUTE)
    assert {item.customer_id for item in journeys_in(store, OPTIONS)} == {f"open{n}" for n in range(5)}


def test_large_evictions_go_on_from_flush_to_flush_under_load_too(store: Store, log: Log) -> None:
    with patch.object(module, "EVICT_BATCH", 400):
        pipeline = pipeline_over(store, retention=DAY)
        pipeline.feed([log.add(crowd(1_000, NOW))], NOW)
        pipeline.flush(NOW, last=True)
        later = NOW + 2 * DAY
        for turn, left in enumerate((600, 200, 0)):
            pipeline.feed(
                [log.add(crowd(350, later + turn, STARTED).replace(b'"c', b'"d').replace(b'"i', b'"j'))], later
            )
            pipeline.flush(later + 200 * (turn + 1))
            assert sum(row.customer_id.startswith("c") for row in rows_in(store).values()) == left
        assert pipeline.counts.evicted == 1_000


def test_an_eviction_that_could_not_be_written_leaves_nothing_half_done(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store, retention=DAY)
    for n in range(200):  # more than fits into the tail of a record
        log.add(frame(STARTED, NOW + n, "a", customerId="ann", event_id=f"e{n}"))
    pipeline.feed(log.records, NOW)
    pipeline.flush(NOW, last=True)
    later = NOW + DAY + HOUR
    other = frame(CREATED, NOW + 2 * HOUR, "b", customerId="bob", channelType="email")
    pipeline.feed([log.add(other, NOW + HOUR)], NOW + HOUR)
    pipeline.flush(NOW + HOUR, last=True)
    assert pipeline.hot_journeys == 1  # Ann's is in the store alone
    store.refuse_commits = 2
    with pytest.raises(StoreFullError):
        pipeline.flush(later)
    assert pipeline.counts.evicted == 1
    again = log.add(frame(ENDED, later - HOUR // 2, "a"), later)  # for the journey that is being evicted
    pipeline.feed([again], later)
    with pytest.raises(StoreFullError):
        pipeline.flush(later + 2 * MINUTE)
    pipeline.flush(later + 3 * MINUTE, last=True)
    assert pipeline.counts.evicted == 1
    assert [len(journey.events) for journey in journeys_in(store, OPTIONS)] == [1, 1]


def test_identity_events_are_forgotten_with_the_customers_that_they_name(store: Store, log: Log) -> None:
    pipeline = pipeline_over(store, retention=DAY)
    for customer in ("ann", "bob"):
        log.add(frame(CREATED, NOW, customer, customerId=customer))
    for n, (old, new) in enumerate((("ann", "anna"), ("bob", "bert"))):
        log.add(frame(MERGED, NOW, event_id=f"m{n}", fromCustomerId=old, toCustomerId=new))
    pipeline.feed(log.records, NOW)
    pipeline.flush(NOW, last=True)
    assert set(store.identity()) == {"m0", "m1"}
    pipeline.feed([log.add(frame(ENDED, NOW + 23 * HOUR, "bob"), NOW + 23 * HOUR)], NOW + 23 * HOUR)
    pipeline.flush(NOW + 23 * HOUR, last=True)
    pipeline.flush(NOW + DAY + MINUTE)  # evicts
    pipeline.flush(NOW + DAY + 3 * MINUTE)
    assert [journey.customer_id for journey in journeys_in(store, OPTIONS)] == ["bert"]
    assert set(store.identity()) == {"m1"}
