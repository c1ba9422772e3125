"""Budget 2: memory of an open journey and of a closed one in the ingest process: `python -m benchmarks.memory`.

The journeys are visits of the story as far as they have come at a moment. Python's own count (tracemalloc) and, from a run
of its own, what the operating system sees.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

from benchmarks.crowd import Crowd, Visit, event, key_of, visits
from benchmarks.parts import now, opened, pipeline_over
from benchmarks.processes import CHECKOUT, resident
from benchmarks.report import Report
from journeymap.model.record import Record
from journeymap.runtime.pipeline import Pipeline

BATCH = 1_000
HOUR = 3_600_000
WAVES = 3
RESIDENT = "--resident"


def feed(pipeline: Pipeline, events: list[bytes], at: int) -> None:
    """Take events in and store them; what has been closed for a while leaves memory."""
    for place in range(0, len(events), BATCH):
        pipeline.feed([Record(text, "eventstreams", at) for text in events[place : place + BATCH]], at)
        pipeline.flush(at, last=True)


def open_journeys(count: int, measure: str) -> float:
    """Bytes of memory for each of `count` open journeys, after as many others have filled all caches."""
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name, opened(Path(name, "store")) as store:
        pipeline = pipeline_over(store)
        at = now()
        visits()
        feed(pipeline, Crowd(count, first=1 << 40).opening(at), at)
        before, held = used(measure), pipeline.hot_journeys
        feed(pipeline, Crowd(count, first=1).opening(at), at)
        return (used(measure) - before) / (pipeline.hot_journeys - held)


def closed_journeys(count: int) -> float:
    """Bytes of memory that are left of each of `count` journeys that were open, have closed and are in the store."""
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name, opened(Path(name, "store")) as store:
        pipeline = pipeline_over(store)
        at = now()
        pick = visits()

        def live(first: int, number: int) -> None:
            nonlocal at
            at += 48 * HOUR  # the longest time-out is 24 h
            for place in range(first, first + number, 500):
                whole: list[bytes] = []
                for customer in range(place, place + 500):
                    whole += lived(pick[customer % len(pick)], key_of(customer), at)
                feed(pipeline, whole, at)
            pipeline.feed([], at)
            late = at + 26 * HOUR
            feed(pipeline, lived(pick[0], key_of(first + (1 << 41)), late), late)

        live(1, count)  # tables stay as large as they once were
        before = used("traced")
        held = pipeline.hot_journeys
        for wave in range(1, WAVES + 1):
            live(wave * 1_000_000, count)
        assert pipeline.hot_journeys <= held + WAVES, "they are still in memory"
        return (used("traced") - before) / (WAVES * count)


def lived(visit: Visit, key: bytes, ending: int) -> list[bytes]:
    """All events of a visit that ended at a moment."""
    return [event(part, key, ending - visit[-1].at + part.at) for part in visit]


def used(measure: str) -> int:
    """Bytes in use, the way that is asked for."""
    gc.collect()
    return resident() if measure == "resident" else tracemalloc.get_traced_memory()[0]


def main() -> None:
    """Measure both, and once more in a process without tracemalloc."""
    if sys.argv[1:2] == [RESIDENT]:
        print(open_journeys(int(sys.argv[2]), "resident"))
        return
    report = Report("memory", __doc__)
    count = round(report.pick(20_000, 2_000))
    command = [sys.executable, "-m", "benchmarks.memory", RESIDENT, str(count)]
    seen = float(subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout)
    report.add("an open journey, resident memory", seen / 1024, "KiB", most=6)
    tracemalloc.start()
    report.add("an open journey, Python's own count", open_journeys(count, "traced") / 1024, "KiB", most=6)
    report.add("a closed journey", closed_journeys(count), "bytes", most=100)
    events = Crowd(count).opening(now())
    report.note(
        f"{count:,} journeys; {len(events) / count:.1f} events of {sum(map(len, events)) / len(events):.0f} bytes in an open one"
    )
    report.finish()


if __name__ == "__main__":
    main()
