"""`journeymap import`: recorded events into the store."""

from __future__ import annotations

import time
from typing import Any

import click

from journeymap.cli.options import mapped_columns, settings_from, settings_options

EXAMPLES = """\b
Examples:
  journeymap import events.jsonl.gz --store disk:data/history
  journeymap import calls.csv --map call_id=interactionId --map medium=channelType
"""


@click.command("import", epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="Which column holds a field (CSV, Parquet).")
@click.option("--strict", is_flag=True, help="Stop at the first line that cannot be used.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary; what cannot be used is still said.")
@settings_options("source", "store")
def import_(files: tuple[str, ...], maps: tuple[str, ...], strict: bool, quiet: bool, **given: Any) -> None:
    """Take recorded events into the store: JSON Lines (gzip too), CSV and Parquet.

    Columns are known by their names (interaction_id, interactionId, …); --map says what others hold, and what is not a
    field becomes an attribute of the event. Events that are there already are recognised, so importing twice does no
    harm. The store must have no other writer: stop `run` or `ingest` first. Unless SOURCE is set, the events count as
    those of a file and go to disk:data/; `journeymap serve --store disk:data/` shows them.
    """
    settings = settings_from(given)
    if "source" not in settings.origins:
        # Recorded events are mostly real ones; by default they must not land among the simulator's.
        settings = settings_from({**given, "source": f"file:{files[0]}"})
    from journeymap import bootstrap
    from journeymap.cli.progress import counted, with_bar
    from journeymap.settings import show
    from journeymap.source.mistakes import Mistakes
    from journeymap.source.recorded import Recorded, read_events

    started = time.monotonic()
    columns = mapped_columns(maps)
    inputs = [Recorded(path, columns) for path in files]
    mistakes = Mistakes()
    try:
        events = with_bar(read_events(inputs, mistakes, strict=strict), inputs, "Importing", quiet=quiet)
        result = bootstrap.import_events(settings, events)
    finally:
        for text in mistakes.lines():
            click.echo(text, err=True)
    if not quiet:
        seconds = time.monotonic() - started
        found = f"{counted(result.new, 'new event')}, {counted(result.duplicates, 'duplicate')}"
        click.echo(f"{found}, {result.expired:,} expired, {mistakes.total:,} rejected, in {seconds:.1f} s", err=True)
        if result.expired:
            kept = show("retention", settings.retention)
            click.echo(
                f"Expired are events older than RETENTION ({kept}); --set RETENTION=365d takes in a year.", err=True
            )
