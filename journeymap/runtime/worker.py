"""The background work of ingest: a thread a source receives into the journal, one stitches what came and writes the store,
and others look after journal and disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from journeymap.errors import JourneymapError, StoreError
from journeymap.journal.journal import Journal
from journeymap.model.record import BACKFILL_SOURCE, Record
from journeymap.model.status import IngestStatus
from journeymap.model.time import DAY, MINUTE, SECOND, Millis
from journeymap.runtime.alerts import Alerts
from journeymap.runtime.clock import Clock
from journeymap.runtime.commands import Handler, obey
from journeymap.runtime.disk import LOOK_INTERVAL, DiskGuard, Held, free_space
from journeymap.runtime.filler import Filler
from journeymap.runtime.inbox import HANDFUL, Inbox
from journeymap.runtime.keeping import TIDY_INTERVAL, JournalKeeper
from journeymap.runtime.memory import OldGarbage
from journeymap.runtime.names import NamesKeeper
from journeymap.runtime.operator import IDENTITY, identity_handler
from journeymap.runtime.pipeline import Pipeline
from journeymap.runtime.receiving import Receiving
from journeymap.runtime.reporting import Intake, Reporter
from journeymap.source.base import Source
from journeymap.store.base import Store

log = logging.getLogger(__name__)

STATUS_INTERVAL: Millis = 900
LONGEST_PAUSE: Millis = 500
"""So long at most nothing is looked at, however seldom the store is written."""
STORE_RETRY: Millis = SECOND
STOP_PATIENCE = 10.0


class IngestOptions(msgspec.Struct, frozen=True):
    """Lengths in milliseconds, sizes in bytes. `flush_max_events` counts records: frames, most of which are one event.

    `store_path` is where the store lies, None for one that is on no disk.
    """

    flush_interval: Millis = 100
    flush_max_events: int = 5_000
    fsync_interval: Millis = SECOND
    journal_max_bytes: int = 2**30
    journal_max_age: Millis = 7 * DAY
    disk_reserve: int = 0
    store_path: Path | None = None


class Ingest:
    """Keeps a store up to date with its sources. `start` returns at once; `stop` returns when everything received is stored.

    `stitching_outdated` is what the status is to say of the stored journeys. `alerts` are told of hard errors, and closed at
    the end. `names` are kept for what the store's readers show; `filler` fetches again what was missed. `free` tells the free
    bytes of a path's disk.
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
        options: IngestOptions = IngestOptions(),  # noqa: B008  # it is frozen
        *,
        stitching_outdated: str | None = None,
        alerts: Alerts | None = None,
        names: NamesKeeper | None = None,
        filler: Filler | None = None,
        free: Callable[[Path], int] = free_space,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._sources = tuple(sources)
        self._pipeline = pipeline
        self._clock = clock
        self._flush_interval = max(1, options.flush_interval)
        self._on_failure = on_failure
        self._stitching_outdated = stitching_outdated
        # What the journal holds and the store does not waits from the beginning.
        self._inbox = Inbox(journal.replay, pipeline.committed, journal.end, batch=options.flush_max_events)
        self._leaving = threading.Event()  # nothing more is received
        self._receiving = Receiving(journal, self._inbox, self._leaving)
        self._stopping = threading.Event()  # what was received is stored, and that was it
        self._ended = threading.Event()
        self._hurry = threading.Event()
        self._replayed = threading.Event()
        self._reporter = Reporter(store, journal, self._sources, pipeline, stitching_outdated, alerts, names, filler)

        def committed() -> int:
            return pipeline.committed

        held: list[Held] = [*sources] if filler is None else [*sources, filler]
        self._disk = DiskGuard(journal, options.store_path, options.disk_reserve, held, committed, free)
        keeper = JournalKeeper(journal, committed, options.journal_max_bytes, options.journal_max_age, clock.now)
        self._filler = filler
        self._receivers = [self._thread(f"receive-{source.name}", partial(self._receive, source)) for source in sources]
        self._filling = [] if filler is None else [self._thread("backfill", partial(self._fill, filler))]
        self._stitcher = self._thread("stitch", self._stitch)
        joins = identity_handler(self._receiving.take_in, clock.now)
        self._commands: dict[str, Handler] = {"retry": self._retry, IDENTITY: joins}
        if filler is not None:
            self._commands["backfill"] = filler.ask
        self._alerts = alerts
        self._keepers = [
            self._thread("disk", lambda: self._every(LOOK_INTERVAL, self._disk.look)),
            self._thread("sync", lambda: self._every(options.fsync_interval / SECOND, keeper.sync)),
            self._thread("tidy", lambda: self._every(TIDY_INTERVAL / SECOND, partial(keeper.tidy, self._goes_on))),
        ]
        self._names = names
        if names is not None:
            pipeline.watch(names.see)
            self._keepers.append(self._thread("names", names.run))
        self._status_at: Millis = 0
        self._collect_at: Millis = 0
        self._garbage = OldGarbage()
        self._retry_at: Millis = 0
        self._store_problem: str | None = None
        self._said_missing = 0
        self._said_damaged = 0
        self.failure: BaseException | None = None
        self.last_status: IngestStatus | None = None

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._guard, args=(work,), name=f"journeymap-{name}", daemon=True)

    @property
    def problem(self) -> str | None:
        """Why the store cannot be written at the moment; None if it can."""
        return self._store_problem

    def start(self) -> None:
        """Begin with the sources, and at once with what the journal holds and the store does not."""
        self._reporter.started_at = self._clock.now()
        if self._stitching_outdated is not None:
            log.warning("%s", self._stitching_outdated)
        if self._journal.torn_bytes:
            log.warning(
                "the last %d bytes of the journal were not a whole record, as after a power failure: they were cut off",
                self._journal.torn_bytes,
            )
        self._disk.look()  # before anything is read
        for thread in (self._stitcher, *self._receivers, *self._filling, *self._keepers):
            thread.start()

    def wait_until_replayed(self, timeout: float) -> bool:
        """Wait until what the journal held at the start is in the store; whether it is."""
        return self._replayed.wait(timeout)

    def stop(self) -> None:
        """Stop receiving, write everything received, and say in the store that ingest is not running.

        What cannot be written within twice `STOP_PATIENCE`, or until `hurry`, is left to the journal and the next start.
        """
        self._stop_receiving()
        for thread in self._receivers:
            if thread.ident is not None:
                thread.join(STOP_PATIENCE)
        if self._filler is not None:
            self._filler.abort()  # only now: it may share its client with a source that was taking its leave
        for thread in self._filling:
            if thread.ident is not None:
                thread.join(STOP_PATIENCE)
        self._stopping.set()
        self._inbox.wake()
        if self._stitcher.is_alive():
            if (waiting := self._inbox.waiting_bytes) > HANDFUL:
                log.info("storing what was received: %d MB", waiting // 1_000_000)
            self._stitcher.join(STOP_PATIENCE)
            self._hurry.set()
            self._stitcher.join(STOP_PATIENCE)
            if left := self._inbox.waiting_bytes:
                log.info("%d MB are left to the journal, for the next start", left // 1_000_000)
        self._ended.set()
        if self._names is not None:
            self._names.stop()
        for thread in self._keepers:
            if thread.ident is not None:
                thread.join(STOP_PATIENCE)
        if self._alerts is not None:
            self._alerts.close()

    def hurry(self) -> None:
        """Let a `stop` that is under way, or the next one, not wait for a backlog to be stored."""
        self._hurry.set()

    def _stop_receiving(self) -> None:
        self._reporter.stop_begins()
        self._leaving.set()  # first: a source that waits for room does not hear that it is to stop
        for source in self._sources:
            source.stop()
        if self._filler is not None:
            self._filler.stop()

    # The receiving threads, one a source

    def _receive(self, source: Source) -> None:
        source.run(partial(self._receiving.deliver, source.name))

    def _fill(self, filler: Filler) -> None:
        filler.run(partial(self._receiving.deliver_patiently, BACKFILL_SOURCE), lambda: self._journal.end)

    # The stitching thread

    def _stitch(self) -> None:
        with closing(self._inbox):
            while not self._stopping.is_set():
                if not self._replayed.is_set() and not self._inbox.replaying:
                    self._end_replay()
                # Flushes lie on a grid of the wall clock, so that pages can ask right after one; but when a whole batch
                # waits, the next turn comes at once.
                if self._store_problem is not None or not self._inbox.has_batch:
                    self._pause()
                self._turn(self._inbox.take if self._store_problem is None else _nothing)
            self._finish()

    def _finish(self) -> None:
        """Store what was received, as far as there is time, and say that this was it."""
        if self._store_problem is not None:
            self._turn(_nothing, last=True)
        while self._inbox.waiting_bytes and self._store_problem is None and not self._hurry.is_set():
            self._turn(self._inbox.take)
        self._turn(_nothing, last=True)
        self._replayed.set()
        self._tell(self._clock.now(), stopped=True)

    def _end_replay(self) -> None:
        """Have what the journal held at the start stored, all of it."""
        self._turn(_nothing, last=True)
        if self._store_problem is None:
            self._replayed.set()

    def _pause(self) -> None:
        """Wait for the next point of the grid, or for a whole batch."""
        left = self._flush_interval - self._clock.now() % self._flush_interval
        while left > 0 and not self._rest(min(left, LONGEST_PAUSE) / SECOND):
            left -= LONGEST_PAUSE
            if left > 0 and self._store_problem is None:
                self._try(lambda: self._tell_in_time(self._clock.now()))

    def _rest(self, seconds: float) -> bool:
        """Wait so long; true as soon as there is something to do. While the store cannot be written, batches do not count."""
        return self._inbox.wait(seconds) if self._store_problem is None else self._stopping.wait(seconds)

    def _turn(self, take: Callable[[], list[Record]], *, last: bool = False) -> None:
        """Take a batch, flush, and do what else is due. While the store cannot be written, try again now and then."""
        now = self._clock.now()
        if self._store_problem is not None and now < self._retry_at and not last:
            return

        def work() -> None:
            self._pipeline.feed(take(), now)
            # What closed only because the backlog is old stays in memory until all of that has been folded.
            closed_by = min(now, self._inbox.waiting_since() or now)
            self._pipeline.flush(now, last=last, closed_by=closed_by)
            if self._store_problem is None:
                self._tell_in_time(now)
            else:
                self._tell(now)  # with nothing to flush, only this shows that it can be written
                log.warning("the store can be written again")
                self._store_problem = None
            if now >= self._collect_at:
                self._collect_at = now + MINUTE
                self._garbage.collect(self._pipeline.hot_journeys, now)

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
            self._reporter.cannot_tell(now, self._intake(), self._store_problem)

    def _tell_in_time(self, now: Millis) -> None:
        """Write the status document if the next time would be too late, or there is news.

        While ingest fails, its sources leave: that is told at the end, with the reason.
        """
        due = now + min(self._flush_interval, LONGEST_PAUSE) > self._status_at
        if due or (self.failure is None and self._reporter.has_news()):
            self._tell(now)

    def _tell(self, now: Millis, *, stopped: bool = False) -> None:
        """Write the status document, and hear what operators want."""
        self._status_at = now + STATUS_INTERVAL
        obey(self._store.take_commands(), self._commands)
        self._say_losses()
        fault = "ingest was stopped" if self.failure is None else f"ingest has failed: {self.failure}"
        self.last_status = self._reporter.tell(now, self._intake(), ended=fault if stopped else None)

    def _retry(self, _: Mapping[str, Any]) -> None:
        for source in self._sources:
            source.retry()
        for other in (self._names, self._filler):
            if other is not None:
                other.retry()

    def _intake(self) -> Intake:
        return Intake(
            behind=self._inbox.waiting_since(),
            waiting_bytes=self._inbox.waiting_bytes,
            damaged_bytes=self._inbox.damage.bytes,
            reading_stopped=self._disk.reading_stopped or self._receiving.problem,
            disk_free_bytes=self._disk.free_bytes,
        )

    def _say_losses(self) -> None:
        """Say what could not be read of the journal, whenever that has become more."""
        missing, damage = self._inbox.missing, self._inbox.damage
        if missing > self._said_missing:
            log.warning("%d bytes of the journal that the store does not have were deleted before", missing)
        if damage.bytes > self._said_damaged:
            log.warning("%d bytes of the journal cannot be read, in %d places", damage.bytes, damage.stretches)
        self._said_missing, self._said_damaged = missing, damage.bytes

    # The threads that look after journal and disk

    def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while not self._ended.wait(seconds):
            work()

    def _goes_on(self) -> bool:
        return not self._ended.is_set()

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
                self._inbox.wake()
                self._replayed.set()
                self._on_failure()


def _nothing() -> list[Record]:
    return []
