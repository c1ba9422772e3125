"""The stitcher's shelf over a store: records become journeys with decoded events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from journeymap.decode.event import decode_raw
from journeymap.errors import StoreCorruptError
from journeymap.model.change import JourneyRecord, KeyRecord, Span, TokenRecord
from journeymap.model.event import Event, order_key
from journeymap.model.journey import Journey
from journeymap.model.time import Millis
from journeymap.stitch.definition import assemble
from journeymap.stitch.hot import Shelved
from journeymap.stitch.options import StitchOptions
from journeymap.store.base import StoreReader


class StoreShelf:
    """Journeys as they lie in a store."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store

    def journeys(self, journey_ids: Collection[str]) -> Mapping[str, Shelved]:
        found = self._store.find_many(journey_ids)
        return {asked: Shelved(record, events_of(record, self._store)) for asked, record in found.items()}

    def spans(self, customer_ids: Collection[str]) -> Mapping[str, Sequence[Span]]:
        return self._store.spans_of(customer_ids)

    def tokens(self, session_tokens: Collection[str]) -> Mapping[str, TokenRecord]:
        return self._store.tokens(session_tokens)

    def keys(self, keys: Collection[str]) -> Mapping[str, KeyRecord]:
        return self._store.keys(keys)

    def identity_events(self) -> list[Event]:
        """All identity events in the store."""
        return decode_all(self._store.identity().values())


def events_of(record: JourneyRecord, store: StoreReader, arrived_at: Millis = 0) -> list[Event]:
    """All events of a stored journey, in the order in which they came, as if all arrived at the same time."""
    sealed = store.chunks(record.chunks) if record.chunks else []
    return decode_all([raw for chunk in (*sealed, record.tail) for raw in chunk], arrived_at)


def decode_all(raws: Collection[bytes], arrived_at: Millis = 0) -> list[Event]:
    """Events from their raw bytes as stored. Raises StoreCorruptError where they are not events."""
    try:
        return [decode_raw(raw, arrived_at) for raw in raws]
    except ValueError as error:
        raise StoreCorruptError(f"the store holds something that is not an event: {error}") from error


def fold_record(record: JourneyRecord, raws: Collection[bytes], options: StitchOptions) -> Journey:
    """A stored journey, whole, folded from the raw bytes of all its events."""
    own: dict[str, list[Event]] = {}
    for event in sorted(decode_all(raws), key=order_key):
        own.setdefault(event.interaction_id, []).append(event)
    return assemble(record.customer_id, own, options)
