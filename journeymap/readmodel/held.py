"""A journey as the read model holds it: its row, and what would be dear to work out for every question."""

from __future__ import annotations

from functools import lru_cache

from journeymap.model.journey import State
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.filters import Filter
from journeymap.view.masking import Viewer, mask
from journeymap.view.tracks import WireRow, wire_row


class Held:
    """One journey, and what it reads as until `due`, the next moment at which a time-out changes that.

    Changed by nobody but `refresh`; a new row makes a new one.
    """

    __slots__ = ("_wire", "_wire_masked", "channels", "customer", "due", "row", "state")

    def __init__(self, row: JourneyRow, now: Millis, timeouts: Timeouts) -> None:
        self.row = row
        folded = row.customer_id.casefold()
        self.customer = row.customer_id if folded == row.customer_id else folded
        self.channels = _channel_set(tuple([interaction.channel for interaction in row.interactions]))
        self.refresh(now, timeouts)

    def refresh(self, now: Millis, timeouts: Timeouts) -> None:
        """Read the clock again."""
        reading = ClockReading(now, timeouts)
        interactions = self.row.interactions
        self.state: State = reading.journey([reading.shown(interaction).state for interaction in interactions])
        self.due: Millis | None = reading.next_due(interactions)
        self._wire: WireRow | None = None
        self._wire_masked: WireRow | None = None

    def meets(self, wanted: Filter) -> bool:
        """`Filter.matches` for the conditions that a page has, without working anything out."""
        return (
            (not wanted.customer or wanted.customer in self.customer)
            and (not wanted.states or self.state in wanted.states)
            and (not wanted.channels or not wanted.channels.isdisjoint(self.channels))
        )

    def wire(self, viewer: Viewer, now: Millis, timeouts: Timeouts) -> WireRow:
        """The row for this viewer's page; made when it is first asked for, kept until something changes."""
        if viewer.sees_identifiers:
            if self._wire is None:
                self._wire = wire_row(self.row, ClockReading(now, timeouts))
            return self._wire
        if self._wire_masked is None:
            customer = mask(self.row.customer_id, viewer)
            self._wire_masked = wire_row(self.row, ClockReading(now, timeouts), customer)
        return self._wire_masked


@lru_cache(maxsize=1_024)
def _channel_set(channels: tuple[str, ...]) -> frozenset[str]:
    # Thousands of journeys share a handful of sets: less memory, and less for the garbage collector to look at.
    return frozenset(channels)
