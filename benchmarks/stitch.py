"""Budget 1, offline: `journeymap stitch` over a file of events, in several orders: `python -m benchmarks.stitch`."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.processes import CHECKOUT
from benchmarks.report import Report, median
from journeymap.simulator.story import Story

BEGIN = 1_800_000_000_000
RATE = 50.0


def story_lines(count: int) -> list[bytes]:
    """Events of the story as they arrive, each as a line of JSON."""
    found: list[bytes] = []
    story, at = Story(1, RATE), BEGIN
    while len(found) < count:
        found += [msgspec.json.encode(event) for _, event in story.events(at, at + 60_000)]
        at += 60_000
    return found[:count]


def stitch(folder: Path, lines: list[bytes]) -> tuple[float, float, bytes]:
    """Wall and CPU seconds of the command over these lines, and its output."""
    events, out = folder / "events.jsonl", folder / "journeys.jsonl"
    events.write_bytes(b"\n".join(lines) + b"\n")
    before = os.times()
    began = time.perf_counter()
    command = [sys.executable, "-m", "journeymap", "stitch", "--quiet", str(events), "-o", str(out)]
    subprocess.run(command, cwd=CHECKOUT, check=True)
    wall = time.perf_counter() - began
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, out.read_bytes()


def main() -> None:
    """Measure, and compare the outputs."""
    report = Report("stitch", __doc__)
    count = round(report.pick(100_000, 5_000))
    repeats = round(report.pick(5, 1))
    chance = random.Random(5)
    arrived = story_lines(count)
    shuffled = chance.sample(arrived, count)
    doubled = chance.sample([*arrived, *chance.sample(arrived, count // 5)], count + count // 5)
    digests = set()
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as name:
        folder = Path(name)
        start = median(stitch(folder, arrived[:1])[1] for _ in range(repeats))
        for order, lines in (
            ("in arrival order", arrived),
            ("shuffled", shuffled),
            ("20 % duplicates, shuffled", doubled),
        ):
            runs = [stitch(folder, lines) for _ in range(repeats)]
            wall, cpu = median(run[0] for run in runs), median(run[1] for run in runs)
            output = runs[0][2]
            digests |= {hashlib.sha256(run[2]).hexdigest() for run in runs}
            report.add(f"{order}, CPU of the whole command", len(lines) / cpu, "events/s", least=100_000)
            report.add(
                f"{order}, CPU without the start of Python",
                len(lines) / max(cpu - start, 1e-9),
                "events/s",
                least=100_000,
            )
            report.add(f"{order}, wall", wall, "s")
        report.add("different outputs of the three", len(digests), "", most=1)
        report.note(
            f"{count:,} events, output {len(output):,} bytes, sha256 {min(digests)[:16]}…; start alone {start:.2f} s CPU"
        )
    report.finish()


if __name__ == "__main__":
    main()
