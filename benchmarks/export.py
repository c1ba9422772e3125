"""Exports of 500 rows to PNG, and of many journeys to data files: `python -m benchmarks.export`."""

from __future__ import annotations

import io
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from benchmarks.report import Report, median
from journeymap.export.formats import write_export
from journeymap.export.selection import Selection
from journeymap.model.journey import State
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import MINUTE, SECOND
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading

START = 1_700_000_000_000
NOW = START + 45 * MINUTE
ROWS = 500
CHANNELS = ("voice", "chat", "email", "message", "callback")


def rows(count: int) -> Iterator[JourneyRow]:
    """Journeys as the simulated platform makes them: one to three interactions of one to four segments."""
    for number in range(count):
        at = START + number * 7919 % (38 * MINUTE)
        interactions, transfers = [], []
        for place in range(1 + number % 3):
            talk, wrapup = at + (20 + number % 50) * SECOND, at + (120 + number % 170) * SECOND
            open_ended = place == number % 3 and number % 2 == 0
            segments: list[tuple[str, int, int | None]] = [
                ("wait", at, talk),
                ("interact", talk, None if open_ended else wrapup),
            ]
            end = wrapup + 40 * SECOND
            if not open_ended:
                segments += [("transfer", wrapup, wrapup + 9 * SECOND), ("wrapup", wrapup + 9 * SECOND, end)]
            if place:
                transfers.append((at, f"i-{number}-{place - 1}", f"i-{number}-{place}"))
            state = State.ACTIVE if open_ended else State.CLOSED
            interactions.append(
                InteractionRow(
                    f"i-{number}-{place}", CHANNELS[(number + place) % 5], state.value, at, NOW if open_ended else end,
                    None if open_ended else end, None if open_ended else "resolved", "Billing", f"agent-{number % 80:04}",
                    tuple(segments),
                )
            )  # fmt: skip
            at = end if number % 4 else wrapup
        started = interactions[0].started_at
        yield JourneyRow(
            f"j-{number:020x}", f"cust-{number:06}", started, interactions[-1].last_event_at, NOW, 9, len(interactions),
            len(transfers), tuple(interactions), tuple(transfers),
        )  # fmt: skip


def seconds(form: str, count: int, scale: float, out: BinaryIO) -> float:
    """How long one export takes."""
    began = time.perf_counter()
    write_export(form, Selection(rows(count), lambda _: None, ClockReading(NOW, Timeouts()), scale=scale), out)
    return time.perf_counter() - began


def busy() -> float:
    """Processor time so far, of this process and those that it has started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def processor(count: int) -> float:
    """Processor time of an SVG of so many rows, the least of three: nothing else on the machine shows in it."""
    found = []
    for _ in range(3):
        began = time.process_time()
        seconds("svg", count, 1, io.BytesIO())
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    """Measure and print."""
    report = Report("export", __doc__)
    report.note(
        "pictures are drawn by as many processes as there are processors, at most 4: on a busy machine they take longer"
    )
    repeats = int(report.pick(3, 1))
    for form, scale, most in (("svg", 1.0, 1.0), ("png", 1.0, 3.0), ("png", 2.0, None), ("pdf", 2.0, None)):
        before = busy()
        found = [seconds(form, ROWS, scale, io.BytesIO()) for _ in range(repeats)]
        report.add(f"{ROWS} rows to {form.upper()} at {scale:g}x", median(found), "s", most=most)
        report.add("  its processor time, of all processes", (busy() - before) / repeats, "s")
    report.add("SVG of twice the rows, times its processor time", processor(8 * ROWS) / processor(4 * ROWS), most=2.5)
    many = int(report.pick(100_000, 5_000))
    with tempfile.TemporaryDirectory() as folder:
        for form in ("csv", "parquet"):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with Path(folder, f"x.{form}").open("wb") as out:
                took = seconds(form, many, 1, out)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            report.add(f"{many:,} journeys to {form}", took, "s")
            report.add(f"memory for {many:,} journeys to {form}", grown, "MB", most=200)
    report.finish()


if __name__ == "__main__":
    main()
