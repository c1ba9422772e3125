"""`journeymap config`: the settings in force and where each came from."""

from __future__ import annotations

import json
from typing import Any

import click

from journeymap.cli.options import settings_from, settings_options

EXAMPLES = """\b
Examples:
  journeymap config
  journeymap config --environment prod            what would hold there
  journeymap config --json | jq .PORT
"""


@click.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="For programs: {NAME: {value, from, help}}.")
@settings_options("source", "store")
def config(as_json: bool, **given: Any) -> None:
    """Show the settings in force and where each came from; secrets masked.

    Command line beats environment (JOURNEYMAP_<NAME>) beats journeymap.toml beats default.
    """
    from journeymap.settings import in_force

    rows = in_force(settings_from(given))
    if as_json:
        found = {row.name: {"value": row.value, "from": row.origin, "help": row.help} for row in rows}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("setting", "value", "from", "what it is", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(row.name, row.value, row.origin, row.help, style="" if row.origin != "default" else "dim")
    console = Console()
    console.print(table, markup=False) if console.is_terminal else _plain(rows)


def _plain(rows: Any) -> None:
    """A line a setting, for a pipe: name, value and origin, with tabs between."""
    for row in rows:
        click.echo(f"{row.name}\t{row.value}\t{row.origin}")
