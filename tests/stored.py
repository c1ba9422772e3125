"""What a store holds, folded again."""

from __future__ import annotations

from journeymap.model.journey import Journey
from journeymap.model.row import JourneyRow
from journeymap.runtime.shelf import events_of, fold_record
from journeymap.stitch.options import StitchOptions
from journeymap.store.base import Query, StoreReader


def journeys_in(store: StoreReader, options: StitchOptions) -> list[Journey]:
    """All journeys of a store, folded again from the events it holds."""
    found = []
    after = None
    while rows := store.query(Query(after=after, limit=1000)):
        for record in store.find_many([row.journey_id for row in rows]).values():
            found.append(fold_record(record, [event.raw for event in events_of(record, store)], options))
        after = (rows[-1].last_event_at, rows[-1].journey_id)
    return sorted(found, key=lambda item: (item.customer_id, item.started_at, item.journey_id))


def rows_in(store: StoreReader) -> dict[str, JourneyRow]:
    """The rows of all records of a store."""
    found: dict[str, JourneyRow] = {}
    after = None
    while rows := store.query(Query(after=after, limit=1000)):
        found.update((row.journey_id, row) for row in rows)
        after = (rows[-1].last_event_at, rows[-1].journey_id)
    return found


class Follower:
    """A reader that takes in every batch from the first on, as a web process does. `rows` is what it would show."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store
        self._at = 0
        self.rows: dict[str, JourneyRow] = {}

    def follow(self) -> dict[str, JourneyRow]:
        """Take in what is new; the rows."""
        batches = self._store.batches(self._at)
        assert batches is not None
        for batch in batches:
            for journey_id in batch.gone:
                self.rows.pop(journey_id, None)
            self.rows.update((row.journey_id, row) for row in batch.rows)
            self._at = batch.number
        return self.rows
