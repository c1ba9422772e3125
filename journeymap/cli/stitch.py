"""`journeymap stitch`: offline, files of events become journeys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from journeymap.cli.options import mapped_columns, settings_from, settings_options

EXAMPLES = """\b
Examples:
  journeymap stitch events.jsonl -o journeys.jsonl
  zcat events.jsonl.gz | journeymap stitch - | jq .state
  journeymap stitch monday.csv tuesday.parquet --map when=timestamp --set IDLE_AFTER=10m
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="OUT", help="Where to; standard output if not given."
)
@click.option("--as-of", type=int, metavar="MS", help="The clock, in ms since 1970; the latest timestamp if not given.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="Which column holds a field (CSV, Parquet).")
@click.option("--strict", is_flag=True, help="Stop at the first line that cannot be used.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary; what cannot be used is still said.")
@settings_options()
def stitch(
    files: tuple[str, ...],
    out: Path | None,
    as_of: int | None,
    maps: tuple[str, ...],
    strict: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Turn files of events into journeys, one a line, sorted by customer, start and journey id.

    Reads JSON Lines (plain or gzip; - is standard input), CSV and Parquet. The result depends on the set of events and
    the clock alone: any order, any duplication gives the same bytes. Time-outs are 5 and 30 minutes for every channel
    unless set; nothing is evicted.
    """
    settings = settings_from(given, shipped_timeouts=False)
    from journeymap import bootstrap
    from journeymap.cli.output import opened
    from journeymap.cli.progress import counted, with_bar
    from journeymap.source.mistakes import Mistakes
    from journeymap.source.recorded import Recorded, read_events

    started = time.monotonic()
    columns = mapped_columns(maps)
    inputs = [Recorded(path, columns) for path in files]
    mistakes = Mistakes()
    try:
        events = with_bar(read_events(inputs, mistakes, strict=strict), inputs, "Reading", quiet=quiet)
        result = bootstrap.stitch_events(settings, events, as_of)
        with opened(out) as stream:
            for line in result.lines:
                stream.write(line)
                stream.write(b"\n")
    finally:
        for text in mistakes.lines():
            click.echo(text, err=True)
    if not quiet:
        seconds = time.monotonic() - started
        found = f"{counted(result.events, 'event')}: {counted(result.journeys, 'journey')} in {seconds:.1f} s"
        doubled = f"{counted(result.duplicates, 'duplicate')}, {result.conflicting:,} conflicting"
        click.echo(f"{found} ({doubled}, {mistakes.total:,} unusable)", err=True)
