"""Reading an SQS queue into the journal: messages a second by the number of readers, and what stopping takes:
`python -m benchmarks.sqs`.

The queue is a process of its own that answers as soon as SQS does within a region, and is never empty.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from benchmarks.processes import CHECKOUT, until
from benchmarks.report import Report
from journeymap.journal.journal import Journal
from journeymap.runtime.clock import SystemClock
from journeymap.source import polling
from journeymap.source.eventbridge import EventBridgeConfig, EventBridgeSource

LATENCY = 15
"""Milliseconds."""

WANTED = 500
"""Events a second that one ingest has to take in."""


def main() -> None:
    """Measure one reader, some, and as many as there may be."""
    report = Report("sqs", __doc__)
    seconds = report.pick(20, 4)
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="eu-west-1")
    command = [sys.executable, "-m", "benchmarks.fullqueue", str(LATENCY)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            most = polling.MOST_THREADS
            for readers in sorted({1, 2, 4, most}):
                polling.MOST_THREADS = readers  # type: ignore[misc]
                measure(report, url, readers, seconds, WANTED if readers == most else None)
        finally:
            server.terminate()
    report.note(f"each request is answered after {LATENCY} ms and what the queue itself takes, on the same two cores")
    report.finish()


def measure(report: Report, url: str, readers: int, seconds: float, wanted: int | None) -> None:
    """One run with so many readers."""
    clock = SystemClock()
    source = EventBridgeSource(EventBridgeConfig(queue_url=url), clock.now, random.random)
    with (
        tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name,
        closing(Journal.open(Path(name, "journal"))) as journal,
    ):
        lock = threading.Lock()

        def deliver(frame: bytes, arrived_at: int) -> None:
            with lock:
                journal.append(source.name, frame, arrived_at)

        thread = threading.Thread(target=source.run, args=(deliver,))
        thread.start()
        until(lambda: source.status().received > 100, "messages come")
        began, before, used = time.perf_counter(), source.status().received, time.process_time()
        time.sleep(seconds)
        count, took = source.status().received - before, time.perf_counter() - began
        cpu = time.process_time() - used
        began = time.perf_counter()
        source.stop()
        thread.join()
        stopped = (time.perf_counter() - began) * 1_000
    report.add(f"{readers} readers", count / took, "messages/s", least=wanted)
    report.add(f"{readers} readers, CPU", cpu / count * WANTED * 100, f"% of a core at {WANTED}/s")
    report.add(f"{readers} readers, to stop", stopped, "ms", most=1_000)


if __name__ == "__main__":
    main()
