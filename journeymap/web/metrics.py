"""Figures for Prometheus: what the ingest side's status says, and what the HTTP side counts itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from journeymap import __version__
from journeymap.model.status import IngestStatus
from journeymap.model.time import SECOND, Millis
from journeymap.readmodel.readmodel import ReadModel

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
STATES: Final = ("DISCONNECTED", "CONNECTING", "OPEN")
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

COUNTS: Final = {
    "received": ("journeymap_events_received", "Events that came in, usable or not"),
    "events": ("journeymap_events_folded", "Events that are part of journeys"),
    "late": ("journeymap_events_late", "Events that came after later ones had been folded"),
    "duplicate": ("journeymap_events_duplicate", "Events that were known already"),
    "conflicting": ("journeymap_events_conflicting", "Events whose copies differ"),
    "expired": ("journeymap_events_expired", "Events older than the retention time"),
    "quarantined": ("journeymap_events_quarantined", "Events that cannot be used"),
    "throttled": ("journeymap_throttles", "Throttle frames from the platform"),
    "dropped": ("journeymap_events_dropped", "Events that the platform says it left out"),
}
"""Fields of the status document's `counts`, each with its counter (`_total` is added) and what it counts."""

GAUGES: Final = {
    "journeys": ("journeymap_journeys", "Journeys in the store"),
    "open_journeys": ("journeymap_open_journeys", "Journeys that are not closed"),
    "hot_journeys": ("journeymap_hot_journeys", "Journeys in the memory of the ingest process"),
    "store_bytes": ("journeymap_store_bytes", "Size of the store"),
    "journal_bytes": ("journeymap_journal_bytes", "Size of the journal of received events"),
    "journal_lag_bytes": ("journeymap_journal_lag_bytes", "Part of the journal that is not in the store yet"),
}
"""Fields of the status document, each with its gauge and what it says."""

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class Metrics:
    """All figures of one process, in a registry of their own. `model` adds those of the read model."""

    def __init__(
        self, status: Callable[[], IngestStatus | None], clock: Callable[[], Millis], model: ReadModel | None = None
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_StatusCollector(status, clock, model))
        self.requests = Counter(
            "journeymap_http_requests",
            "HTTP requests by method, route and status",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "journeymap_http_request_duration_seconds",
            "Time from a request to the end of its answer",
            ("route",),
            buckets=BUCKETS,
            registry=self._registry,
        )

    def text(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self._registry)


class HttpMetrics:
    """Counts and times requests. Routes go by their pattern, all unknown paths as one, so that labels stay few."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begun = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - begun)


class _StatusCollector(Collector):
    """Reads the figures at each scrape, so that nothing has to be kept in step."""

    def __init__(
        self, status: Callable[[], IngestStatus | None], clock: Callable[[], Millis], model: ReadModel | None
    ) -> None:
        self._status = status
        self._clock = clock
        self._model = model

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        yield _gauge("journeymap_info", "The release", 1, {"version": __version__})
        status = self._status()
        running = status is not None and not status.is_stale(self._clock())
        yield _gauge("journeymap_ingest_running", "Whether the ingest side wrote its status lately", running)
        if self._model is not None:
            yield _gauge("journeymap_readmodel_version", "Store version in memory", self._model.version)
            yield _gauge("journeymap_readmodel_failing", "Whether the store cannot be read", bool(self._model.problem))
        if status is not None:
            yield from _of_status(status, running=running)


def _of_status(status: IngestStatus, *, running: bool) -> Iterator[Metric]:
    for field, (name, help_text) in COUNTS.items():
        yield CounterMetricFamily(name, help_text, value=getattr(status.counts, field))
    rejected = CounterMetricFamily(
        "journeymap_events_rejected", "Events that cannot be used, by reason", labels=("reason",)
    )
    for reason, count in sorted(status.rejected.items()):
        rejected.add_metric((reason,), count)
    yield rejected
    yield CounterMetricFamily("journeymap_reconnects", "Connections made after the first", value=status.reconnects)
    for field, (name, help_text) in GAUGES.items():
        yield _gauge(name, help_text, getattr(status, field))
    state = GaugeMetricFamily("journeymap_connection_state", "1 for the state of the connection", labels=("state",))
    shown = status.state if running else STATES[0]
    for each in STATES:
        state.add_metric((each,), float(each == shown))
    yield state
    yield _gauge("journeymap_connection_refused", "Whether the platform refuses the connection", status.refused)
    yield _gauge("journeymap_lag_seconds", "How far folding is behind arrival", status.lag_ms / SECOND)
    yield _gauge("journeymap_flush_seconds", "Duration of the last flush", status.flush_ms / SECOND)
    for name, help_text, moment in (
        ("journeymap_last_event_timestamp_seconds", "When the newest event arrived", status.last_event_at),
        ("journeymap_token_expiry_timestamp_seconds", "When the access token expires", status.token_expires_at),
        ("journeymap_ingest_start_timestamp_seconds", "When the ingest side started", status.started_at),
    ):
        if moment is not None:
            yield _gauge(name, help_text, moment / SECOND)


def _gauge(name: str, help_text: str, value: float, labels: dict[str, str] | None = None) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=tuple(labels or ()))
    family.add_metric(tuple((labels or {}).values()), float(value))
    return family
