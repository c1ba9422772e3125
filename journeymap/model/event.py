"""An event, the order of events, and which of two copies of one event holds (docs/stitching.md, section 1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, TypeAlias

import msgspec

from journeymap.model.time import Millis

CREATED: Final = "interaction.created"
STARTED: Final = "conversation.started"
TRANSFERRED: Final = "transfer.initiated"
ENDED: Final = "conversation.ended"
DISPOSED: Final = "disposition.completed"
STREAM_TYPES: Final = (CREATED, STARTED, TRANSFERRED, ENDED, DISPOSED)
"""The five event types of an event stream, in the order of their ranks."""

MERGED: Final = "customer.merged"
SPLIT: Final = "customer.split"
IDENTITY_TYPES: Final = frozenset({MERGED, SPLIT})
"""Types that say something about customers and belong to no interaction."""

RENAMED: Final = {"interaction.started": STARTED}
"""Other names of types, replaced at the door."""

CUSTOMER_START: Final = "customer.start"
CONTACT: Final = "contact"
ATTRIBUTES: Final = "attributes"
OUTBOUND: Final = "outbound"
FLOW_START: Final = "flow.start"
FLOW_OUTCOME: Final = "flow.outcome"
FLOW_END: Final = "flow.end"
ACD_START: Final = "acd.start"
USER_START: Final = "user.start"
ACD_END: Final = "acd.end"
ACD_ANSWERED: Final = "acd.answered"
USER_ANSWER: Final = "user.answer"
HOLD_START: Final = "hold.start"
HOLD_END: Final = "hold.end"
USER_MISSED: Final = "user.missed"
USER_TRANSFERRED: Final = "user.transferred"
USER_END: Final = "user.end"
VOICEMAIL_START: Final = "voicemail.start"
VOICEMAIL_END: Final = "voicemail.end"
CUSTOMER_END: Final = "customer.end"
ACW: Final = "acw"
WRAPUP: Final = "wrapup"
PLATFORM_TYPES: Final = (
    CUSTOMER_START, CONTACT, ATTRIBUTES, OUTBOUND, FLOW_START, FLOW_OUTCOME, FLOW_END, VOICEMAIL_START, ACD_START,
    USER_START, ACD_END, ACD_ANSWERED, USER_ANSWER, HOLD_START, HOLD_END, USER_MISSED, USER_TRANSFERRED, USER_END,
    VOICEMAIL_END, CUSTOMER_END, ACW, WRAPUP,
)  # fmt: skip
"""What the platform's public APIs tell of a conversation (docs/normalisation.md), in the order of their ranks: as it goes."""

CUSTOMERS_OWN: Final = frozenset({CUSTOMER_START, CUSTOMER_END})
"""Types that are told of on the customer's side of a conversation."""

AFTERWARDS: Final = frozenset({ACW, WRAPUP})
"""Types that may come long after what they are about: who wrote them need not be who has the customer then."""

UNKNOWN_RANK: Final = 9
RANKS: Final = {
    **{event_type: rank for rank, event_type in enumerate(STREAM_TYPES)},
    **{event_type: UNKNOWN_RANK + place for place, event_type in enumerate(PLATFORM_TYPES, 1)},
}

STANDINGS: Final = {"detail": 1, "analytics": 2, "snapshot": 3, "estimate": 4}
"""How far a copy of a platform's event is to be believed, by its `payload.seenIn`: the smaller the further. Those of a stream
stand at 0."""

OrderKey: TypeAlias = tuple[Millis, int, str, str]
"""`(timestamp, rank of type, eventId, interactionId)`: the one order of all events."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event, normalised.

    `raw` is the event as it was received (the bytes of one JSON object): what is stored, compared and shown in full.
    All other fields are read from it. Missing and empty strings are None. `interaction_id` is "" for identity events,
    which carry `from_customer` and `to_customer` instead. `channel` and `direction` are lower case. `arrived_at` is our clock
    on arrival, 0 where it is not known; it has no part in what a set of events means. `duration` is `durationSeconds` in
    milliseconds. `leg` is the media session of a platform's event, `standing` how far that is to be believed (`STANDINGS`).
    `party` is the participant of a platform's event that is told of on the customer's side, `keys` are what it is known by
    (`model.key`).
    """

    timestamp: Millis
    rank: int
    event_id: str
    interaction_id: str
    type: str
    raw: bytes
    customer_id: str | None = None
    session_token: str | None = None
    channel: str | None = None
    duration: Millis | None = None
    disposition: str | None = None
    queue: str | None = None
    agent: str | None = None
    from_customer: str | None = None
    to_customer: str | None = None
    arrived_at: Millis = 0
    direction: str | None = None
    leg: str | None = None
    standing: int = 0
    party: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def lacks(self) -> int:
        """How many of customer, agent and disposition it does not name."""
        return (self.customer_id, self.agent, self.disposition).count(None)


order_key: Callable[[Event], OrderKey] = attrgetter("timestamp", "rank", "event_id", "interaction_id")
"""An event's place in the order of all events."""


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: keys sorted, no spaces, non-ASCII escaped."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def same_copy(one: Event, other: Event) -> bool:
    """Whether two copies of an event (same interaction, same event id) say the same, whatever their spelling."""
    if one.raw == other.raw:
        return True
    # Of a platform's events, most copies come from another of its APIs: not worth reading again what they say.
    if one.standing != other.standing or one.timestamp != other.timestamp:
        return False
    return _spelled(one) == _spelled(other)


def better_copy(one: Event, other: Event) -> Event:
    """Of two copies that differ, the one that holds: the smallest by `(timestamp, rank, canonical JSON as received)`.

    Of a platform's events, copies come from several of its APIs, and not one of them tells all: first comes the one that
    names the most, then the one with more keys, then the one of the better standing.
    """
    first, second = _place(one), _place(other)
    if first == second:
        first, second = (*first, _spelled(one)), (*second, _spelled(other))
    return one if first <= second else other


def _place(copy: Event) -> tuple[int | str, ...]:
    lacks = copy.lacks if copy.standing else 0
    return lacks, -len(copy.keys), copy.standing, copy.timestamp, copy.rank


def _spelled(copy: Event) -> str:
    return canonical_json(json.loads(copy.raw))


def contradicts(one: Event, other: Event) -> bool:
    """Whether two copies that differ say that something is wrong. Two APIs of a platform differ in what they know."""
    return one.standing == other.standing == 0
