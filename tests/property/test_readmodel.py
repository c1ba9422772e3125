"""Following the batches, in any chunking and with snapshots in between, holds what the store holds and answers what a plain
look at all of it gives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.change import JourneyRecord
from journeymap.model.event import Event
from journeymap.model.journey import Journey, State
from journeymap.model.time import HOUR, MINUTE
from journeymap.readmodel.answer import Answer
from journeymap.readmodel.readmodel import ReadModel
from journeymap.readmodel.tally import FACETS
from journeymap.stitch.reading import ClockReading
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import DictShelf, ManualClock
from journeymap.view.facts import ONGOING, Facts, facts
from journeymap.view.filters import CHOICES, Filter
from journeymap.view.masking import Viewer
from journeymap.view.question import Question, parse_question
from journeymap.view.sorting import GROUPS, SORTS, group_place, rank_of
from journeymap.view.tracks import wire_row
from tests.property.soups import OPTIONS, START, soups

FOREVER = 10**14
EVERYONE, STRANGER = Viewer(), Viewer(sees_identifiers=False)
QUESTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"customer": "A"},
    {"states": ["CLOSED"]},
    {"states": ["ACTIVE", "IDLE"], "channels": ["voice"]},
    {"channels": ["email", "pigeon"], "since": START + 100 * MINUTE},
    {"offset": 1, "count": 2},
)

SAID = ("total", "open", "matched", "listed", "pinned", "order", "groups", "channels")

conditions = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["a", "ann", "session:", "sales", "ADA"]),
        "customer": st.sampled_from(["a", "n", "interaction"]),
        "channels": st.sampled_from([["voice"], ["email", "pigeon"], []]),
        "states": st.lists(st.sampled_from(list(State)), max_size=2),
        "queues": st.sampled_from([["sales"], ["Care", "none"]]),
        "agents": st.sampled_from([["ada"], ["bo", "ada"]]),
        "dispositions": st.sampled_from([["sold"], ["DONE"]]),
        "directions": st.sampled_from([["inbound"], ["outbound", "inbound"]]),
        "flags": st.lists(
            st.sampled_from(["waiting-long", "timed-out", "abandoned", "reopened", "anonymous"]), max_size=2
        ),
        "min_duration": st.sampled_from([0, 10 * MINUTE]),
        "max_duration": st.sampled_from([10 * MINUTE, 2 * HOUR]),
        "min_transfers": st.integers(0, 2),
        "start": st.sampled_from([START, START + HOUR]),
        "end": st.sampled_from([START + 2 * HOUR, START + 3 * HOUR]),
    },
)
orders = st.fixed_dictionaries(
    {},
    optional={
        "sort": st.sampled_from([*SORTS, *(f"-{sort}" for sort in SORTS)]),
        "group": st.sampled_from(list(GROUPS)),
        "offset": st.integers(0, 3),
        "count": st.integers(0, 4),
        "since": st.sampled_from([0, START + HOUR, START + 2 * HOUR]),
        "facets": st.booleans(),
        "overview": st.sampled_from([[START - HOUR, START + 8 * HOUR, 20], [START, START + 7, 7]]),
    },
)
asked = st.builds(lambda one, two: {**one, **two}, conditions, orders)


def no_fold(_record: JourneyRecord, _events: Sequence[bytes]) -> Journey:
    raise AssertionError("nothing is folded here")


def opened(store: MemoryStore, clock: ManualClock) -> ReadModel:
    return ReadModel(store, clock.now, OPTIONS.timeouts, no_fold, window=FOREVER)


def counted(found: Iterable[Facts], facet: str, chosen: Iterable[str]) -> dict[str, int]:
    counts = Counter(value.casefold() for each in found for value in FACETS[facet](each))
    return {**{value.casefold(): 0 for value in chosen}, **counts}


def over_time(found: Sequence[Facts], question: Question, now: int) -> tuple[list[int], list[int]]:
    assert question.overview is not None
    start, end, bins = msgspec.structs.astuple(question.overview)
    active, waiting = [0] * bins, [0] * bins
    for place in range(bins):
        low, high = start + (end - start) * place // bins, start + (end - start) * (place + 1) // bins
        if low > now:
            break
        for each in found:
            last = now if each.state != State.CLOSED else each.row.last_event_at
            active[place] += each.row.started_at < high and max(last, each.row.started_at) >= low
            waiting[place] += sum(begin < high and (over == ONGOING or over > low) for begin, over in each.waits)
    return active, waiting


def plain(known: Sequence[Facts], wanted: Filter, question: Question, viewer: Viewer, now: int) -> dict[str, Any]:
    """What is to be answered, the long way."""
    everything = [each for each in known if wanted.matches(each)]
    lately = [each for each in known if each.row.last_event_at >= question.since]
    found = [each for each in lately if wanted.matches(each)]
    sort, group = question.order(viewer)
    rank = rank_of(sort)
    pinned = [name for name in question.pinned if any(each.row.journey_id == name for each in known)]
    listed = [each for each in found if each.row.journey_id not in pinned]
    listed.sort(key=lambda each: (rank(each), each.row.last_event_at, each.row.journey_id), reverse=True)
    groups = None
    if group:
        listed.sort(key=lambda each: group_place(group, GROUPS[group](each)))
        groups = list(Counter(GROUPS[group](each) for each in listed).items())

    def apart(facet: str) -> list[Facts]:
        others = msgspec.structs.replace(wanted, **{CHOICES[facet]: frozenset()})
        return [each for each in lately if others.matches(each)]

    return {
        "total": len(known),
        "open": sum(each.state != State.CLOSED for each in known),
        "matched": len(found),
        "listed": len(listed),
        "pinned": pinned,
        "order": [each.row.journey_id for each in listed][question.offset : question.offset + question.count],
        "groups": groups,
        "channels": counted(apart("channel"), "channel", ()),
        "facets": {facet: counted(apart(facet), facet, getattr(wanted, CHOICES[facet])) for facet in FACETS}
        if question.facets
        else None,
        "overview": over_time(everything, question, now) if question.overview else None,
    }


def told(answer: Answer) -> dict[str, Any]:
    facets = answer.facets
    overview = answer.overview
    return {
        **{name: getattr(answer, name) for name in SAID},
        "facets": facets and {name: {value.casefold(): n for value, n in values} for name, values in facets.items()},
        "overview": overview and (overview.active, overview.waiting),
    }  # fmt: skip


def check(model: ReadModel, store: MemoryStore, now: int, questions: Iterable[dict[str, Any]]) -> None:
    """The model's answers are what a plain look at all the store's rows gives."""
    rows = {row.journey_id: row for row in store.snapshot(now - FOREVER, 1_000).rows}
    reading = ClockReading(now, OPTIONS.timeouts)
    known = [facts(row, reading) for row in rows.values()]
    assert {name: held.row for name, held in model.rows().items()} == rows
    for fields in questions:
        question = parse_question(fields)
        for viewer in (EVERYONE, STRANGER):
            answer = model.answer(question, viewer, now)
            assert answer is not None
            assert told(answer) == plain(known, question.filter().seen_by(viewer), question, viewer, now)
        answer = model.answer(question, EVERYONE, now)
        assert answer is not None
        assert answer.rows == [wire_row(rows[name], reading) for name in answer.pinned + answer.order]


@given(soups, st.integers(0, 9_999), st.lists(asked, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_following_holds_what_the_store_holds(soup: list[Event], seed: int, more: list[dict[str, Any]]) -> None:
    chance = random.Random(seed)
    shelf, store, clock = DictShelf(), MemoryStore(), ManualClock(START)
    stitcher = Stitcher(OPTIONS, shelf)
    model = opened(store, clock)
    questions = [*QUESTIONS, *more]
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
            model = opened(store, clock)
        if chance.random() < 0.5:
            model.poll()
            pinned = chance.sample(list(model.rows()), min(2, len(model.rows())))
            check(model, store, clock.now(), [*questions, {**more[0], "pinned": pinned}])
    model.poll()
    check(model, store, clock.now(), questions)


@given(soups, st.integers(0, 9_999), st.one_of(st.sampled_from(QUESTIONS), asked))
@settings(max_examples=200, deadline=None)
def test_a_page_that_takes_in_answers_shows_what_a_new_page_would(
    soup: list[Event], seed: int, fields: dict[str, Any]
) -> None:
    """`no_update` never hides a change: rows, order and counts of an old page equal those of one opened now; and it comes
    where nothing at all has happened."""
    chance = random.Random(seed)
    store, clock = MemoryStore(), ManualClock(START)
    stitcher = Stitcher(OPTIONS, DictShelf())
    model = opened(store, clock)
    page: dict[str, tuple[object, ...]] = {}
    shown: dict[str, Any] = {}
    version = at = told_at = 0
    length = chance.choice([0, HOUR])
    for item in [*soup, *[None] * 4]:
        if item is not None and chance.random() < 0.8:
            stitcher.apply([item])
            store.commit(Commit(clock.now(), stitcher.take_rows(clock.now())))
        clock.advance(chance.choice([1, 500, 5 * MINUTE, 40 * MINUTE]))
        if chance.random() < 0.8:
            model.poll()
            clock.advance(1)
        if length:
            fields = {**fields, "since": clock.now() - length}
        with_counts = chance.random() < 0.5
        asks = fields if with_counts else {**fields, "facets": False, "overview": None}
        have = [[name, row[1]] for name, row in page.items()]
        question = parse_question({**asks, "version": version, "at": at, "counted": told_at, "have": have})
        answer = model.answer(question, EVERYONE, clock.now())
        if answer is not None:
            page.update({str(row[0]): row for row in answer.rows})
            page = {name: page[name] for name in answer.order}
            news = told(answer)
            shown |= {name: value for name, value in news.items() if value is not None}
            version, at = answer.version, answer.now
            told_at = answer.counted or told_at
        fresh = opened(store, clock)
        while fresh.version < model.version or not fresh.ready:
            fresh.poll()
        if fresh.version != model.version:
            continue  # the page cannot know yet
        new = fresh.answer(parse_question(asks), EVERYONE, clock.now())
        assert new is not None
        assert list(page.values()) == new.rows
        wanted = {name: value for name, value in told(new).items() if value is not None}
        assert {name: shown[name] for name in wanted} == wanted


@given(soups, asked)
@settings(max_examples=60, deadline=None)
def test_where_nothing_happens_nothing_is_answered(soup: list[Event], fields: dict[str, Any]) -> None:
    store, clock = MemoryStore(), ManualClock(START)
    stitcher = Stitcher(OPTIONS, DictShelf())
    stitcher.apply(soup)
    store.commit(Commit(clock.now(), stitcher.take_rows(clock.now())))
    model = opened(store, clock)
    model.poll()
    clock.advance(FOREVER // 1_000)  # all time-outs have passed, and so has the overview
    model.poll()
    clock.advance(1)
    answer = model.answer(parse_question(fields), EVERYONE, clock.now())
    assert answer is not None
    have = [[row[0], row[1]] for row in answer.rows]
    clock.advance(500)
    model.poll()
    again = {**fields, "version": answer.version, "at": answer.now, "counted": answer.counted or 0, "have": have}
    assert model.answer(parse_question(again), EVERYONE, clock.now()) is None
