"""What is to be exported: many journeys by a filter, some by their ids, or one; masked as whoever asked for it sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from journeymap.errors import InputError
from journeymap.export.caption import Look, Subject, counted, filter_words, window_words
from journeymap.export.chart import window_of
from journeymap.export.journey import folds_of
from journeymap.export.stack import Placed, placed
from journeymap.model.journey import Journey
from journeymap.model.row import ROW_SEGMENTS, JourneyRow
from journeymap.model.status import Gap
from journeymap.model.time import Millis
from journeymap.view.document import document
from journeymap.view.filters import Filter
from journeymap.view.masking import Viewer, mask_document, mask_row
from journeymap.view.names import NO_NAMES, KnownNames
from journeymap.view.question import MAX_PINNED
from journeymap.view.reading import Reading
from journeymap.view.rows import DrawnRow, drawn_row, whole_row
from journeymap.view.sorting import Grouping

CHART_ROWS: Final = 5_000
"""Rows of a chart at most; of more, the first ones are drawn and the chart says so."""

CHOSEN: Final = 500
"""Journeys that may be chosen by their ids at most."""

Whole = Callable[[str], Journey | None]
"""The whole journey of an id; None where it no longer stands."""


class Selection(msgspec.Struct, frozen=True):
    """Journeys and all that is needed to export them.

    `rows` come in the order in which they are to appear, and once: each selection is exported one time. `most` bounds how
    many are taken (None: all). `one` says that the selection is a single journey, which is drawn as its page draws it. `count` is
    how many there are, where that is known; `chosen` says that they were chosen by their ids, of which `missing` do not stand.
    `window` is the time that charts show, where it is not that of the filter. `pinned` are the ids of the first rows, where these
    are pinned, `groups` those of all others: charts have them on top, and those below their groups' headings. `names` are those
    of ids in events; rows and whole journeys have theirs already.
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
    count: int | None = None
    chosen: bool = False
    missing: int = 0
    window: tuple[Millis, Millis] | None = None
    pinned: Collection[str] = ()
    groups: Grouping | None = None
    names: KnownNames = NO_NAMES

    @classmethod
    def by_ids(
        cls, rows: Sequence[JourneyRow], missing: Sequence[str], whole: Whole, reading: Reading, **about: Any
    ) -> Selection:
        """Journeys that were chosen by their ids. Raises InputError where none of them stands."""
        if not rows:
            raise InputError(f"no journey has the id {missing[0][:80]!r}, and none was joined from it")
        return cls(iter(rows), whole, reading, count=len(rows), chosen=True, missing=len(missing), **about)

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
                yield self.document(journey)

    def document(self, journey: Journey) -> bytes:
        """One of them as JSON."""
        return mask_document(document(journey, self.reading, self.names), self.viewer)

    def subject(self, rows: Sequence[DrawnRow], *, more: bool = False, page: str = "") -> Subject:
        """What the head of a chart of these rows says."""
        now = self.reading.now
        folds = folds_of(rows[0], now) if self.one and rows and self.look.fold else ()
        start, end = self.window or window_of(rows, now, self.wanted.start, self.wanted.end, folds)
        folds = [fold for fold in folds if start <= fold.start and fold.end <= end]
        notes = [window_words(start, end, now, self.look), self._about(rows, more=more, folds=len(folds))]
        shown = counted(len(rows), "journey")
        title = self.look.title or (f"Journey of {rows[0].customer}" if self.one and rows else f"Journeymap · {shown}")
        return Subject(now, start, end, self.gaps, f"{title}{page}", notes, folds)

    def _about(self, rows: Sequence[DrawnRow], *, more: bool, folds: int) -> str:
        if self.one and rows:
            folded = f"; {counted(folds, 'idle stretch', 'es')} folded" if folds else ""
            return f"Journey {rows[0].journey_id}; {counted(len(rows[0].interactions), 'interaction')}{folded}"
        if self.chosen:
            were, are = ("was", "is") if self.missing == 1 else ("were", "are")
            gone = f"; {self.missing:,} more {were} chosen and {are} not stored any more" if self.missing else ""
            return f"Chosen one by one{gone}"
        cut = f". Cut to the first {len(rows):,} rows; more match" if more else ""
        pinned = sum(row.journey_id in self.pinned for row in rows)
        above = f". {pinned} pinned on top, whatever the filters" if pinned else ""
        grouped = f". Grouped by {self.groups.by}" if self.groups else ""
        return filter_words(self.wanted, self.viewer) + grouped + above + cut

    def placed(self, rows: Sequence[DrawnRow]) -> Sequence[Placed]:
        """The rows of a chart with the headings that they stand under."""
        return placed(rows, self.pinned, self.groups, self.viewer)

    def _rows(self) -> Iterator[DrawnRow]:
        for row in islice(self.rows, self.most):
            journey = self.whole(row.journey_id) if self.one else None
            yield self._drawn(row) if journey is None else self.drawn_journey(journey)

    def drawn_journey(self, journey: Journey) -> DrawnRow:
        """A whole journey as it is drawn."""
        row = mask_row(whole_row(journey), self.viewer)
        return drawn_row(row, self.reading, [event.timestamp for event in journey.events])

    def _drawn(self, row: JourneyRow) -> DrawnRow:
        return drawn_row(mask_row(row, self.viewer), self.reading)


def is_cut(row: JourneyRow) -> bool:
    """Whether the journey may be longer than its row."""
    return row.interaction_count > len(row.interactions) or any(
        len(interaction.segments) >= ROW_SEGMENTS for interaction in row.interactions
    )


def read_chosen(ids: Sequence[str]) -> Sequence[str]:
    """Ids that may be chosen. Raises InputError."""
    if len(ids) > CHOSEN:
        raise InputError(f"{len(ids):,} journeys are named; at most {CHOSEN} are possible: use filters instead")
    return ids


def read_pinned(ids: Sequence[str]) -> Sequence[str]:
    """Ids that may be pinned. Raises InputError."""
    if len(ids) > MAX_PINNED:
        raise InputError(f"{len(ids):,} journeys are pinned; at most {MAX_PINNED} are possible")
    return ids
