"""`journeymap record`: the live source's raw events to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.errors import InputError
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap record -o events.jsonl               of the simulated platform, until Ctrl-C
  journeymap record --all -o events.jsonl         with all that the journal still keeps
  journeymap stitch events.jsonl                  what the recorded events mean
  journeymap run --source file:events.jsonl       and as a live page again
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to; it is appended to."
)
@click.option("--all", "kept", is_flag=True, help="First what the journal of received events keeps.")
@settings_options(
    "source", "store", "speed", "simulator_rate", "simulator_seed", "simulator_history", "simulator_faults"
)
def record(out: Path, kept: bool, **given: Any) -> None:
    """Write the live source's events to a file as they come, until Ctrl-C. Nothing is stored.

    While ingest is running over the store, this is a copy of its journal, without a second connection to the platform.
    Otherwise posts of EventBridge are taken on INGEST_PORT.
    The file is what `stitch`, `import` and `run --source file:FILE` read: JSON Lines, each line as it was received.
    """
    settings = settings_from(given)
    settings.require_credentials()
    try:
        out.open("ab").close()
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}") from error
    start_logging(settings)
    from journeymap.bootstrap import recording

    recording.record(settings, out, kept=kept)
