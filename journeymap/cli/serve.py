"""`journeymap serve`: the web side only."""

from __future__ import annotations

from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.runtime.logs import start_logging

EXAMPLES = """\b
Examples:
  journeymap serve                                the page over the store in data/simulated/
  journeymap serve --store disk:data/ --port 8080
"""


@click.command(epilog=EXAMPLES)
@settings_options("source", "store", "host", "port")
def serve(**given: Any) -> None:
    """Show the page only, over a store that `journeymap ingest` writes.

    Any number of these may run beside one another; none of them writes journeys. Use the same settings as for ingest,
    above all the time-outs and the store.
    """
    settings = settings_from(given)
    start_logging(settings)
    from journeymap import bootstrap

    bootstrap.serve(settings)
