"""The real read model over a store of made-up journeys: the page gets real answers, a test says what ingest reports."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from journeymap.model.change import Changes, RowChanges
from journeymap.model.status import ConnectionChange, EventCounts, Gap, IngestStatus, Quarantined, SourceReport
from journeymap.readmodel.readmodel import ReadModel
from journeymap.readmodel.told import wired
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.view.masking import Viewer
from journeymap.view.operations import operations
from journeymap.web.viewing import ViewedModel
from tests.web.stories import MINUTE, NEVER, Story


def wall_clock() -> int:
    """The machine's clock in ms."""
    return time.time_ns() // 1_000_000


class LeapingClock:
    """The machine's clock, and ahead of it by all that was leapt over."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return wall_clock() + self.ahead

    def leap(self, ms: int) -> None:
        """Time goes by at once."""
        self.ahead += ms


class DoubleReadModel:
    """Answers questions over `count` stories; `run` moves some of them from a thread of its own.

    `status` and `gap_list` are what ingest says, for a test to change; `questions` all that was asked.
    """

    def __init__(self, count: int, *, seed: int = 7, clock: Callable[[], int] = wall_clock) -> None:
        self.dice = random.Random(seed)
        self.clock = clock
        self.viewer = Viewer()
        self.status: dict[str, Any] = {
            "state": "OPEN",
            "since": clock() - MINUTE,
            "error": None,
            "refused": False,
            "lag_ms": 40,
            "ingest_running": True,
        }
        self.ingest: IngestStatus | None = reported(clock())
        self.silent_since: int | None = None
        self.problem: str | None = None
        self.gap_list: list[Gap] = []
        self.changes: list[ConnectionChange] = []
        self.unusable: list[Quarantined] = []
        self.slow_s = 0.0
        self.stories = {story.journey_id: story for story in (Story(n, clock(), self.dice) for n in range(count))}
        self.next_number = count
        self.questions: list[Mapping[str, Any]] = []
        self.lock = threading.RLock()
        self.store = MemoryStore()
        self.model = ReadModel(self.store, clock, NEVER, _folds_nothing)
        self.model.gaps = self.gaps  # type: ignore[method-assign]  # for exports
        self._told: Any = None
        self._told_since = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.commit(self.stories.values())

    def add(self, customer: str) -> Story:
        """A new open journey of this customer."""
        with self.lock:
            story = Story(self.next_number, self.clock(), self.dice, customer)
            self.next_number += 1
            self.stories[story.journey_id] = story
            story.last_event_at = story.arrived_at = self.clock()
            self.commit([story])
            return story

    def step(self, moves: int) -> None:
        """`moves` random journeys move on; one commit."""
        with self.lock:
            names = list(self.stories)
            moved = {}
            for _ in range(moves):
                story = self.stories[self.dice.choice(names)]
                if story.closed and self.dice.random() < 0.5:
                    story.closed = False
                    story.interactions[-1]["segments"][-1] = (*story.interactions[-1]["segments"][-1][:2], None)
                story.move(self.clock(), self.dice)
                moved[story.journey_id] = story
            self.commit(moved.values())

    def commit(self, stories: Iterable[Story]) -> None:
        """These stories, as they are now, are in the store."""
        records = [story.record() for story in stories]
        rows = RowChanges([record.row for record in records])
        self.store.commit(Commit(self.clock(), rows, Changes(journeys=records), {}))

    def run(self, events_per_second: float) -> None:
        """Start moving."""

        def go() -> None:
            while not self._stop.wait(0.1):
                wanted = events_per_second / 10
                moves = int(wanted) + (self.dice.random() < wanted % 1)
                if moves:
                    self.step(moves)

        self._thread = threading.Thread(target=go, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop moving."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def answer(self, request: Mapping[str, Any], now: int) -> dict[str, Any] | None:
        """The real answer (docs/architecture.md), with what this ingest says of itself."""
        if self.slow_s:
            time.sleep(self.slow_s)
        with self.lock:
            if not self.questions:
                self.commit(self.stories.values())  # a test may have changed them by hand
            self.questions.append(request)
            self.model.poll()
            told = (dict(self.status), list(self.gap_list))
            if told != self._told:
                self._told, self._told_since = told, now
            if self._told_since > request.get("at", 0):
                request = {**request, "at": 0, "version": 0}
            answer = ViewedModel(self.model, self.viewer).answer(request, now)
            if answer is None:
                return None
            gaps = [list(gap) for gap in wired(self.gap_list)]
            # As JSON: what a page gets, and nothing that only Python knows.
            shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer))
            return {**shown, "status": {**shown["status"], "error": None, "problem": None, **self.status}, "gaps": gaps}

    def detail(self, journey_id: str, now: int) -> dict[str, Any] | None:
        """The journey's document."""
        with self.lock:
            story = self.stories.get(journey_id)
            return story.document(now) if story else None

    def evidence(self, journey_id: str) -> dict[str, Any] | None:
        """The events as if received, and no ids."""
        story = self.stories.get(journey_id)
        if story is None:
            return None
        events = [{**event, "raw": msgspec.json.encode({"payload": event}).decode()} for event in story.events]
        return {"events": events, "joined": []}

    def gaps(self, _now: int) -> list[Gap]:
        """Gaps, oldest first."""
        return list(self.gap_list)

    def undoing(self, journey_id: str, mark: str) -> None:
        """Nothing is joined."""

    def ingest_runs(self, now: int) -> bool:
        """What the status says."""
        return bool(self.status["ingest_running"])

    def operations(self, now: int) -> dict[str, Any]:
        """The operations view's document. Ingest reports all the time, unless it is silent since a moment."""
        status = self.ingest
        if status is not None:
            status = msgspec.structs.replace(status, written_at=self.silent_since or now)
        return operations(status, self.problem, self.gap_list, self.changes, self.unusable, now)

    def tell(self, **changes: Any) -> None:
        """Ingest reports otherwise from now on."""
        assert self.ingest is not None
        self.ingest = msgspec.structs.replace(self.ingest, **changes)


def _folds_nothing(*_: object) -> Any:
    raise AssertionError("the double tells journeys itself")


def reported(now: int) -> IngestStatus:
    """What an ingest side says that has run well for an hour."""
    source = SourceReport(
        name="eventstreams",
        state="OPEN",
        since=now - 47 * MINUTE,
        token_obtained_at=now - 10 * MINUTE,
        token_renewal_at=now + 15 * MINUTE,
        token_expires_at=now + 20 * MINUTE,
        subscription_id="sub-4f0c2b7e-9a31",
        connection_id="conn-77b1d5",
        max_events_per_second=50,
        configured_events_per_second=50,
        last_frame_at=now - 400,
        last_heard_at=now - 400,
        reconnects=2,
        received=128_410,
        throttled=0,
        dropped=0,
    )
    return IngestStatus(
        written_at=now,
        started_at=now - 60 * MINUTE,
        source=source.name,
        state="OPEN",
        since=source.since,
        last_event_at=now - 400,
        lag_ms=120,
        counts=EventCounts(received=128_410, events=127_902, late=214, duplicate=96, conflicting=1, expired=0),
        journeys=48_211,
        open_journeys=534,
        hot_journeys=2_310,
        store_bytes=212_400_000,
        journal_bytes=61_300_000,
        journal_lag_bytes=38_200,
        flush_ms=4.2,
        sources=[source],
        events_per_second=36.4,
        waiting_bytes=0,
        disk_free_bytes=84_000_000_000,
        journal_oldest_at=now - 26 * 60 * MINUTE,
        release="0.1.0",
    )
