"""SQLite's and the system's errors as the store's: the type says who has to act, the message what to do."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import diskcache

from journeymap.errors import StoreCorruptError, StoreError, StoreFullError

OUT_OF_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LITTLE_SPACE: Final = 1 << 20
"""With less than this free, an I/O error is taken for lack of space: SQLite reports a full disk under several names."""

_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Raise what goes wrong inside as a `StoreError` that names the store at `path`."""
    try:
        yield
    except StoreCorruptError as error:
        if str(error).startswith("the store in "):
            raise
        raise corrupt(path, str(error)) from error
    except UnicodeDecodeError as error:
        raise corrupt(path, str(error)) from error  # text in the database that is none
    except (sqlite3.Error, diskcache.Timeout, OSError, UnicodeEncodeError) as error:
        raise _store_error(path, error) from error


def corrupt(path: Path, what: str) -> StoreCorruptError:
    """The store cannot be read; `what` says where."""
    return StoreCorruptError(
        f"the store in {path} cannot be read: {what}. Restore a backup over it (`journeymap restore FILE --replace"
        f" --keep-journal`), or move cache.db and store.txt away to start with an empty one: either way, what the journal"
        f" holds is folded again"
    )


def full(path: Path) -> StoreFullError:
    """There is no space left at `path`."""
    free = _free(path)
    return StoreFullError(
        f"no space left for the store in {path} ({'unknown' if free is None else f'{free:,} bytes'} free): make room "
        f"on that disk or choose another STORE. What was committed is kept"
    )


def _free(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


def _store_error(path: Path, error: BaseException) -> StoreError:
    # SQLite may have rolled back by itself, and diskcache's own ROLLBACK then fails in front of the error that tells.
    # diskcache's Timeout stands, `from None`, before every error of its BEGIN.
    causes = [error]
    while (context := causes[-1].__context__) is not None and context not in causes:
        causes.append(context)
    for cause in reversed(causes):
        if (known := _known(path, cause)) is not None:
            return known
    if isinstance(error, diskcache.Timeout):
        return StoreError(f"the store in {path} is busy: another program keeps its database locked; stop it")
    return StoreError(f"the store in {path} failed: {error}")


def _known(path: Path, error: BaseException) -> StoreError | None:
    if isinstance(error, UnicodeEncodeError):
        return StoreError(f"text that is not Unicode cannot be kept in the store in {path}: {error}")
    if isinstance(error, OSError):
        return full(path) if error.errno in OUT_OF_SPACE else None
    if not isinstance(error, sqlite3.Error):
        return None
    # The low byte is the kind of error, the rest says more precisely where it came from.
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind in _CORRUPT:
        return corrupt(path, str(error))
    if kind == sqlite3.SQLITE_FULL:
        return full(path)
    if kind in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        free = _free(path)
        return full(path) if free is not None and free < LITTLE_SPACE else None
    if kind == sqlite3.SQLITE_ERROR and str(error).startswith("no such"):
        return corrupt(path, str(error))
    if kind is None and str(error).startswith("Could not decode"):
        return corrupt(path, str(error))
    return None
