"""A store's locks: one process writes to it, one makes another in its place. The kernel lets go of a lock when its holder dies,
however it dies."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock
import msgspec

from journeymap.errors import StoreError, StoreLockedError
from journeymap.model.time import SECOND, Millis


class Holder(msgspec.Struct, frozen=True):
    """The process that holds a lock, and since when, by our clock."""

    pid: int
    host: str
    since: Millis


class StoreLock:
    """Holds a lock of the store in `directory` from `acquire` to `release`, or for the time of a `with`.

    Its files are called `name`; `refusal` is what is said of another holder after "the store in … is being".
    """

    def __init__(self, directory: Path, name: str, refusal: str) -> None:
        self._directory = directory
        self._refusal = refusal
        self._holder = directory / f"{name}.json"
        # No soft lock: it would outlive a killed holder.
        self._lock = filelock.FileLock(
            directory / f"{name}.lock", timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False
        )

    def acquire(self) -> None:
        """Take the lock; raises `StoreLockedError`, naming the holder, if another has it."""
        try:
            self._lock.acquire()
        except filelock.Timeout as error:
            refusal = self._refusal.format(self.holder())
            raise StoreLockedError(f"the store in {self._directory} is being {refusal}") from error
        except (OSError, NotImplementedError) as error:
            raise StoreError(f"the store in {self._directory} cannot be locked: {error}") from error
        # Only for the message; the lock itself is the kernel's, so an unwritable note is no reason to stop.
        note = self._holder.with_suffix(".new")
        try:
            note.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
            note.replace(self._holder)
        except OSError:
            note.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the lock. Calling it again does nothing."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def holder(self) -> str:
        """Who has it, in words."""
        found = self._noted()
        return "another process" if found is None else f"process {found.pid} on host {found.host}"

    def look(self) -> Holder | None:
        """Who holds it, None if nobody does; found out without standing in the way of whoever wants it. Raises OSError."""
        # A killed holder leaves its note behind, so only the lock tells. It is tried only where there is a note: a
        # process that starts at this very moment would otherwise find it taken.
        if not self._holder.exists() or not Path(self._lock.lock_file).exists():
            return None
        try:
            self._lock.acquire()
        except filelock.Timeout:
            return self._noted() or Holder(0, "an unknown host", 0)
        self._lock.release()
        return None

    def _noted(self) -> Holder | None:
        try:
            noted = json.loads(self._holder.read_bytes())
            return Holder(int(noted["pid"]), str(noted["host"])[:100], round(self._holder.stat().st_mtime * SECOND))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def writer_lock(directory: Path) -> StoreLock:
    """The lock of the one process that writes to the store."""
    return StoreLock(directory, "writer", "written by {}; stop it or choose another STORE")


def replacement_lock(directory: Path) -> StoreLock:
    """The lock of whoever makes another store that is to take this one's place.

    Meanwhile others may write to the store only what is in its journal too: it is read from there. So whoever writes
    anything else holds this lock as well.
    """
    return StoreLock(directory, "replacement", "rebuilt, restored or imported into by {}; wait until it is done")
