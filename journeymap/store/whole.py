"""A store that nobody writes to, read from one end to the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from journeymap.errors import StoreError
from journeymap.model.change import JourneyRecord, TokenRecord
from journeymap.model.time import Millis
from journeymap.store import codec
from journeymap.store.faults import corrupt
from journeymap.store.reader import DiskReader, entry

_BY_CUSTOMER: Final = (
    "SELECT c.key, c.raw, c.mode, c.filename, c.value FROM JourneyIndex AS i INDEXED BY JourneyIndex_customer"
    " LEFT JOIN Cache AS c ON c.key = i.key AND c.raw = 1 ORDER BY i.customer"
)
_BY_KEY: Final = "SELECT key, raw, mode, filename, value FROM Cache WHERE key >= ? AND key < ? AND raw = 1 ORDER BY key"


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """A `JourneyRecord` as far as folding decides it, its row as it is spelled: two that are equal are the same journey."""

    journey_id: str
    customer_id: str
    first_event_at: Millis
    last_event_at: Millis
    closed_from: Millis
    row: msgspec.Raw


_STORED: Final = msgspec.msgpack.Decoder(Stored)


class WholeReader(DiskReader):
    """Reads all that is in a store. Each iterator keeps its connection until it ends."""

    def meta(self) -> codec.Meta:
        """Whose store it is. Raises `StoreError` where there is none."""
        with self._reading(transaction=False) as connection:
            meta = self._read_as(connection, codec.META_KEY, codec.META)
        if meta is None:
            raise StoreError(f"there is no store in {self.path}")
        return meta

    def check(self) -> None:
        """Read every page of the database; raises `StoreCorruptError` where they do not fit together."""
        with self._reading(transaction=False) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise corrupt(self.path, found)

    def records(self) -> Iterator[JourneyRecord]:
        """All journeys, those of a customer together."""
        with self._reading() as connection:
            for row in connection.execute(_BY_CUSTOMER):
                if row[0] is None:
                    raise corrupt(self.path, "the index names a journey that has no record")
                key, value = entry(row)
                yield codec.decode(codec.RECORD, key, value)

    def stored(self) -> Iterator[Stored]:
        """All journeys as far as folding decides them, sorted by the keys that their ids give."""
        for key, value in self._all(codec.JOURNEY):
            yield codec.decode(_STORED, key, value)

    def token_records(self) -> Iterator[TokenRecord]:
        """What is known of all session tokens."""
        for key, value in self._all(codec.TOKEN):
            yield codec.decode(codec.TOKEN_RECORD, key, value)

    def _all(self, kind: str) -> Iterator[tuple[str, bytes]]:
        with self._reading() as connection:
            yield from map(entry, connection.execute(_BY_KEY, (kind, chr(ord(kind) + 1))))
