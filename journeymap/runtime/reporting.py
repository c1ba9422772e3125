"""What ingest says of itself: puts the documents of `model.status` together and writes them into the store."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec

from journeymap import __version__
from journeymap.errors import StoreError
from journeymap.journal.journal import Journal
from journeymap.model.backfill import BACKFILL, decode_fills
from journeymap.model.names import NAMES, mark_of
from journeymap.model.status import (
    ALERTS,
    CONNECTIONS,
    GAPS,
    QUARANTINE,
    STATUS,
    AlertCounts,
    EventCounts,
    IngestStatus,
    SourceReport,
    decode_alerts,
    decode_connections,
    decode_gaps,
    decode_quarantine,
    decode_status,
)
from journeymap.model.time import SECOND, Millis
from journeymap.runtime.alerts import Alerts
from journeymap.runtime.filler import Filler
from journeymap.runtime.gaps import GapLog
from journeymap.runtime.history import Changes, ConnectionLog
from journeymap.runtime.names import NamesKeeper
from journeymap.runtime.pipeline import Pipeline
from journeymap.source.base import ConnectionState, Source, SourceStatus, StateChange
from journeymap.store.base import Store

T = TypeVar("T")

RATE_OVER: Final[Millis] = 10 * SECOND
"""Rates are means over this time."""

_GOODNESS = {ConnectionState.DISCONNECTED: 0, ConnectionState.CONNECTING: 1, ConnectionState.OPEN: 2}
_REPORTED: Final = [name for name in SourceReport.__struct_fields__ if name in SourceStatus.__struct_fields__]

log = logging.getLogger(__name__)


def steady_now() -> Millis:
    """A clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


class Rate:
    """How often something happens a second, from its count at many moments of a steady clock."""

    def __init__(self) -> None:
        self._points: deque[tuple[Millis, int]] = deque()

    def of(self, count: int, now: Millis) -> float:
        """The mean over the last `RATE_OVER`, or since the first call."""
        points = self._points
        points.append((now, count))
        while len(points) > 2 and points[1][0] <= now - RATE_OVER:
            points.popleft()
        since, before = points[0]
        return (count - before) * SECOND / (now - since) if now > since else 0.0


class Intake(msgspec.Struct, frozen=True):
    """How receiving stands. `behind` is when the record arrived that waits longest to be folded, None if none does; the
    others are fields of the status."""

    behind: Millis | None
    waiting_bytes: int
    damaged_bytes: int
    reading_stopped: str | None
    disk_free_bytes: int | None


