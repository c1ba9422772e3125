"""`journeymap run`: ingest and web in one process."""

from __future__ import annotations

from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap run                                  a simulated platform, seen at once
  journeymap run --rate 200 --seed 7 --open       a busier one, in your browser
  journeymap run --source file:events.jsonl --speed 10
  journeymap run --source eventstreams            a real one; see docs/settings.md
"""


@click.command(epilog=EXAMPLES)
@settings_options(
    "source", "speed", "store", "host", "port",
    "simulator_rate", "simulator_seed", "simulator_history", "simulator_faults",
)  # fmt: skip
@click.option("--open/--no-open", "open_browser", help="Open the page in your browser. [default: no]")
def run(open_browser: bool, **given: Any) -> None:
    """Ingest and show journeys on a live page, in one process.

    Without a source, it starts the simulated platform on this machine and connects to it over real HTTP and WebSocket.
    Ctrl-C stops it; what was received is kept, and the next start goes on from there.
    """
    settings = settings_from(given)
    settings.require_credentials()
    start_logging(settings)
    from journeymap import bootstrap

    bootstrap.run(settings, open_browser=open_browser)
