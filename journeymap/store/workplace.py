"""A place inside a store's directory for making the store that is to take its place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from journeymap.errors import StoreLockedError
from journeymap.store.faults import mapped
from journeymap.store.lock import replacement_lock

_PREFIX: Final = "rebuild-"


@contextmanager
def workplace(path: Path) -> Iterator[Path]:
    """An empty directory, closed to other users, for the time of a `with`; one process at a time has one.

    It lies on the store's own disk. Raises `StoreLockedError` while another process makes a store to take this one's place.
    """
    with replacement_lock(path):
        with mapped(path):
            _clear(path)
            place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=path))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def clear_workplaces(path: Path) -> None:
    """Remove what a process has left behind that died at its work; nothing while one is at work."""
    if any(path.glob(_PREFIX + "*")):
        try:
            with replacement_lock(path):
                _clear(path)
        except StoreLockedError:
            return


def _clear(path: Path) -> None:
    for left in path.glob(_PREFIX + "*"):
        shutil.rmtree(left)
