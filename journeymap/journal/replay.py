"""Reading a journal, from a position on: at a start by whoever writes it, at any time by tools."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path

import filelock

from journeymap.errors import JournalError
from journeymap.journal.packed import packed_length, read_packed
from journeymap.journal.segment import Damage, Segment, read_written, segments
from journeymap.model.record import Record

LOCK = "lock"
"""Name of the file that whoever writes the journal holds locked."""


class Replay(Iterator[Record]):
    """The intact records behind an offset, oldest first.

    `start` is where it really begins: where the segments up to there have been forgotten, that is the first one kept,
    and `missing` are the bytes in between. `damage` counts what could not be read so far. Once all have been taken,
    nothing is left to be read up to the offset `reached`. `end` stops it; with None it reads to the end of the files, where
    a record that is being written is left out and not counted. Close one that is not read to its end.
    """

    def __init__(self, directory: Path, start: int, end: int | None = None) -> None:
        try:
            self._segments = segments(directory)
        except OSError as error:
            raise _unreadable(directory, error) from error
        first = self._segments[0].base if self._segments else start
        self._directory = directory
        self._end = end
        self.start = max(start, first)
        self.missing = self.start - start
        self.damage = Damage()
        self._reached = self.start
        self._records = self._read()

    @property
    def reached(self) -> int:
        """See above."""
        return max(self._reached, self.damage.end)

    def __next__(self) -> Record:
        record = next(self._records)
        self._reached = record.end
        return record

    def close(self) -> None:
        """Let go of the file that is being read. Nothing more comes then."""
        self._records.close()

    def _read(self) -> Generator[Record]:
        last = len(self._segments) - 1
        for place, segment in enumerate(self._segments):
            if place < last and self._segments[place + 1].base <= self.start:
                continue
            self._reached = max(self._reached, segment.base)
            if self._end is not None and segment.base >= self._end:
                return
            unfinished = place == last and self._end is None
            whole = self._segments[place + 1].base - segment.base if place < last else None
            try:
                yield from _read_segment(segment, self.start, self._end, self.damage, unfinished, whole)
            except FileNotFoundError:
                # Forgotten in the meantime; as with a start before the first segment, the gap is told.
                if place < last:
                    self.missing += self._segments[place + 1].base - segment.base
            except OSError as error:
                raise _unreadable(self._directory, error) from error


class Following:
    """Follows a journal that another process writes, from the offset `position` on.

    `missing` counts bytes that were forgotten before they were read, `damage` what could not be read.
    """

    def __init__(self, directory: Path, position: int) -> None:
        self._directory = directory
        self.position = position
        self.missing = 0
        self.damage = Damage()

    def follow(self, wait: Callable[[], bool]) -> Iterator[Record]:
        """All records, and the new ones as they come. `wait` is called when there is none: it waits a while, and says
        whether to look again."""
        while True:
            with closing(Replay(self._directory, self.position)) as replay:
                for record in replay:
                    self.position = record.end
                    yield record
            self.position = replay.reached
            self.missing += replay.missing
            self.damage.stretches += replay.damage.stretches
            self.damage.bytes += replay.damage.bytes
            if not wait():
                return


def read_journal(directory: Path, start: int = 0) -> Replay:
    """Read the journal in `directory` without writing to it, while another process may be appending."""
    return Replay(directory, start)


def end_of_journal(directory: Path) -> int:
    """An offset behind all records that are in the journal now."""
    try:
        last = segments(directory)[-1:]
        for segment in last:
            with suppress(FileNotFoundError):
                return segment.base + segment.path.stat().st_size
            return segment.base + packed_length(segment.packed)
        return 0
    except OSError as error:
        raise _unreadable(directory, error) from error


def is_written(directory: Path) -> bool:
    """Whether a process has the journal in `directory` open for writing."""
    if not (directory / LOCK).exists():
        return False
    lock = filelock.FileLock(directory / LOCK, timeout=0, mode=0o600, fallback_to_soft=False)
    try:
        # Held for a moment only; whoever opens the journal then waits for longer than that.
        with lock:
            return False
    except filelock.Timeout:
        return True
    except OSError as error:
        raise _unreadable(directory, error) from error


def _read_segment(
    segment: Segment, start: int, until: int | None, damage: Damage, open_end: bool, whole: int | None
) -> Iterator[Record]:
    try:
        yield from read_written(segment, start, until, damage, open_end, whole)
    except FileNotFoundError:
        yield from read_packed(segment, start, until, damage, whole)


def _unreadable(directory: Path, error: OSError) -> JournalError:
    return JournalError(f"the journal in {directory} cannot be read: {error}")
