"""Progress of long work: a bar on standard error where that is a terminal, otherwise nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import click

from journeymap.model.event import Event
from journeymap.runtime.work import Progress as Step
from journeymap.runtime.work import Tell
from journeymap.source.recorded import Recorded

if TYPE_CHECKING:
    from rich.progress import TaskID

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


@contextlib.contextmanager
def with_steps(*, quiet: bool, said: Mapping[str, str]) -> Iterator[Tell]:
    """Takes the progress of work in steps and shows the step it is in, with rate and time left. `said` are sentences for the
    beginning of some steps; they are said in any case."""
    if quiet or not sys.stderr.isatty():
        heard: set[str] = set()

        def say(step: Step) -> None:
            if step.what not in heard:
                heard.add(step.what)
                if step.what in said:
                    click.echo(said[step.what], err=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", table_column=Column(min_width=20)),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}", justify="right", table_column=Column(min_width=16)),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(step: Step) -> None:
            if step.what not in tasks:
                for before in tasks.values():
                    progress.update(before, visible=False)
                if step.what in said:
                    progress.console.print(said[step.what], highlight=False)
                tasks[step.what] = progress.add_task(step.what, rate="")
            task = tasks[step.what]
            progress.update(task, completed=step.done, total=step.total)
            progress.update(task, rate=_rate(progress.tasks[task].speed, step.unit))

        yield show


@contextlib.contextmanager
def with_share(what: str, *, quiet: bool) -> Iterator[Callable[[float, int, int], None]]:
    """Takes how much is done (0 to 1), of how many conversations and by how many requests, and shows it with the time left."""
    if quiet or not sys.stderr.isatty():
        yield lambda _share, _conversations, _requests: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    words = TextColumn("{task.fields[conversations]:,} conversations, {task.fields[requests]:,} requests")
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), words, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0, conversations=0, requests=0)

        def show(share: float, conversations: int, requests: int) -> None:
            progress.update(task, completed=share, conversations=conversations, requests=requests)

        yield show


def _rate(speed: float | None, unit: str) -> str:
    if not speed:
        return ""
    return f"{speed / 1e6:,.1f} MB/s" if unit == "bytes" else f"{speed:,.0f} {unit}/s"


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 journey`, `12,345 journeys`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
