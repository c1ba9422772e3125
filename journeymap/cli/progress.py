"""Progress of long work: a bar on standard error where that is a terminal, otherwise nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from journeymap.model.event import Event
from journeymap.source.recorded import Recorded

EVERY: Final = 2_000


def with_bar(events: Iterable[Event], inputs: list[Recorded], what: str, *, quiet: bool) -> Iterator[Event]:
    """The same events, with a bar that shows how far the inputs are read."""
    if quiet or not sys.stderr.isatty():
        yield from events
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    total = sum(recorded.size for recorded in inputs) if all(recorded.size for recorded in inputs) else None
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.fields[count]:,} events"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, count=0)
        for count, event in enumerate(events, 1):
            yield event
            if count % EVERY == 0:
                progress.update(task, completed=sum(recorded.position for recorded in inputs), count=count)


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 journey`, `12,345 journeys`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
