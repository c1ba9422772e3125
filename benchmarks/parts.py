"""The ingest side put together by hand, as the composition root does it, with its parts in reach."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom
from typing import Any, NamedTuple

from journeymap.bootstrap import stitch_options
from journeymap.journal.journal import Journal
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf
from journeymap.runtime.worker import Ingest
from journeymap.settings import load
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.disk import DiskStore, open_disk_store

OPTIONS = stitch_options(load({"source": "simulator"}))
"""The options of stitching as shipped."""


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[DiskStore]:
    """A store on disk, as `journeymap ingest --source eventstreams` opens it."""
    store = open_disk_store(folder, source="eventstreams", environment="dev", now=now())
    with contextlib.closing(store):
        yield store


def stitcher_over(shelf: StoreShelf) -> Stitcher:
    """A new stitcher that finds on `shelf` what it does not hold."""
    return Stitcher(OPTIONS, shelf, shelf.identity_events())


def pipeline_over(store: Any, stitcher: Stitcher | None = None) -> Pipeline:
    """A pipeline into a store, with a new stitcher unless one is given."""

    def make() -> Stitcher:
        return stitcher or stitcher_over(StoreShelf(store))

    return Pipeline(store, make, PipelineOptions())


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Running(NamedTuple):
    """Ingest at work."""

    ingest: Ingest
    pipeline: Pipeline


@contextlib.contextmanager
def ingesting(store: DiskStore, folder: Path, access: dict[str, str]) -> Iterator[Running]:
    """Ingest from a platform into a store, with the journal in `folder`, until the block ends."""
    clock = SystemClock()
    pipeline = pipeline_over(store)
    config = EventStreamsConfig(
        access["login_url"], access["api_url"], access["stream_url"], access["client_id"], access["client_secret"]
    )
    source = EventStreamsSource(config, clock.now, SystemRandom())
    with contextlib.closing(Journal.open(folder)) as journal:
        ingest = Ingest(store, journal, [source], pipeline, clock)
        ingest.start()
        try:
            yield Running(ingest, pipeline)
        finally:
            ingest.stop()
            if ingest.failure is not None:
                raise ingest.failure
