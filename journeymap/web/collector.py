"""What the ingest side says of itself as figures for Prometheus; docs/ops/monitoring.md lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from journeymap import __version__
from journeymap.decode.event import REASONS
from journeymap.model.backfill import BackfillReport
from journeymap.model.status import AlertCounts, Durations, IngestStatus, SourceReport
from journeymap.model.time import SECOND, Millis
from journeymap.readmodel.readmodel import ReadModel
from journeymap.view.findings import reports_of

STATES: Final = ("DISCONNECTED", "CONNECTING", "OPEN")

COUNTS: Final = {
    "events": ("journeymap_events_received", "Usable events that came in, copies too"),
    "late": ("journeymap_events_late", "Events that came after later ones had been folded"),
    "duplicate": ("journeymap_events_duplicate", "Events that were known already"),
    "conflicting": ("journeymap_events_conflicting", "Events whose copies differ"),
    "expired": ("journeymap_events_expired", "Events older than the retention time"),
}
"""Fields of the status document's `counts`, each with its counter (`_total` is added) and what it counts."""

SOURCE_COUNTS: Final = {
    "received": ("journeymap_frames_received", "Data frames that a source delivered, usable or not"),
    "reconnects": ("journeymap_reconnects", "Connections made after the first"),
    "throttled": ("journeymap_throttles", "Throttle frames from the platform"),
    "dropped": ("journeymap_events_dropped", "Events that the platform says it left out"),
}
"""Fields of a source's report, each with its counter and what it counts."""

SOURCE_MOMENTS: Final = {
    "since": ("journeymap_connection_since_timestamp_seconds", "When the source entered the state that it is in"),
    "last_frame_at": ("journeymap_last_frame_timestamp_seconds", "When a frame came last, data or control"),
    "last_heard_at": ("journeymap_last_heard_timestamp_seconds", "When the last sign of life came, pongs too"),
    "token_obtained_at": ("journeymap_token_obtained_timestamp_seconds", "When the access token was obtained"),
    "token_expires_at": ("journeymap_token_expiry_timestamp_seconds", "When the access token expires"),
}

GAUGES: Final = {
    "journeys": ("journeymap_journeys", "Journeys in the store"),
    "open_journeys": ("journeymap_open_journeys", "Journeys that are not closed"),
    "hot_journeys": ("journeymap_hot_journeys", "Journeys in the memory of the ingest process"),
    "store_bytes": ("journeymap_store_bytes", "Size of the store"),
    "journal_bytes": ("journeymap_journal_bytes", "Size of the journal of received events"),
    "journal_lag_bytes": ("journeymap_journal_lag_bytes", "Part of the journal that is not in the store yet"),
    "journal_torn_bytes": ("journeymap_journal_torn_bytes", "Cut off at the journal's end, half-written in a crash"),
    "journal_damaged_bytes": ("journeymap_journal_damaged_bytes", "Part of the journal that cannot be read"),
    "waiting_bytes": ("journeymap_waiting_bytes", "In the journal, waiting to be folded"),
    "disk_free_bytes": ("journeymap_disk_free_bytes", "Free space on the disk of store and journal"),
}
"""Fields of the status document, each with its gauge and what it says."""

MOMENTS: Final = {
    "last_event_at": ("journeymap_last_event_timestamp_seconds", "When the newest event arrived"),
    "started_at": ("journeymap_ingest_start_timestamp_seconds", "When the ingest side started"),
    "journal_oldest_at": (
        "journeymap_journal_oldest_timestamp_seconds",
        "When the oldest event in the journal arrived",
    ),
}


