"""Stores on disk made by hand, and what a store holds, folded again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from journeymap.journal.journal import Journal
from journeymap.model.journey import Journey
from journeymap.model.record import Record
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf, events_of, fold_record
from journeymap.runtime.work import Progress, StoreWork
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Query, Store, StoreReader
from journeymap.store.disk import DiskStore, open_disk_store

SOURCE, ENVIRONMENT = "scripted", "test"


def opened(path: Path, options: StitchOptions, now: Millis = 1) -> DiskStore:
    """The store in a directory, opened for writing."""
    return open_disk_store(path, source=SOURCE, environment=ENVIRONMENT, now=now, folded_with=options.fingerprint)


def pipeline_over(store: Store, stitching: StitchOptions, **options: int) -> Pipeline:
    """A pipeline into a store."""
    shelf = StoreShelf(store)
    return Pipeline(store, lambda: Stitcher(stitching, shelf, shelf.identity_events()), PipelineOptions(**options))


def work_on(
    path: Path,
    options: StitchOptions,
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    reserve: int = 0,
    **more: int,
) -> StoreWork:
    """Work on the whole of a store; `more` are options of the pipeline."""

    def make_pipeline(store: Store, stitching: StitchOptions) -> Pipeline:
        return pipeline_over(store, stitching, **more)

    return StoreWork(path, options, make_pipeline, reserve, tell)


def receive(path: Path, frames: Iterable[bytes], now: Millis, *, segment_bytes: int = 1 << 20) -> None:
    """Append frames to a store's journal, and no more: they were received, and then came a crash."""
    with contextlib.closing(Journal.open(path / "journal", segment_bytes=segment_bytes)) as journal:
        for frame in frames:
            journal.append(SOURCE, frame, now)


def ingest(
    path: Path, frames: Iterable[bytes], options: StitchOptions, now: Millis, *, batch: int = 7, **more: int
) -> None:
    """Have a store take frames in as ingest does, by way of its journal, a few at a time."""
    with (
        contextlib.closing(opened(path, options)) as store,
        contextlib.closing(Journal.open(path / "journal")) as journal,
    ):
        pipeline = pipeline_over(store, options, **more)
        records = list(journal.replay(pipeline.committed))
        records += [Record(frame, SOURCE, now, journal.append(SOURCE, frame, now)) for frame in frames]
        for start in range(0, len(records), batch):
            pipeline.feed(records[start : start + batch], now)
            pipeline.flush(now, last=True)


def journeys_in(store: StoreReader, options: StitchOptions) -> list[Journey]:
    """All journeys of a store, folded again from the events it holds."""
    found = []
    after = None
    while rows := store.query(Query(after=after, limit=1000)):
        for record in store.find_many([row.journey_id for row in rows]).values():
            found.append(fold_record(record, [event.raw for event in events_of(record, store)], options))
        after = (rows[-1].last_event_at, rows[-1].journey_id)
    return sorted(found, key=lambda item: (item.customer_id, item.started_at, item.journey_id))


def rows_in(store: StoreReader) -> dict[str, JourneyRow]:
    """The rows of all records of a store."""
    found: dict[str, JourneyRow] = {}
    after = None
    while rows := store.query(Query(after=after, limit=1000)):
        found.update((row.journey_id, row) for row in rows)
        after = (rows[-1].last_event_at, rows[-1].journey_id)
    return found


class Follower:
    """A reader that takes in every batch from the first on, as a web process does. `rows` is what it would show."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store
        self._at = 0
        self.rows: dict[str, JourneyRow] = {}

    def follow(self) -> dict[str, JourneyRow]:
        """Take in what is new; the rows."""
        batches = self._store.batches(self._at)
        assert batches is not None
        for batch in batches:
            for journey_id in batch.gone:
                self.rows.pop(journey_id, None)
            self.rows.update((row.journey_id, row) for row in batch.rows)
            self._at = batch.number
        return self.rows
