"""What ingest says of itself: puts the documents of `model.status` together and writes them into the store."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from journeymap.journal.journal import Journal
from journeymap.model.status import STATUS, EventCounts, IngestStatus, SourceReport
from journeymap.model.time import Millis
from journeymap.runtime.pipeline import Pipeline
from journeymap.source.base import ConnectionState, Source
from journeymap.store.base import Store

_GOODNESS = {ConnectionState.DISCONNECTED: 0, ConnectionState.CONNECTING: 1, ConnectionState.OPEN: 2}


class Reporter:
    """Knows where each figure of the status document is found. One thread at a time."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        sources: Sequence[Source],
        pipeline: Pipeline,
        stitching_outdated: str | None = None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._sources = tuple(sources)
        self._pipeline = pipeline
        self._stitching_outdated = stitching_outdated
        self.started_at: Millis = 0

    def tell(self, now: Millis, *, behind: Millis | None, waiting_bytes: int, ended: str | None = None) -> IngestStatus:
        """Write the documents; the status as written. Raises StoreError.

        `behind` is when the record arrived that waits longest to be folded, None if none does. `ended` says that ingest
        does not go on, and why.
        """
        reports = [_report(source) for source in self._sources]
        worst = min(reports, key=lambda report: (not report.refused, _goodness(report)))
        counts = self._pipeline.counts
        read_to = self._pipeline.fed_to if behind is None else self._journal.end
        status = IngestStatus(
            written_at=now,
            pid=os.getpid(),
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
            lag_ms=0 if behind is None else max(0, now - behind),
            counts=EventCounts(
                received=sum(report.received for report in reports),
                events=counts.events,
                late=counts.late,
                duplicate=counts.duplicate,
                conflicting=counts.conflicting,
                expired=counts.expired,
                quarantined=counts.quarantined,
                throttled=sum(report.throttled for report in reports),
                dropped=sum(report.dropped for report in reports),
            ),
            rejected=dict(counts.rejected),
            journeys=self._store.count(),
            open_journeys=self._store.count(open_at=now),
            hot_journeys=self._pipeline.hot_journeys,
            store_bytes=self._store.size(),
            journal_bytes=self._journal.size(),
            journal_lag_bytes=max(0, read_to - self._pipeline.committed),
            flush_ms=round(self._pipeline.flush_ms, 2),
            sources=reports,
            waiting_bytes=waiting_bytes,
            journal_torn_bytes=self._journal.torn_bytes,
            stitching_outdated=self._stitching_outdated,
        )
        self._store.write_documents({STATUS: msgspec.json.encode(status)})
        return status


def _report(source: Source) -> SourceReport:
    return SourceReport(name=source.name, **msgspec.structs.asdict(source.status()))


def _goodness(report: SourceReport) -> int:
    """How well a source stands. A finished one is as good as open."""
    return len(_GOODNESS) if report.finished and report.error is None else _GOODNESS[ConnectionState(report.state)]
