"""What the read model's answers cost: 10,000 open journeys, 500 events a second, 20 viewers who each filter, sort, group and
count in their own way: `python -m benchmarks.answers`.

Everything happens in this thread on a clock of its own, so that what is measured is the work and nothing else: CPU time of
taking in a flush (every 100 ms) and of one answer. Each viewer asks twice a second, and for facets and an overview once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import msgspec

from benchmarks.report import Report, median, percentile
from benchmarks.views import VIEWS
from journeymap.model.change import RowChanges
from journeymap.model.names import NAMES, Name, NameKind, mark_of
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.status import IngestStatus
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.memory import calm_collector
from journeymap.stitch.options import Timeouts
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import ManualClock
from journeymap.view.masking import Viewer
from journeymap.view.question import parse_question

START = 1_700_000_000_000
FLUSH = 100
EVENTS_A_FLUSH = 50
CHANNELS = ("voice", "chat", "email", "message", "callback")
STATES = ("INITIATED", "ACTIVE", "TRANSFERRING", "WRAPUP")
ASKED: tuple[dict[str, Any], ...] = (
    *VIEWS,
    {"text": "agent-1", "sort": "wait"},
    {"queues": ["queue-1", "queue-2"], "channels": ["voice", "chat"], "sort": "wait"},
    {"dispositions": ["outcome-3"], "states": ["CLOSED"]},
    {"agents": ["agent-7"]},
    {"text": "9", "channels": ["voice"], "states": ["ACTIVE"], "queues": ["queue-3"]},
)


class Crowd:
    """Journeys that go on at random, always the same ones."""

    def __init__(self, chance: random.Random, journeys: int) -> None:
        self._chance = chance
        self._journeys = journeys

    def row(self, number: int, now: int, state: str) -> JourneyRow:
        """A journey after an event at `now`."""
        chance = self._chance
        start = now - chance.randrange(2, 20 * MINUTE)
        parts = tuple(self._part(f"i-{number}-{n}", start, now, state) for n in range(chance.choice((1, 1, 2, 4))))
        return JourneyRow(
            f"j-{number:08}", f"cust-{number:08}", start, now, now, 9, len(parts), len(parts) - 1, parts, ()
        )

    def event(self, now: int) -> JourneyRow:
        """Some open journey after its next event."""
        return self.row(self._chance.randrange(self._journeys), now, self._chance.choice(STATES))

    def _part(self, name: str, start: int, now: int, state: str) -> InteractionRow:
        chance = self._chance
        talked = start + (now - start) // 3
        over = now if state == "CLOSED" else None
        waits = state == "INITIATED"
        segments: tuple[tuple[str, int, int | None], ...] = (
            (("wait", start, over),) if waits else (("wait", start, talked), ("interact", talked, over))
        )
        return InteractionRow(
            name, chance.choice(CHANNELS), state, start, now, over,
            f"outcome-{chance.randrange(40)}" if over else None, f"queue-{chance.randrange(60)}",
            None if waits else f"agent-{chance.randrange(400)}", segments, chance.choice(("inbound", "outbound")),
        )  # fmt: skip


def name_all(store: MemoryStore, now: int, of: str) -> None:
    """Give all queues, agents and outcomes names, as ingest would."""
    named = [
        Name(kind, f"{kind_of}-{number}", f"{kind_of}-{number} of {of}")
        for kind, kind_of, count in (
            (NameKind.QUEUE, "queue", 60),
            (NameKind.USER, "agent", 400),
            (NameKind.WRAPUP_CODE, "outcome", 40),
        )
        for number in range(count)
    ]
    document = msgspec.json.encode(named)
    status = msgspec.json.encode(IngestStatus(written_at=now, names_mark=mark_of(document)))
    store.write_documents({NAMES: document, "status": status})


def no_fold(*_: object) -> NoReturn:
    """Nothing is folded here."""
    raise AssertionError


def main() -> None:
    """Fill a read model, then let time pass."""
    report = Report("answers", __doc__)
    journeys, seconds = round(report.pick(10_000, 1_000)), report.pick(60, 5)
    chance, clock, store = random.Random(7), ManualClock(START), MemoryStore()
    crowd = Crowd(chance, journeys)
    timeouts = Timeouts(idle_after=10 * MINUTE, close_after=HOUR)
    first = [
        crowd.row(number, START - chance.randrange(9 * MINUTE), chance.choice(STATES)) for number in range(journeys)
    ]
    past = [
        crowd.row(number, START - chance.randrange(24 * HOUR), "CLOSED")
        for number in range(journeys, 2 * journeys - 500)
    ]
    name_all(store, START, "Sales")
    store.commit(Commit(START, RowChanges(first + past)))
    model = ReadModel(store, clock.now, timeouts, no_fold)
    began = time.thread_time()
    model.poll()
    report.add(f"reading {2 * journeys - 500:,} journeys", (time.thread_time() - began) * 1_000, "ms")
    calm_collector()
    viewers = [Caller(view) for view in ASKED]
    taking: list[float] = []
    asking: list[float] = []
    opening = [caller.ask(model, clock.now()) for caller in viewers]
    for step in range(round(seconds * SECOND / FLUSH)):
        clock.advance(FLUSH)
        rows = {each.journey_id: each for each in [crowd.event(clock.now()) for _ in range(EVENTS_A_FLUSH)]}
        store.commit(Commit(clock.now(), RowChanges(list(rows.values()))))
        began = time.thread_time()
        model.poll()
        taking.append((time.thread_time() - began) * 1_000)
        asking += [caller.ask(model, clock.now()) for caller in viewers[step % 5 :: 5]]
    clock.advance(SECOND)
    name_all(store, clock.now(), "Support")
    began = time.thread_time()
    model.poll()
    report.add("giving all journeys other names", (time.thread_time() - began) * 1_000, "ms")
    report.add("an answer to a new question, longest", max(opening), "ms")
    report.add("an answer, p50", median(asking), "ms")
    report.add("an answer, p95", percentile(asking, 0.95), "ms", most=10)
    report.add("an answer, longest", max(asking), "ms")
    report.add("taking in a flush of 50 events, p50", median(taking), "ms")
    report.add("taking in a flush of 50 events, p95", percentile(taking, 0.95), "ms")
    report.add("of one core, all of it", (sum(taking) + sum(asking)) / (seconds * 10), "%")
    report.note(f"CPU time of one thread; {len(viewers)} viewers, {len(asking):,} answers, {model.version:,} flushes")
    report.finish()


class Caller:
    """A page that asks for one view over and over."""

    def __init__(self, view: dict[str, Any]) -> None:
        self._view = view
        self._turn = 0
        self._version = self._at = self._counted = 0
        self._have: dict[str, int] = {}

    def ask(self, model: ReadModel, now: int) -> float:
        """Put the question and take in the answer; the CPU time of the answer (ms)."""
        counts: dict[str, Any] = {}
        if self._turn % 2 == 0:
            length = 30 * MINUTE // 200
            end = now - now % length + length
            counts = {"facets": True, "overview": [end - 200 * length, end, 200], "counted": self._counted}
        self._turn += 1
        have: Sequence[tuple[str, int]] = list(self._have.items())
        value = {
            "version": self._version,
            "at": self._at,
            "have": have,
            **self._view,
            **counts,
        }
        question = parse_question(value)
        began = time.thread_time()
        answer = model.answer(question, Viewer(), now)
        took = (time.thread_time() - began) * 1_000
        if answer is not None:
            self._version, self._at = answer.version, answer.now
            self._counted = answer.counted or self._counted
            tags = self._have | {row[0]: row[1] for row in answer.rows}
            self._have = {journey_id: tags[journey_id] for journey_id in answer.order}
        return took


if __name__ == "__main__":
    main()
