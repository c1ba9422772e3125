"""`journeymap restore`: a backup becomes a store again."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap restore monday.tar.zst --store disk:elsewhere/
  journeymap restore monday.tar.zst --replace     over the store that is there; stop ingest first
  journeymap restore monday.tar.zst --replace --keep-journal
                                                  the database is lost, the journal is not
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--replace", is_flag=True, help="Put it in the place of a store that is there.")
@click.option(
    "--keep-journal",
    is_flag=True,
    help="With --replace: the journal there goes on from the backup, and its events since then are kept.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@settings_options("source", "store")
def restore(file: Path, replace: bool, keep_journal: bool, quiet: bool, **given: Any) -> None:
    """Put a backup that `journeymap backup` made into STORE. Ingest must be stopped; pages may go on, and go over to it.

    The file is verified whole before anything is touched; whatever fails, what was there stays. A backup of an older
    release is brought up to date, one of a newer release is refused. What you set as SOURCE and ENVIRONMENT must be what
    the backup is of, so that it does not end up among others' journeys; without STORE being set, that holds for the
    defaults too.

    If the database is lost but the journal beside it is not, --keep-journal loses nothing: the next start of ingest folds
    what was received since the backup.
    """
    settings = settings_from(given)
    start_logging(settings)
    from journeymap import bootstrap
    from journeymap.cli.progress import counted, with_steps
    from journeymap.runtime.clock import SystemClock
    from journeymap.runtime.restore import Wanted
    from journeymap.runtime.restore import restore as restore_store

    anywhere = "store" in settings.origins
    source, environment = bootstrap.kinds_of(settings), settings.environment
    wanted = Wanted(
        None if anywhere and "source" not in settings.origins else source,
        None if anywhere and "environment" not in settings.origins else environment,
        replace,
        keep_journal,
    )
    started = time.monotonic()
    with with_steps(quiet=quiet, said={}) as tell:
        found = restore_store(bootstrap.store_work(settings, tell), file, wanted, SystemClock().now())
    if found.aside is not None:
        click.echo(f"The database that was there cannot be read; it is kept in {found.aside}", err=True)
    if not quiet:
        made = found.manifest
        at = datetime.fromtimestamp(made.made_at / 1000, UTC)
        seconds = time.monotonic() - started
        click.echo(
            f"{counted(found.journeys, 'journey')} as of {at:%Y-%m-%d %H:%M:%S} UTC (source {made.source}, environment "
            f"{made.environment}), in {seconds:.1f} s. Start ingest with that source and environment.",
            err=True,
        )
