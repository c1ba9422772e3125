"""Budget 2: what an event costs with few and with a million journeys in the store: `python -m benchmarks.flat`.

Both stores are worked on in turns, so that whatever else the machine does meets both alike. CPU time of the thread that
stitches and commits; wall time beside it.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.archive import Archive, fill
from benchmarks.crowd import Visit, event, key_of, visits
from benchmarks.parts import now, opened, pipeline_over
from benchmarks.report import Report, median
from journeymap.model.record import Record
from journeymap.runtime.memory import calm_collector
from journeymap.store.disk import DiskStore

FEW = 1_000
BATCH = 250
"""Journeys in a flush."""

LATE = 60
"""Stored journeys in a flush: few, so that one has left memory again before it is the small store's turn to ask for it."""

STEP_MS = 2_100
"""Between two flushes, by the clock that the pipeline is given: each of them is a checkpoint."""

KINDS = ("new journeys", "events at the end of open journeys", "late events of stored journeys")


class Side:
    """One of the two stores, with a pipeline over it."""

    def __init__(self, store: DiskStore, archive: Archive) -> None:
        self.store = store
        self.archive = archive
        self._pipeline = pipeline_over(store)
        self._chance = random.Random(9)
        self._number = 1 << 40
        self._at = now()
        self._serial = 0
        self._open: list[tuple[Visit, bytes]] = []
        self.cpu: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self.wall: dict[str, list[float]] = {kind: [] for kind in KINDS}

    def turn(self) -> None:
        """A batch of each kind."""
        for kind, make in zip(KINDS, (self._arrive, self._go_on, self._come_late), strict=True):
            self._measure(kind, make)

    def _arrive(self, at: int) -> list[bytes]:
        self._open = []
        for _ in range(BATCH):
            self._number += 1
            self._open.append((self._chance.choice(visits()), key_of(self._number)))
        return [event(visit[0], key, at) for visit, key in self._open]

    def _go_on(self, at: int) -> list[bytes]:
        return [event(visit[1], key, at) for visit, key in self._open]

    def _come_late(self, _: int) -> list[bytes]:
        # From all over the store.
        step = self.archive.size // LATE
        self._serial += 1
        return [self.archive.late_event(place * step + self._serial % step, self._serial) for place in range(LATE)]

    def _measure(self, kind: str, make: Callable[[int], list[bytes]]) -> None:
        self._at += STEP_MS
        at = self._at
        records = [Record(text, "eventstreams", at) for text in make(at)]
        self._pipeline.feed(records, at)
        began, cpu = time.perf_counter(), time.thread_time()
        self._pipeline.flush(at + 200)
        self.cpu[kind].append((time.thread_time() - cpu) / len(records) * 1e6)
        self.wall[kind].append((time.perf_counter() - began) / len(records) * 1e6)


def main() -> None:
    """Fill both stores and measure in turns."""
    report = Report("flat", __doc__)
    many = round(report.pick(1_000_000, 20_000))
    turns = round(report.pick(40, 4))
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name, contextlib.ExitStack() as closing:
        sides = []
        for size in (FEW, many):
            report.say(f"filling a store with {size:,} journeys")
            began = time.perf_counter()
            archive = fill(Path(name, str(size)), size)
            report.say(f"  {time.perf_counter() - began:.0f} s")
            sides.append(Side(closing.enter_context(opened(Path(name, str(size)))), archive))
        calm_collector()
        for number in range(turns):
            for side in sides if number % 2 else reversed(sides):
                side.turn()
        few, large = sides
        for kind in KINDS:
            skipped = 1 if len(few.cpu[kind]) > 2 else 0  # the first turn warms up
            costs = [median(side.cpu[kind][skipped:]) for side in sides]
            report.add(f"{kind}, {FEW:,} stored", costs[0], "us/event")
            report.add(f"{kind}, {many:,} stored", costs[1], "us/event")
            report.add(f"{kind}, ratio of CPU", costs[1] / costs[0], "", most=1.3)
            walls = [median(side.wall[kind][skipped:]) for side in sides]
            report.add(f"{kind}, ratio of wall time", walls[1] / walls[0])
        report.add(f"status document, counting {many:,} journeys", counting(large.store), "ms a second")
        report.note(
            f"the large store takes up {large.store.size() / 2**20:,.0f} MiB; flushes of {BATCH} events, {LATE} late ones"
        )
    report.finish()


def counting(store: DiskStore) -> float:
    """CPU (ms) of the counts in the status document, which is written nearly every second."""

    def once() -> float:
        cpu = time.thread_time()
        store.count()
        store.count(open_at=now())
        return (time.thread_time() - cpu) * 1000

    return median(once() for _ in range(5))


if __name__ == "__main__":
    main()
