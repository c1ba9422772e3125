"""Runs all benchmarks, each in a process of its own, and prints one table: `python -m benchmarks [--quick] [--only NAME]`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.report import Figure, Result, machine, table

NAMES = (
    "stitch",
    "stages",
    "ingest",
    "flat",
    "memory",
    "tail",
    "gc",
    "answers",
    "paint",
    "tick",
    "load",
    "export",
    "eventbridge",
    "sqs",
)
CHECKOUT = Path(__file__).resolve().parents[1]


def run(name: str, quick: bool) -> Result:
    """The figures of one benchmark; one that breaks down leaves a note."""
    began = time.monotonic()
    print(f"{name} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "figures.json")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--part", "--json", str(out), *(["--quick"] * quick)]
        code = subprocess.run(command, cwd=CHECKOUT, check=False).returncode
        result = msgspec.json.decode(out.read_bytes(), type=Result) if out.exists() else Result(name)
    if code:
        result.notes.append(f"it ended with code {code}; its figures are not complete")
        result.figures.append(Figure("ended with code", code, "", "0", ok=False))
    result.seconds = round(time.monotonic() - began, 1)
    return result


def main() -> None:
    """Run what is asked for, one after another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short smoke runs; their figures mean little")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, default=CHECKOUT / "build" / "benchmarks.json", metavar="FILE",
                        help="where the figures go as JSON [build/benchmarks.json]")  # fmt: skip
    given = parser.parse_args()
    before = machine(os.getloadavg()[0])
    results = [run(name, given.quick) for name in NAMES if name in (given.only or NAMES)]
    given.json.parent.mkdir(parents=True, exist_ok=True)
    document = msgspec.json.encode({"machine": before, "quick": given.quick, "results": results})
    given.json.write_bytes(msgspec.json.format(document) + b"\n")
    print(before)
    print(table(results))
    figures = [figure for result in results for figure in result.figures if figure.ok is not None]
    kept = sum(figure.ok is True for figure in figures)
    print(f"{kept} of {len(figures)} budgets kept" + (" in quick runs, which mean little" if given.quick else ""))


if __name__ == "__main__":
    main()
