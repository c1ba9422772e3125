"""The HTTP interface over a store in memory."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from journeymap.decode.event import decode_raw
from journeymap.model.change import Changes, JourneyRecord
from journeymap.model.event import Event
from journeymap.model.journey import Journey
from journeymap.model.time import MINUTE
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.definition import assemble
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import DictShelf, ManualClock
from journeymap.view.masking import Viewer
from journeymap.web.api import create_api
from tests.web.asgi import Client

START = 1_700_000_000_000


OPTIONS = StitchOptions()


def fold(record: JourneyRecord, raws: list[bytes]) -> Journey:
    own: dict[str, list[Event]] = {}
    for each in map(decode_raw, raws):
        own.setdefault(each.interaction_id, []).append(each)
    return assemble(record.customer_id, own, OPTIONS)


class Site:
    """An application with the API over a store in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock(START + 10 * MINUTE)
        self.store = MemoryStore()
        self.shelf = DictShelf()
        self.stitcher = Stitcher(OPTIONS, self.shelf)
        self.events: list[Event] = []
        self.viewer = Viewer()
        self.model = ReadModel(self.store, self.clock.now, Timeouts(), fold)
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        app.include_router(create_api(self.model, self.store, self.clock.now, lambda _request: self.viewer))
        self.client = Client(app)

    def take(self, *events: Event) -> None:
        """Put events into the store, as one checkpoint."""
        self.events += events
        self.stitcher.apply(events)
        rows = self.stitcher.take_rows(self.clock.now())
        changes: Changes = self.stitcher.take_changes()
        self.shelf.commit(changes)
        self.store.commit(Commit(self.clock.now(), rows, changes))

    def get(self, path: str, status: int = 200) -> Any:
        response = self.client.get(path)
        assert response.status_code == status, response.text
        kind = "application/json" if status == 200 else "application/problem+json"
        assert response.headers["content-type"] == kind
        body = response.json()
        if status != 200:
            assert body["status"] == status
            assert body["detail"]
        return body
