"""Exports of all that matches: a figure that the page turns into PNG or SVG, and a CSV file."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import dash
from dash import ClientsideFunction, Input, Output, no_update

from journeymap.errors import InputError
from journeymap.export.caption import filter_words
from journeymap.export.table import COLUMNS, harmless
from journeymap.model.time import Millis
from journeymap.view.filters import CHOICES
from journeymap.view.labels import duration, iso
from journeymap.view.masking import Viewer
from journeymap.view.question import parse_question
from journeymap.web import ids
from journeymap.web.figure import KINDS, export_figure
from journeymap.web.hatching import gaps_within
from journeymap.web.naming import plain

if TYPE_CHECKING:
    from journeymap.web.app import PageModel

PICTURE_ROWS: Final = 500
FILE_ROWS: Final = 10_000
ROWS_PER_QUESTION: Final = 200
CONDITIONS: Final = (
    *("text", "customer", *CHOICES.values(), "min_duration", "max_duration", "min_transfers"),
    *("start", "end", "since", "sort"),
)
"""Fields of the page's question that say which journeys are exported, and in what order."""


def matching_rows(question: Any, limit: int, read_model: PageModel, now: Millis) -> tuple[list[Sequence[Any]], int]:
    """Up to `limit` rows that match the question's filters, in the wall's order, and how many match in all."""
    rows: list[Sequence[Any]] = []
    known: set[str] = set()
    matched = 0
    filters = _conditions(question)
    while len(rows) < limit:
        asked = min(ROWS_PER_QUESTION, limit - len(rows))
        answer = read_model.answer({**filters, "offset": len(rows), "count": asked, "hold": None, "have": []}, now)
        if answer is None:
            break
        matched = answer["matched"]
        by_id = {row[0]: row for row in answer["rows"]}
        fresh = [by_id[row_id] for row_id in answer["order"] if row_id in by_id and row_id not in known]
        if not fresh:
            break
        known.update(row[0] for row in fresh)
        rows += fresh
        if len(rows) >= matched:
            break
    return rows, matched


def make_picture(wanted: Any, read_model: PageModel, now: Millis) -> Any:
    """The figure of all matching rows, with what the picture is of in its title; `no_update` if the request is none."""
    try:
        start, end = (int(edge) for edge in wanted["window"])
        rows, matched = matching_rows(wanted["question"], PICTURE_ROWS, read_model, now)
    except (InputError, KeyError, TypeError, ValueError):
        return no_update
    shown = f"{len(rows):,} of {matched:,} matching journeys" if len(rows) < matched else f"{matched:,} journeys"
    gaps = gaps_within(read_model.gaps(now), (start, end), now)
    hatched = f". Hatched: {len(gaps)} {'gap' if len(gaps) == 1 else 'gaps'} in the stream" if gaps else ""
    notes = [
        f"{{t:{start}}} – {{t:{end}}} ({duration(end - start)}), times in {{zone}}; as of {{t:{now}}}",
        _filters(wanted["question"])
        + (f". Cut to the {PICTURE_ROWS} latest rows" if len(rows) < matched else "")
        + hatched,
    ]
    return {
        "figure": export_figure(rows, (start, end), f"Journeymap · {shown}", notes, now, gaps),
        "format": "svg" if wanted.get("format") == "svg" else "png",
        "serial": wanted.get("serial"),
        "rows": len(rows),
        "matched": matched,
    }


def make_table(wanted: Any, read_model: PageModel, now: Millis) -> Any:
    """A CSV file with a line for each segment of the matching journeys."""
    try:
        rows, _ = matching_rows(wanted["question"], FILE_ROWS, read_model, now)
    except (InputError, KeyError, TypeError):
        return no_update
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        origin = row[4]
        for interaction in row[9]:
            segments = interaction[10:] or [None]
            for segment in segments:
                writer.writerow([harmless(cell) for cell in _line(row, interaction, segment, origin)])
    return {"content": text.getvalue(), "filename": "journeymap.csv", "type": "text/csv"}


def _line(row: Sequence[Any], interaction: Sequence[Any], segment: Sequence[int] | None, origin: Millis) -> list[Any]:
    about = [
        row[2],
        row[0],
        row[3],
        interaction[0],
        interaction[1],
        interaction[2],
        interaction[8],
        interaction[9],
        interaction[7],
    ]
    if segment is None:
        return [*about, "", iso(origin + interaction[4]), "", ""]
    kind, start, length = segment
    ended = ("", "") if length < 0 else (iso(origin + start + length), length)
    return [*about, KINDS[kind].value, iso(origin + start), *ended]


def _filters(question: dict[str, Any]) -> str:
    return plain(filter_words(parse_question(_conditions(question)).filter(), Viewer()))


def _conditions(question: dict[str, Any]) -> dict[str, Any]:
    """The part of a question that says which journeys."""
    return {name: question[name] for name in CONDITIONS if name in question}


def register(app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis]) -> None:
    """Tie the exports' callbacks to `app`."""

    @app.callback(Output(ids.EXPORT_FIGURE, "data"), Input(ids.EXPORT_WANTED, "data"), prevent_initial_call=True)
    async def picture(wanted: Any) -> Any:
        return await asyncio.to_thread(make_picture, wanted, read_model, clock())

    @app.callback(Output(ids.CSV_FILE, "data"), Input(ids.CSV_WANTED, "data"), prevent_initial_call=True)
    async def table(wanted: Any) -> Any:
        return await asyncio.to_thread(make_table, wanted, read_model, clock())

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "picture"),
        Output(ids.EXPORT_DONE, "data"),
        Input(ids.EXPORT_FIGURE, "data"),
        prevent_initial_call=True,
    )
