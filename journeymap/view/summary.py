"""A journey in a few figures, as the API lists it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.view.facts import ONGOING, facts
from journeymap.view.reading import Reading


class Summary(msgspec.Struct, frozen=True):
    """What a list says of a journey.

    The counts are of the whole journey. Channels, queues, agents, dispositions, directions (distinct, in the order of
    the interactions), flags, waits and time-outs are of its latest 16 interactions. `longest_wait_ms` is the longest single wait,
    one that is still going on included; null where there was none. `timed_out` counts interactions that closed for
    want of events. `oversized` marks a journey of so many events that it is brought up to date every few seconds only.
    `state_since` is the moment from which on it has been in its state.
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
    state_since: Millis
    directions: list[str]
    flags: list[str]


def summary(row: JourneyRow, reading: Reading) -> Summary:
    """The summary of a row as of the reading's moment."""
    known = facts(row, reading)
    waits = [(max(reading.now, start) if end == ONGOING else end) - start for start, end in known.waits]
    return Summary(
        journey_id=row.journey_id,
        customer_id=row.customer_id,
        state=known.state.value,
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
        timed_out=sum(reading.shown(interaction).timed_out for interaction in row.interactions),
        oversized=row.oversized,
        state_since=known.since,
        directions=_distinct(interaction.direction for interaction in row.interactions),
        flags=sorted(known.flags),
    )


def _distinct(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name is not None))
