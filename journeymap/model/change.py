"""What the stitcher asks the store to keep: records, and the changes of one checkpoint as values."""

from __future__ import annotations

import msgspec

from journeymap.model.event import OrderKey
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis


class JourneyRecord(msgspec.Struct, frozen=True, array_like=True):
    """A journey as stored: its row, and its events as they were received.

    Events are what is durable; everything else is folded from them again. They lie in sealed chunks of their own
    (`chunks` names them, oldest first) and, the newest ones, in `tail`; each is the raw JSON of one event. So writing an
    event costs the same however long the journey is. `closed_from` is the moment from which the journey reads CLOSED
    if nothing more happens: retention and the count of open journeys go by it.
    """

    journey_id: str
    customer_id: str
    first_event_at: Millis
    last_event_at: Millis
    closed_from: Millis
    row: JourneyRow
    chunks: tuple[str, ...]
    tail: tuple[bytes, ...]


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where in time one of a customer's journeys lies, from its first to its last event."""

    journey_id: str
    start: Millis
    end: Millis


class TokenRecord(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one session token: for each interaction that carries it, its earliest event there that also
    carries a customer id, as `(order key, customer id)`, or None where no event of it does."""

    session_token: str
    evidence: dict[str, tuple[OrderKey, str] | None]


class Carrier(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An interaction that carries a key: `at` is the order key of its first event that does, `customer` whose the interaction
    is without this key and weaker ones, None if that is not known. `first` says that it is so already when anonymous
    customers are left aside (docs/stitching.md, section 2). One on which the key is somebody else's names no customer."""

    at: OrderKey
    customer: str | None
    first: bool


class KeyRecord(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one key: the interactions that carry it, and the customer it `leads_to` (the key's own name where it
    makes one, None where it leads nowhere).

    `first` says that it leads there already when anonymous customers are left aside. `gone` is what evicted interactions
    knew. `busy` counts the carriers of a key that has too many; these are not named.
    """

    key: str
    leads_to: str | None
    first: bool
    carriers: dict[str, Carrier]
    gone: tuple[Carrier, ...] = ()
    busy: int = 0


class Changes(msgspec.Struct):
    """All that a checkpoint writes, so that the store then holds exactly the events applied so far.

    Deletions come first, then the upserts. `pointers` lead from the journey id that an interaction would give to the
    journey it is in, where the two differ; so an old link and a late event find their journey.
    """

    delete_journeys: list[str] = msgspec.field(default_factory=list)
    delete_chunks: list[str] = msgspec.field(default_factory=list)
    delete_pointers: list[str] = msgspec.field(default_factory=list)
    delete_tokens: list[str] = msgspec.field(default_factory=list)
    delete_keys: list[str] = msgspec.field(default_factory=list)
    delete_identity: list[str] = msgspec.field(default_factory=list)
    journeys: list[JourneyRecord] = msgspec.field(default_factory=list)
    chunks: dict[str, tuple[bytes, ...]] = msgspec.field(default_factory=dict)
    pointers: dict[str, str] = msgspec.field(default_factory=dict)
    tokens: list[TokenRecord] = msgspec.field(default_factory=list)
    keys: list[KeyRecord] = msgspec.field(default_factory=list)
    identity: dict[str, bytes] = msgspec.field(default_factory=dict)
    """Identity events (raw JSON) by event id."""


class RowChanges(msgspec.Struct):
    """What readers learn from one flush: new forms of rows, and journeys that are gone.

    `gone` leads from the id of a journey that no longer stands to the one that took it in, or to None if it was evicted.
    """

    rows: list[JourneyRow] = msgspec.field(default_factory=list)
    gone: dict[str, str | None] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.gone)
