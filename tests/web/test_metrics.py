"""The figures for Prometheus: right, named after its conventions, and the same as the documentation says."""

from __future__ import annotations

import re

import msgspec
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from journeymap.model.backfill import BackfillReport, Fill
from journeymap.model.status import (
    AlertCounts,
    Durations,
    EventCounts,
    GapTotal,
    IngestStatus,
    SourceReport,
)
from journeymap.model.time import MINUTE, SECOND
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.options import Timeouts
from journeymap.store.memory import MemoryStore
from journeymap.web.collector import COUNTS, GAUGES, MOMENTS, SOURCE_COUNTS, SOURCE_MOMENTS
from journeymap.web.metrics import CONTENT_TYPE, Metrics
from tests.web.ops import documented, metrics_of

NOW = 1_700_000_000_000

STREAM = SourceReport(
    name="eventstreams",
    state="OPEN",
    since=NOW - MINUTE,
    token_obtained_at=NOW - MINUTE,
    token_expires_at=NOW + MINUTE,
    subscription_id="sub-1",
    max_events_per_second=25,
    last_frame_at=NOW - 2 * SECOND,
    last_heard_at=NOW - SECOND,
    reconnects=3,
    received=10,
    throttled=2,
    dropped=7,
    topic_channels=3,
    topics=2_500,
    topics_refused=4,
)
BROUGHT = SourceReport(
    name="eventbridge", state="OPEN", live=False, posts_refused={"wrong-key": 4}, queue_waiting=9, queue_in_flight=0
)
STATUS = IngestStatus(
    written_at=NOW,
    started_at=NOW - MINUTE,
    source="eventstreams",
    state="OPEN",
    since=NOW - MINUTE,
    last_event_at=NOW - SECOND,
    counts=EventCounts(received=10, events=8, late=3, duplicate=4, conflicting=5, expired=6),
    rejected={"not-json": 2, "no-type": 1},
    lag_ms=250,
    journeys=5,
    store_bytes=4_096,
    disk_free_bytes=10**9,
    journal_oldest_at=NOW - MINUTE,
    waiting_bytes=12,
    reading_stopped="the disk is nearly full",
    sources=[STREAM, SourceReport(name="file", state="DISCONNECTED", finished=True, live=False), BROUGHT],
    flushes=Durations([1, 250], [3, 2, 1], 1_500.0),
    gap_totals=[GapTotal("eventstreams", "disconnected", 2, 90_500, True, 3, 1)],
    alerts=AlertCounts(1, 2, 3),
    backfill=BackfillReport(Fill("f", "gap", NOW - 5, NOW), 4, "no permission", False, 5, 6, 7, 8),
)
UNITS = ("seconds", "bytes", "total", "info")
NOT_BASE = re.compile(
    r"(?:^|_)(?:ms|millis|milliseconds|minutes|hours|kb|mb|kilobytes|percent|count|sum|bucket)(?:_|$)"
)


class Site:
    """What is scraped, of a process whose clock and status can be set."""

    def __init__(self, status: IngestStatus | None = STATUS) -> None:
        self.status = status
        self.now = NOW
        model = ReadModel(MemoryStore(), lambda: self.now, Timeouts(), lambda *_: pytest.fail("nothing is folded"))
        self.metrics = Metrics(lambda: self.status, lambda: self.now, model)
        self.metrics.requests.labels("GET", "/", "200").inc()
        self.metrics.seconds.labels("/").observe(0.01)

    def families(self) -> list[Metric]:
        found = text_string_to_metric_families(self.metrics.text().decode())
        return [
            each for each in found if not each.name.endswith("_created")
        ]  # which the library adds to its own counters

    def figures(self) -> dict[tuple[str, ...], float]:
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in self.families()
            for sample in family.samples
        }


