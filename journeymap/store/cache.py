"""diskcache's `Cache` as the store uses it: no eviction behind our back, nothing taken from what the database says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import diskcache
from diskcache.core import METADATA

from journeymap.errors import StoreCorruptError
from journeymap.store.connections import BUSY_SECONDS
from journeymap.store.safe_disk import SafeDisk

DATABASE: Final = "cache.db"
"""diskcache's name for it."""

PAGE_BYTES: Final = 8_192
LONG_LOG_BYTES: Final = 64 << 20

SETTINGS: Final = {
    "statistics": 0,
    "tag_index": 0,
    "eviction_policy": "none",
    "size_limit": 2**62,
    "cull_limit": 0,
    # Incremental: freed pages are used again by the next batches. Full would move pages at each commit.
    "sqlite_auto_vacuum": 2,
    "sqlite_cache_size": 2**14,  # pages: 128 MiB, for the index tables of a million journeys
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 2**26,
    "sqlite_synchronous": 1,
    "disk_min_file_size": 2**62,
    "disk_pickle_protocol": 0,
}
"""All of diskcache's settings, so that none is taken from what stands in the database."""


class OneConnectionCache(diskcache.Cache):  # type: ignore[misc]  # diskcache has no type information
    """A cache with one connection for all threads. `DiskStore` lets one thread in at a time; closing closes it.

    diskcache itself keeps one connection per thread, which only that thread can close, and sets pragmas from whatever
    the `Settings` table says.
    """

    _one: sqlite3.Connection | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), timeout=BUSY_SECONDS, disk=SafeDisk, **SETTINGS)

    @property
    def _con(self) -> sqlite3.Connection:
        if self._one is None:
            database = str(Path(self.directory) / DATABASE)
            self._one = sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # Before anything else, a database's pages keep their size. Two records of 2 KB do not fit on 4 KB.
            self._one.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            # Checkpoints are the Checkpointer's; the writer only helps where that does not get through.
            self._one.execute(f"PRAGMA wal_autocheckpoint = {LONG_LOG_BYTES // PAGE_BYTES}")
            for key, value in SETTINGS.items():
                if key.startswith("sqlite_"):
                    self.reset(key, value, update=False)
        return self._one

    def close(self) -> None:
        """Close the connection, from whichever thread."""
        connection, self._one = self._one, None
        if connection is not None:
            connection.close()


def check_settings(rows: Iterable[tuple[Any, Any]]) -> None:
    """Look at the `Settings` table before diskcache does, which sets an attribute of itself for each row."""
    for key, value in rows:
        if key not in SETTINGS and key not in METADATA:
            raise StoreCorruptError(f"setting {key!r} was not written by diskcache")
        if type(value) is not type(SETTINGS.get(key, 0)):
            raise StoreCorruptError(f"setting {key!r} has a value that diskcache would not have written")
