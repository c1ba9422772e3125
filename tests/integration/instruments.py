"""What a cell of the fault matrix measures and strikes with: a fast clock, our own disk with faults, ears and eyes."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from journeymap.errors import JournalFullError
from journeymap.journal.journal import Journal
from journeymap.model.time import SECOND, Millis
from journeymap.store.base import Commit
from journeymap.store.disk import DiskStore

PLENTY: Final = 1 << 40
PATIENCE: Final = 60.0
"""Seconds that are waited for something that takes milliseconds on an idle machine."""


class FastClock:
    """A steady clock that runs `scale` times as fast as time."""

    def __init__(self, scale: int) -> None:
        self._scale = scale
        self._began = time.monotonic_ns()

    def __call__(self) -> Millis:
        return (time.monotonic_ns() - self._began) * self._scale // 1_000_000


class Disk:
    """Our side's disk under a fault, in front of the real store and journal."""

    def __init__(self, store: DiskStore, journal: Journal) -> None:
        self.delay = 0.0
        self.sync_delay = 0.0
        self.store_error: Exception | None = None
        self.journal_full = False
        self.free = PLENTY
        self._store = store
        self._go_on = threading.Event()
        self._go_on.set()
        self._held = threading.Event()
        self._append, self._sync = journal.append, journal.sync
        journal.append, journal.sync = self._appending, self._syncing  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def set_right(self) -> None:
        """Nothing is wrong any more."""
        self.delay = self.sync_delay = 0.0
        self.store_error = None
        self.journal_full = False
        self.free = PLENTY

    @contextlib.contextmanager
    def commit_held(self) -> Iterator[None]:
        """From within a commit on that is held until the block ends."""
        self._held.clear()
        self._go_on.clear()
        try:
            assert self._held.wait(PATIENCE), "nothing is being committed"
            yield
        finally:
            self._go_on.set()

    def commit(self, commit: Commit) -> int:
        self._held.set()
        self._go_on.wait()
        self._strike()
        return self._store.commit(commit)

    def write_documents(self, documents: Any) -> None:
        self._strike()
        self._store.write_documents(documents)

    def _strike(self) -> None:
        if self.delay:
            time.sleep(self.delay)
        if self.store_error is not None:
            raise self.store_error

    def _appending(self, source: str, frame: bytes, arrived_at: Millis) -> int:
        if self.journal_full:
            raise JournalFullError("no space left for the journal")
        return self._append(source, frame, arrived_at)

    def _syncing(self) -> None:
        if self.sync_delay:
            time.sleep(self.sync_delay)
        self._sync()


class Hearing(logging.Handler):
    """What the source says aloud while the block lasts."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def __enter__(self) -> Self:
        logging.getLogger("journeymap.source").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("journeymap.source").removeHandler(self)


class Watcher:
    """Looks all the time at what the page shows and at what is true, and remembers the longest lies of both kinds (ms)."""

    PERIOD = 0.01

    def __init__(self, shown: Callable[[], str | None], delivering: Callable[[], bool], scale: int) -> None:
        self._shown = shown
        self._delivering = delivering
        self._scale = scale
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self.error: Exception | None = None
        self.live_lie = self.dead_lie = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        last = time.monotonic()
        live = dead = 0.0
        while not self._stopped.wait(self.PERIOD):
            now = time.monotonic()
            # A watcher that overslept has seen nothing meanwhile, and the others have hardly run either.
            passed = min(now - last, 3 * self.PERIOD) * SECOND * self._scale
            last = now
            try:
                shown, delivering = self._shown(), self._delivering()
            except Exception as error:
                self.error = error
                return
            live = live + passed if shown == "OPEN" and not delivering else 0.0
            dead = dead + passed if shown not in {"OPEN", None} and delivering else 0.0
            self.live_lie, self.dead_lie = max(self.live_lie, live), max(self.dead_lie, dead)
