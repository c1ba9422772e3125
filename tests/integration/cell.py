"""One cell of the fault matrix: a real platform, source, journal, store and ingest, a fault, and three things that must hold.

1. Each event that the platform delivered (its ping after it was answered) is in the store exactly once.
2. What the page shows is true within 35 s: it does not read OPEN while nothing could arrive, nor anything else while it does.
3. The machine settles: OPEN again, or refused where that is right; and after a stop no thread, descriptor, connection or
   subscription is left.

The source is given a steady clock that runs faster than time (`SCALE`), so that all of its limits, waits and token lives
shrink alike. Time counts only while the watcher of (2) is awake: a machine that is too busy to run it proves nothing.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Self

from journeymap.decode.event import decode_frame
from journeymap.journal.journal import Journal
from journeymap.journal.replay import read_journal
from journeymap.model.status import STATUS, IngestStatus, decode_status
from journeymap.model.time import HOUR, SECOND, Millis
from journeymap.protocol.limits import Limits
from journeymap.runtime import receiving, worker
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf, events_of
from journeymap.runtime.worker import Ingest, IngestOptions
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source import reception
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Query
from journeymap.store.disk import open_disk_reader, open_disk_store
from tests.integration.faults import FAULTS, MOMENTS, OPEN, REFUSED, Fault
from tests.integration.instruments import PATIENCE, Disk, FastClock, Hearing, Watcher

SCALE = 20
LAW: Millis = 35 * SECOND
LEEWAY: Millis = 5 * SECOND
"""What the law's 35 s may be overrun by, for the status document that is written now and then."""

RATE = 100
RESERVE = 1 << 20
CLOCK = SystemClock()
OPTIONS = StitchOptions(Timeouts(HOUR, HOUR), HOUR)


def hasten() -> None:
    """Let ingest look at everything as often as `SCALE` asks for. For processes that do nothing but run cells."""
    worker.STATUS_INTERVAL = 50
    worker.STORE_RETRY = receiving.JOURNAL_RETRY = 50
    worker.LOOK_INTERVAL = 0.05
    reception.LONGEST_WAIT = 0.02


@functools.cache
def platform() -> SimulatedPlatform:
    """The platform that all cells of this process use, one after another: telling its story from the start takes a while."""
    running = SimulatedPlatform(rate=RATE, heartbeat=5 / SCALE, late=0.02, duplicates=0.02)
    return running.__enter__()


