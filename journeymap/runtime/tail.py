"""The tail of a journal: what it holds behind a store's position, folded while ingest may be appending to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from journeymap.errors import StoreError
from journeymap.journal.replay import end_of_journal, read_journal
from journeymap.model.record import Record
from journeymap.model.time import Millis
from journeymap.runtime.inbox import HANDFUL
from journeymap.runtime.pipeline import Pipeline

BATCH: Final = 2_000


class JournalTail:
    """Follows the journal in `directory` from `position` on. Where there is no journal, there is nothing to follow.

    Make it before the store is copied whose position it is: what is deleted of the journal from then on is missed.
    `damaged` counts the bytes that could not be read.
    """

    def __init__(self, directory: Path, position: int) -> None:
        self._directory = directory
        self._kept_from = position
        if directory.is_dir():
            with closing(read_journal(directory, position)) as replay:
                self._kept_from = replay.start
        self._now: Millis = 0
        self.damaged = 0

    def end(self) -> int:
        """An offset behind all that the journal holds now; 0 where there is none."""
        return end_of_journal(self._directory) if self._directory.is_dir() else 0

    def records(self, start: int) -> Iterator[Record]:
        """All records behind the offset `start`, up to now. Raises `StoreError` where one of them was deleted meanwhile."""
        if not self._directory.is_dir():
            return
        with closing(read_journal(self._directory, start)) as replay:
            missing = replay.missing
            if replay.start > max(start, self._kept_from):
                raise self._forgotten()
            yield from replay
            if replay.missing > missing:
                raise self._forgotten()
            self.damaged += replay.damage.bytes

    def fold(self, pipeline: Pipeline, tell: Callable[[int], None] = lambda _: None) -> int:
        """Fold all that there is behind the pipeline's position, and have it stored; how many bytes that was.

        The clock is the time at which the records arrived, so that what was too old to be kept then is too old now, and
        nothing else is. `tell` hears the bytes done. Raises as `records` does.
        """
        start = pipeline.fed_to
        for handful in _handfuls(self.records(start)):
            self._now = max(self._now, handful[-1].arrived_at)
            pipeline.feed(handful, self._now)
            pipeline.flush(self._now)
            tell(pipeline.fed_to - start)
        if pipeline.fed_to > start:
            pipeline.flush(self._now, last=True)
        return pipeline.fed_to - start

    def _forgotten(self) -> StoreError:
        return StoreError(
            f"ingest has deleted a part of the journal in {self._directory} that was still needed: stop ingest and run "
            f"this again, or set higher JOURNAL_MAX_BYTES and JOURNAL_MAX_AGE before"
        )


def _handfuls(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records in lists that are stitched and written one at a time."""
    handful: list[Record] = []
    size = 0
    for record in records:
        handful.append(record)
        size += len(record.data)
        if size >= HANDFUL or len(handful) >= BATCH:
            yield handful
            handful, size = [], 0
    if handful:
        yield handful
