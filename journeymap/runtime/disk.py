"""The guard of the disk: has reading stopped before there is no room for what was read."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from journeymap.errors import JournalError
from journeymap.journal.journal import Journal

log = logging.getLogger(__name__)

LOOK_INTERVAL: Final = 1.0
"""Seconds between two looks at the disk."""


def free_space(path: Path) -> int:
    """How many bytes this process may still write on the disk of `path`. Raises OSError."""
    return shutil.disk_usage(path).free


class Held(Protocol):
    """Whatever brings in what takes up space; the two methods as those of `Source`."""

    def hold(self, reason: str) -> None: ...

    def release(self) -> None: ...


class DiskGuard:
    """Looks at the disks of store and journal, and holds all sources while one of them has less than `reserve` bytes free.

    What the journal has and `committed` says is in the store goes first, as far as it has to. Sources are released once
    there is a tenth more than the reserve. `free` tells the free bytes of a path's disk. One thread at a time; the
    attributes are for all.
    """

    def __init__(
        self,
        journal: Journal,
        store: Path | None,
        reserve: int,
        sources: Sequence[Held],
        committed: Callable[[], int],
        free: Callable[[Path], int] = free_space,
    ) -> None:
        self._journal = journal
        self._paths = (journal.directory,) if store is None else (journal.directory, store)
        self._reserve = reserve
        self._enough = reserve + reserve // 10
        self._sources = tuple(sources)
        self._committed = committed
        self._free = free
        self._unknown = False
        self.free_bytes: int | None = None
        self.reading_stopped: str | None = None

    def look(self) -> None:
        """Look, and do what is to be done."""
        try:
            free, path = self._least()
            least = self._reserve if self.reading_stopped is None else self._enough
            if free < least and self._make_room(least):
                free, path = self._least()
        except OSError as error:
            # A disk that cannot be asked may be all right; if it is full, writing to it says so.
            if not self._unknown:
                log.warning("the free space of the disk cannot be told: %s", error)
            self._unknown = True
            self.free_bytes = None
            return
        self._unknown = False
        self.free_bytes = free
        if self.reading_stopped is None and free < self._reserve:
            self._hold(
                f"the disk of {path} has {_megabytes(free)} free, less than the {_megabytes(self._reserve)} that are kept"
                f" (DISK_RESERVE): make room there"
            )
        elif self.reading_stopped is not None and free >= least:
            self._release(free)

    def _least(self) -> tuple[int, Path]:
        return min((self._free(path), path) for path in self._paths)

    def _make_room(self, least: int) -> bool:
        """Drop old parts of the journal, if its disk is the one that has less free than that; whether any were."""
        free = self._free(self._journal.directory)
        if free >= least:
            return False
        wanted = self._enough - free
        try:
            dropped = self._journal.forget(self._committed(), max(0, self._journal.size() - wanted))
        except JournalError as error:
            log.error("%s", error)
            return False
        if dropped:
            log.warning(
                "the disk is nearly full: %s of the journal that are in the store were dropped", _megabytes(dropped)
            )
        return dropped > 0

    def _hold(self, reason: str) -> None:
        log.error("reading is stopped: %s", reason)
        self.reading_stopped = reason
        for source in self._sources:
            source.hold(reason)

    def _release(self, free: int) -> None:
        log.warning("reading goes on: the disk has %s free again", _megabytes(free))
        self.reading_stopped = None
        for source in self._sources:
            source.release()


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"