class Cell:
    """Everything that a cell has, at rest until `start`."""

    def __init__(self, folder: Path, scale: int) -> None:
        self._scale = scale
        self.folder = folder
        self.platform = platform()
        self.platform.reset_faults()
        self._acknowledged_before = len(self.platform.platform.ledger.acknowledged_events)
        self._dead: set[str] = set()
        self._closing = contextlib.ExitStack()
        store = open_disk_store(folder, source="eventstreams", environment="dev", now=CLOCK.now())
        self._closing.callback(store.close)
        shelf = StoreShelf(store)
        journal = Journal.open(folder / "journal", segment_bytes=100_000)
        self._closing.callback(journal.close)
        self.disk = Disk(store, journal)
        pipeline = Pipeline(
            self.disk, lambda: Stitcher(OPTIONS, shelf, shelf.identity_events()), PipelineOptions(reorder_window=20)
        )
        self.limits = Limits()
        self._journal, self._pipeline = journal, pipeline
        self._ingest: Ingest | None = None
        self._reader = open_disk_reader(folder)
        self._closing.callback(self._reader.close)
        self.hearing = Hearing()
        self._watcher = Watcher(self.shown, self.delivering, scale)

    def __enter__(self) -> Self:
        self._closing.enter_context(self.hearing)
        self._closing.enter_context(self._watcher)
        return self

    def __exit__(self, *_: object) -> None:
        self.disk.set_right()
        if self._ingest is not None:
            self._ingest.stop()
        self._closing.close()
        self.platform.reset_faults()

    # What moments and faults need

    def start(self) -> None:
        """Let ingest begin."""
        access, scale = self.platform, self._scale
        config = EventStreamsConfig(
            access.login_url, access.api_url, access.stream_url, access.client_id, access.client_secret,
            max_events_per_second=10_000, request_timeout=10 * SECOND // scale, limits=self.limits,
        )  # fmt: skip
        source = EventStreamsSource(config, CLOCK.now, Random(1), FastClock(scale), self.folder / "subscriptions.json")
        options = IngestOptions(
            flush_interval=20,
            fsync_interval=50,
            disk_reserve=RESERVE,
            store_path=self.folder,
            journal_max_bytes=1 << 30,
        )
        disk = self.disk
        self._ingest = Ingest(disk, self._journal, [source], self._pipeline, CLOCK, options, free=lambda _: disk.free)
        self._ingest.start()

    def strike(self, fault: Fault, *, lose: bool = False) -> None:
        """Let it go wrong; with `lose`, what is there is lost too, where the fault concerns only who comes in."""
        fault.does(self)
        if lose and fault.lose is not None:
            fault.lose(self)

    def act(self, name: str, **how: Any) -> None:
        """Let an action of the platform happen."""
        struck = set(self.platform.platform.connections)
        assert self.platform.act(name, **how), f"{name} has struck nothing"
        if name in {"half_open", "break_protocol"}:
            self._dead |= struck  # the platform itself goes on as if nothing were the matter

    def run(self, seconds: float) -> None:
        """Let so many seconds of the product's time pass."""
        time.sleep(seconds / self._scale)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        """Wait until it holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self._ingest is None or self._ingest.failure is None, self._ingest
            self.check_truth()
            assert time.monotonic() < deadline, f"{what} did not come: {self.status()}, {self.platform.stats()}"
            time.sleep(0.005)

    def until_flowing(self, events: int = 5) -> None:
        """Wait until OPEN is shown and that many more events were acknowledged."""
        self.until(lambda: self.shown() == OPEN, "OPEN")
        before = self.acknowledged_count()
        self.until(lambda: self.acknowledged_count() >= before + events, "an acknowledged event")

    # What is looked at

    def acknowledged_count(self) -> int:
        """How many events, copies included, were acknowledged since the cell began."""
        return len(self.platform.platform.ledger.acknowledged_events) - self._acknowledged_before

    def status(self) -> IngestStatus:
        """The status document, as the page reads it."""
        document = self._reader.document(STATUS)
        return IngestStatus() if document is None else decode_status(document)

    def shown(self) -> str | None:
        """The state that the page shows; None where the page says that it knows nothing."""
        status = self.status()
        return None if status.is_stale(CLOCK.now()) else status.state

    def delivering(self) -> bool:
        """Whether the platform could deliver an event to us now."""
        subscriptions = list(self.platform.platform.subscriptions.values())
        return any(
            known.is_live and known.connection.is_open and known.connection.connection_id not in self._dead
            for known in subscriptions
        )

    # What has to hold

    def is_refused(self) -> bool:
        """Whether a hard error is shown and nothing is tried any more."""
        status = self.status()
        return status.refused and status.next_attempt_at is None

    def settle(self, fault: Fault) -> None:
        """It is as it should be under the fault; and OPEN with events, once that is over."""
        if fault.ends == REFUSED:
            self.until(self.is_refused, "a refusal")
        self.disk.set_right()
        self.platform.reset_faults()
        if fault.ends == REFUSED:
            self._reader.leave_command("retry")
        self.until_flowing(20)
        self.until(lambda: not self.status().refused and self.status().error is None, "a status without error")

    def check_truth(self) -> None:
        """What was shown was true within the law's time."""
        assert self._watcher.error is None, self._watcher.error
        longest = LAW + LEEWAY
        assert self._watcher.live_lie <= longest, (
            f"it read OPEN for {self._watcher.live_lie / SECOND:.0f} s without being so"
        )
        assert self._watcher.dead_lie <= longest, (
            f"it did not read OPEN for {self._watcher.dead_lie / SECOND:.0f} s, being so"
        )

    def check_store(self) -> None:
        """Each event that was delivered is in the store exactly once, and so is all that was received. After the end."""
        promised = {key_of(event) for event in self.acknowledged()}
        received = {
            key_of(event) for record in read_journal(self.folder / "journal") for event in decode_frame(record.data)[0]
        }
        held = Counter(key_of(event) for event in stored(self.folder))
        assert len(promised) >= 15, "hardly anything was delivered"
        assert promised <= held.keys(), f"{len(promised - held.keys())} of {len(promised)} delivered events are lost"
        assert received == held.keys(), (
            f"received, not stored: {received - held.keys()}; {held.keys() - received} the other way"
        )
        assert held.total() == len(held), (
            f"stored more than once: {[key for key, count in held.items() if count > 1][:5]}"
        )

    def acknowledged(self) -> list[Any]:
        """The events acknowledged since the cell began."""
        lines = self.platform.platform.ledger.acknowledged_events[self._acknowledged_before :]
        return [event for line in lines for event in decode_frame(line)[0]]

    def check_nothing_left(self) -> None:
        """Neither connection nor subscription is left with the platform. After the end."""
        known = self.platform.platform
        wait(lambda: not known.connections and not known.subscriptions, lambda: f"left: {known.stats()}")


def key_of(event: Any) -> tuple[str, str]:
    """What an event is recognised by."""
    return event.interaction_id, event.event_id


def stored(folder: Path) -> list[Any]:
    """All events of a store."""
    held: list[Any] = []
    after = None
    with contextlib.closing(open_disk_reader(folder)) as reader:
        while rows := reader.query(Query(after=after, limit=1_000)):
            for record in reader.find_many([row.journey_id for row in rows]).values():
                held += events_of(record, reader)
            after = (rows[-1].last_event_at, rows[-1].journey_id)
    return held


def wait(holds: Callable[[], Any], what: Callable[[], str]) -> None:
    """Wait until it holds; `what` says what is the matter if it does not."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.01)


def in_use() -> tuple[int, int]:
    """Threads and descriptors of this process."""
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


def run_cell(name: str, moment: str, scale: int = SCALE) -> None:
    """Run a cell of the matrix; an AssertionError says what does not hold."""
    fault = FAULTS[name]
    platform()
    before = in_use()
    with tempfile.TemporaryDirectory(prefix="journeymap-cell-") as folder:
        with Cell(Path(folder), scale) as cell:
            MOMENTS[moment](cell, fault)
            if fault.concerns and not fault.quiet:
                cell.until(lambda: cell.hearing.said, "a word about what is wrong")
            cell.run(fault.lasts)
            cell.settle(fault)
        cell.check_truth()
        cell.check_store()
        cell.check_nothing_left()
    wait(
        lambda: all(now <= was for now, was in zip(in_use(), before, strict=True)),
        lambda: f"threads, descriptors: {before} before, {in_use()} after",
    )


def outcome(name: str, moment: str, scale: int = SCALE) -> str:
    """What is wrong with a cell, empty if nothing is; for a process of a pool."""
    hasten()
    logging.getLogger("journeymap").propagate = False
    try:
        run_cell(name, moment, scale)
    except BaseException:
        return traceback.format_exc()
    return ""
