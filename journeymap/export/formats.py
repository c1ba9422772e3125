"""The forms of an export by the ending of a file's name, and writing any of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Final, TypeVar

import msgspec

from journeymap.errors import InputError
from journeymap.export.chart import chart
from journeymap.export.frame import AXIS, LEGEND, LINE, MARGIN, TITLE
from journeymap.export.journey import journey_chart
from journeymap.export.packet import write_packet
from journeymap.export.pages import MOST_PAGES, PDF_SCALE, html_page, page_height, write_pdf
from journeymap.export.picture import write_png
from journeymap.export.selection import CHART_ROWS, Selection
from journeymap.export.stack import ROW, Stack, stacks
from journeymap.export.table import csv_lines, json_document, json_lines, write_parquet
from journeymap.view.rows import DrawnRow

Told = Callable[[int, int | None], None]
"""Is told of progress: how many are done, and of how many (None: not known)."""


class Form(msgspec.Struct, frozen=True):
    """A form: its media type, whether it is text (and may go to a terminal), and whether there is a chart in it, which has a
    bound of its own and is arranged as the wall is."""

    media_type: str
    text: bool
    drawn: bool


T = TypeVar("T")

FORMS: Final = {
    "png": Form("image/png", False, True),
    "svg": Form("image/svg+xml", True, True),
    "pdf": Form("application/pdf", False, True),
    "html": Form("text/html; charset=utf-8", True, True),
    "csv": Form("text/csv; charset=utf-8", True, False),
    "json": Form("application/json", True, False),
    "jsonl": Form("application/x-ndjson", True, False),
    "parquet": Form("application/vnd.apache.parquet", False, False),
    "zip": Form("application/zip", False, True),
}
"""By ending."""


def form_of(name: str) -> str:
    """The form that a file's name asks for. Raises InputError."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    ending = {"ndjson": "jsonl", "htm": "html", "pq": "parquet"}.get(ending, ending)
    if ending not in FORMS:
        raise InputError(f"{name[:80]!r} does not say what to export: it must end in one of {', '.join(FORMS)}")
    return ending


def write_export(form: str, selection: Selection, out: BinaryIO, told: Told = lambda _done, _of: None) -> list[str]:
    """Write the selection in this form; what has to be said of it, if anything. Raises InputError, StoreError."""
    if form == "csv":
        # With a byte order mark, or spreadsheets take it for another encoding.
        out.write(b"\xef\xbb\xbf")
        _write(csv_lines(_counted(selection.complete(), told, selection.count)), out)
        return []
    if form == "json":
        out.writelines(json_document(_counted(selection.documents(), told, selection.count), one=selection.one))
        return []
    if form == "jsonl":
        out.writelines(json_lines(_counted(selection.documents(), told, selection.count)))
        return []
    if form == "parquet":
        write_parquet(_counted(selection.complete(), told, selection.count), out)
        return []
    if form == "zip":
        return write_packet(selection, out, told)
    return _write_chart(form, selection, out, told)


def svg_of(selection: Selection, rows: Sequence[DrawnRow], *, more: bool = False) -> Iterator[str]:
    """The chart of these rows of the selection."""
    subject = selection.subject(rows, more=more)
    if selection.one:
        return journey_chart(rows[0], selection.look, subject)
    return chart(Stack(selection.placed(rows)), selection.look, subject)


def _write_chart(form: str, selection: Selection, out: BinaryIO, told: Told) -> list[str]:
    rows, more = selection.drawn(CHART_ROWS)
    said = [f"cut to the first {CHART_ROWS:,} rows; more match"] if more else []
    if form == "pdf":
        _write_pages(selection, rows, more, out, told)
        return said
    pieces = svg_of(selection, rows, more=more)
    if form == "svg":
        _write(pieces, out)
    elif form == "html":
        _write(html_page(pieces, selection.subject(rows).title, selection.look.theme), out)
    else:
        drawn = write_png(pieces, out, selection.scale)
        if drawn.scale < selection.scale:
            said.append(f"drawn at {drawn.scale:.2g}x, not {selection.scale:g}x: taller pictures cannot be opened")
    return said


def _write_pages(selection: Selection, rows: Sequence[DrawnRow], more: bool, out: BinaryIO, told: Told) -> None:
    scale = max(selection.scale, PDF_SCALE)
    whole = selection.subject(rows, more=more)
    if selection.one:
        write_pdf([svg_of(selection, rows)], 1, out, whole.title, whole.now, scale=scale, told=told)
        return
    around = TITLE + LINE * len(whole.notes) + LEGEND + 2 * AXIS + MARGIN
    parts = stacks(selection.placed(rows), max(8 * ROW, page_height(selection.look.width) - around))
    if len(parts) > MOST_PAGES:
        raise InputError(
            f"that would be {len(parts):,} pages, at most {MOST_PAGES} are possible: choose fewer journeys"
        )

    def pages() -> Iterator[Iterator[str]]:
        for number, part in enumerate(parts, 1):
            title = whole.title if len(parts) == 1 else f"{whole.title} · page {number} of {len(parts)}"
            yield chart(part, selection.look, msgspec.structs.replace(whole, title=title))

    write_pdf(pages(), len(parts), out, whole.title, whole.now, scale=scale, told=told)


def _counted(items: Iterable[T], told: Told, of: int | None) -> Iterator[T]:
    for count, item in enumerate(items, 1):
        yield item
        if count % 100 == 0:
            told(count, of)


def _write(pieces: Iterable[str], out: BinaryIO) -> None:
    # Lone surrogates cannot be written as UTF-8; they stand for nothing.
    text = io.TextIOWrapper(out, encoding="utf-8", errors="replace", newline="", write_through=False)
    for piece in pieces:
        text.write(piece)
    text.flush()
    text.detach()
