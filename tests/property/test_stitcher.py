"""The incremental engine agrees with the definition, whatever the order, the copies, the batches and the restarts."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.event import IDENTITY_TYPES, Event
from journeymap.model.journey import Journey
from journeymap.model.row import JourneyRow
from journeymap.stitch.definition import assemble, journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf

from .soups import OPTIONS, soups

FOREVER = 10**15


def bare(found: Sequence[Journey]) -> list[Journey]:
    return list(found)


def shuffled(events: Sequence[Event], seed: int) -> list[Event]:
    mixed = list(events)
    random.Random(seed).shuffle(mixed)
    return mixed


def batches(events: Sequence[Event], seed: int) -> list[list[Event]]:
    chance = random.Random(seed)
    result: list[list[Event]] = [[]]
    for item in events:
        if chance.random() < 0.4:
            result.append([])
        result[-1].append(item)
    return result


def rows_of(events: Sequence[Event]) -> dict[str, JourneyRow]:
    """The rows of a set of events as a fresh engine makes them from one batch in order."""
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    stitcher.apply(sorted(events, key=lambda item: item.timestamp))
    return {row.journey_id: row for row in stitcher.take_rows(FOREVER).rows}


def stored(shelf: DictShelf) -> list[Journey]:
    """The journeys that a store holds, folded again from their events."""
    found = []
    for record in shelf.records.values():
        own: dict[str, list[Event]] = {}
        for item in sorted(shelf.events_of(record), key=lambda e: (e.timestamp, e.rank, e.event_id, e.interaction_id)):
            own.setdefault(item.interaction_id, []).append(item)
        found.append(assemble(record.customer_id, own, OPTIONS))
    return sorted(found, key=lambda journey: (journey.customer_id, journey.started_at, journey.journey_id))


@given(soups, st.integers(0, 99))
def test_the_definition_does_not_depend_on_order_or_copies(soup: list[Event], seed: int) -> None:
    assert journeys(soup, OPTIONS) == journeys(shuffled(soup + soup[::2], seed), OPTIONS)


@given(soups, st.integers(0, 999))
def test_any_order_copies_and_batches_give_the_definition(soup: list[Event], seed: int) -> None:
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    for batch in batches(shuffled(soup + soup[::3], seed), seed):
        stitcher.apply(batch)
    assert stitcher.journeys() == journeys(soup, OPTIONS)


@given(soups, st.integers(0, 999))
@settings(max_examples=400)
def test_restarts_and_releases_at_any_point_give_the_definition(soup: list[Event], seed: int) -> None:
    chance = random.Random(seed)
    shelf = DictShelf()
    stitcher = Stitcher(OPTIONS, shelf)
    rows: dict[str, JourneyRow] = {}
    since_checkpoint: list[Event] = []
    for batch in batches(shuffled(soup + soup[::3], seed), seed):
        stitcher.apply(batch)
        since_checkpoint += batch
        change = stitcher.take_rows(FOREVER)
        for journey_id in change.gone:
            rows.pop(journey_id, None)
        rows.update((row.journey_id, row) for row in change.rows)
        action = chance.random()
        if action < 0.5:
            shelf.commit(stitcher.take_changes())
            since_checkpoint = []
        if action < 0.3:
            stitcher.release(FOREVER)
            assert stitcher.hot_journeys == 0
        elif action > 0.8:  # a crash: what was not in a checkpoint comes again from the journal
            stitcher = Stitcher(OPTIONS, shelf, shelf.identity_events())
            stitcher.apply(since_checkpoint)
    change = stitcher.take_rows(FOREVER)
    for journey_id in change.gone:
        rows.pop(journey_id, None)
    rows.update((row.journey_id, row) for row in change.rows)
    shelf.commit(stitcher.take_changes())

    expected = journeys(soup, OPTIONS)
    assert stored(shelf) == expected
    assert {row.journey_id: row for row in rows.values()} == rows_of(soup)
    for record in shelf.records.values():
        assert record.row == rows[record.journey_id]
    used = {name for record in shelf.records.values() for name in record.chunks}
    assert shelf.chunks.keys() == used
    assert len(shelf.records) == len(expected)


@given(soups, st.integers(0, 999))
def test_every_member_leads_to_its_journey(soup: list[Event], seed: int) -> None:
    from journeymap.model.journey import journey_id_of

    shelf = DictShelf()
    stitcher = Stitcher(OPTIONS, shelf)
    for batch in batches(shuffled(soup, seed), seed):
        stitcher.apply(batch)
        shelf.commit(stitcher.take_changes())
        stitcher.release(FOREVER)
    for journey in journeys(soup, OPTIONS):
        for interaction in journey.interactions:
            found = shelf.journeys([journey_id_of(interaction.interaction_id)])
            assert [item.record.journey_id for item in found.values()] == [journey.journey_id]


@given(soups)
def test_forgetting_everything_leaves_nothing(soup: list[Event]) -> None:
    shelf = DictShelf()
    stitcher = Stitcher(OPTIONS, shelf)
    stitcher.apply(soup)
    shelf.commit(stitcher.take_changes())
    stitcher.release(FOREVER)
    assert stitcher.forget(list(shelf.records), FOREVER) == len(shelf.records)
    stitcher.forget_identity(FOREVER)
    shelf.commit(stitcher.take_changes())
    assert not (shelf.records or shelf.chunks or shelf.pointers or shelf.token_records or shelf.identity)
    assert all(item.type in IDENTITY_TYPES for item in soup) or soup
