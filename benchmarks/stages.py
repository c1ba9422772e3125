"""Budget 1, where it goes: CPU time an event by stage, in one thread: `python -m benchmarks.stages`.

The same events as in `benchmarks.ingest` at 20,000 a second, in turns of 100 ms as the runtime takes them, without sockets
and other threads. `--profile` prints the dearest functions instead.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.crowd import Crowd
from benchmarks.parts import now, opened, pipeline_over, stitcher_over
from benchmarks.report import Report
from benchmarks.sender import frame_of
from journeymap.decode.event import decode_frame
from journeymap.journal.journal import Journal
from journeymap.model.record import Record
from journeymap.protocol.websocket import MessageReader
from journeymap.runtime.memory import calm_collector
from journeymap.runtime.pipeline import Pipeline
from journeymap.runtime.shelf import StoreShelf

CUSTOMERS = 10_000
RATE = 20_000
TURN_MS = 100
CHUNK = 65_536


class Stopwatch:
    """Adds up the CPU time of what it wraps, by name."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def on(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.thread_time() - began

        return timed


def main() -> None:
    """Measure the stages, or profile them."""
    profiled = "--profile" in sys.argv
    if profiled:
        sys.argv.remove("--profile")
    report = Report("stages", __doc__)
    seconds = report.pick(20, 2)
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as folder, opened(Path(folder, "store")) as store:
        began = now()
        crowd = Crowd(CUSTOMERS)
        shelf = StoreShelf(store)
        stitcher = stitcher_over(shelf)
        pipeline = pipeline_over(store, stitcher)
        opening = [Record(text, "eventstreams", began) for text in crowd.opening(began)]
        play(pipeline, [opening[place : place + 2_000] for place in range(0, len(opening), 2_000)], began)
        calm_collector()
        began += 60_000
        turns = [
            [Record(crowd.next(moment), "eventstreams", moment) for _ in range(RATE * TURN_MS // 1000)]
            for moment in range(began, began + round(seconds * 1000), TURN_MS)
        ]
        if profiled:
            profile(pipeline, turns, began)
            return
        watch = Stopwatch()
        measure_receiving(watch, [record.data for turn in turns[:40] for record in turn], Path(folder, "journal"))
        some = sum(map(len, turns[:40]))
        for name in ("read frames", "journal"):
            report.add(name, watch.spent[name] / some * 1e6, "us/event")
        measure_stitching(watch, (pipeline, stitcher, shelf, store), turns, began)
    count = sum(map(len, turns))
    stages = ("decode", "order", "stitch", "rows", "records", "release", "commit rows", "commit records")
    for name in (*stages[:3], "of this look-ups in the store", *stages[3:]):
        report.add(name, watch.spent.get(name, 0.0) / count * 1e6, "us/event")
    whole = sum(watch.spent.get(name, 0.0) for name in stages) / count * 1e6
    report.add("stitching thread in all", whole, "us/event")
    report.finish()


def play(pipeline: Pipeline, turns: list[list[Record]], began: int) -> None:
    """One turn after another, as the runtime takes them."""
    for number, turn in enumerate(turns):
        moment = began + (number + 1) * TURN_MS
        pipeline.feed(turn, moment)
        pipeline.flush(moment)
    pipeline.flush(began + (len(turns) + 30) * TURN_MS)


def measure_receiving(watch: Stopwatch, events: list[bytes], folder: Path) -> None:
    """What the receiving thread does with each frame, without the socket itself."""
    stream = b"".join(map(frame_of, events))
    reader = MessageReader()
    feed = watch.on("read frames", reader.feed)
    for place in range(0, len(stream), CHUNK):
        feed(stream[place : place + CHUNK])
    journal = Journal.open(folder)

    def append() -> None:
        for text in events:
            journal.append("eventstreams", text, 1)

    watch.on("journal", append)()
    journal.close()


def measure_stitching(
    watch: Stopwatch, parts: tuple[Pipeline, Any, Any, Any], turns: list[list[Record]], began: int
) -> None:
    """Time the stitching thread's steps by wrapping what the pipeline calls: no product code carries a stopwatch."""
    pipeline, stitcher, shelf, store = parts
    for name, method in (
        ("stitch", "apply"),
        ("rows", "take_rows"),
        ("records", "take_changes"),
        ("release", "release"),
    ):
        setattr(stitcher, method, watch.on(name, getattr(stitcher, method)))
    for method in ("journeys", "spans", "tokens"):
        setattr(shelf, method, watch.on("of this look-ups in the store", getattr(shelf, method)))
    commit = store.commit
    rows, records = watch.on("commit rows", commit), watch.on("commit records", commit)
    store.commit = lambda wanted: (rows if wanted.changes is None else records)(wanted)
    pipeline.feed = watch.on("feed", pipeline.feed)  # type: ignore[method-assign]
    pipeline.flush = watch.on("flush", pipeline.flush)  # type: ignore[method-assign]
    play(pipeline, turns, began)
    spent = watch.spent
    inner = ("stitch", "rows", "records", "release", "commit rows", "commit records")
    letting_go = spent["flush"] - sum(spent.get(name, 0.0) for name in inner)

    def decode() -> None:
        for text in texts(turns):
            decode_frame(text, began)

    watch.on("decode", decode)()
    spent["order"] = spent["feed"] - spent["decode"] + letting_go


def texts(turns: list[list[Record]]) -> Iterator[bytes]:
    """All frames."""
    return (record.data for turn in turns for record in turn)


def profile(pipeline: Pipeline, turns: list[list[Record]], began: int) -> None:
    """Print the dearest functions."""
    profiler = cProfile.Profile(time.thread_time)
    profiler.enable()
    play(pipeline, turns, began)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(60)


if __name__ == "__main__":
    main()
