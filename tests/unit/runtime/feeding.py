"""Pipelines over a journal in memory."""

from __future__ import annotations

from collections.abc import Iterable

from journeymap.decode.event import decode_frame
from journeymap.errors import StoreError, StoreFullError
from journeymap.model.change import Span
from journeymap.model.event import CREATED, Event
from journeymap.model.record import Record
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import frame
from tests.property.soups import OPTIONS

NOW = 1_700_000_000_000


class Store(MemoryStore):
    """A store that refuses as many commits and as many reads as it is told to, and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.refuse_commits = 0
        self.refuse_reads = 0
        self.offered: list[Commit] = []

    def commit(self, commit: Commit) -> int:
        self.offered.append(commit)
        if self.refuse_commits:
            self.refuse_commits -= 1
            raise StoreFullError("no space left")
        return super().commit(commit)

    def spans_of(self, customer_ids: Iterable[str]) -> dict[str, list[Span]]:
        if self.refuse_reads:
            self.refuse_reads -= 1
            raise StoreError("cannot be read")
        return super().spans_of(customer_ids)


class Log:
    """A journal as a list: what was appended, each record with its offset."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._end = 0

    def add(self, data: bytes, arrived_at: int = NOW, source: str = "one") -> Record:
        self._end += len(data) + 12
        self.records.append(Record(data, source, arrived_at, self._end))
        return self.records[-1]

    def behind(self, offset: int) -> list[Record]:
        return [record for record in self.records if record.end > offset]

    def events(self) -> list[Event]:
        return [event for record in self.records for event in decode_frame(record.data)[0]]


def pipeline_over(store: MemoryStore, stitching: StitchOptions = OPTIONS, **options: int) -> Pipeline:
    shelf = StoreShelf(store)
    return Pipeline(store, lambda: Stitcher(stitching, shelf, shelf.identity_events()), PipelineOptions(**options))


def crowd(count: int, at: int, event_type: str = CREATED) -> bytes:
    """A frame with an event of each of so many customers."""
    return b"[" + b",".join(frame(event_type, at, f"i{n}", customerId=f"c{n}") for n in range(count)) + b"]"
