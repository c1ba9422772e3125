"""Recorded events from files: JSON Lines, CSV and Parquet, in bounded memory. What cannot be used is counted."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from journeymap.decode.event import MAX_FRAME, decode_frame
from journeymap.errors import InputError
from journeymap.model.event import Event
from journeymap.model.record import Rejected
from journeymap.source.columns import Columns
from journeymap.source.lines import STDIN, read_lines
from journeymap.source.mistakes import Mistakes

PARQUET_MAGIC: Final = b"PAR1"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_DELIMITERS: Final = ",;\t|"
_ROWS: Final = 4_096


class Recorded:
    """One input. `size` and `position` are bytes of it, for a progress bar; `size` is 0 where it is not known ahead.

    The form is told by the name (`.csv`, `.csv.gz`, `.parquet`) or, for Parquet, by the first bytes; anything else is
    JSON Lines. `-` is JSON Lines from standard input. `columns` maps columns to fields. Raises InputError where
    there is no such file.
    """

    def __init__(self, path: str, columns: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.name = "standard input" if path == STDIN else path
        self.unit = "line"
        self.position = 0.0
        self.size = 0
        self._columns = columns or {}
        self._form = "lines"
        if path != STDIN:
            self._look()

    def _look(self) -> None:
        file = Path(self.path)
        try:
            if file.is_dir():
                raise InputError(f"{self.path} is a directory, not a file of events")
            with file.open("rb") as stream:
                start = stream.read(4) if file.is_file() else b""
            if file.is_file() and not start.startswith(_GZIP_MAGIC):
                self.size = file.stat().st_size
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise InputError(f"cannot open {self.path}: {reason}") from error
        name = file.name.lower()
        if start == PARQUET_MAGIC or name.endswith((".parquet", ".pq")):
            self._form, self.unit = "parquet", "row"
        elif name.removesuffix(".gz").endswith((".csv", ".tsv")):
            self._form = "csv"

    def read(self) -> Iterator[tuple[int, bytes | Rejected]]:
        """Yields `(line or row number, JSON of events)`. Raises InputError where it cannot be read, or no further."""
        if self._form == "parquet":
            return self._parquet()
        return self._csv() if self._form == "csv" else self._lines()

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        for number, line in read_lines(self.path):
            self.position += len(line) + 1
            yield number, line

    def _csv(self) -> Iterator[tuple[int, bytes | Rejected]]:
        # The module's limit on a field is far below what a payload may be; it holds for the process.
        csv.field_size_limit(MAX_FRAME)
        number = 0
        too_large: list[int] = []

        def text() -> Iterator[str]:
            nonlocal number
            for number, line in self._lines():
                if len(line) > MAX_FRAME:
                    too_large.append(number)
                else:
                    # Bytes that are not UTF-8 are kept as surrogates, so that only their own row is refused.
                    yield line.decode("utf-8", "surrogateescape") + "\n"

        lines = text()
        header = next(lines, None)
        if header is None:
            return
        delimiter = max(_DELIMITERS, key=header.count)
        columns = Columns(self.path, next(csv.reader([header], delimiter=delimiter)), self._columns)
        rows = csv.reader(lines, delimiter=delimiter)
        while True:
            row: list[str] | None = []
            try:
                row = next(rows, None)
            except csv.Error:
                yield number, Rejected("not-csv", "not CSV", b"")
            for place in too_large:
                yield place, Rejected("too-large", "too large", b"")
            too_large.clear()
            if row is None:
                return
            if len(row) > len(columns.fields):
                yield number, Rejected("wrong-columns", "wrong columns", b"")
            elif row:
                yield number, columns.event(row)

    def _parquet(self) -> Iterator[tuple[int, bytes | Rejected]]:
        import pyarrow as pa  # half a second and 60 MB, only for those who have such files
        import pyarrow.parquet as pq

        number = 0
        try:
            with pq.ParquetFile(self.path, memory_map=False) as file:
                columns = Columns(self.path, file.schema_arrow.names, self._columns)
                for batch in file.iter_batches(batch_size=_ROWS):
                    self.position = self.size * number / max(1, file.metadata.num_rows)
                    for row in _rows(_with_times_in_ms(batch)):
                        number += 1
                        yield number, Rejected("not-utf8", "not UTF-8", b"") if row is None else columns.event(row)
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{self.path}: not readable as Parquet after row {number} ({reason})") from error


def _with_times_in_ms(batch: Any) -> Any:
    """Times as milliseconds since the epoch; one without a zone is taken as UTC."""
    import pyarrow as pa

    arrays = [
        array.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type)
        else array
        for array in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _rows(batch: Any) -> Iterator[list[Any] | None]:
    """The rows of a batch as Python values; None for one that holds text that is not UTF-8."""
    try:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except UnicodeDecodeError:
        for place in range(batch.num_rows):
            try:
                yield [column[place].as_py() for column in batch.columns]
            except UnicodeDecodeError:
                yield None


def read_events(inputs: Iterable[Recorded], mistakes: Mistakes, *, strict: bool = False) -> Iterator[Event]:
    """The events of all inputs, one after the other. `strict` raises InputError at the first that cannot be used."""
    for recorded in inputs:
        found = 0
        try:
            for number, data in recorded.read():
                found += 1
                events, rejected = ([], [data]) if isinstance(data, Rejected) else decode_frame(data)
                for mistake in rejected:
                    line = mistakes.add(recorded.name, recorded.unit, number, mistake.reason)
                    if strict:
                        raise InputError(line)
                yield from events
        except InputError as error:
            if strict or not found:
                raise
            mistakes.note(str(error))
        if not found:
            mistakes.note(f"{recorded.name}: no events in it")
