"""What events add up to: segments, interactions, transfers, journeys. Without the clock: time-outs are read off later."""

from __future__ import annotations

import enum
import hashlib
from typing import Final

import msgspec

from journeymap.model.event import Event
from journeymap.model.time import Millis


class State(enum.StrEnum):
    """States of an interaction and of a journey. IDLE is only ever read off the clock, never folded."""

    INITIATED = "INITIATED"
    ACTIVE = "ACTIVE"
    TRANSFERRING = "TRANSFERRING"
    WRAPUP = "WRAPUP"
    IDLE = "IDLE"
    CLOSED = "CLOSED"


class Kind(enum.StrEnum):
    """What a stretch of an interaction was spent on."""

    WAIT = "wait"
    INTERACT = "interact"
    TRANSFER = "transfer"
    WRAPUP = "wrapup"
    IVR = "ivr"
    QUEUE = "queue"
    ALERT = "alert"
    HOLD = "hold"


WAITING: Final = frozenset({Kind.WAIT, Kind.QUEUE, Kind.ALERT})
"""Kinds of stretches in which the customer waits for somebody."""

TALKING: Final = frozenset({Kind.INTERACT, Kind.HOLD})
"""Kinds of stretches in which somebody has the customer."""

CHANNELS: Final = ("voice", "chat", "email", "message", "callback")
"""The channels with a track and a colour of their own; any other keeps its name and is drawn on the "other" track."""

OTHER_CHANNEL: Final = "other"


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A stretch `[start, end)` of one kind; `end` is None while it is open."""

    kind: str
    start: Millis
    end: Millis | None


class Interaction(msgspec.Struct, frozen=True):
    """One interaction as its events and the hand-overs of its journey tell it.

    `first_event_at` and `last_event_at` bound its events; `started_at` may lie before them where the start is inferred.
    `queue` and `agent` are the last ones named, `direction` (`inbound`, `outbound`) the first; None while none is.
    """

    interaction_id: str
    channel: str
    state: State
    started_at: Millis
    first_event_at: Millis
    last_event_at: Millis
    ended_at: Millis | None
    closed_at: Millis | None
    disposition: str | None
    queue: str | None
    agent: str | None
    segments: tuple[Segment, ...]
    direction: str | None = None


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """A transfer and the interaction that took it over; `to_interaction` is None while there is none."""

    at: Millis
    from_interaction: str
    to_interaction: str | None


class Journey(msgspec.Struct, frozen=True):
    """One customer's interactions that belong together.

    `interactions` are sorted by `(started_at, interaction_id)`, `transfers` and `events` by the order of events.
    """

    journey_id: str
    customer_id: str
    started_at: Millis
    first_event_at: Millis
    last_event_at: Millis
    interactions: tuple[Interaction, ...]
    transfers: tuple[Transfer, ...]
    events: tuple[Event, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """The distinct channels in the order of the interactions."""
        return tuple(dict.fromkeys(interaction.channel for interaction in self.interactions))


def journey_id_of(interaction_id: str) -> str:
    """The journey id that an interaction gives: `j-` and the first 20 hex digits of its id's SHA-256."""
    return "j-" + hashlib.sha256(interaction_id.encode("utf-8", "surrogatepass")).hexdigest()[:20]
