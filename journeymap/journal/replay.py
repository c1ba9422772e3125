"""Reading a journal, from a position on: at a start by whoever writes it, at any time by tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from journeymap.errors import JournalError
from journeymap.journal.segment import Damage, read, segments
from journeymap.model.record import Record


class Replay(Iterator[Record]):
    """The intact records behind an offset, oldest first.

    `start` is where it really begins: where the segments up to there have been forgotten, that is the first one kept,
    and `missing` are the bytes in between. `damage` counts what could not be read so far. `end` stops it; with None it
    reads to the end of the files, where a record that is being written is left out and not counted.
    """

    def __init__(self, directory: Path, start: int, end: int | None = None) -> None:
        try:
            self._segments = segments(directory)
        except OSError as error:
            raise JournalError(f"the journal in {directory} cannot be read: {error}") from error
        first = self._segments[0].base if self._segments else start
        self._directory = directory
        self._end = end
        self.start = max(start, first)
        self.missing = self.start - start
        self.damage = Damage()
        self._records = self._read()

    def __next__(self) -> Record:
        return next(self._records)

    def _read(self) -> Iterator[Record]:
        last = len(self._segments) - 1
        for place, segment in enumerate(self._segments):
            if place < last and self._segments[place + 1].base <= self.start:
                continue
            if self._end is not None and segment.base >= self._end:
                return
            unfinished = place == last and self._end is None
            whole = self._segments[place + 1].base - segment.base if place < last else None
            try:
                yield from read(segment, self.start, self._end, self.damage, unfinished, whole)
            except FileNotFoundError:
                # Forgotten in the meantime; as with a start before the first segment, the gap is told.
                if place < last:
                    self.missing += self._segments[place + 1].base - segment.base
            except OSError as error:
                raise JournalError(f"the journal in {self._directory} cannot be read: {error}") from error


def read_journal(directory: Path, start: int = 0) -> Replay:
    """Read the journal in `directory` without writing to it, while another process may be appending."""
    return Replay(directory, start)
