"""A journey as the read model holds it: its row, and what would be dear to work out for every question."""

from __future__ import annotations

from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.facts import facts
from journeymap.view.masking import Viewer, mask_row
from journeymap.view.tracks import WireRow, wire_row


class Held:
    """One journey as it reads from the moment it was made until `due`, the next at which it reads otherwise.

    Never changed: whoever keeps an order or a count finds out of the old one what to take away.
    """

    __slots__ = ("_wire", "_wire_masked", "due", "facts", "row", "stored")

    def __init__(self, row: JourneyRow, now: Millis, timeouts: Timeouts, stored: JourneyRow | None = None) -> None:
        """`row` as it is shown; `stored` is the same as the store has it, where that names ids instead of names."""
        reading = ClockReading(now, timeouts)
        self.row = row
        self.stored = row if stored is None else stored
        self.facts = facts(row, reading)
        dues = [due for due in (self.facts.due, reading.next_due(row.interactions)) if due is not None]
        self.due: Millis | None = min(dues, default=None)
        self._wire: WireRow | None = None
        self._wire_masked: WireRow | None = None

    def wire(self, viewer: Viewer, now: Millis, timeouts: Timeouts) -> WireRow:
        """The row for this viewer's page; made when it is first asked for."""
        if viewer.sees_identifiers:
            if self._wire is None:
                self._wire = wire_row(self.row, ClockReading(now, timeouts))
            return self._wire
        if self._wire_masked is None:
            self._wire_masked = wire_row(mask_row(self.row, viewer), ClockReading(now, timeouts))
        return self._wire_masked
