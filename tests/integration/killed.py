"""Ingest in a process that is made to be killed: `python -m tests.integration.killed DIRECTORY BEGAN FIRST`.

Its store is slow and memory takes few frames, so that the journal absorbs, ends segments and packs them all the while. It
delivers events as fast as it can and prints the number of each one that was taken.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from journeymap.journal import packed
from journeymap.journal.journal import Journal
from journeymap.model.event import CREATED, ENDED, STARTED
from journeymap.runtime import worker
from journeymap.runtime.inbox import Inbox
from journeymap.source.base import ConnectionState, Deliver, SourceStatus
from journeymap.store.disk import DiskStore, open_disk_store
from journeymap.testing import frame

from .ingest import CLOCK, Running

SEGMENT = 20_000


def event_frame(began: int, number: int) -> bytes:
    """The event with this number of a story that began at this time; the same in every process."""
    kind = (CREATED, STARTED, ENDED)[number % 3]
    interaction = number // 3
    return frame(kind, began + number, f"i{interaction}", event_id=f"e{number}", customerId=f"c{interaction % 50}")


def opened_store(directory: Path) -> DiskStore:
    return open_disk_store(directory / "store", source="x", environment="dev", now=CLOCK.now())


class Endless:
    """Delivers one event after another."""

    name = "endless"
    live = True

    def __init__(self, began: int, first: int) -> None:
        self._began = began
        self._first = first
        self._stopped = threading.Event()

    def run(self, deliver: Deliver) -> None:
        for number in count(self._first):
            if self._stopped.is_set():
                return
            deliver(event_frame(self._began, number), CLOCK.now())
            print(number, flush=True)

    def stop(self) -> None:
        self._stopped.set()

    def retry(self) -> None: ...

    def hold(self, reason: str) -> None: ...

    def release(self) -> None: ...

    def status(self) -> SourceStatus:
        return SourceStatus(ConnectionState.OPEN)


def main(directory: Path, began: int, first: int) -> None:
    packed.BLOCK = 3_000  # type: ignore[misc]
    worker.TIDY_INTERVAL = 5
    worker.Inbox = partial(Inbox, max_records=20, batch=10)  # type: ignore[misc,assignment]
    store: Any = opened_store(directory)
    quick, slow = store.commit, threading.Event()

    def commit(given: Any) -> int:
        slow.wait(0.03)
        return int(quick(given))

    store.commit = commit
    journal = Journal.open(directory / "journal", segment_bytes=SEGMENT, not_before=store.positions().get("journal", 0))
    with Running(directory, store, Endless(began, first), journal=journal) as running:  # type: ignore[arg-type]
        running.failed.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
