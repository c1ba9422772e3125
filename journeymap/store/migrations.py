"""From one schema version to the next: what is done to an older store when it is opened for writing.

To change what a store keeps: raise `SCHEMA_VERSION` in base.py, write a step and enter it in `STEPS`, and add a store of
the version before to tests/data/stores. tests/integration/test_migration.py fails until all three are there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from journeymap.store.base import SCHEMA_VERSION
from journeymap.store.connections import BUSY_SECONDS

Step = Callable[[sqlite3.Connection, dict[str, Any]], None]
"""Takes the store on by one version. It is given a connection within a transaction, and `meta` as a dictionary that it may
change in place; `schema_version` is counted up for it. Steps spell keys out: what the codec calls them may change later."""


def _name_the_documents(sql: sqlite3.Connection, _meta: dict[str, Any]) -> None:
    """1 to 2: the one status document becomes the first of several."""
    sql.execute("UPDATE Cache SET key = 'd:status' WHERE key = 'status' AND raw = 1")


STEPS: Final[Mapping[int, Step]] = {1: _name_the_documents}
"""For each older version, the step that leads to the next."""


def migrate(database: Path) -> int:
    """Take the store in `database` on to today's version, all of it or, where anything fails, nothing; the version that it
    had. Its `meta` must have been looked at; nobody else may be writing."""
    with closing(sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)) as sql:
        # A connection that is closed in the middle rolls back, and so does SQLite where the process dies.
        sql.execute("BEGIN IMMEDIATE")
        data = sql.execute("SELECT value FROM Cache WHERE key = 'meta' AND raw = 1").fetchone()[0]
        meta: dict[str, Any] = msgspec.msgpack.decode(data)
        found: int = meta["schema_version"]
        for version in range(found, SCHEMA_VERSION):
            STEPS[version](sql, meta)
            meta["schema_version"] = version + 1
        sql.execute("UPDATE Cache SET value = ? WHERE key = 'meta' AND raw = 1", (msgspec.msgpack.encode(meta),))
        sql.execute("COMMIT")
    return found
