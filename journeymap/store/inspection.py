"""Whether a store's database is intact, looked at from outside: nothing is written, and the writer is not held up."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from journeymap.store.cache import DATABASE
from journeymap.store.connections import BUSY_SECONDS
from journeymap.store.faults import mapped

MOST_DAMAGE: Final = 3
"""Lines of SQLite's about damage; the first ones tell enough."""

STEPS: Final = 10_000
"""So many steps of SQLite's machine between two looks at the time: about a millisecond."""


def damage(directory: Path, seconds: float) -> list[str] | None:
    """What SQLite's quick check finds wrong with the database, empty if nothing; None if the time did not suffice.

    Raises `StoreCorruptError` where the database cannot even be looked at.
    """
    address = f"file:{quote(str((directory / DATABASE).absolute()))}?mode=ro"
    until = time.monotonic() + seconds
    with (
        mapped(directory),
        closing(sqlite3.connect(address, timeout=BUSY_SECONDS, isolation_level=None, uri=True)) as connection,
    ):
        connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        try:
            lines = [str(line) for (line,) in connection.execute(f"PRAGMA quick_check({MOST_DAMAGE})")]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return None
            raise
    return [] if lines == ["ok"] else lines
