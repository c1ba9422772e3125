"""Following the batches, in any chunking and with snapshots in between, holds what the store holds."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.change import JourneyRecord
from journeymap.model.event import Event
from journeymap.model.journey import Journey, State
from journeymap.model.time import MINUTE
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.reading import ClockReading
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import DictShelf, ManualClock
from journeymap.view.filters import make_filter
from journeymap.view.masking import Viewer
from journeymap.view.question import Question
from tests.property.soups import OPTIONS, START, soups

FOREVER = 10**14
QUESTIONS = (
    {},
    {"customer": "A"},
    {"states": ["CLOSED"]},
    {"states": ["ACTIVE", "IDLE"], "channels": ["voice"]},
    {"channels": ["email", "pigeon"], "since": START + 100 * MINUTE},
    {"offset": 1, "count": 2},
)


def no_fold(_record: JourneyRecord, _events: Sequence[bytes]) -> Journey:
    raise AssertionError("nothing is folded here")


def check(model: ReadModel, store: MemoryStore, now: int) -> None:
    """The model's answers are what a plain look at all the store's rows gives."""
    rows = {row.journey_id: row for row in store.snapshot(now - FOREVER, 1_000).rows}
    reading = ClockReading(now, OPTIONS.timeouts)
    states = {
        name: State(reading.journey(reading.shown(part).state for part in row.interactions))
        for name, row in rows.items()
    }
    assert {name: held.row for name, held in model.rows().items()} == rows
    for fields in QUESTIONS:
        question = Question(**fields)  # type: ignore[arg-type]
        answer = model.answer(question, Viewer(), now)
        assert answer is not None
        wanted = make_filter(question.customer, question.channels, question.states, None, question.since or None)
        everywhere = make_filter(question.customer, None, question.states, None, question.since or None)
        found = [row for row in rows.values() if wanted.matches(row, states[row.journey_id])]
        found.sort(key=lambda row: (row.last_event_at, row.journey_id), reverse=True)
        asked = [row.journey_id for row in found][question.offset : question.offset + question.count]
        assert answer.order == asked
        assert (answer.matched, answer.total) == (len(found), len(rows))
        assert answer.open == sum(state != State.CLOSED for state in states.values())
        assert [(row[0], row[3]) for row in answer.rows] == [(name, states[name]) for name in asked]
        counts: dict[str, int] = {}
        for row in rows.values():
            if everywhere.matches(row, states[row.journey_id]):
                for channel in {part.channel for part in row.interactions}:
                    counts[channel] = counts.get(channel, 0) + 1
        assert answer.channels == counts


@given(soups, st.integers(0, 9_999))
@settings(max_examples=150, deadline=None)
def test_following_holds_what_the_store_holds(soup: list[Event], seed: int) -> None:
    chance = random.Random(seed)
    shelf, store, clock = DictShelf(), MemoryStore(), ManualClock(START)
    stitcher = Stitcher(OPTIONS, shelf)
    model = ReadModel(store, clock.now, OPTIONS.timeouts, no_fold, window=FOREVER)
    waiting = list(soup)
    chance.shuffle(waiting)
    while waiting:
        count = chance.randint(1, 4)
        batch, waiting = waiting[:count], waiting[count:]
        stitcher.apply(batch)
        changes = None
        rows = stitcher.take_rows(clock.now())
        if chance.random() < 0.4:
            changes = stitcher.take_changes()
            shelf.commit(changes)
        store.commit(Commit(clock.now(), rows, changes))
        if chance.random() < 0.5:
            clock.advance(chance.choice([1, MINUTE, 40 * MINUTE]))
        if chance.random() < 0.2:
            model = ReadModel(store, clock.now, OPTIONS.timeouts, no_fold, window=FOREVER)
        if chance.random() < 0.5:
            model.poll()
            check(model, store, clock.now())
    model.poll()
    check(model, store, clock.now())


@given(soups, st.integers(0, 9_999))
@settings(max_examples=100, deadline=None)
def test_a_page_that_takes_in_answers_shows_what_a_new_page_would(soup: list[Event], seed: int) -> None:
    """`no_update` never hides a change: rows, order and counts of an old page equal those of one opened now."""
    chance = random.Random(seed)
    store, clock = MemoryStore(), ManualClock(START)
    stitcher = Stitcher(OPTIONS, DictShelf())
    model = ReadModel(store, clock.now, OPTIONS.timeouts, no_fold, window=FOREVER)
    fields = chance.choice(QUESTIONS[:4])
    page: dict[str, tuple[object, ...]] = {}
    shown: tuple[object, ...] = ()
    version = at = 0
    for item in [*soup, *[None] * 4]:
        if item is not None and chance.random() < 0.8:
            stitcher.apply([item])
            store.commit(Commit(clock.now(), stitcher.take_rows(clock.now())))
        clock.advance(chance.choice([1, 500, 5 * MINUTE, 40 * MINUTE]))
        if chance.random() < 0.8:
            model.poll()
        have = [(name, row[1]) for name, row in page.items()]
        answer = model.answer(
            Question(version=version, at=at, have=have, **fields),  # type: ignore[arg-type]
            Viewer(),
            clock.now(),
        )
        if answer is not None:
            page.update({row[0]: row for row in answer.rows})
            page = {name: page[name] for name in answer.order}
            shown = (answer.matched, answer.total, answer.open, answer.channels)
            version, at = answer.version, answer.now
        fresh = model.answer(Question(**fields), Viewer(), clock.now())  # type: ignore[arg-type]
        assert fresh is not None
        assert list(page.values()) == fresh.rows
        assert shown == (fresh.matched, fresh.total, fresh.open, fresh.channels)
