"""The incremental engine under everything at once: tiny chunks, oversized rows that wait, crashes, releases and evictions.

Without session tokens the definition says what is left after an eviction: the journeys of the events not evicted. A token
may outlive the interactions that bound it, so soups with tokens check what the store holds for consistency only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeymap.model.event import IDENTITY_TYPES, Event
from journeymap.model.journey import Journey, journey_id_of
from journeymap.model.row import JourneyRow
from journeymap.stitch import hot, rows, stitcher
from journeymap.stitch.definition import journeys, without_copies
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf

from .soups import OPTIONS, identity_events, soups, stream_events
from .test_stitcher import FOREVER, batches, rows_of, shuffled, stored

large_soups = st.lists(st.one_of(*[stream_events()] * 9, identity_events()), max_size=60)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stitcher, "CHUNK_EVENTS", 2)
    monkeypatch.setattr(stitcher, "OVERSIZED", 4)
    monkeypatch.setattr(rows, "OVERSIZED", 4)
    monkeypatch.setattr(rows, "ROW_INTERACTIONS", 2)
    monkeypatch.setattr(hot, "ROW_INTERACTIONS", 2)


class Life:
    """A stitcher over a shelf with all that happens to them, and which events are to be left."""

    def __init__(self, seed: int, *, exact: bool) -> None:
        self.chance = random.Random(seed)
        self.exact = exact
        self.shelf = DictShelf()
        self.stitcher = Stitcher(OPTIONS, self.shelf)
        self.now = 0
        self.alive: list[Event] = []
        self.committed: list[Event] = []
        self.since: list[Event] = []
        self.rows: dict[str, JourneyRow] = {}
        self.behind: set[str] = set()

    def run(self, incoming: Sequence[Sequence[Event]]) -> None:
        for batch in incoming:
            self.stitcher.apply(batch)
            self.alive += batch
            self.since += batch
            self.now += self.chance.choice([1, 100, 6_000])
            for _ in range(self.chance.randrange(3)):
                self.chance.choice(
                    [self.read, self.commit, self.release, self.evict, self.forget_identity, self.crash]
                )()
        self.now += 6_000
        self.read()
        self.commit()

    def read(self) -> None:
        change = self.stitcher.take_rows(self.now)
        for journey_id in change.gone:
            self.rows.pop(journey_id, None)
        self.rows.update((row.journey_id, row) for row in change.rows)
        if not self.exact:
            return
        place = {
            journey_id_of(interaction.interaction_id): journey.journey_id
            for journey in self.expected()
            for interaction in journey.interactions
        }
        for journey_id, heir in change.gone.items():
            assert place.get(journey_id) == heir
            assert journey_id != heir

    def commit(self) -> None:
        self.shelf.commit(self.stitcher.take_changes())
        self.committed, self.since = list(self.alive), []
        check_store(self.shelf)
        if self.exact:
            assert stored(self.shelf) == self.expected()

    def release(self) -> None:
        self.read()
        self.commit()
        self.stitcher.release(self.chance.choice([0, FOREVER]))

    def evict(self) -> None:
        closed = [name for name in self.shelf.records if self.chance.random() < 0.5]
        before = {journey.journey_id: journey for journey in self.expected()} if self.exact else {}
        self.stitcher.forget(closed, FOREVER)
        gone = {item.interaction_id for name in closed if name in before for item in before[name].interactions}
        self.alive = [event for event in self.alive if event.interaction_id not in gone]

    def forget_identity(self) -> None:
        """Identity events that no journey needs any more: to drop them changes nothing that stands."""
        before = self.expected()
        self.stitcher.forget_identity(FOREVER)
        kept = self.stitcher._aliases._events
        self.alive = [event for event in self.alive if event.type not in IDENTITY_TYPES or event.event_id in kept]
        if self.exact:
            assert self.expected() == before

    def crash(self) -> None:
        """What was not in a checkpoint comes again from the journal; readers follow the store.

        The one thing lost is that the row of an oversized journey waited: it is made at the journey's next event.
        """
        self.behind |= {
            record.journey_id
            for record in self.shelf.records.values()
            if record.row.event_count != len(self.shelf.events_of(record))
        }
        self.alive = self.committed + self.since
        self.stitcher = Stitcher(OPTIONS, self.shelf, self.shelf.identity_events())
        self.stitcher.apply(self.since)
        self.rows = {record.journey_id: record.row for record in self.shelf.records.values()}

    def expected(self) -> list[Journey]:
        return journeys(self.alive, OPTIONS)


def check_store(shelf: DictShelf) -> None:
    """What a store holds fits together."""
    used = [name for record in shelf.records.values() for name in record.chunks]
    assert sorted(used) == sorted(shelf.chunks)
    place = {}
    for record in shelf.records.values():
        events = shelf.events_of(record)
        assert len(without_copies(events)) == len(events)
        assert (record.first_event_at, record.last_event_at) == (
            min(event.timestamp for event in events),
            max(event.timestamp for event in events),
        )
        for name in {event.interaction_id for event in events}:
            assert name not in place
            place[name] = record.journey_id
    own = {journey_id_of(name): journey_id for name, journey_id in place.items()}
    assert {name: journey_id for name, journey_id in own.items() if name != journey_id} == shelf.pointers
    for record in shelf.token_records.values():
        assert record.evidence.keys() - {""} <= place.keys()


@given(large_soups, st.integers(0, 9999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_evictions_leave_the_journeys_of_what_is_left(soup: list[Event], seed: int) -> None:
    soup = [msgspec.structs.replace(item, session_token=None) for item in soup]
    soup = [item for item in soup if b"sessionToken" not in item.raw]
    life = Life(seed, exact=True)
    life.run(batches(shuffled(soup + soup[::3], seed), seed))


@given(large_soups, st.integers(0, 9999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_evictions_leave_a_store_that_fits_together(soup: list[Event], seed: int) -> None:
    life = Life(seed, exact=False)
    life.run(batches(shuffled(soup + soup[::3], seed), seed))


@given(soups, st.integers(0, 9999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rows_that_waited_reach_readers_and_store(soup: list[Event], seed: int) -> None:
    life = Life(seed, exact=True)
    life.evict = life.forget_identity = life.read  # type: ignore[method-assign]
    life.run(batches(shuffled(soup + soup[::3], seed), seed))
    life.now += 6_000
    life.read()
    life.commit()
    expected = rows_of(soup)
    assert life.rows.keys() == life.shelf.records.keys() == expected.keys()
    for journey_id in expected.keys() - life.behind:
        assert life.rows[journey_id] == expected[journey_id]
        assert life.shelf.records[journey_id].row == expected[journey_id]
    assert all(item.type in IDENTITY_TYPES for item in soup) == (not expected)
