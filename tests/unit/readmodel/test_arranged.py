"""Rows out of the store as the wall arranges them: what the read model answers is the measure."""

from __future__ import annotations

import random

import msgspec
import pytest

from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.model.time import DAY
from journeymap.readmodel.stored import STORED_SORTS, arranged_rows
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.store.base import Commit
from journeymap.view.filters import make_filter
from journeymap.view.question import Question
from journeymap.view.sorting import SORTS, TURNED
from tests.unit.readmodel.bench import START, Bench, row

QUEUES = (None, "Billing", "billing", "Área", "Zoo")
COUNT = 60


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench, dice = Bench(), random.Random(3)
    records = []
    starts, ends = dice.sample(range(1_000), COUNT), dice.sample(range(1_000, 2_000), COUNT)
    for number in range(COUNT):
        state, queue = dice.choice(("CLOSED", "ACTIVE", "INITIATED")), dice.choice(QUEUES)
        at, channel, customer = START + ends[number], ("voice", "chat")[number % 2], f"c{dice.randrange(20)}"
        made = row(f"j{number:02}", at, state, channel, customer)
        made = msgspec.structs.replace(
            made,
            started_at=START + starts[number],
            interactions=tuple(msgspec.structs.replace(each, queue=queue) for each in made.interactions),
        )
        closed_from = at if state == "CLOSED" else at + DAY
        records.append(JourneyRecord(made.journey_id, customer, made.started_at, at, closed_from, made, (), ()))
    rows = RowChanges([record.row for record in records])
    bench.store.commit(Commit(bench.clock.now(), rows, Changes(journeys=records)))
    return bench


def reading(bench: Bench) -> ClockReading:
    return ClockReading(bench.clock.now(), Timeouts())


@pytest.mark.parametrize("group", [None, "state", "queue"])
def test_the_order_is_that_of_the_wall(bench: Bench, group: str | None) -> None:
    pinned = ["j07", "none", "j02"]
    for sort in (*SORTS, *(f"{TURNED}{name}" for name in SORTS)):
        bench.page = Question(sort=sort, group=group, pinned=pinned, channels=["voice"], count=200)
        answer = bench.told()
        wall = [*answer.pinned, *answer.order]
        assert answer.pinned == ["j07", "j02"], "matching or not"
        for most in (COUNT, 7):
            found = arranged_rows(
                bench.store,
                make_filter(choices={"channels": ["voice"]}),
                reading(bench),
                sort,
                group=group,
                pinned=pinned,
                most=most,
            )
            shown = [each.journey_id for each in found.rows][: most + len(found.pinned)]
            assert shown == wall[: most + len(found.pinned)], (sort, most)
            assert set(found.pinned) == {"j07", "j02"}
            assert (found.groups and list(found.groups.sizes)) == answer.groups, "sizes are of all, however few come"
            if found.groups:
                of = [found.groups.of[each] for each in shown[len(found.pinned) :]]
                assert list(dict.fromkeys(of)) == [name for name, _ in answer.groups or ()][: len(set(of))]


def test_the_lists_orders_can_be_grouped_too(bench: Bench) -> None:
    for sort, (order, descending) in STORED_SORTS.items():
        found = arranged_rows(bench.store, make_filter(), reading(bench), sort, group="state", most=COUNT)
        times = [(found.groups.of[each.journey_id], getattr(each, order)) for each in found.rows if found.groups]
        assert len(times) == COUNT
        for state in ("INITIATED", "ACTIVE", "CLOSED"):
            own = [at for name, at in times if name == state]
            assert own == sorted(own, reverse=descending)
            assert len(own) > 5
