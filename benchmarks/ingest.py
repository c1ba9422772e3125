"""Budget 1: events from the socket into the store, at a steady rate, with the page open: `python -m benchmarks.ingest`.

The parts are the real ones (source, journal, pipeline, store on disk); the platform is in a process of its own, and so is
`journeymap serve` with a headless browser in front of it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from benchmarks.browser import browsing, look_on, visit
from benchmarks.parts import Running, ingesting, opened
from benchmarks.processes import Command, process_cpu, thread_cpu, until
from benchmarks.report import Report
from benchmarks.sender import Sender
from journeymap.runtime.memory import calm_collector
from journeymap.store.base import Query
from journeymap.store.disk import DiskStore

CUSTOMERS = 10_000
INGEST_THREADS = ("journeymap-", "eventstreams-", "store-checkpointer")
SUSTAINED_MS = 1_000.0
"""The rate was sustained if so long after the last event was sent all of them are in the store."""


def main() -> None:
    """Measure both ways of sending."""
    report = Report("ingest", __doc__)
    measure(report, "one event a frame", 20_000, 1, report.pick(60, 4), limit="65,000-70,000/s in a whole core")
    measure(report, "ten events a frame", 60_000, 10, report.pick(60, 4), limit="165,000-180,000/s in a whole core")
    report.finish()


def measure(report: Report, way: str, rate: int, frame: int, seconds: float, limit: str) -> None:
    """One run over a new store."""
    report.say(f"{way}: {rate:,} events/s for {seconds:g} s")
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name, Sender() as sender:
        folder = Path(name, "store")
        with (
            opened(folder) as store,
            ingesting(store, folder / "journal", sender.access) as running,
            Command("serve", "--store", f"disk:{folder}", "--source", "eventstreams", "--port", "0") as serving,
            browsing() as browser,
        ):
            sender.do("connected")
            unique = sender.do("open", size=CUSTOMERS, rough=True)["unique"]
            until(lambda: running.pipeline.counts.new >= unique, "the first events in the store")
            page = visit(browser, serving.address)
            calm_collector()
            before, serve_before = thread_cpu(*INGEST_THREADS), process_cpu(serving.process.pid)
            sender.order("send", rate=rate, seconds=seconds, frame=frame)
            answers: list[dict[str, float]] = []
            waiter = threading.Thread(target=lambda: answers.append(sender.answer()))
            waiter.start()
            lags = []
            while waiter.is_alive():
                look_on(page, 0.5)
                lags.append(running.ingest.last_status.lag_ms if running.ingest.last_status else 0)
            sent = answers[0]
            unique += int(sent["unique"])
            drained = drain(running, store, unique)
            wall = sent["seconds"] + drained / 1000
            spent = {name: used - before.get(name, 0.0) for name, used in thread_cpu(*INGEST_THREADS).items()}
            served = process_cpu(serving.process.pid) - serve_before
            painted = page.evaluate("window.watched.answers")
            unique += int(sender.do("rest")["unique"])
            drain(running, store, unique)
            new = running.pipeline.counts.new
        with opened(folder) as store:
            stored = events_in(store)
    total = sum(spent.values())
    report.add(f"{way}, sent", sent["sent"] / sent["seconds"], "events/s", least=0.99 * rate, limit=limit)
    # At this rate, whatever the time it took: a run that falls behind is busy for longer, not less.
    report.add(f"{way}, CPU of all ingest threads", total / sent["sent"] * rate * 100, "% of a core", most=90)
    for thread, used in sorted(spent.items(), key=lambda item: -item[1])[:3]:
        report.add(f"{way}, of this {thread.removeprefix('journeymap-')}", used / sent["sent"] * 1e6, "us/event")
    report.add(f"{way}, last event sent until all are in the store", drained, "ms", most=SUSTAINED_MS)
    report.add(f"{way}, events lost or doubled", abs(new - unique) + abs(stored - unique), "", most=0)
    report.note(
        f"{way}: {unique:,} different events, {stored:,} in the store; most that waited to be stitched {max(lags, default=0)} ms;"
        f" the sender was up to {sent['behind_ms']:.0f} ms late and took {sent['cpu'] * 100:.0f} % of a core, serve"
        f" {served / wall * 100:.0f} %; the page drew {painted} answers"
    )


def drain(running: Running, store: DiskStore, unique: int, patience: float = 120) -> float:
    """How long (ms) it takes from now until all these events are in the store; ends when they do not come."""
    began = time.perf_counter()
    while running.pipeline.counts.new < unique and time.perf_counter() - began < patience:
        time.sleep(0.002)
    head, stitched = store.head(), time.perf_counter()  # they are counted first and committed next
    while store.head() == head and time.perf_counter() - stitched < 1:
        time.sleep(0.002)
    return (time.perf_counter() - began) * 1000


def events_in(store: DiskStore) -> int:
    """How many events the stored journeys hold."""
    total, after = 0, None
    while rows := store.query(Query(after=after, limit=5_000)):
        total += sum(row.event_count for row in rows)
        after = (rows[-1].last_event_at, rows[-1].journey_id)
    return total


if __name__ == "__main__":
    main()
