"""A journey's row made ready for drawing: absolute times, lanes, and since when its state lasts.

What `assets/chart/model.mjs` does on the page, for exports.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from journeymap.model.journey import Journey, State
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import Millis
from journeymap.view.bars import bars
from journeymap.view.facts import facts
from journeymap.view.reading import Reading


class DrawnInteraction(msgspec.Struct, frozen=True):
    """An interaction as drawn. `bars` are `(kind, start, end)`, the end None while it is open; `lane` counts from 0."""

    interaction_id: str
    channel: str
    state: State
    timed_out: bool
    start: Millis
    last: Millis
    ended: Millis | None
    disposition: str | None
    queue: str | None
    agent: str | None
    bars: Sequence[tuple[str, Millis, Millis | None]]
    lane: int = 0

    @property
    def end(self) -> Millis | None:
        """Where its drawing ends; None while it is open."""
        ends = [end for _, _, end in self.bars if end is not None]
        if len(ends) < len(self.bars):
            return None
        return max(self.start, self.ended or 0, *ends) if ends else max(self.start, self.ended or 0)


class DrawnRow(msgspec.Struct, frozen=True):
    """A journey as drawn. A transfer is `(at, source, target)` with places among the interactions, the target None while
    nobody took over or where it is not in the row. `since` is when the state began, `moments` are those of the events, where
    they are known."""

    journey_id: str
    customer: str
    state: State
    start: Millis
    last: Millis
    interactions: Sequence[DrawnInteraction]
    transfers: Sequence[tuple[Millis, int, int | None]]
    lanes: int
    since: Millis
    moments: Sequence[Millis] = ()

    @property
    def channels(self) -> list[str]:
        """The distinct channels in the order of the interactions."""
        return list(dict.fromkeys(one.channel for one in self.interactions))

    def until(self, now: Millis) -> Millis:
        """Where the drawing of the whole row ends."""
        return max([self.last, *(now if one.end is None else one.end for one in self.interactions)])


def drawn_row(row: JourneyRow, reading: Reading, moments: Sequence[Millis] = ()) -> DrawnRow:
    """The row as it reads at the reading's moment."""
    shown = []
    for one in row.interactions:
        read = reading.shown(one)
        cut_at = one.last_event_at if read.timed_out else None
        shown.append(
            DrawnInteraction(
                one.interaction_id,
                one.channel,
                read.state,
                read.timed_out,
                one.started_at,
                one.last_event_at,
                read.ended_at,
                one.disposition,
                one.queue,
                one.agent,
                bars(one.segments, cut_at),
            )
        )
    placed, lanes = in_lanes(shown)
    index = {one.interaction_id: place for place, one in enumerate(placed)}
    transfers = [
        (at, index[source], None if target is None else index.get(target))
        for at, source, target in row.transfers
        if source in index
    ]
    known = facts(row, reading)
    return DrawnRow(
        row.journey_id,
        row.customer_id,
        known.state,
        row.started_at,
        row.last_event_at,
        placed,
        transfers,
        lanes,
        known.since,
        moments,
    )


def in_lanes(interactions: Sequence[DrawnInteraction]) -> tuple[list[DrawnInteraction], int]:
    """The interactions (sorted by start) with lanes in which they do not overlap, and how many lanes that takes."""
    free: list[Millis | None] = []
    placed = []
    for one in interactions:
        lane = next((place for place, until in enumerate(free) if until is not None and until <= one.start), len(free))
        if lane == len(free):
            free.append(one.end)
        else:
            free[lane] = one.end
        placed.append(msgspec.structs.replace(one, lane=lane))
    return placed, max(1, len(free))


def whole_row(journey: Journey) -> JourneyRow:
    """A journey in the form of a row, but with all its interactions, segments and transfers."""
    return JourneyRow(
        journey.journey_id,
        journey.customer_id,
        journey.started_at,
        journey.last_event_at,
        0,
        len(journey.events),
        len(journey.interactions),
        len(journey.transfers),
        tuple(
            InteractionRow(
                one.interaction_id,
                one.channel,
                one.state,
                one.started_at,
                one.last_event_at,
                one.ended_at,
                one.disposition,
                one.queue,
                one.agent,
                tuple((each.kind, each.start, each.end) for each in one.segments),
                one.direction,
            )
            for one in journey.interactions
        ),
        tuple((each.at, each.from_interaction, each.to_interaction) for each in journey.transfers),
    )