class StatusCollector(Collector):
    """Reads the figures at each scrape, so that nothing has to be kept in step. `model` adds those of the read model."""

    def __init__(
        self, status: Callable[[], IngestStatus | None], clock: Callable[[], Millis], model: ReadModel | None
    ) -> None:
        self._status = status
        self._clock = clock
        self._model = model

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        info = GaugeMetricFamily("journeymap_build_info", "The release", labels=("version",))
        info.add_metric((__version__,), 1)
        yield info
        status = self._status()
        running = status is not None and not status.is_stale(self._clock())
        yield _gauge("journeymap_ingest_running", "Whether the ingest side wrote its status lately", running)
        if self._model is not None:
            yield _gauge("journeymap_readmodel_version", "Store version in memory", self._model.version)
            yield _gauge("journeymap_readmodel_failing", "Whether the store cannot be read", bool(self._model.problem))
        if status is not None:
            yield from _of_status(status)
            yield from _of_sources(status, running=running)
            yield from _of_topics(status.sources)
            yield from _of_gaps(status)
            yield _alerts(status.alerts)


def _of_status(status: IngestStatus) -> Iterator[Metric]:
    for field, (name, help_text) in COUNTS.items():
        yield CounterMetricFamily(name, help_text, value=getattr(status.counts, field))
    yield _by_label(
        CounterMetricFamily("journeymap_events_quarantined", "What came and cannot be used", labels=("reason",)),
        dict.fromkeys(REASONS, 0)
        | dict(status.rejected),  # from zero on, or a first one would not count as an increase
    )
    for field, (name, help_text) in GAUGES.items():
        value = getattr(status, field)
        if value is not None:
            yield _gauge(name, help_text, value)
    for field, (name, help_text) in MOMENTS.items():
        moment = getattr(status, field)
        if moment is not None:
            yield _gauge(name, help_text, moment / SECOND)
    yield _gauge("journeymap_lag_seconds", "How far folding is behind arrival", status.lag_ms / SECOND)
    yield _gauge(
        "journeymap_reading_stopped",
        "Whether sources are not read although they could be",
        bool(status.reading_stopped),
    )
    yield _gauge(
        "journeymap_stitching_outdated",
        "Whether stored journeys are not what today's settings make of them",
        bool(status.stitching_outdated),
    )
    if status.flushes.counts:
        yield _histogram("journeymap_flush_duration_seconds", "How long it took to write changes", status.flushes)


def _of_sources(status: IngestStatus, *, running: bool) -> Iterator[Metric]:
    # Two sources of one kind have one name: what they count is added up, and of moments the latest counts.
    reports = reports_of(status)
    for field, (name, help_text) in SOURCE_COUNTS.items():
        sums: dict[str, float] = {}
        for report in reports:
            sums[report.name] = sums.get(report.name, 0) + getattr(report, field)
        yield _by_label(CounterMetricFamily(name, help_text, labels=("source",)), sums)
    for field, (name, help_text) in SOURCE_MOMENTS.items():
        latest: dict[str, float] = {}
        for report in reports:
            if (moment := getattr(report, field)) is not None:
                latest[report.name] = max(latest.get(report.name, 0), moment / SECOND)
        yield _by_label(GaugeMetricFamily(name, help_text, labels=("source",)), latest)
    worst = {report.name: report for report in sorted(reports, key=lambda report: report.state != STATES[-1])}
    state = GaugeMetricFamily(
        "journeymap_connection_state", "1 for the state that the source is in", labels=("source", "state")
    )
    for name, report in worst.items():
        shown = report.state if running else STATES[0]
        for each in STATES:
            state.add_metric((name, each), float(each == shown))
    yield state
    yield _by_label(
        GaugeMetricFamily(
            "journeymap_connection_refused", "Whether the platform refuses the source", labels=("source",)
        ),
        {name: report.refused for name, report in worst.items()},
    )
    yield _by_label(
        GaugeMetricFamily("journeymap_source_finished", "Whether the source has delivered all", labels=("source",)),
        {name: report.finished for name, report in worst.items()},
    )
    yield _by_label(
        GaugeMetricFamily("journeymap_subscribed", "Whether the source has a subscription", labels=("source",)),
        {name: report.subscription_id is not None or bool(report.topics) for name, report in worst.items()},
    )
    asked = {
        name: report.max_events_per_second for name, report in worst.items() if report.max_events_per_second is not None
    }
    yield _by_label(
        GaugeMetricFamily(
            "journeymap_subscription_max_events_per_second",
            "How many events a second the platform is asked for at most",
            labels=("source",),
        ),
        asked,
    )
    refused = CounterMetricFamily("journeymap_posts_refused", "Posts that were not taken", labels=("source", "reason"))
    messages = GaugeMetricFamily(
        "journeymap_queue_messages", "Messages in the queue that is read, an estimate", labels=("source", "state")
    )
    for report in reports:
        for reason, count in sorted(report.posts_refused.items()):
            refused.add_metric((report.name, reason), count)
        for where, number in (("waiting", report.queue_waiting), ("in-flight", report.queue_in_flight)):
            if number is not None:
                messages.add_metric((report.name, where), number)
    yield from (refused, messages)