def test_the_figures() -> None:
    found = Site().figures()
    expected = {
        "journeymap_ingest_running": 1,
        "journeymap_events_received_total": 8,
        "journeymap_events_late_total": 3,
        "journeymap_events_duplicate_total": 4,
        "journeymap_events_conflicting_total": 5,
        "journeymap_events_expired_total": 6,
        "journeymap_events_quarantined_total not-json": 2,
        "journeymap_frames_received_total eventstreams": 10,
        "journeymap_reconnects_total eventstreams": 3,
        "journeymap_throttles_total eventstreams": 2,
        "journeymap_events_dropped_total eventstreams": 7,
        "journeymap_connection_state eventstreams OPEN": 1,
        "journeymap_connection_state eventstreams DISCONNECTED": 0,
        "journeymap_connection_state file DISCONNECTED": 1,
        "journeymap_connection_refused eventstreams": 0,
        "journeymap_source_finished file": 1,
        "journeymap_subscribed eventstreams": 1,
        "journeymap_subscribed file": 0,
        "journeymap_subscription_max_events_per_second eventstreams": 25,
        "journeymap_topic_channels eventstreams": 3,
        "journeymap_topics eventstreams": 2_500,
        "journeymap_topics_refused eventstreams": 4,
        "journeymap_token_expiry_timestamp_seconds eventstreams": NOW / SECOND + 60,
        "journeymap_last_heard_timestamp_seconds eventstreams": NOW / SECOND - 1,
        "journeymap_posts_refused_total wrong-key eventbridge": 4,
        "journeymap_queue_messages eventbridge waiting": 9,
        "journeymap_queue_messages eventbridge in-flight": 0,
        "journeymap_lag_seconds": 0.25,
        "journeymap_journeys": 5,
        "journeymap_store_bytes": 4_096,
        "journeymap_disk_free_bytes": 10**9,
        "journeymap_waiting_bytes": 12,
        "journeymap_reading_stopped": 1,
        "journeymap_stitching_outdated": 0,
        "journeymap_gaps_total disconnected eventstreams": 2,
        "journeymap_gap_seconds_total disconnected eventstreams": 90.5,
        "journeymap_gaps_open disconnected eventstreams": 1,
        "journeymap_gaps_filled_total disconnected eventstreams": 3,
        "journeymap_gaps_unfilled disconnected eventstreams": 1,
        "journeymap_backfill_running": 1,
        "journeymap_backfill_waiting": 4,
        "journeymap_backfill_failing": 1,
        "journeymap_backfill_periods_total": 5,
        "journeymap_backfill_conversations_total": 6,
        "journeymap_backfill_requests_total": 7,
        "journeymap_backfill_failures_total": 8,
        "journeymap_flush_duration_seconds_bucket 0.001": 3,
        "journeymap_flush_duration_seconds_bucket 0.25": 5,
        "journeymap_flush_duration_seconds_bucket +Inf": 6,
        "journeymap_flush_duration_seconds_sum": 1.5,
        "journeymap_flush_duration_seconds_count": 6,
        "journeymap_alerts_total failed": 2,
        "journeymap_readmodel_failing": 0,
    }
    assert {name: found[tuple(name.split())] for name in expected} == expected
    assert found["process_resident_memory_bytes",] > 0


def test_an_ingest_that_is_silent_is_not_shown_as_open() -> None:
    site = Site()
    site.now += MINUTE
    found = site.figures()
    assert found["journeymap_ingest_running",] == 0
    assert found["journeymap_connection_state", "eventstreams", "OPEN"] == 0
    assert found["journeymap_connection_state", "eventstreams", "DISCONNECTED"] == 1
    site.status = None
    assert {name for name, *_ in site.figures() if name.startswith("journeymap_") and "http" not in name} == {
        "journeymap_build_info",
        "journeymap_ingest_running",
        "journeymap_readmodel_failing",
        "journeymap_readmodel_version",
    }


def test_two_sources_of_one_name_are_one_series() -> None:
    open_one, lost = msgspec.structs.replace(STREAM, received=1), msgspec.structs.replace(STREAM, state="CONNECTING")
    for sources in ([open_one, lost], [lost, open_one]):
        text = Site(msgspec.structs.replace(STATUS, sources=sources)).metrics.text().decode()
        series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
        assert len(series) == len(set(series))
        assert 'journeymap_frames_received_total{source="eventstreams"} 11.0' in text
        assert 'journeymap_connection_state{source="eventstreams",state="CONNECTING"} 1.0' in text


def test_an_older_ingest_without_reports_is_shown_too() -> None:
    found = Site(msgspec.structs.replace(STATUS, sources=[], flushes=Durations())).figures()
    assert found["journeymap_connection_state", "eventstreams", "OPEN"] == 1


def test_fields_are_those_of_the_documents() -> None:
    assert set(COUNTS) | {"received", "quarantined", "throttled", "dropped"} == set(EventCounts.__struct_fields__)
    assert set(GAUGES) | set(MOMENTS) <= set(IngestStatus.__struct_fields__)
    assert set(SOURCE_COUNTS) | set(SOURCE_MOMENTS) <= set(SourceReport.__struct_fields__)


def test_names_and_help_keep_to_the_conventions() -> None:
    """What `promtool check metrics` asks for, and Prometheus' page on naming."""
    for family in Site().families():
        # The parser takes `_total` off a counter's name.
        name = family.name + ("_total" if family.type == "counter" else "")
        assert re.fullmatch(r"(?:journeymap|process|python)_[a-z0-9_]+", name), name
        assert family.documentation, name
        assert not (name.startswith("journeymap") and family.documentation.endswith(".")), name
        assert family.type in {"counter", "gauge", "histogram"}, name
        assert not NOT_BASE.search(family.name), name
        assert not name.startswith("journeymap_journeymap"), name
        if family.type == "gauge":
            assert not name.endswith(("_total", "_count", "_sum", "_bucket")), name
        if "timestamp" in name:
            assert name.endswith("_timestamp_seconds"), name
        for unit in ("seconds", "bytes"):
            if unit in name.split("_"):
                assert name.removesuffix("_total").endswith(unit) or "per_second" in name, name
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in sample.labels), name
            assert set(sample.labels) <= LABELS, name


LABELS = {"source", "state", "kind", "reason", "outcome", "version", "method", "route", "status", "le"} | {
    *("implementation", "major", "minor", "patchlevel", "generation")
}
"""None of them takes a value that comes from outside: settings, constants and routes."""


def test_every_figure_of_ours_is_documented_and_nothing_else_is() -> None:
    shown = {name: labels for name, labels in metrics_of(Site().families()).items() if name.startswith("journeymap_")}
    assert documented() == shown


def test_it_is_the_plain_text_format() -> None:
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
