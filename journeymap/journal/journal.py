"""The journal: what was received, on disk before anything is computed from it.

Appending writes straight to the file, so what `append` has returned from survives the death of the process. `sync`
makes it survive a power failure; the runtime calls it at its interval, as it does `rotate`, `pack` and `forget`, which keep
the journal small. All of them leave appending alone. One process appends at a time.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final
from zlib import crc32

import filelock

from journeymap.errors import JournalError, JournalFullError
from journeymap.journal.packed import pack, packed_length, sync_directory
from journeymap.journal.replay import LOCK, Replay
from journeymap.journal.segment import (
    ARRIVAL,
    LEAD,
    MAGIC,
    PART_SUFFIX,
    Damage,
    Segment,
    read_written,
    segments,
    source_part,
)
from journeymap.model.time import Millis

SEGMENT_BYTES: Final = 64 << 20
LOCK_PATIENCE: Final = 0.2
"""Seconds. Whoever only looks whether the journal is being written holds the lock for a moment."""

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
        self._end = 0
        self._arrivals: dict[int, Millis] = {}  # of the first record behind a segment's base
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
                directory / LOCK, timeout=LOCK_PATIENCE, mode=0o600, thread_local=False, fallback_to_soft=False
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
    def directory(self) -> Path:
        """Where it is."""
        return self._directory

    @property
    def end(self) -> int:
        """The offset behind the last record."""
        return self._end

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
                    self._mend()
                if self._size + length > self._segment_bytes and self._size > len(MAGIC):
                    self._begin(self._end)
                written = os.writev(self._file, (lead, frame))
                if written != length:
                    _write_all(self._file, (lead + frame)[written:])
            except OSError as error:
                self._cut_back()
                raise _fault(self._directory, error) from error
            self._size += length
            self._end = end = self._base + self._size
            return end

    def replay(self, start: int, end: int | None = None) -> Replay:
        """The records behind the offset `start` and up to the offset `end`; without one, all that are there now."""
        return Replay(self._directory, start, self._end if end is None else end)

    def rotate(self, before: Millis) -> bool:
        """Begin a new segment if the first record in the current one arrived earlier than that; whether it did."""
        with self._lock:
            base, used = self._base, self._size > len(MAGIC)
        arrived_at = self._arrival_behind(base) if used else None
        if arrived_at is None or arrived_at >= before:
            return False
        with self._lock:
            if self._base != base:
                return False
            try:
                if self._torn:
                    self._mend()
                self._begin(self._end)
            except OSError as error:
                raise _fault(self._directory, error) from error
        return True

    def pack(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Compress finished segments, oldest first, while `go_on` says so; how many bytes that saves.

        `go_on` is asked many times a second. Raises `JournalFullError` where there is no space for it.
        """
        saved = 0
        try:
            for segment in segments(self._directory):
                if segment.base < self._base and segment.path.exists() and go_on():
                    saved += pack(segment, go_on) or 0
        except OSError as error:
            raise _fault(self._directory, error) from error
        return saved

    def forget(self, before: int, max_bytes: int, written_before: Millis | None = None) -> int:
        """Delete the oldest segments that lie wholly before the offset `before` while the journal takes up more than
        `max_bytes`, or while their last record is older than `written_before`; how many bytes were deleted.

        The segment that is written to always stays.
        """
        deleted = 0
        try:
            found = segments(self._directory)
            excess = _size(found) - max_bytes
            for segment, following in pairwise(found):
                try:
                    status = segment.status()
                except FileNotFoundError:  # another thread forgets too
                    continue
                old = written_before is not None and status.st_mtime_ns < written_before * 1_000_000
                if following.base > before or (deleted >= excess and not old):
                    break
                segment.delete()
                self._arrivals.pop(segment.base, None)
                deleted += status.st_size
        except OSError as error:
            raise _fault(self._directory, error) from error
        return deleted

    def size(self) -> int:
        """Bytes that the journal takes up."""
        try:
            return _size(segments(self._directory))
        except OSError as error:
            raise _fault(self._directory, error) from error

    def oldest_at(self) -> Millis | None:
        """When the oldest record arrived that is kept; None while there is none that can be read."""
        with suppress(OSError, JournalError):
            for oldest in segments(self._directory)[:1]:
                return self._arrival_behind(oldest.base)
        return None

    def sync(self) -> None:
        """Have all that was appended so far outlive a power failure. Appending goes on meanwhile."""
        with self._lock:
            files, self._unsynced = self._unsynced, []
            new_name, self._new_name = self._new_name, False
            if self._file >= 0:
                files.append(os.dup(self._file))
        try:
            while files:
                os.fsync(files[0])
                os.close(files.pop(0))
            if new_name:
                sync_directory(self._directory)
        except OSError as error:
            with self._lock:
                self._unsynced = files + self._unsynced
                self._new_name |= new_name
            raise _fault(self._directory, error) from error

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
        for left_over in self._directory.glob(f"*{PART_SUFFIX}"):
            left_over.unlink(missing_ok=True)
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
            self._end = self._base + self._size
            if self._end >= not_before:
                return
        # What is there is of no use to go on with; it stays as it is.
        self._begin(max(not_before, last.base + size))

    def _begin(self, base: int) -> None:
        path = Segment(base, self._directory).path
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
        self._end = base + len(MAGIC)
        self._new_name = True

    def _arrival_behind(self, base: int) -> Millis | None:
        arrived_at = self._arrivals.get(base)
        if arrived_at is None:
            with closing(self.replay(base)) as replay:
                record = next(replay, None)
            if record is None:
                return None
            arrived_at = self._arrivals[base] = record.arrived_at
        return arrived_at

    def _mend(self) -> None:
        os.ftruncate(self._file, self._size)
        self._torn = False

    def _cut_back(self) -> None:
        # If even this fails, the next append tries again before it writes anything, and so does the next opening.
        self._torn = True
        with suppress(OSError):
            self._mend()


def _look_through(segment: Segment) -> tuple[int | None, int]:
    """Length of the part of a last segment that can be gone on from, None if there is none; and its length."""
    try:
        size = segment.path.stat().st_size
    except FileNotFoundError:
        return None, packed_length(segment.packed)
    with segment.path.open("rb") as file:
        magic = file.read(len(MAGIC))
    if magic != MAGIC:
        return (0 if MAGIC.startswith(magic) else None), size
    end = segment.base + len(MAGIC)
    for record in read_written(segment, segment.base, None, Damage(), True):
        end = record.end
    return end - segment.base, size


def _size(found: list[Segment]) -> int:
    total = 0
    for segment in found:
        with suppress(FileNotFoundError):  # forgotten meanwhile
            total += segment.status().st_size
    return total


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


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
