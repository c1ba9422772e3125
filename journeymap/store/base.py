"""The store's port: what every store does, said once. `tests/contract/` checks each implementation against it.

One process writes, any number read. A commit is one transaction: readers see all of it or nothing. Each commit that has
row changes becomes a numbered batch, and `head` is the number of the newest; a reader follows the batches with a cursor,
and one that fell too far behind takes a snapshot. Records (`Changes`) may be committed less often than batches,
at checkpoints: the batches since the last one say what the records do not say yet (`snapshot` applies them), and the
journal of received events is replayed from the committed position.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from journeymap.model.change import Changes, JourneyRecord, KeyRecord, RowChanges, Span, TokenRecord
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis

SCHEMA_VERSION = 2
"""Version of everything a store keeps. An older store is migrated when it is opened for writing (migrations.py); until then,
and where it is newer, it is refused with a clear error."""

BATCHES_KEPT = 600
"""How many batches a store keeps for readers that follow: a minute of flushes at the default interval."""


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """One committed flush as readers see it. `committed_at` is the writer's clock at the commit."""

    number: int
    committed_at: Millis
    rows: list[JourneyRow]
    gone: dict[str, str | None]


class Snapshot(msgspec.Struct, frozen=True):
    """Rows as of a batch. All batches up to `head` are already applied to `rows`."""

    head: int
    rows: list[JourneyRow]


class Commit(msgspec.Struct, frozen=True):
    """What one flush writes, all or nothing: `rows` for readers; and, at a checkpoint, `changes` and the `positions`
    (source name to journal offset) up to which every event is in the store."""

    now: Millis
    rows: RowChanges
    changes: Changes | None = None
    positions: Mapping[str, int] | None = None


class Query(msgspec.Struct, frozen=True):
    """Which journeys to list, over all that is stored.

    `customer` is a substring of the customer id, compared without regard to case. `channels`: any of them occurs in the
    journey. `start` and `end` bound a half-open span in which the journey was active (its events overlap it).
    `open_at`: only journeys that do not read CLOSED at that moment; `closed_at`: only those that do.
    `order` is `last_event_at` or `started_at`, newest first when `descending`. `after` is the place of the last row already had,
    `(value of the order field, journey id)`.
    """

    customer: str | None = None
    channels: frozenset[str] = frozenset()
    start: Millis | None = None
    end: Millis | None = None
    open_at: Millis | None = None
    closed_at: Millis | None = None
    order: str = "last_event_at"
    descending: bool = True
    after: tuple[Millis, str] | None = None
    limit: int = 100


class StoreReader(Protocol):
    """Read access, from any process and any thread. Methods raise `StoreCorruptError` where what is stored is unreadable."""

    def head(self) -> int:
        """Number of the newest committed batch, 0 before the first. Cheap enough to ask every 10 ms."""

    def batches(self, after: int) -> Sequence[Batch] | None:
        """All batches with a number above `after`, oldest first; None if some of them are no longer kept, or if `after`
        lies above the head (the store was replaced)."""

    def snapshot(self, active_since: Millis, limit: int) -> Snapshot:
        """Rows of the journeys that are open or had an event at `active_since` or later; of those the `limit` with the
        latest `last_event_at`. Consistent with its `head`."""

    def find(self, journey_id: str) -> JourneyRecord | None:
        """The journey with this id, or the one to which a member's id points; None if there is none."""

    def find_many(self, journey_ids: Iterable[str]) -> dict[str, JourneyRecord]:
        """`find` for many ids at once; the answer is keyed by the ids asked for and leaves out those not found."""

    def chunks(self, names: Sequence[str]) -> list[tuple[bytes, ...]]:
        """The sealed event chunks with these names, in this order."""

    def spans(self, customer_id: str) -> Sequence[Span]:
        """Spans of all journeys of exactly this customer, sorted by start."""

    def spans_of(self, customer_ids: Iterable[str]) -> dict[str, list[Span]]:
        """`spans` for many customers at once; leaves out those without journeys."""

    def token(self, session_token: str) -> TokenRecord | None:
        """What is known of a session token."""

    def tokens(self, session_tokens: Iterable[str]) -> dict[str, TokenRecord]:
        """`token` for many at once; leaves out those not known."""

    def keys(self, keys: Iterable[str]) -> dict[str, KeyRecord]:
        """What is known of these keys; leaves out those not known."""

    def key_records(self) -> Iterator[KeyRecord]:
        """What is known of all keys, as of one moment, in any order. Read it to its end soon."""

    def identity(self) -> Mapping[str, bytes]:
        """All identity events (raw JSON) by event id."""

    def query(self, query: Query) -> Sequence[JourneyRow]:
        """At most `query.limit` rows of the journeys asked for, in order, as of the last checkpoint."""

    def count(self, open_at: Millis | None = None) -> int:
        """How many journeys are stored; with `open_at`, how many of them do not read CLOSED at that moment."""

    def evictable(self, now: Millis, last_event_before: Millis | None, limit: int) -> Sequence[str]:
        """Ids of journeys that read CLOSED at `now`, least recently active first, at most `limit`; with
        `last_event_before` only those whose last event is older."""

    def positions(self) -> Mapping[str, int]:
        """Committed journal offset by source."""

    def document(self, name: str) -> bytes | None:
        """The document of this name (JSON) as the ingest side last wrote it, None before the first. `model.status` names
        them."""

    def fingerprints(self) -> Sequence[Fingerprint]:
        """What the stored journeys were folded with, oldest first: more than one where writers with different settings or
        code had their turns, empty while no writer has said it."""

    def size(self) -> int:
        """Bytes that the store takes up."""

    def close(self) -> None:
        """Let go of all resources. Calling it again does nothing."""


class Store(StoreReader, Protocol):
    """Read and write access: for the one process that holds the writer's lock.

    Opening for writing migrates an older store. It raises `StoreLockedError` while another process writes,
    `StoreMismatchError` for a newer schema version, another source or environment. Writing raises `StoreFullError` when
    no space is left; what was committed stays.
    """

    def commit(self, commit: Commit) -> int:
        """Write all of `commit` in one transaction; the number of the new head (unchanged if there were no row changes)."""

    def write_documents(self, documents: Mapping[str, bytes]) -> None:
        """Replace the documents of these names, all or none. Not part of any batch."""

    def take_commands(self) -> Sequence[str]:
        """Operator commands left by `leave_command` since the last call, oldest first."""


class CommandBox(Protocol):
    """How the web side, which never writes journeys, tells the ingest side something (`retry`)."""

    def leave_command(self, command: str) -> None:
        """Leave a command for the ingest side. At most 100 are kept."""