def _of_topics(reports: Sequence[SourceReport]) -> Iterator[Metric]:
    """Of sources of the Notification Service."""
    for field, name, help_text in (
        ("topic_channels", "journeymap_topic_channels", "Channels of the Notification Service that are live"),
        ("topics", "journeymap_topics", "Topics that are coming on them"),
        ("topics_refused", "journeymap_topics_refused", "Topics that the platform does not grant"),
    ):
        known = {report.name: value for report in reports if (value := getattr(report, field)) is not None}
        yield _by_label(GaugeMetricFamily(name, help_text, labels=("source",)), known)


def _of_gaps(status: IngestStatus) -> Iterator[Metric]:
    labels = ("source", "kind")
    ended = CounterMetricFamily("journeymap_gaps", "Stretches of missing events that have ended", labels=labels)
    seconds = CounterMetricFamily(
        "journeymap_gap_seconds", "How long those that have ended were together", labels=labels
    )
    filled = CounterMetricFamily("journeymap_gaps_filled", "Gaps that back-fill has filled", labels=labels)
    unfilled = GaugeMetricFamily("journeymap_gaps_unfilled", "Gaps that have ended and are not filled", labels=labels)
    lasting = GaugeMetricFamily("journeymap_gaps_open", "Whether one lasts", labels=labels)
    for row in status.gap_totals:
        ended.add_metric((row.source, row.kind), row.ended)
        seconds.add_metric((row.source, row.kind), row.ended_ms / SECOND)
        lasting.add_metric((row.source, row.kind), float(row.open))
        filled.add_metric((row.source, row.kind), row.filled)
        unfilled.add_metric((row.source, row.kind), float(row.unfilled))
    yield from (ended, seconds, lasting, filled, unfilled)
    if status.backfill is not None:
        yield from _of_backfill(status.backfill)


def _of_backfill(report: BackfillReport) -> Iterator[Metric]:
    waiting, now = report.waiting, report.now
    yield _gauge("journeymap_backfill_waiting", "Periods that wait to be fetched from the platform's records", waiting)
    yield _gauge("journeymap_backfill_running", "1 while one is fetched", now is not None)
    yield _gauge("journeymap_backfill_failing", "1 while that does not go on", report.problem is not None)
    for name, help_text, count in (
        ("periods", "Periods that were fetched", report.filled),
        ("conversations", "Conversations that were fetched and had news", report.conversations),
        ("requests", "Requests made for it", report.requests),
        ("failures", "How often it did not go on", report.failed),
    ):
        yield CounterMetricFamily(f"journeymap_backfill_{name}", help_text, value=count)


def _alerts(counts: AlertCounts) -> Metric:
    outcomes = {"delivered": counts.delivered, "failed": counts.failed, "discarded": counts.discarded}
    return _by_label(
        CounterMetricFamily("journeymap_alerts", "Messages to the web hook of ALERT_URL", labels=("outcome",)), outcomes
    )


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=float(value))


def _by_label(
    family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float] | Mapping[str, int]
) -> Metric:
    for label, value in sorted(values.items()):
        family.add_metric((label,), float(value))
    return family


def _histogram(name: str, help_text: str, durations: Durations) -> Metric:
    uppers = [*(str(bound / SECOND) for bound in durations.bounds_ms), "+Inf"]
    buckets = list(zip(uppers, map(float, accumulate(durations.counts)), strict=True))
    return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=durations.sum_ms / SECOND)
