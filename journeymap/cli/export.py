"""`journeymap export`: a chart of journeys, or their data, to a file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from journeymap.cli.options import Length, settings_from, settings_options
from journeymap.errors import InputError

if TYPE_CHECKING:
    from journeymap.view.filters import Filter

EXAMPLES = """\b
Examples:
  journeymap export --last 30m -o wall.png --scale 2
  journeymap export --customer 4711 -o customer.pdf --time-zone Europe/London
  journeymap export --journey j-0c2a… -o incident.zip --theme dark
  journeymap export --journey j-0c2a… --journey j-77f0… -o both.zip
  journeymap export --state ACTIVE --channel voice -o - --format csv | head
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "-o", "--out", required=True, metavar="FILE", help="Where to; the ending is the form. - is standard output."
)
@click.option(
    "--format", "form", metavar="FORM", help="png, svg, pdf, html, csv, json, jsonl, parquet or zip; for -o -."
)
@click.option(
    "--journey",
    multiple=True,
    metavar="ID",
    help="This journey only, drawn as its own page draws it; given again, these journeys.",
)
@click.option(
    "--search", "q", metavar="TEXT", help="In the ids of customer, journey or interaction, a queue or an agent."
)
@click.option("--customer", metavar="TEXT", help="Journeys whose customer id contains this.")
@click.option(
    "--channel", multiple=True, metavar="NAME", help="Any of these channels occurs; repeatable, as the next six."
)
@click.option("--state", multiple=True, metavar="NAME", help="It reads as any of these states.")
@click.option("--queue", multiple=True, metavar="NAME", help="An interaction was last in any of these queues.")
@click.option("--agent", multiple=True, metavar="NAME", help="Any of these agents was last in an interaction.")
@click.option("--disposition", multiple=True, metavar="NAME", help="An interaction ended with any of these outcomes.")
@click.option("--direction", multiple=True, metavar="NAME", help="An interaction went in any of these directions.")
@click.option("--flag", multiple=True, metavar="NAME", help="It has any of these flags.")
@click.option("--min-duration", metavar="TIME", help="It lasted so long at least, such as 10m.")
@click.option("--max-duration", metavar="TIME", help="It lasted so long at most.")
@click.option("--min-transfers", metavar="N", help="So many transfers at least.")
@click.option("--from", "from", metavar="TIME", help="Active at this time or later; ISO 8601, or ms since 1970.")
@click.option("--to", "to", metavar="TIME", help="Active before this time.")
@click.option("--last", type=Length(), metavar="TIME", help="Instead of --from and --to: until now, such as 30m.")
@click.option(
    "--sort", metavar="NAME", help="activity, wait, state, duration, transfers, started, …; - before it turns it round."
)
@click.option("--group", metavar="NAME", help="A chart's rows by state or queue, below headings.")
@click.option(
    "--pinned", multiple=True, metavar="ID", help="This journey on top of a chart, matching or not; repeatable."
)
@click.option("--no-fold", is_flag=True, help="One journey's chart with its idle stretches at their true length.")
@click.option("--title", default="", metavar="TEXT", help="The chart's title.")
@click.option("--theme", default="light", show_default=True, metavar="NAME", help="light or dark.")
@click.option("--scale", type=float, default=1.0, show_default=True, metavar="N", help="Size of a PNG, 1 to 4.")
@click.option("--width", type=int, default=1440, show_default=True, metavar="PIXELS", help="Of the chart at scale 1.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@settings_options("source", "store", "time_zone")
def export(
    out: str,
    form: str | None,
    journey: tuple[str, ...],
    sort: str | None,
    group: str | None,
    pinned: tuple[str, ...],
    no_fold: bool,
    title: str,
    theme: str,
    scale: float,
    width: int,
    force: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """A chart of all journeys that match, or their data, out of the store, beside a running ingest or without one.

    The ending of FILE says what it becomes: a chart (png, svg, pdf, html) with all rows, title, filters, time zone and legend;
    data (csv and parquet with a segment a line, json, jsonl with a journey a line); or zip, an incident packet of all of these
    with a summary. No browser is needed. It reads what is stored at the last checkpoint, at most a few seconds old.
    """
    settings = settings_from(given)
    from journeymap.bootstrap.exporting import opened_store, zone_of
    from journeymap.cli.output import opened
    from journeymap.cli.progress import with_steps
    from journeymap.export.caption import Look, read_title, read_width
    from journeymap.export.formats import FORMS, form_of, write_export
    from journeymap.export.palette import read_theme
    from journeymap.export.picture import read_scale
    from journeymap.runtime.work import Progress
    from journeymap.view.sorting import ACTIVITY

    began = time.monotonic()
    form = form_of(out if form is None else f".{form}")
    path = _place(out, force, text=FORMS[form].text)
    zone, zone_name = zone_of(settings)
    look = Look(read_theme(theme), read_width(width), zone, zone_name, read_title(title), fold=not no_fold)
    scale = read_scale(scale)
    with opened_store(settings) as store, with_steps(quiet=quiet, said={}) as tell:
        wanted = _wanted(given, store.reading.now)
        if not journey and FORMS[form].drawn:
            selection = store.arranged(wanted, look, scale, sort or ACTIVITY, group=group, pinned=pinned)
        elif not journey:
            selection = store.many(wanted, look, scale, sort or ACTIVITY)
        elif sort or group or pinned or _names_many(given):
            raise click.UsageError("--journey says which journeys: of the filters only the times may stand beside it")
        elif len(journey) == 1:
            selection = store.one(journey[0], wanted, look, scale)
        else:
            selection = store.chosen(journey, wanted, look, scale)
        with opened(path) as stream:
            unit = "pages" if form == "pdf" else "journeys"
            said = write_export(form, selection, stream, lambda done, of: tell(Progress("Exporting", done, of, unit)))
    for text in said:
        click.echo(f"journeymap: {text}", err=True)
    if not quiet and path is not None:
        size = path.stat().st_size if path.exists() else 0
        click.echo(f"{path}: {size / 1000:,.0f} kB in {time.monotonic() - began:.1f} s", err=True)


def _place(out: str, force: bool, *, text: bool) -> Path | None:
    """Where to write; None is standard output."""
    if out == "-":
        if not text and sys.stdout.isatty():
            raise InputError("this form is not text and does not go to a terminal: name a file with -o, or use a pipe")
        return None
    path = Path(out)
    if path.is_dir():
        raise InputError(f"{path} is a directory: name a file in it")
    if path.is_file() and not force:
        raise InputError(f"{path} is there already: choose another name, or replace it with --force")
    return path


def _wanted(given: dict[str, Any], now: int) -> Filter:
    """The filter that the options make: those of the HTTP interface by the same names."""
    from journeymap.view.filters import CHOICES, QUERY_NAMES, parse_query

    asked = [(name, value) for name in CHOICES for value in given[name]]
    asked += [(name, given[name]) for name in QUERY_NAMES if name not in CHOICES and given[name] is not None]
    if given["last"] is not None:
        if given["from"] or given["to"]:
            raise click.UsageError("--last says all about the time: leave --from and --to out")
        asked.append(("from", str(now - int(given["last"] * 1000))))
    return parse_query(asked)


def _names_many(given: dict[str, Any]) -> bool:
    from journeymap.view.filters import QUERY_NAMES

    return any(given[name] for name in QUERY_NAMES if name not in {"from", "to"})
