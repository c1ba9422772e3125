"""The background work of ingest: a thread a source receives into the journal, one stitches what came and writes the store."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from journeymap.errors import StoreError
from journeymap.journal.journal import Journal
from journeymap.model.record import Record
from journeymap.model.status import EventCounts, IngestStatus
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.runtime.clock import Clock
from journeymap.runtime.inbox import HANDFUL, Inbox
from journeymap.runtime.pipeline import Pipeline
from journeymap.source.base import ConnectionState, Source, SourceStatus
from journeymap.store.base import Store

log = logging.getLogger(__name__)

REPLAY_BATCH = 2_000
STATUS_INTERVAL: Millis = 900
STORE_RETRY: Millis = SECOND
STOP_PATIENCE = 10.0
_GOODNESS = {ConnectionState.DISCONNECTED: 0, ConnectionState.CONNECTING: 1, ConnectionState.OPEN: 2}


class Ingest:
    """Keeps a store up to date with a source. `start` returns at once; `stop` returns when everything received is stored.

    `on_failure` is called, from one of the threads, when one of them ends by an error that is not a passing one; `failure` then
    holds the error.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        sources: Sequence[Source],
        pipeline: Pipeline,
        clock: Clock,
        *,
        flush_interval: Millis = 100,
        journal_max_bytes: int = 2**30,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._sources = tuple(sources)
        self._pipeline = pipeline
        self._clock = clock
        self._flush_interval = max(1, flush_interval)
        self._journal_max_bytes = journal_max_bytes
        self._on_failure = on_failure
        self._inbox = Inbox()
        self._order = threading.Lock()
        self._stopping = threading.Event()
        self._replayed = threading.Event()
        self._receivers = [self._thread(f"receive-{source.name}", partial(self._receive, source)) for source in sources]
        self._stitcher = self._thread("stitch", self._stitch)
        self._started_at: Millis = 0
        self._status_at: Millis = 0
        self._tidy_at: Millis = 0
        self._retry_at: Millis = 0
        self._store_problem: str | None = None
        self.failure: BaseException | None = None
        self.last_status: IngestStatus | None = None

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._guard, args=(work,), name=f"journeymap-{name}", daemon=True)

    @property
    def problem(self) -> str | None:
        """Why the store cannot be written at the moment; None if it can."""
        return self._store_problem

    def start(self) -> None:
        """Begin: first what the journal holds and the store does not, then the source."""
        self._started_at = self._clock.now()
        for thread in (self._stitcher, *self._receivers):
            thread.start()

    def wait_until_replayed(self, timeout: float) -> bool:
        """Wait until what the journal held at the start is in the store; whether it is."""
        return self._replayed.wait(timeout)

    def stop(self) -> None:
        """Stop receiving, write everything received, and say in the store that ingest is not running."""
        self._stop_receiving()
        for thread in self._receivers:
            if thread.ident is not None:
                thread.join(STOP_PATIENCE)
        self._stopping.set()
        if self._stitcher.ident is not None:
            self._stitcher.join(STOP_PATIENCE)

    def _stop_receiving(self) -> None:
        for source in self._sources:
            source.stop()
        self._inbox.close()

    # The receiving threads, one a source

    def _receive(self, source: Source) -> None:
        self._replayed.wait()
        if not self._stopping.is_set():
            source.run(partial(self._deliver, source.name))

    def _deliver(self, source: str, frame: bytes, arrived_at: Millis) -> None:
        with self._order:  # the inbox holds records in the order of the journal
            end = self._journal.append(source, frame, arrived_at)
            self._inbox.put(Record(frame, source, arrived_at, end))

    # The stitching thread

    def _stitch(self) -> None:
        self._replay()
        self._replayed.set()
        while not self._stopping.is_set():
            # Flushes lie on a grid of the wall clock, so that pages can ask right after one; but with a backlog of more
            # than a handful, the next turn comes at once.
            if self._inbox.waiting_bytes < HANDFUL or self._store_problem is not None:
                self._stopping.wait((self._flush_interval - self._clock.now() % self._flush_interval) / 1000)
            self._turn()
        self._turn(last=True)
        while self._inbox.waiting_bytes and self._store_problem is None:
            self._turn(last=True)
        self._tell(self._clock.now(), stopped=True)

    def _replay(self) -> None:
        batch: list[Record] = []
        for record in self._journal.replay(self._pipeline.committed):
            batch.append(record)
            if len(batch) >= REPLAY_BATCH:
                self._pipeline.feed(batch, self._clock.now())
                self._pipeline.flush(self._clock.now(), closed_by=batch[-1].arrived_at)
                batch = []
                if self._stopping.is_set():
                    return
        self._pipeline.feed(batch, self._clock.now())
        self._pipeline.flush(self._clock.now(), last=True)

    def _turn(self, *, last: bool = False) -> None:
        """Take a handful from the inbox, unless the store cannot be written, and flush."""
        now = self._clock.now()
        if self._store_problem is not None and now < self._retry_at and not last:
            return
        try:
            if self._store_problem is None or last:
                self._pipeline.feed(self._inbox.take(), now)
            self._pipeline.flush(now, last=last)
            if self._store_problem is not None:
                log.warning("the store can be written again")
                self._store_problem = None
            if now >= self._status_at:
                self._tell(now)
            if now >= self._tidy_at:
                self._tidy_at = now + MINUTE
                self._journal.forget(self._pipeline.committed, self._journal_max_bytes)
        except StoreError as error:
            if self._store_problem is None:
                log.error("%s", error)
            self._store_problem = str(error)
            self._retry_at = now + STORE_RETRY

    def _tell(self, now: Millis, *, stopped: bool = False) -> None:
        """Write the status document, and hear what operators want."""
        self._status_at = now + STATUS_INTERVAL
        self._journal.sync()
        if "retry" in self._store.take_commands():
            for source in self._sources:
                source.retry()
        name, status = self._worst()
        counts = self._pipeline.counts
        waiting = self._inbox.waiting_since()
        document = IngestStatus(
            written_at=now,
            pid=os.getpid(),
            started_at=self._started_at,
            source=name,
            state=ConnectionState.DISCONNECTED if stopped else status.state,
            since=now if stopped else status.since,
            error="ingest was stopped" if stopped else status.error,
            refused=status.refused,
            token_expires_at=status.token_expires_at,
            subscription_id=status.subscription_id,
            connection_id=status.connection_id,
            next_attempt_at=status.next_attempt_at,
            reconnects=status.reconnects,
            last_event_at=self._pipeline.last_arrived_at,
            lag_ms=0 if waiting is None else max(0, now - waiting),
            counts=EventCounts(
                received=status.received,
                events=counts.events,
                late=counts.late,
                duplicate=counts.duplicate,
                conflicting=counts.conflicting,
                expired=counts.expired,
                quarantined=counts.quarantined,
                throttled=status.throttled,
                dropped=status.dropped,
            ),
            rejected=dict(counts.rejected),
            journeys=self._store.count(),
            open_journeys=self._store.count(open_at=now),
            hot_journeys=self._pipeline.hot_journeys,
            store_bytes=self._store.size(),
            journal_bytes=self._journal.size(),
            journal_lag_bytes=max(0, self._pipeline.fed_to - self._pipeline.committed),
            flush_ms=round(self._pipeline.flush_ms, 2),
        )
        self.last_status = document
        self._store.write_status(msgspec.json.encode(document))

    def _worst(self) -> tuple[str, SourceStatus]:
        """The source that is worst off, with all counts added up. A finished one is as good as open."""
        statuses = [(source.name, source.status()) for source in self._sources]
        name, worst = min(statuses, key=lambda item: (not item[1].refused, _GOODNESS[item[1].state]))
        return name, msgspec.structs.replace(
            worst,
            received=sum(status.received for _, status in statuses),
            throttled=sum(status.throttled for _, status in statuses),
            dropped=sum(status.dropped for _, status in statuses),
        )

    def _guard(self, work: Callable[[], None]) -> None:
        """Run a thread's work; an error that comes out of it is nobody's to retry."""
        try:
            work()
        except BaseException as error:
            self.failure = error
            log.critical("ingest has failed: %s", error, exc_info=error)
            self._stop_receiving()
            self._stopping.set()
            self._replayed.set()
            self._on_failure()
