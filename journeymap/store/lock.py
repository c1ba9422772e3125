"""The writer's lock: one process writes to a store. The kernel lets go of it when its holder dies, however it dies."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import filelock

from journeymap.errors import StoreError, StoreLockedError


class WriterLock:
    """Holds the lock of the store in `directory` from `acquire` to `release`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._holder = directory / "writer.json"
        # No soft lock: it would outlive a killed holder.
        self._lock = filelock.FileLock(
            directory / "writer.lock", timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False
        )

    def acquire(self) -> None:
        """Take the lock; raises `StoreLockedError`, naming the holder, if another has it."""
        try:
            self._lock.acquire()
        except filelock.Timeout as error:
            raise StoreLockedError(
                f"the store in {self._directory} is being written by {self._who()}; stop it or choose another STORE"
            ) from error
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

    def _who(self) -> str:
        try:
            holder = json.loads(self._holder.read_bytes())
            return f"process {int(holder['pid'])} on host {str(holder['host'])[:100]}"
        except (OSError, ValueError, TypeError, KeyError):
            return "another process"