class Reporter:
    """Knows where each figure of the documents is found. One thread at a time, except for `stop_begins`.

    It goes on from what an earlier process left in the store. `steady` is a clock that nobody sets, for rates.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        sources: Sequence[Source],
        pipeline: Pipeline,
        stitching_outdated: str | None = None,
        alerts: Alerts | None = None,
        names: NamesKeeper | None = None,
        filler: Filler | None = None,
        steady: Callable[[], Millis] = steady_now,
    ) -> None:
        self._store = store
        self._journal = journal
        self._sources = tuple(sources)
        self._pipeline = pipeline
        self._stitching_outdated = stitching_outdated
        self._alerts = alerts
        self._names = names
        self._filler = filler
        self._steady = steady
        self._rate = Rate()
        self._changes = [Changes() for _ in sources]
        self._written: dict[str, bytes] = {}
        # Names of an earlier process hold, also where nobody asks for any now.
        stored = store.document(NAMES)
        if stored is not None:
            self._written[NAMES] = stored
        self._names_mark = "" if stored is None else mark_of(stored)
        self.started_at: Millis = 0
        before = self._kept(STATUS, decode_status, None)
        self._gaps = GapLog(self._kept(GAPS, decode_gaps, []), before, retention=pipeline.retention)
        self._connections = ConnectionLog(self._kept(CONNECTIONS, decode_connections, []), before)
        if filler is not None:
            known = () if before is None else [report.name for report in before.sources]
            filler.recall(self._kept(BACKFILL, decode_fills, []), known)
        if alerts is not None:
            alerts.recall(self._kept(ALERTS, decode_alerts, []))
        pipeline.quarantine.recall(self._kept(QUARANTINE, decode_quarantine, []))

    def _kept(self, name: str, decode: Callable[[bytes], T], otherwise: T) -> T:
        """What an earlier process said last. It is no reason not to start if that cannot be read."""
        document = self._store.document(name)
        if document is None:
            return otherwise
        try:
            return decode(document)
        except (msgspec.MsgspecError, UnicodeError) as error:
            log.warning("what an earlier process said of its %s cannot be read: %s", name, error)
            return otherwise

    def stop_begins(self) -> None:
        """From now on sources are disconnected because ingest ends. From any thread."""
        self._gaps.stop_begins()
        self._connections.stop_begins()

    def has_news(self) -> bool:
        """Whether a source has come to another state than was told, or a period is filled: nobody should wait for that."""
        return any(
            changes.are_there(source.status()) for changes, source in zip(self._changes, self._sources, strict=True)
        ) or (self._filler is not None and self._filler.is_filled(self._pipeline.committed))

    def tell(self, now: Millis, intake: Intake, *, ended: str | None = None) -> IngestStatus:
        """Write the documents; the status as written. Raises StoreError. `ended` says that ingest does not go on, and why."""
        reports = self._look(now, intake)
        self._fill(now, reports)
        if ended is not None:
            self._gaps.stop(now)
        names = self._look_at_names()
        status = self._status(now, reports, intake, ended)
        documents: dict[str, Any] = {
            GAPS: self._gaps.gaps() if self._filler is None else self._filler.shown(self._gaps.gaps()),
            CONNECTIONS: self._connections.changes(),
            QUARANTINE: self._pipeline.quarantine.entries(),
        }
        if self._filler is not None:
            documents[BACKFILL] = self._filler.fills()
        if self._alerts is not None:
            documents[ALERTS] = self._alerts.firing()
        encoded = {name: msgspec.json.encode(document) for name, document in documents.items()} | names
        news = {name: data for name, data in encoded.items() if self._written.get(name) != data}
        self._store.write_documents({STATUS: msgspec.json.encode(status), **news})
        self._written.update(news)
        if self._alerts is not None and ended is None:
            self._alerts.look(now, reports, status.reading_stopped, None)
        return status

    def cannot_tell(self, now: Millis, intake: Intake, problem: str) -> None:
        """The store cannot be written, and why. What happens meanwhile is told later; alerts are sent now."""
        reports = self._look(now, intake)
        if self._alerts is not None:
            self._alerts.look(now, reports, intake.reading_stopped, problem)

    def fail(self, now: Millis, problem: str) -> None:
        """Ingest ends by an error. From any thread."""
        if self._alerts is not None:
            self._alerts.fail(now, problem)
            with suppress(StoreError):
                self._store.write_documents({ALERTS: msgspec.json.encode(self._alerts.firing())})

    def _fill(self, now: Millis, reports: list[SourceReport]) -> None:
        """Have gaps filled, and close those that are."""
        if self._filler is None:
            return
        for filled in self._filler.look(now, self._gaps.gaps(), reports, self._pipeline.committed):
            self._gaps.fill(self._filler.scope, filled.start, filled.end, now, filled.conversations)

    def _look(self, now: Millis, intake: Intake) -> list[SourceReport]:
        """Look at the sources, and note what has changed."""
        changes: dict[str, list[StateChange]] = {}
        reports = []
        for source, latest in zip(self._sources, self._changes, strict=True):
            status = source.status()
            changes.setdefault(source.name, []).extend(latest.since_last(status))
            down_since = (
                None if status.finished or latest.down_since is None else max(latest.down_since, self.started_at)
            )
            fields = {name: getattr(status, name) for name in _REPORTED} | {"notes": list(status.notes)}
            reports.append(SourceReport(name=source.name, live=source.live, down_since=down_since, **fields))
        self._gaps.look(now, reports, changes, intake.reading_stopped)
        self._connections.look(changes)
        return reports

    def _look_at_names(self) -> dict[str, bytes]:
        if self._names is None:
            return {}
        document = self._names.document()
        if document is not self._written.get(NAMES):
            self._names_mark = mark_of(document)
        return {NAMES: document}

    def _status(self, now: Millis, reports: list[SourceReport], intake: Intake, ended: str | None) -> IngestStatus:
        worst = min(reports, key=lambda report: (not report.refused, _goodness(report)))
        counts = self._pipeline.counts
        quarantine = self._pipeline.quarantine
        read_to = self._pipeline.fed_to if intake.behind is None else self._journal.end
        return IngestStatus(
            written_at=now,
            pid=os.getpid(),
            release=__version__,
            started_at=self.started_at,
            source=worst.name,
            state=worst.state if ended is None else ConnectionState.DISCONNECTED,
            since=worst.since if ended is None else now,
            error=worst.error if ended is None else ended,
            refused=worst.refused,
            token_expires_at=worst.token_expires_at,
            subscription_id=worst.subscription_id,
            connection_id=worst.connection_id,
            next_attempt_at=worst.next_attempt_at,
            reconnects=worst.reconnects,
            last_event_at=self._pipeline.last_arrived_at,
            lag_ms=0 if intake.behind is None else max(0, now - intake.behind),
            counts=EventCounts(
                received=sum(report.received for report in reports),
                events=counts.events,
                late=counts.late,
                duplicate=counts.duplicate,
                conflicting=counts.conflicting,
                expired=counts.expired,
                quarantined=quarantine.total,
                throttled=sum(report.throttled for report in reports),
                dropped=sum(report.dropped for report in reports),
            ),
            rejected=dict(quarantine.counts),
            journeys=self._store.count(),
            open_journeys=self._store.count(open_at=now),
            hot_journeys=self._pipeline.hot_journeys,
            store_bytes=self._store.size(),
            journal_bytes=self._journal.size(),
            journal_lag_bytes=max(0, read_to - self._pipeline.committed),
            flush_ms=round(self._pipeline.flush_ms, 2),
            flushes=self._pipeline.flushes.durations(),
            gap_totals=self._gaps.totals(),
            sources=reports,
            alerts=AlertCounts() if self._alerts is None else self._alerts.counts(),
            events_per_second=round(self._rate.of(counts.events, self._steady()), 2),
            waiting_bytes=intake.waiting_bytes,
            reading_stopped=intake.reading_stopped,
            disk_free_bytes=intake.disk_free_bytes,
            journal_oldest_at=self._journal.oldest_at(),
            journal_torn_bytes=self._journal.torn_bytes,
            journal_damaged_bytes=intake.damaged_bytes,
            stitching_outdated=self._stitching_outdated,
            names=[] if self._names is None else self._names.reports(),
            names_mark=self._names_mark,
            backfill=None if self._filler is None else self._filler.report(),
        )


def _goodness(report: SourceReport) -> int:
    """How well a source stands. A finished one is as good as open."""
    return len(_GOODNESS) if report.finished and report.error is None else _GOODNESS[ConnectionState(report.state)]
