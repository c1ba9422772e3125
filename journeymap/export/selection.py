"""What is to be exported: many journeys by a filter, or one; masked as whoever asked for it sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from journeymap.export.caption import Look, Subject, counted, filter_words, window_words
from journeymap.export.chart import window_of
from journeymap.model.journey import Journey
from journeymap.model.row import ROW_SEGMENTS, JourneyRow
from journeymap.model.status import Gap
from journeymap.view.document import document
from journeymap.view.filters import Filter
from journeymap.view.masking import Viewer, mask_document, mask_row
from journeymap.view.reading import Reading
from journeymap.view.rows import DrawnRow, drawn_row, whole_row

CHART_ROWS: Final = 5_000
"""Rows of a chart at most; of more, the first ones are drawn and the chart says so."""

Whole = Callable[[str], Journey | None]
"""The whole journey of an id; None where it no longer stands."""


class Selection(msgspec.Struct, frozen=True):
    """Journeys and all that is needed to export them.

    `rows` come in the order in which they are to appear, and once: each selection is exported one time. `most` bounds how
    many are taken (None: all). `one` says that the selection is a single journey, which is drawn as its page draws it.
    """

    rows: Iterable[JourneyRow]
    whole: Whole
    reading: Reading
    viewer: Viewer = Viewer()
    wanted: Filter = Filter()
    gaps: Sequence[Gap] = ()
    look: Look = Look()
    scale: float = 1.0
    most: int | None = None
    one: bool = False

    def drawn(self, most: int) -> tuple[list[DrawnRow], bool]:
        """The rows of a chart, at most `most`, and whether there are more."""
        found = list(islice(self._rows(), most + 1))
        return found[:most], len(found) > most

    def complete(self) -> Iterator[DrawnRow]:
        """The rows of data: with all interactions and segments also of long journeys, which a chart cuts."""
        for row in islice(self.rows, self.most):
            journey = self.whole(row.journey_id) if self.one or is_cut(row) else None
            yield self._drawn(row if journey is None else whole_row(journey))

    def documents(self) -> Iterator[bytes]:
        """The journeys as JSON (docs/http.md)."""
        for row in islice(self.rows, self.most):
            journey = self.whole(row.journey_id)
            if journey is not None:
                yield mask_document(document(journey, self.reading), self.viewer)

    def subject(self, rows: Sequence[DrawnRow], *, more: bool = False, page: str = "") -> Subject:
        """What the head of a chart of these rows says."""
        now = self.reading.now
        start, end = window_of(rows, now, self.wanted.start, self.wanted.end)
        notes = [window_words(start, end, now, self.look), self._about(rows, more=more)]
        shown = counted(len(rows), "journey")
        title = self.look.title or (f"Journey of {rows[0].customer}" if self.one and rows else f"Journeymap · {shown}")
        return Subject(now, start, end, self.gaps, f"{title}{page}", notes)

    def _about(self, rows: Sequence[DrawnRow], *, more: bool) -> str:
        if self.one and rows:
            return f"Journey {rows[0].journey_id}; {counted(len(rows[0].interactions), 'interaction')}"
        cut = f". Cut to the first {len(rows):,} rows; more match" if more else ""
        return filter_words(self.wanted, self.viewer) + cut

    def _rows(self) -> Iterator[DrawnRow]:
        for row in islice(self.rows, self.most):
            journey = self.whole(row.journey_id) if self.one else None
            yield self._drawn(row if journey is None else whole_row(journey))

    def _drawn(self, row: JourneyRow) -> DrawnRow:
        return drawn_row(mask_row(row, self.viewer), self.reading)


def is_cut(row: JourneyRow) -> bool:
    """Whether the journey may be longer than its row."""
    return row.interaction_count > len(row.interactions) or any(
        len(interaction.segments) >= ROW_SEGMENTS for interaction in row.interactions
    )
