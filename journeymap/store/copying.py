"""Databases copied whole: out of a store that is being written to, and into one that is being read.

Both ways go by SQLite's backup, page by page between two connections. A copy out is of one moment, whatever is committed
meanwhile. A copy in is one transaction, in the same file: readers see the old content until it is committed and the new one
after, and a crash leaves the old one. Renaming files could not do that, since a log of the old one lies beside it
and readers have both open.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from journeymap.errors import StoreFullError
from journeymap.model.time import Millis
from journeymap.store import codec
from journeymap.store.cache import DATABASE
from journeymap.store.connections import BUSY_SECONDS
from journeymap.store.faults import mapped
from journeymap.store.reader import ONE, entry

PAGES_AT_ONCE: Final = 1_024

Tell = Callable[[int, int], None]
"""Hears how far a copy is: bytes done, and all."""

_PUT: Final = (
    "INSERT INTO Cache (key, raw, store_time, access_time, access_count, size, mode, filename, value)"
    " VALUES (?, 1, ?, 0, 0, 0, 1, NULL, ?) ON CONFLICT (key, raw) DO UPDATE SET value = excluded.value"
)
_DOCUMENTS: Final = "SELECT key, value FROM Cache WHERE key >= 'd:' AND key < 'd;' AND raw = 1"


def copy_out(store: Path, target: Path, tell: Tell) -> None:
    """Copy the database of the store in the directory `store` as it is now into the directory `target`."""
    with mapped(store):
        target.mkdir(mode=0o700, exist_ok=True)
        with closing(_connect(store / DATABASE, "ro")) as source, closing(_connect(target / DATABASE)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is of use only as long as this process lives
            # Without a transaction of its own, it would begin anew with every commit of the writer.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _copy(source, copy, tell)


def take_over(new: Path, store: Path, tell: Tell, *, with_documents: bool = False) -> None:
    """Put the database of the closed store in the directory `new` into the one in `store`, all of it or nothing, and see it on
    the disk. With `with_documents`, the new one keeps the documents of the old one.

    For the holder of the writer's lock. Raises `StoreCorruptError` where the old one cannot be read.
    """
    with mapped(store), closing(_connect(store / DATABASE, "ro")) as sql:
        head, documents = _head(sql), list(sql.execute(_DOCUMENTS)) if with_documents else []
    _follow(new, head, documents)
    with mapped(store), closing(_connect(new / DATABASE)) as source, closing(_connect(store / DATABASE)) as target:
        target.execute("PRAGMA synchronous = FULL")
        target.execute("PRAGMA wal_autocheckpoint = 0")
        _copy(source, target, tell)
        # It is safe in the log; where the log cannot be put away now, the next writer does it.
        with suppress(sqlite3.Error):
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def move_in(new: Path, store: Path, above: int) -> None:
    """Move the database of the closed store in the directory `new` to where there is none, into `store`. Its head will be
    higher than `above`, for followers of one that was there before."""
    _follow(new, above, [])
    with mapped(store):
        with (new / DATABASE).open("rb+") as file:
            os.fsync(file.fileno())
        for left in _beside(store):
            left.unlink(missing_ok=True)
        (new / DATABASE).rename(store / DATABASE)
        _sync(store)


def set_aside(store: Path, now: Millis) -> Path:
    """Move a database that cannot be read out of the way; the directory that it is in then."""
    aside = store / f"damaged-{now}"
    with mapped(store):
        aside.mkdir(mode=0o700)
        for path in (*_beside(store), store / DATABASE):
            if path.exists():
                path.rename(aside / path.name)
        _sync(store)
    return aside


def _follow(new: Path, head: int, documents: list[tuple[str, bytes]]) -> None:
    """Have the store in `new` count on from this head, so that followers notice, and hold these documents."""
    with mapped(new), closing(_connect(new / DATABASE)) as sql:
        sql.execute("BEGIN IMMEDIATE")
        number = max(head, _head(sql)) + 1
        # No batch is kept, so that everybody takes a snapshot.
        sql.execute("DELETE FROM Cache WHERE key >= 'b:' AND key < 'b;' AND raw = 1")
        counted = codec.encode(codec.Head(number, number, number + 1))
        sql.executemany(_PUT, [(key, 0, value) for key, value in [*documents, (codec.HEAD_KEY, counted)]])
        sql.execute("COMMIT")


def _beside(store: Path) -> list[Path]:
    """The files that belong to a database by their names."""
    return [store / (DATABASE + ending) for ending in ("-wal", "-shm")]


def _sync(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def require_space(directory: Path, needed: int, reserve: int) -> None:
    """Raise `StoreFullError` unless the disk of `directory` has so many bytes free, and the reserve beside them."""
    with mapped(directory):
        free = shutil.disk_usage(directory).free
    if free < needed + reserve:
        raise StoreFullError(
            f"not enough space on the disk of {directory}: {free:,} bytes are free, {needed + reserve:,} are needed, of which"
            f" {reserve:,} are to stay free for ingest (DISK_RESERVE). Make room on that disk"
        )


def _connect(database: Path, mode: str = "rwc") -> sqlite3.Connection:
    return sqlite3.connect(
        f"{database.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, tell: Tell) -> None:
    page: int = source.execute("PRAGMA page_size").fetchone()[0]

    def progress(_status: int, remaining: int, total: int) -> None:
        tell((total - remaining) * page, total * page)

    source.backup(target, pages=PAGES_AT_ONCE, progress=progress)


def _head(sql: sqlite3.Connection) -> int:
    row = sql.execute(ONE, (codec.HEAD_KEY,)).fetchone()
    return 0 if row is None else codec.decode(codec.HEAD, codec.HEAD_KEY, entry(row)[1]).number
