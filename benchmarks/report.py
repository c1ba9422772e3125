"""What a benchmark says: figures beside their budgets, as one table and as JSON."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sqlite3
import statistics
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

VERSIONS = ("dash", "diskcache", "fastapi", "msgspec", "uvicorn", "websocket-client")


class Figure(msgspec.Struct, frozen=True):
    """One measured value. `budget` is what it may be, `limit` what was found to be possible at all; "" where there is
    none. `ok` is None without a budget."""

    name: str
    measured: float
    unit: str
    budget: str = ""
    limit: str = ""
    ok: bool | None = None


class Result(msgspec.Struct):
    """What one benchmark found."""

    subject: str
    figures: list[Figure] = []
    notes: list[str] = []
    seconds: float = 0.0


class Report:
    """Collects the figures of one benchmark and prints them when it is done."""

    def __init__(self, subject: str, description: str | None) -> None:
        parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{subject}", description=description)
        parser.add_argument("--quick", action="store_true", help="a short smoke run; its figures mean little")
        parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
        parser.add_argument("--part", action="store_true", help=argparse.SUPPRESS)  # `python -m benchmarks` prints them
        given = parser.parse_args()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that stores and processes are cleared away
        self.quick: bool = given.quick
        self._json: Path | None = given.json
        self._part: bool = given.part
        self._load = os.getloadavg()[0]
        self.result = Result(subject)

    def pick(self, full: float, quick: float) -> float:
        """A length for the full run or the quick one."""
        return quick if self.quick else full

    def add(
        self,
        name: str,
        measured: float,
        unit: str = "",
        *,
        most: float | None = None,
        least: float | None = None,
        limit: str = "",
    ) -> None:
        """Add a figure, with the most or the least that its budget allows."""
        budget, ok = "", None
        if most is not None:
            budget, ok = f"<= {number(most)} {unit}".rstrip(), measured <= most
        elif least is not None:
            budget, ok = f">= {number(least)} {unit}".rstrip(), measured >= least
        self.result.figures.append(Figure(name, measured, unit, budget, limit, ok))
        said = f"{budget} {verdict(ok)}" if budget else ""
        self.say(f"  {name}: {number(measured)} {unit}  {said}".rstrip())

    def note(self, text: str) -> None:
        """Something a reader of the figures has to know."""
        self.result.notes.append(text)
        self.say(f"  ({text})")

    def say(self, text: str) -> None:
        """Progress, for whoever waits."""
        print(text, file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Print the table and write the JSON."""
        if self._json is not None:
            self._json.write_bytes(msgspec.json.format(msgspec.json.encode(self.result)) + b"\n")
        if not self._part:
            print(machine(self._load))
            print(table([self.result]))


def median(values: Iterable[float]) -> float:
    """The middle value; 0 of none."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed; 0 of none."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


def number(value: float) -> str:
    """A number with as many digits as mean something."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def verdict(ok: bool | None) -> str:
    """How a figure stands to its budget."""
    return {None: "", True: "ok", False: "MISS"}[ok]


def machine(load: float) -> str:
    """What it was measured on; `load` is the load average before it began."""
    model = next(
        (line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return (
        f"{os.cpu_count()} cores ({model}), load {load:.1f} before, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}, {versions}"
    )


def table(results: Iterable[Result]) -> str:
    """All figures as one table, and the notes below it."""
    head = ("figure", "measured", "budget", "limit", "")
    rows = [head]
    notes = []
    for result in results:
        for item in result.figures:
            shown = f"{number(item.measured)} {item.unit}".rstrip()
            rows.append((f"{result.subject}: {item.name}", shown, item.budget, item.limit, verdict(item.ok)))
        notes += [f"{result.subject}: {note}" for note in result.notes]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(" |") for row in rows
    ]
    return "\n".join([*lines, *notes])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
