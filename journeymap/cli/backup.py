"""`journeymap backup`: a store, running or not, as one file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap backup -o monday.tar.zst             of the running store; ingest and pages go on
  journeymap backup -o /mnt/backups/journeymap-$(date +%F).tar.zst --store disk:/var/lib/journeymap
  journeymap restore monday.tar.zst --store disk:elsewhere/
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to (.tar.zst)."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@settings_options("source", "store")
def backup(out: Path, force: bool, quiet: bool, **given: Any) -> None:
    """Write a backup of the store into one file: the journeys as they are at one moment, and what the journal holds behind it.

    Ingest is not held up. The file appears whole or not at all, and only you may read it: it holds all that the store
    knows of customers. While it is made, it takes about one and a half times the size of the store on the file's disk.

    `journeymap restore FILE` checks it and puts it back, here or elsewhere. docs/ops/backup.md says more.
    """
    settings = settings_from(given)
    start_logging(settings)
    from journeymap import bootstrap
    from journeymap.cli.progress import counted, with_steps
    from journeymap.runtime.backup import back_up
    from journeymap.runtime.clock import SystemClock

    started = time.monotonic()
    with with_steps(quiet=quiet, said={}) as tell:
        made = back_up(bootstrap.store_work(settings, tell), out, SystemClock().now(), force=force)
    if made.damaged:
        click.echo(f"{made.damaged:,} bytes of the journal cannot be read and are not in it", err=True)
    if not quiet:
        held = f"{counted(made.journeys, 'journey')} and {counted(made.records, 'frame')} of the journal"
        seconds = time.monotonic() - started
        click.echo(f"{out}: {held}, {made.bytes / 1e6:,.1f} MB, in {seconds:.1f} s", err=True)
