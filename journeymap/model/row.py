"""A row: what the wall, the list and the filters need of a journey, small however long the journey has become."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.time import Millis

ROW_INTERACTIONS: Final = 16
"""At most this many interactions stand in a row: open ones first, then those with the latest last event."""

ROW_SEGMENTS: Final = 24
"""At most this many segments, the latest, stand in a row for one interaction."""

ROW_TRANSFERS: Final = 16
"""At most this many transfers, the latest, stand in a row."""


class InteractionRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An interaction in a row; fields as in `Interaction`. A segment is `(kind, start, end or None)`.

    `state` is the folded state; IDLE and timed-out CLOSED are read off the clock with `stitch.timeouts`. Rows that an earlier
    version has written name no `direction`: it stands last, so that they can be read.
    """

    interaction_id: str
    channel: str
    state: str
    started_at: Millis
    last_event_at: Millis
    ended_at: Millis | None
    disposition: str | None
    queue: str | None
    agent: str | None
    segments: tuple[tuple[str, Millis, Millis | None], ...]
    direction: str | None = None


class JourneyRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A journey in a row, without the clock.

    `arrived_at` is our clock when its newest event arrived. The counts are of the whole journey; `interactions` (by
    `(started_at, interaction_id)`) and `transfers` (`(at, from, to or None)`, in order) may be cut to the latest.
    `oversized` marks a journey of so many events that it is folded again only every few seconds.
    """

    journey_id: str
    customer_id: str
    started_at: Millis
    last_event_at: Millis
    arrived_at: Millis
    event_count: int
    interaction_count: int
    transfer_count: int
    interactions: tuple[InteractionRow, ...]
    transfers: tuple[tuple[Millis, str, str | None], ...]
    oversized: bool = False
