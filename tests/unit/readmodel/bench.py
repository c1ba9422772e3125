"""A read model over a store in memory, driven by hand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from journeymap.model.change import JourneyRecord, RowChanges
from journeymap.model.journey import Journey
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.status import IngestStatus
from journeymap.model.time import DAY, MINUTE
from journeymap.readmodel.answer import Answer
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.options import Timeouts
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import ManualClock
from journeymap.view.masking import Viewer
from journeymap.view.question import Question

START = 1_700_000_000_000


EVERYONE = Viewer()


def row(name: str, last: int, state: str = "ACTIVE", channel: str = "voice", customer: str = "") -> JourneyRow:
    segments = (("interact", START, None if state != "CLOSED" else last),)
    part = InteractionRow(f"i-{name}", channel, state, START, last, None, None, "Support", None, segments)
    return JourneyRow(name, customer or f"Customer-{name}", START, last, last, 1, 1, 0, (part,), ())


class Bench:
    """A read model over a store in memory, and a page that asks it."""

    def __init__(self, limit: int = 100, window: int = DAY) -> None:
        self.clock = ManualClock(START + MINUTE)
        self.store = MemoryStore()
        self.model = ReadModel(self.store, self.clock.now, Timeouts(), no_fold, limit=limit, window=window)
        self.page = Question()

    def commit(self, *rows: JourneyRow, gone: dict[str, str | None] | None = None) -> None:
        self.store.commit(Commit(self.clock.now(), RowChanges(list(rows), gone or {})))

    def report(self, **fields: object) -> None:
        status = IngestStatus(**{"written_at": self.clock.now(), "state": "OPEN", "since": START, **fields})  # type: ignore[arg-type]
        self.store.write_documents({"status": msgspec.json.encode(status)})

    def ask(self, viewer: Viewer = EVERYONE, **changes: object) -> Answer | None:
        """Let the model poll, and ask a moment later as the page would that takes in each answer."""
        self.clock.advance(1)
        self.model.poll()
        self.clock.advance(1)
        question = msgspec.structs.replace(self.page, **changes)
        answer = self.model.answer(question, viewer, self.clock.now())
        if answer is not None:
            tags = dict(self.page.have) | {each[0]: each[1] for each in answer.rows}
            have = [(name, tags[name]) for name in answer.order]
            self.page = msgspec.structs.replace(question, version=answer.version, at=answer.now, have=have)
        return answer

    def told(self, viewer: Viewer = EVERYONE, **changes: object) -> Answer:
        answer = self.ask(viewer, **changes)
        assert answer is not None
        return answer


def no_fold(record: JourneyRecord, _events: Sequence[bytes]) -> Journey:
    return Journey(record.journey_id, record.customer_id, 0, 0, 0, (), (), ())


def names(answer: Answer) -> list[str]:
    return [each[0] for each in answer.rows]
