"""Read-only connections to the database, lent to whoever reads, whatever its thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from journeymap.store import index

BUSY_SECONDS: Final = 5.0
IDLE_KEPT: Final = 4
"""This many idle connections are kept; there are never more than reads at the same time."""

CACHE_TABLE: Final = (
    "CREATE TABLE Cache (key BLOB, raw INTEGER, mode INTEGER, filename TEXT, value BLOB)"  # what is read of diskcache's
)


class ReadConnections:
    """Lends connections. Not one per thread: a web server's threads come and go, and each would leave its own behind.

    Read-only by SQLite's own means, so that a reader cannot disturb the writer: diskcache writes its settings whenever
    a cache is opened. `check` looks at each new connection and tells whether there is a store in it yet. Where there
    is none, an empty one in memory stands in, so that `serve` may be started before `ingest`.
    """

    def __init__(self, database: Path, check: Callable[[sqlite3.Connection], bool]) -> None:
        self._database = database
        self._check = check
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._file: tuple[int, int] | None = None
        self._closed = False

    @contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        """A connection for the time of a `with`. One in whose use anything failed is not lent again."""
        file = self._current_file()
        connection = self._take(file)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, file)

    def close(self) -> None:
        """Close all idle connections; those lent are closed when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _current_file(self) -> tuple[int, int] | None:
        # A store may be replaced by another (a rebuild, a backup) under a running reader.
        try:
            status = self._database.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _take(self, file: tuple[int, int] | None) -> sqlite3.Connection:
        stale: list[sqlite3.Connection] = []
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("it has been closed")
            if file != self._file:
                stale, self._idle = self._idle, []
                self._file = file
            connection = self._idle.pop() if self._idle else None
        for old in stale:
            old.close()
        return self._open(file) if connection is None else connection

    def _give_back(self, connection: sqlite3.Connection, file: tuple[int, int] | None) -> None:
        with self._lock:
            keep = not self._closed and file is not None and file == self._file and len(self._idle) < IDLE_KEPT
            if keep and not is_stand_in(connection):
                self._idle.append(connection)
                return
        connection.close()

    def _open(self, file: tuple[int, int] | None) -> sqlite3.Connection:
        if file is None:
            return _stand_in()
        address = f"file:{quote(str(self._database))}?mode=ro"
        connection = _connect(address)
        try:
            connection.execute("PRAGMA query_only = 1")
            there = self._check(connection)
        except BaseException:
            connection.close()
            raise
        if there:
            return connection
        connection.close()
        return _stand_in()


def is_stand_in(connection: sqlite3.Connection) -> bool:
    """Whether this is the empty store in memory that stands in for one that does not exist yet."""
    return isinstance(connection, _StandIn)


class _StandIn(sqlite3.Connection):
    pass


def _connect(address: str, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    return sqlite3.connect(
        address, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True, factory=factory
    )


def _stand_in() -> sqlite3.Connection:
    connection = _connect(":memory:", _StandIn)
    for statement in (CACHE_TABLE, *index.SCHEMA):
        connection.execute(statement)
    return connection
