"""Posts of EventBridge to `run`, on the port of the page: how many it takes, how soon it answers, and what that does to the
page's own event loop: `python -m benchmarks.eventbridge`.

The poster is a process of its own, on the same machine. What the loop answers while nothing is posted is beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.processes import CHECKOUT, Command, process_cpu, until
from benchmarks.report import Report, percentile
from journeymap.web.ingest import PATH

KEY = "benchmark-benchmark-benchmark-benchmark"
RATES = (100, 300, 500)
"""Posts a second. 300 is what AWS allows an API destination unless asked for more."""


def main() -> None:
    """Measure the loop at rest, then at each rate, then as fast as it goes."""
    report = Report("eventbridge", __doc__)
    seconds = report.pick(20, 4)
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name:
        environment = {
            **os.environ,
            "JOURNEYMAP_SOURCE": "eventbridge",
            "JOURNEYMAP_EVENTBRIDGE_KEY": KEY,
            "JOURNEYMAP_EVENTBRIDGE_MAX_POSTS_PER_SECOND": "10000",
            "JOURNEYMAP_STORE": f"disk:{Path(name, 'store')}",
        }
        with Command("run", "--port", "0", environment=environment) as running:
            until(lambda: status(running)["state"] == "OPEN", "the door is open")
            alone = looks(running, seconds / 2)
            report.add("an answer of the page's loop at rest, p95", percentile(alone, 0.95), "ms")
            for rate in RATES:
                at_rate(report, running, rate, seconds)
            found, _ = posted(running, 0, seconds, 16)
            report.add("as fast as it goes, 16 connections", found["posted"] / found["seconds"], "posts/s", least=500)
            report.add("of this the answer, p95", found["p95"], "ms")
            report.add("posts that were not taken", found["refused"], "", most=0)
    report.finish()


def at_rate(report: Report, running: Command, rate: int, seconds: float) -> None:
    """One steady rate."""
    before, used = status(running)["counts"]["events"], process_cpu(running.process.pid)
    found, loop = posted(running, rate, seconds, 32)
    cpu = (process_cpu(running.process.pid) - used) / found["seconds"]
    until(lambda: status(running)["counts"]["events"] >= before + found["posted"], "all are stitched")
    report.add(f"{rate} posts/s, answered, p50", found["p50"], "ms")
    report.add(f"{rate} posts/s, answered, p95", found["p95"], "ms", most=100)
    report.add(f"{rate} posts/s, an answer of the page's loop, p95", percentile(loop, 0.95), "ms", most=50)
    report.add(f"{rate} posts/s, CPU of run", cpu * 100, "% of a core")
    report.add(
        f"{rate} posts/s, lost or refused", abs(status(running)["counts"]["events"] - before - found["posted"]), most=0
    )
    report.note(f"{rate} posts/s: {found['posted']:,} in {found['seconds']:.1f} s, p99 {found['p99']:.1f} ms")


def posted(running: Command, rate: int, seconds: float, connections: int) -> tuple[dict[str, Any], list[float]]:
    """What the poster says, and how long the page's loop took to answer meanwhile (ms)."""
    command = [
        sys.executable, "-m", "benchmarks.poster", running.address + PATH, KEY, str(rate), str(seconds), str(connections),
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as poster:
        assert poster.stdout is not None
        loop = looks(running, seconds)
        line = poster.stdout.readline()
    found: dict[str, Any] = json.loads(line)
    return found, loop


def looks(running: Command, seconds: float) -> list[float]:
    """How long answers of the loop that touch nothing else take."""
    took = []
    end = time.perf_counter() + seconds
    with httpx.Client(base_url=running.address) as client:
        while time.perf_counter() < end:
            began = time.perf_counter()
            client.get("/healthz").raise_for_status()
            took.append((time.perf_counter() - began) * 1_000)
            time.sleep(0.02)
    return took


def status(running: Command) -> dict[str, Any]:
    """What ingest says of itself."""
    answer: dict[str, Any] = httpx.get(f"{running.address}/api/v1/status").json()
    return answer


if __name__ == "__main__":
    main()
