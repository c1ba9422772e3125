"""`journeymap ingest`: ingest only, headless."""

from __future__ import annotations

from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap ingest                               with `journeymap serve` beside it
  journeymap ingest --source file:events.jsonl --speed 0 --store disk:data/replay
"""


@click.command(epilog=EXAMPLES)
@settings_options(
    "source", "speed", "store", "host", "ingest_port",
    "simulator_rate", "simulator_seed", "simulator_history", "simulator_faults",
)  # fmt: skip
def ingest(**given: Any) -> None:
    """Ingest only, without a page. Health and metrics are on INGEST_PORT [8051].

    One process writes to a store; a second one is refused. SIGTERM or Ctrl-C stops it with everything received stored.
    """
    settings = settings_from(given)
    settings.require_credentials()
    start_logging(settings)
    from journeymap import bootstrap

    bootstrap.ingest(settings)
