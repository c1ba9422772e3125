"""A file of recorded events as a source: whether it can be read, and what its beginning holds."""

from __future__ import annotations

import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Final

from journeymap.decode.event import REASONS, decode_frame
from journeymap.errors import InputError
from journeymap.runtime.doctor.examination import Check, Progress
from journeymap.runtime.doctor.outcome import Outcome, fail, ok, skip, warn
from journeymap.source.lines import STDIN, read_lines
from journeymap.view.labels import size

LINES_READ: Final = 1_000
SECONDS_READ: Final = 2.0
_TABLES: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")


def file_checks(path: str, section: str) -> list[Check]:
    """The checks of the source `file:PATH`."""
    return [Check(section, "file", lambda progress: beginning(path, progress))]


def beginning(path: str, waits: Progress) -> Outcome:
    """Whether the first lines are events."""
    if path == STDIN:
        return skip("standard input is read by `run` and `ingest` only")
    waits(f"reading the first {LINES_READ:,} lines")
    until = time.monotonic() + SECONDS_READ
    lines = 0
    events: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    broken = ""
    try:
        length = Path(path).stat().st_size
        for _, line in islice(read_lines(path), LINES_READ):
            lines += 1
            usable, unusable = decode_frame(line)
            events.update(event.type for event in usable)
            rejected.update(each.reason for each in unusable)
            if time.monotonic() > until:
                break
    except OSError as error:
        return fail(f"{path} cannot be read: {error.strerror}", "set SOURCE to file:PATH of a file of recorded events")
    except InputError as error:
        broken = str(error)
    return judge_lines(path, size(length), lines, events, rejected, broken)


def judge_lines(
    path: str, length: str, lines: int, events: Counter[str], rejected: Counter[str], broken: str
) -> Outcome:
    """What the first lines of a file hold; `broken` says why it could not be read further."""
    unusable = ", ".join(f"{REASONS.get(reason, reason)} ({count:,})" for reason, count in rejected.most_common(3))
    if broken:
        return fail(broken, "write the file anew; what can be read of it is delivered all the same")
    if not lines:
        return warn(f"{path} is empty", "nothing will come of it: `journeymap record -o FILE` writes such a file")
    if not events:
        table = path.lower().endswith(_TABLES)
        return fail(
            f"{path}: no event in its first {lines:,} lines: {unusable or 'nothing in them'}",
            "`journeymap import` reads CSV and Parquet; as a source the file must be JSON Lines"
            if table
            else "the file must be JSON Lines, an event a line, as described in docs/commands.md",
        )
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in events.most_common(5))
    found = f"{path}, {length}: its first {lines:,} lines hold {kinds}"
    if unusable:
        return warn(f"{found}; unusable: {unusable}", f"`journeymap stitch {path} --strict` shows the first such line")
    return ok(found)
