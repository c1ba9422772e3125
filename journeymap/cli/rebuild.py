"""`journeymap rebuild`: the store's events and the journal's, folded again."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import click

from journeymap.cli.options import Length, settings_from, settings_options
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap rebuild                              beside a running ingest; says when to stop it
  journeymap rebuild --no-wait --store disk:data  with ingest stopped, as in a script
  journeymap rebuild --set ENGAGEMENT_WINDOW=12h  with this window (and then start ingest with it too)
"""

PATIENCE: Final = 600.0
"""Seconds that it waits at a terminal."""


@click.command(epilog=EXAMPLES)
@click.option(
    "--wait",
    type=Length(),
    metavar="TIME",
    help="How long to wait for ingest to be stopped at the end. [default: 10m at a terminal, otherwise 0]",
)
@click.option("--no-wait", is_flag=True, help="The same as --wait 0: ingest must be stopped before.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@settings_options("source", "store")
def rebuild(wait: float | None, no_wait: bool, quiet: bool, **given: Any) -> None:
    """Fold all events again, those of the store and then those of the journal, into a new store that takes the old one's place.

    Journeys that are stored already do not change with ENGAGEMENT_WINDOW, CLOSE_AFTER or a new release; this changes them.
    Ingest and pages may go on meanwhile. At the end ingest has to be stopped: when told so, stop it, and start it again as
    soon as this is done, a few seconds later. What the platform sends in between is missed, as at any restart of ingest.

    It needs about twice the size of the store on the same disk. Stopped or killed at any moment, it leaves the store as it
    was. Events that have passed the RETENTION are gone and do not come back.
    """
    settings = settings_from(given)
    if no_wait:
        wait = 0.0
    elif wait is None:
        wait = PATIENCE if sys.stdin.isatty() and sys.stderr.isatty() else 0.0
    start_logging(settings)
    from journeymap import bootstrap
    from journeymap.cli.progress import counted, with_steps
    from journeymap.runtime.rebuilding import WAITING
    from journeymap.runtime.rebuilding import rebuild as rebuild_store

    started = time.monotonic()
    said = {WAITING: "Stop ingest now: the new store is swapped in within seconds of that."}
    with with_steps(quiet=quiet, said=said) as tell:
        found = rebuild_store(bootstrap.store_work(settings, tell), wait)
    if not quiet:
        seconds = time.monotonic() - started
        events = f"{counted(found.events, 'event')} ({found.from_journal:,} from the journal)"
        journeys = f"{counted(found.journeys, 'journey')}, {found.journeys_before:,} before, {found.changed:,} changed"
        click.echo(f"{events}: {journeys}, in {seconds:.1f} s. Start ingest again.", err=True)
