"""A journey in a few figures, as the API lists it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from journeymap.model.journey import Kind
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.view.reading import Reading
from journeymap.view.tracks import bars


class Summary(msgspec.Struct, frozen=True):
    """What a list says of a journey.

    The counts are of the whole journey. Channels, queues, agents, dispositions (distinct, in the order of the
    interactions), waits and time-outs are of its latest 16 interactions. `longest_wait_ms` is the longest single wait,
    one that is still going on included; null where there was none. `timed_out` counts interactions that closed for
    want of events. `oversized` marks a journey of so many events that it is brought up to date every few seconds only.
    """

    journey_id: str
    customer_id: str
    state: str
    started_at: Millis
    last_event_at: Millis
    channels: list[str]
    interactions: int
    transfers: int
    events: int
    queues: list[str]
    agents: list[str]
    dispositions: list[str]
    longest_wait_ms: Millis | None
    timed_out: int
    oversized: bool


def summary(row: JourneyRow, reading: Reading) -> Summary:
    """The summary of a row as of the reading's moment."""
    shown = [reading.shown(interaction) for interaction in row.interactions]
    waits = [
        (max(reading.now, start) if end is None else end) - start
        for interaction, reading_of in zip(row.interactions, shown, strict=True)
        for kind, start, end in bars(interaction.segments, interaction.last_event_at if reading_of.timed_out else None)
        if kind == Kind.WAIT
    ]
    return Summary(
        journey_id=row.journey_id,
        customer_id=row.customer_id,
        state=reading.journey([each.state for each in shown]).value,
        started_at=row.started_at,
        last_event_at=row.last_event_at,
        channels=_distinct(interaction.channel for interaction in row.interactions),
        interactions=row.interaction_count,
        transfers=row.transfer_count,
        events=row.event_count,
        queues=_distinct(interaction.queue for interaction in row.interactions),
        agents=_distinct(interaction.agent for interaction in row.interactions),
        dispositions=_distinct(interaction.disposition for interaction in row.interactions),
        longest_wait_ms=max(waits, default=None),
        timed_out=sum(each.timed_out for each in shown),
        oversized=row.oversized,
    )


def _distinct(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name is not None))
