"""The background work of ingest: a thread a source receives into the journal, one stitches what came and writes the store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from journeymap.errors import JourneymapError, StoreError
from journeymap.journal.journal import Journal
from journeymap.model.record import Record
from journeymap.model.status import IngestStatus
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.runtime.alerts import Alerts
from journeymap.runtime.clock import Clock
from journeymap.runtime.inbox import HANDFUL, Inbox
from journeymap.runtime.memory import OldGarbage
from journeymap.runtime.pipeline import Pipeline
from journeymap.runtime.reporting import Reporter
from journeymap.source.base import Source
from journeymap.store.base import Store

log = logging.getLogger(__name__)

REPLAY_BATCH = 2_000
STATUS_INTERVAL: Millis = 900
LONGEST_PAUSE: Millis = 500
"""So long at most nothing is looked at, however seldom the store is written."""
STORE_RETRY: Millis = SECOND
STOP_PATIENCE = 10.0


class Ingest:
    """Keeps a store up to date with a source. `start` returns at once; `stop` returns when everything received is stored.

    `stitching_outdated` is what the status is to say of the stored journeys. `alerts` are told of hard errors, and closed at
    the end.
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
        stitching_outdated: str | None = None,
        alerts: Alerts | None = None,
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
        self._hurry = threading.Event()
        self._replayed = threading.Event()
        self._receivers = [self._thread(f"receive-{source.name}", partial(self._receive, source)) for source in sources]
        self._stitcher = self._thread("stitch", self._stitch)
        self._stitching_outdated = stitching_outdated
        self._alerts = alerts
        self._reporter = Reporter(store, journal, self._sources, pipeline, stitching_outdated, alerts)
        self._status_at: Millis = 0
        self._tidy_at: Millis = 0
        self._garbage = OldGarbage()
        self._retry_at: Millis = 0
        self._replaying: Millis | None = None  # when what is replayed arrived
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
        self._reporter.started_at = self._clock.now()
        if self._stitching_outdated is not None:
            log.warning("%s", self._stitching_outdated)
        for thread in (self._stitcher, *self._receivers):
            thread.start()

    def wait_until_replayed(self, timeout: float) -> bool:
        """Wait until what the journal held at the start is in the store; whether it is."""
        return self._replayed.wait(timeout)

    def stop(self) -> None:
        """Stop receiving, write everything received, and say in the store that ingest is not running.

        What cannot be written within `STOP_PATIENCE`, or until `hurry`, is left to the journal and the next start.
        """
        if not self._replayed.is_set():
            self._stopping.set()  # so that the sources, which wait for it, do not even begin
        self._stop_receiving()
        if self._stitcher.is_alive() and not self._replayed.wait(STOP_PATIENCE):
            self._hurry.set()
        for thread in self._receivers:
            if thread.ident is not None:
                thread.join(STOP_PATIENCE)
        self._stopping.set()
        if self._stitcher.is_alive():
            if (waiting := self._inbox.waiting_bytes) > HANDFUL:
                log.info("storing what was received: %d MB", waiting // 1_000_000)
            self._stitcher.join(STOP_PATIENCE)
            self._hurry.set()
            self._stitcher.join(STOP_PATIENCE)
            if left := self._inbox.waiting_bytes:
                log.info("%d MB are left to the journal, for the next start", left // 1_000_000)
        if self._alerts is not None:
            self._alerts.close()

    def hurry(self) -> None:
        """Let a `stop` that is under way, or the next one, not wait for a backlog to be stored."""
        self._hurry.set()

    def _stop_receiving(self) -> None:
        self._reporter.stop_begins()
        self._inbox.close()  # first: a source that waits for room does not hear that it is to stop
        for source in self._sources:
            source.stop()

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
                self._pause()
            self._turn(self._inbox.take if self._store_problem is None else _nothing)
        if self._store_problem is not None:
            self._turn(_nothing, last=True)
        while self._inbox.waiting_bytes and self._store_problem is None and not self._hurry.is_set():
            self._turn(self._inbox.take)
        self._turn(_nothing, last=True)
        self._tell(self._clock.now(), stopped=True)

    def _replay(self) -> None:
        """Fold what the journal holds and the store does not."""
        replay = self._journal.replay(self._pipeline.committed)
        for handful in handfuls(replay):
            self._replaying = handful[-1].arrived_at
            self._insist(handful, last=False)
            # Never while it is to go on: what is received then would move the position over the rest.
            if self._stopping.is_set() and (self._hurry.is_set() or self._store_problem is not None):
                return
        self._insist([], last=True)
        self._replaying = None
        if replay.missing:
            log.warning("%d bytes of the journal that the store does not have were deleted before", replay.missing)
        if replay.damage.bytes:
            log.warning(
                "%d bytes of the journal cannot be read, in %d places", replay.damage.bytes, replay.damage.stretches
            )

    def _insist(self, records: list[Record], *, last: bool) -> None:
        """Feed these and flush, as often as it takes the store to be written again, or until it is time to stop."""
        self._turn(lambda: records, last=last, closed_by=self._replaying)
        while self._store_problem is not None and not self._stopping.wait(STORE_RETRY / SECOND):
            self._turn(_nothing, last=last, closed_by=self._replaying)

    def _pause(self) -> None:
        """Wait for the next point of the grid."""
        left = self._flush_interval - self._clock.now() % self._flush_interval
        while left > 0 and not self._stopping.wait(min(left, LONGEST_PAUSE) / SECOND):
            left -= LONGEST_PAUSE
            if left > 0 and self._store_problem is None:
                self._try(lambda: self._tell_in_time(self._clock.now()))

    def _turn(self, take: Callable[[], list[Record]], *, last: bool = False, closed_by: Millis | None = None) -> None:
        """Take a handful, flush, and do what else is due. While the store cannot be written, try again now and then."""
        now = self._clock.now()
        if self._store_problem is not None and now < self._retry_at and not last:
            return

        def work() -> None:
            self._pipeline.feed(take(), now)
            self._pipeline.flush(now, last=last, closed_by=closed_by)
            if self._store_problem is None:
                self._tell_in_time(now)
            else:
                self._tell(now)  # with nothing to flush, only this shows that it can be written
                log.warning("the store can be written again")
                self._store_problem = None
            if now >= self._tidy_at:
                self._tidy_at = now + MINUTE
                self._garbage.collect(self._pipeline.hot_journeys, now)
                self._journal.forget(self._pipeline.committed, self._journal_max_bytes)

        self._try(work)

    def _try(self, work: Callable[[], None]) -> None:
        """Do what may fail for a while; say so when that begins."""
        try:
            work()
        except StoreError as error:
            if self._store_problem is None:
                log.error("%s", error)
            self._store_problem = str(error)
            now = self._clock.now()
            self._retry_at = now + STORE_RETRY
            self._reporter.cannot_tell(now, self._store_problem)

    def _tell_in_time(self, now: Millis) -> None:
        """Write the status document if the next time would be too late."""
        if now + min(self._flush_interval, LONGEST_PAUSE) > self._status_at:
            self._tell(now)

    def _tell(self, now: Millis, *, stopped: bool = False) -> None:
        """Write the status document, and hear what operators want."""
        self._status_at = now + STATUS_INTERVAL
        self._journal.sync()
        if "retry" in self._store.take_commands():
            for source in self._sources:
                source.retry()
        waiting = self._inbox.waiting_since()
        fault = "ingest was stopped" if self.failure is None else f"ingest has failed: {self.failure}"
        self.last_status = self._reporter.tell(
            now,
            behind=waiting if self._replaying is None else self._replaying,
            waiting_bytes=self._inbox.waiting_bytes,
            ended=fault if stopped else None,
        )

    def _guard(self, work: Callable[[], None]) -> None:
        """Run a thread's work; an error that comes out of it is nobody's to retry."""
        try:
            work()
        except BaseException as error:
            if self.failure is None:
                self.failure = error
            # An error raised on purpose says all in its line; any other one is a defect.
            log.critical("ingest has failed: %s", error, exc_info=None if isinstance(error, JourneymapError) else error)
            self._reporter.fail(self._clock.now(), str(error))
            try:
                self._stop_receiving()
            finally:
                self._stopping.set()
                self._replayed.set()
                self._on_failure()


def _nothing() -> list[Record]:
    return []


def handfuls(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records in lists that are stitched and written one at a time."""
    handful: list[Record] = []
    size = 0
    for record in records:
        handful.append(record)
        size += len(record.data)
        if size >= HANDFUL or len(handful) >= REPLAY_BATCH:
            yield handful
            handful, size = [], 0
    if handful:
        yield handful
