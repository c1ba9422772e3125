"""The data of journeys as files: CSV and Parquet with a segment a line, JSON, JSON Lines with a journey a line. All streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

from journeymap.model.time import Millis
from journeymap.view.labels import iso
from journeymap.view.rows import DrawnInteraction, DrawnRow

COLUMNS: Final = (
    "customer_id",
    "journey_id",
    "journey_state",
    "interaction_id",
    "channel",
    "interaction_state",
    "queue",
    "agent",
    "disposition",
    "segment",
    "start",
    "end",
    "milliseconds",
)
"""Of CSV, in their order. An interaction without segments has one line with its start."""

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
LINES_AT_ONCE: Final = 5_000


def harmless(cell: Any) -> str:
    """The cell as text that a spreadsheet shows and does not run: a formula gets an apostrophe before it."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def csv_lines(rows: Iterable[DrawnRow]) -> Iterator[str]:
    """CSV in pieces, the head first. Moments are ISO 8601 in UTC; `end` and `milliseconds` are empty while a segment is open."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        for one in row.interactions:
            about = [harmless(cell) for cell in _about(row, one)]
            for kind, start, end in one.bars or ((None, one.start, None),):
                times = [iso(start), *(("", "") if end is None else (iso(end), end - start))]
                writer.writerow([*about, kind or "", *times])
        if text.tell():
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    if text.tell():
        yield text.getvalue()


def write_parquet(rows: Iterable[DrawnRow], out: BinaryIO) -> int:
    """Parquet with the columns of CSV, typed: moments are UTC timestamps to the millisecond, what is not known is null.
    In groups of a few thousand lines, so that memory does not grow with the rows. Returns how many lines there are."""
    import pyarrow as pa
    from pyarrow import parquet

    text, names = pa.string(), pa.dictionary(pa.int32(), pa.string())
    moment = pa.timestamp("ms", tz="UTC")
    kinds = {
        "customer_id": text, "journey_id": text, "journey_state": names, "interaction_id": text, "channel": names,
        "interaction_state": names, "queue": names, "agent": names, "disposition": names, "segment": names,
        "start": moment, "end": moment, "milliseconds": pa.int64(),
    }  # fmt: skip
    schema = pa.schema([pa.field(name, kinds[name]) for name in COLUMNS])
    lines = 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for part in _parts(rows):
            columns = zip(*part, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            lines += len(part)
    return lines


def json_lines(documents: Iterable[bytes]) -> Iterator[bytes]:
    """Journeys as JSON (docs/http.md), one a line."""
    for text in documents:
        yield text + b"\n"


def json_document(documents: Iterable[bytes], *, one: bool) -> Iterator[bytes]:
    """Journeys as one JSON document: a list of them, a line each; of a single one (`one`) the journey itself."""
    before = b"" if one else b"[\n"
    for text in documents:
        yield before + text
        before = b",\n"
    yield b"\n" if one else b"[]\n" if before == b"[\n" else b"\n]\n"


def _about(row: DrawnRow, one: DrawnInteraction) -> tuple[str | None, ...]:
    return (
        row.customer,
        row.journey_id,
        row.state.value,
        one.interaction_id,
        one.channel,
        one.state.value,
        one.queue,
        one.agent,
        one.disposition,
    )


def _parts(rows: Iterable[DrawnRow]) -> Iterator[list[tuple[Any, ...]]]:
    part: list[tuple[Any, ...]] = []
    for row in rows:
        for one in row.interactions:
            about = [None if text is None else text.encode("utf-8", "replace").decode() for text in _about(row, one)]
            for kind, start, end in one.bars or ((None, one.start, None),):
                part.append((*about, kind, start, end, _length(start, end)))
        if len(part) >= LINES_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _length(start: Millis, end: Millis | None) -> Millis | None:
    return None if end is None else end - start
