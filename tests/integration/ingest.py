"""Ingest as it runs, with threads and a journal on disk, fed by sources with a script, over a store that can be disturbed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from journeymap.decode.event import decode_frame
from journeymap.errors import StoreError, StoreFullError
from journeymap.journal.journal import Journal
from journeymap.model.change import Span
from journeymap.model.event import CREATED, ENDED, STARTED
from journeymap.model.status import STATUS, IngestStatus, decode_status
from journeymap.model.time import HOUR
from journeymap.runtime.alerts import Alerts
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.disk import free_space
from journeymap.runtime.filler import Filler
from journeymap.runtime.names import NamesKeeper
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf
from journeymap.runtime.worker import Ingest, IngestOptions
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import Cue, ScriptedSource, frame
from tests.stored import journeys_in

from .process import until

CLOCK = SystemClock()
OPTIONS = StitchOptions(Timeouts(HOUR, HOUR), HOUR)


class Store(MemoryStore):
    """A store that can be made to fail, and that remembers when its status was written."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.unreadable = False
        self.commits = 0
        self.refused = 0
        self.told_at: list[int] = []

    def _check(self) -> None:
        if self.full:
            self.refused += 1
            raise StoreFullError("no space left for the store")

    def commit(self, commit: Commit) -> int:
        self._check()
        self.commits += 1
        return super().commit(commit)

    def write_documents(self, documents: Mapping[str, bytes]) -> None:
        self._check()
        self.told_at.append(CLOCK.now())
        super().write_documents(documents)

    def spans_of(self, customer_ids: Iterable[str]) -> dict[str, list[Span]]:
        if self.unreadable:
            self.refused += 1
            raise StoreError("the store is busy")
        return super().spans_of(customer_ids)


def events(count: int, first: int = 0, customers: int = 20) -> list[bytes]:
    """Frames of so many events, each with a customer, a few to each interaction."""
    now = CLOCK.now()
    kinds = (CREATED, STARTED, ENDED)
    return [
        frame(kinds[n % 3], now + n, f"i{n // 3}", event_id=f"e{n}", customerId=f"c{n // 3 % customers}")
        for n in range(first, first + count)
    ]


class Running:
    """Ingest at work over a store, its journal in a directory, until the block ends. It must end without failure unless
    `failure` is asked for."""

    def __init__(
        self,
        directory: Path,
        store: Any,
        *sources: ScriptedSource,
        journal: Journal | None = None,
        free: Callable[[Path], int] = free_space,
        alerts: Alerts | None = None,
        names: NamesKeeper | None = None,
        filler: Filler | None = None,
        **options: Any,
    ):
        self.store = store
        self.source = sources[0]
        shelf = StoreShelf(store)
        self.pipeline = Pipeline(
            store, lambda: Stitcher(OPTIONS, shelf, shelf.identity_events()), PipelineOptions(reorder_window=20)
        )
        self.journal = journal or Journal.open(directory / "journal", not_before=self.pipeline.committed)
        self.failed = threading.Event()
        given = IngestOptions(**{"flush_interval": 20, **options})
        self.ingest = Ingest(
            store,
            self.journal,
            sources,
            self.pipeline,
            CLOCK,
            given,
            alerts=alerts,
            names=names,
            filler=filler,
            free=free,
            on_failure=self.failed.set,
        )

    def __enter__(self) -> Self:
        self.ingest.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.ingest.stop()
        self.journal.close()
        if kind is None and not self.failed.is_set():
            assert self.ingest.failure is None

    @property
    def status(self) -> IngestStatus:
        document = self.store.document(STATUS)
        return IngestStatus() if document is None else decode_status(document)

    def until_told(self, holds: Callable[[IngestStatus], Any]) -> IngestStatus:
        """Wait for a status document of which this holds."""
        until(lambda: holds(self.status), "a status")
        return self.status


def source(*script: bytes | Cue, name: str = "scripted") -> ScriptedSource:
    return ScriptedSource(*script, clock=CLOCK.now, name=name)


def opened(directory: Path) -> contextlib.closing[Journal]:
    """The journal, as an earlier process had it."""
    return contextlib.closing(Journal.open(directory / "journal"))


def assert_holds(store: Any, frames: Iterable[bytes]) -> None:
    """The store holds what these frames mean, and each event once."""
    given = [event for data in frames for event in decode_frame(data)[0]]
    assert journeys_in(store, OPTIONS) == journeys(given, OPTIONS)
