"""The journal: what was received, on disk before anything is computed from it.

Appending writes straight to the file, so what `append` has returned from survives the death of the process. `sync`
makes it survive a power failure; the runtime calls it at its interval. One process appends at a time.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

import filelock

from journeymap.errors import JournalError, JournalFullError
from journeymap.journal.replay import Replay
from journeymap.journal.segment import (
    ARRIVAL,
    LEAD,
    MAGIC,
    Damage,
    Segment,
    read,
    segment_path,
    segments,
    source_part,
)
from journeymap.model.time import Millis

SEGMENT_BYTES: Final = 64 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


class Journal:
    """An open journal. `torn_bytes` is the length of the torn tail that was cut when it was opened."""

    def __init__(self, directory: Path, segment_bytes: int, lock: filelock.BaseFileLock) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._process_lock = lock
        self._lock = threading.Lock()
        self._sources: dict[str, bytes] = {}
        self._file = -1
        self._base = 0
        self._size = 0
        self._torn = False
        self._unsynced: list[int] = []
        self._new_name = True
        self.torn_bytes = 0

    @classmethod
    def open(cls, directory: Path, *, segment_bytes: int = SEGMENT_BYTES, not_before: int = 0) -> Journal:
        """Open the journal in `directory`, and make it there if there is none.

        Only the last segment is looked through; a torn tail is cut off. `not_before` is the position that the store has
        committed: if the journal ends before it (after a power failure, or because it was deleted), new records begin
        there, so that they are not taken for old ones. Raises `JournalError` while another process appends to it.
        """
        directory = directory.absolute()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if directory.stat().st_mode & 0o077:
                directory.chmod(0o700)
            lock = filelock.FileLock(
                directory / "lock", timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False
            )
            lock.acquire()
        except filelock.Timeout as error:
            raise JournalError(f"the journal in {directory} is being written by another process; stop it") from error
        except (OSError, NotImplementedError) as error:
            raise _fault(directory, error) from error
        journal = cls(directory, segment_bytes, lock)
        try:
            journal._continue(not_before)
        except OSError as error:
            journal.close()
            raise _fault(directory, error) from error
        except BaseException:
            journal.close()
            raise
        return journal

    @property
    def end(self) -> int:
        """The offset behind the last record."""
        return self._base + self._size

    def append(self, source: str, frame: bytes, arrived_at: Millis) -> int:
        """Append what `source` delivered; the offset behind it.

        Raises `JournalFullError` where there is no space, and then nothing of it stays. When this returns, the record
        outlives the process. `arrived_at` must not be negative.
        """
        name = self._sources.get(source)
        if name is None:
            name = self._sources[source] = source_part(source)
        body = ARRIVAL.pack(arrived_at) + name
        lead = LEAD.pack(len(body) + len(frame), crc32(frame, crc32(body))) + body
        length = len(lead) + len(frame)
        with self._lock:
            try:
                if self._torn:
                    os.ftruncate(self._file, self._size)
                    self._torn = False
                if self._size + length > self._segment_bytes and self._size > len(MAGIC):
                    self._begin(self.end)
                written = os.writev(self._file, (lead, frame))
                if written != length:
                    _write_all(self._file, (lead + frame)[written:])
            except OSError as error:
                self._cut_back()
                raise _fault(self._directory, error) from error
            self._size += length
            return self._base + self._size

    def replay(self, start: int) -> Replay:
        """The records behind the offset `start` that are in the journal now."""
        return Replay(self._directory, start, self.end)

    def forget(self, before: int, max_bytes: int) -> int:
        """Delete the oldest segments that lie wholly before the offset `before` while the journal takes up more than
        `max_bytes`; how many bytes were deleted. The segment that is written to always stays."""
        deleted = 0
        try:
            found = [(segment, segment.path.stat().st_size) for segment in segments(self._directory)]
            total = sum(size for _, size in found)
            for segment, size in found:
                if total - deleted <= max_bytes or segment.base + size > before or segment.base == self._base:
                    break
                segment.path.unlink()
                deleted += size
        except OSError as error:
            raise _fault(self._directory, error) from error
        return deleted

    def size(self) -> int:
        """Bytes that the journal takes up."""
        try:
            return sum(segment.path.stat().st_size for segment in segments(self._directory))
        except OSError as error:
            raise _fault(self._directory, error) from error

    def sync(self) -> None:
        """Have all that was appended so far outlive a power failure. Appending goes on meanwhile."""
        with self._lock:
            finished, self._unsynced = self._unsynced, []
            new_name, self._new_name = self._new_name, False
            current = os.dup(self._file) if self._file >= 0 else -1
        try:
            for file in (*finished, *([current] if current >= 0 else ())):
                os.fsync(file)
            if new_name:
                _sync_directory(self._directory)
        except OSError as error:
            with self._lock:
                self._new_name |= new_name
            raise _fault(self._directory, error) from error
        finally:
            for file in (*finished, *([current] if current >= 0 else ())):
                os.close(file)

    def close(self) -> None:
        """Sync and let go of everything. Calling it again does nothing."""
        try:
            if self._file >= 0:
                self.sync()
        finally:
            with self._lock:
                for file in (self._file, *self._unsynced):
                    if file >= 0:
                        os.close(file)
                self._file = -1
                self._unsynced.clear()
            if self._process_lock.is_locked:
                self._process_lock.release()

    def _continue(self, not_before: int) -> None:
        found = segments(self._directory)
        if not found:
            self._begin(not_before)
            return
        last = found[-1]
        intact, size = _look_through(last)
        if intact is not None:
            self._base, self._size = last.base, intact
            self._file = os.open(last.path, _APPEND)
            if intact < size:
                os.ftruncate(self._file, intact)
                self.torn_bytes = size - intact
            if intact < len(MAGIC):
                os.ftruncate(self._file, 0)
                _write_all(self._file, MAGIC)
                self._size = len(MAGIC)
            if self.end >= not_before:
                return
        # What is there is of no use to go on with; it stays as it is.
        self._begin(max(not_before, last.base + size))

    def _begin(self, base: int) -> None:
        path = segment_path(self._directory, base)
        file = os.open(path, _APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write_all(file, MAGIC)
        except OSError:
            os.close(file)
            path.unlink()
            raise
        if self._file >= 0:
            self._unsynced.append(self._file)
        self._file, self._base, self._size = file, base, len(MAGIC)
        self._new_name = True

    def _cut_back(self) -> None:
        # If even this fails, the next append tries again before it writes anything, and so does the next opening.
        self._torn = True
        with suppress(OSError):
            os.ftruncate(self._file, self._size)
            self._torn = False


def _look_through(segment: Segment) -> tuple[int | None, int]:
    """Length of the part of a last segment that can be gone on from, None if there is none; and its length."""
    size = segment.path.stat().st_size
    with segment.path.open("rb") as file:
        magic = file.read(len(MAGIC))
    if magic != MAGIC:
        return (0 if MAGIC.startswith(magic) else None), size
    end = segment.base + len(MAGIC)
    for record in read(segment, segment.base, None, Damage(), True):
        end = record.end
    return end - segment.base, size


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _fault(directory: Path, error: Exception) -> JournalError:
    if isinstance(error, OSError) and error.errno in _FULL:
        with suppress(OSError):
            free = shutil.disk_usage(directory).free
            return JournalFullError(
                f"no space left for the journal in {directory} ({free:,} bytes free): make room on that disk. What was "
                f"appended is kept"
            )
        return JournalFullError(f"no space left for the journal in {directory}. What was appended is kept")
    return JournalError(f"the journal in {directory} failed: {error}")
