"""Budget 2: an event at the end of a journey, however long the journey is: `python -m benchmarks.tail`.

One event a flush, each a checkpoint, so that the cost is that of the event, its row, its record and the commit.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.parts import now, opened, pipeline_over
from benchmarks.report import Report, median
from journeymap.model.record import Record
from journeymap.runtime.pipeline import Pipeline
from journeymap.store.base import Commit

LENGTHS = (10, 1_000, 4_900)
"""Below 5,000, where a journey becomes oversized and takes its turn only every few seconds."""

OVERSIZED = 6_500
STEP = 50


def one_long(journey: str) -> Iterator[bytes]:
    """The events of one interaction that never ends."""
    for number in range(1 << 30):
        yield spelled(journey, journey, number, "conversation.started")


def handed_on(journey: str) -> Iterator[bytes]:
    """One interaction that is handed on again and again."""
    for number in range(1 << 30):
        yield spelled(journey, journey, number, "conversation.started" if number % 2 else "transfer.initiated")


def many_short(journey: str) -> Iterator[bytes]:
    """Interactions of four events, one after another, of one customer."""
    kinds = ("interaction.created", "conversation.started", "conversation.ended", "disposition.completed")
    for number in range(1 << 30):
        yield spelled(journey, f"{journey}-{number // 4}", number, kinds[number % 4])


def spelled(customer: str, interaction: str, number: int, kind: str) -> bytes:
    """An event, the `number`-th of its journey."""
    payload = {"customerId": customer, "interactionId": interaction, "channelType": "chat", "queueName": "Sales"}
    event = {"eventId": f"{interaction}-{number}", "type": kind, "timestamp": BEGAN + number * STEP, "payload": payload}
    return msgspec.json.encode(event)


BEGAN = now() - 20_000 * STEP
"""A quarter of an hour ago, so that no journey has closed by time-out: those that have are read from the store for each event."""


SHAPES = (
    (one_long, "one long interaction"),
    (many_short, "many short interactions"),
    (handed_on, "one interaction, handed on at every second event"),
)


def costs(shape: Any, repeats: int, folder: Path) -> dict[int, float]:
    """CPU (us) of one event at the end of journeys of these lengths. They take turns in one store."""
    with opened(folder) as store:
        pipeline = pipeline_over(store)
        at = now()
        journeys = {length: shape(f"{shape.__name__}-{length}") for length in LENGTHS}
        for length, events in journeys.items():
            give(pipeline, [next(events) for _ in range(length)], at)
        found: dict[int, list[float]] = {length: [] for length in LENGTHS}
        for _ in range(repeats):
            for length, events in journeys.items():
                at += 200
                found[length].append(give(pipeline, [next(events)], at))
    return {length: median(each) for length, each in found.items()}


def give(pipeline: Pipeline, events: list[bytes], at: int) -> float:
    """Have events stored; the CPU (us) that it took."""
    records = [Record(event, "eventstreams", at) for event in events]
    cpu = time.thread_time()
    pipeline.feed(records, at)
    pipeline.flush(at, last=True)
    return (time.thread_time() - cpu) * 1e6


class Listening:
    """A store that counts how often a row is handed to it, and passes everything on."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, commit: Commit) -> int:
        """Count and pass on."""
        self.rows += len(commit.rows.rows)
        return int(self._store.commit(commit))


def folds_of_oversized(seconds: int, folder: Path) -> tuple[int, float]:
    """How often the row of a journey of thousands of events is made while ten events a second come; CPU (us) an event."""
    with opened(folder) as store:
        listening = Listening(store)
        pipeline = pipeline_over(listening)
        at = now()
        events = many_short("unknown")
        give(pipeline, [next(events) for _ in range(OVERSIZED)], at)
        before = listening.rows
        spent = []
        for _ in range(seconds * 10):
            at += 100
            cpu = time.thread_time()
            pipeline.feed([Record(next(events), "eventstreams", at)], at)
            pipeline.flush(at)
            spent.append((time.thread_time() - cpu) * 1e6)
        return listening.rows - before, sum(spent) / len(spent)


def main() -> None:
    """Measure both shapes of long journeys, and the oversized one."""
    report = Report("tail", __doc__)
    repeats = round(report.pick(300, 30))
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name:
        for shape, words in SHAPES:
            found = costs(shape, repeats, Path(name, shape.__name__))
            for length, cost in found.items():
                report.add(f"{words}, journey of {length:,} events", cost, "us/event")
            report.add(
                f"{words}, {LENGTHS[-1]:,} against {LENGTHS[0]} events",
                found[LENGTHS[-1]] / found[LENGTHS[0]],
                "",
                most=1.3,
            )
        seconds = round(report.pick(60, 10))
        rows, cost = folds_of_oversized(seconds, Path(name, "oversized"))
        report.add(f"journey of {OVERSIZED:,} events, times folded", rows / seconds * 60, "a minute", most=13)
        report.add(f"journey of {OVERSIZED:,} events, mean cost", cost, "us/event")
    report.note("the budget asks for the same cost at any length; up to 1.3 counts as the same")
    report.finish()


if __name__ == "__main__":
    main()
