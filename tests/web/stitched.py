"""The real path from events to the page: stitched into a store in memory, read by a real read model, served with exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from journeymap.decode.event import decode_frame
from journeymap.model.event import Event
from journeymap.model.status import IngestStatus
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.operator import event_frame, new_id
from journeymap.runtime.shelf import fold_record
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import DictShelf
from journeymap.view.masking import Viewer
from journeymap.web.exporting import create_exports
from journeymap.web.viewing import ViewedModel

OPTIONS = StitchOptions()


class Stitched(ViewedModel):
    """What the pages need, over events that a test `apply`s. `reported` is what ingest says."""

    def __init__(self, clock: Callable[[], int], viewer: Viewer | None = None) -> None:
        self.clock = clock
        self.store = MemoryStore()
        self.model = ReadModel(self.store, clock, OPTIONS.timeouts, lambda one, raws: fold_record(one, raws, OPTIONS))
        self._stitcher = Stitcher(OPTIONS, DictShelf())
        self.running = True  # whether there is an ingest
        self.exports = create_exports(self.model, self.store, clock, lambda _: viewer or Viewer())
        super().__init__(self.model, viewer or Viewer())

    def apply(self, *events: Event) -> None:
        """These events have come in; one commit."""
        self._stitcher.apply(sorted(events, key=lambda event: event.timestamp))
        now = self.clock()
        self.store.commit(Commit(now, self._stitcher.take_rows(now), self._stitcher.take_changes()))

    def change(self, do: str, one: str, other: str) -> None:
        """What ingest does where it is told to split or to join."""
        frame = event_frame(do, one, other, new_id(do), self.clock())
        self.apply(*decode_frame(frame)[0])

    def ingest_runs(self, now: int) -> bool:
        """Whether ingest reports."""
        if self.running:
            self.store.write_documents({"status": _status(now)})
        self.model.poll()
        return super().ingest_runs(now)

    def answer(self, request: Any, now: int) -> Any:
        """The answer to the wall, of what is in the store now."""
        self.ingest_runs(now)
        return super().answer(request, now)

    def journey_of(self, customer: str) -> str:
        """The id of the customer's latest journey."""
        return self.store.spans(customer)[-1].journey_id

    def stop(self) -> None:
        """Nothing moves by itself."""


def _status(now: int) -> bytes:
    return msgspec.json.encode(IngestStatus(written_at=now, state="OPEN", since=now - 60_000))
