"""Which periods are fetched, in which order, and when a gap counts as filled."""

from __future__ import annotations

from msgspec.structs import replace

from journeymap.model.backfill import AGAIN, FILLED, GAP, REFUSED, START, STORING, WAITING, Fill
from journeymap.model.status import Gap
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.protocol.backfill.course import Outcome
from journeymap.runtime.fills import KEPT, SECOND_LOOK, SETTLED, Fills, shown

NOW = 20_000 * DAY


def gap(start: int, end: int | None, kind: str = "disconnected", source: str = "notifications") -> Gap:
    return Gap(source, kind, start, end)


def goes_on(fills: Fills, fill: Fill, share: float, reached: int | None = None) -> None:
    fills.progress(fill.fill_id, share=share, reached=reached, conversations=3, requests=2, due_at=0)


def test_each_gap_that_has_ended_is_taken_up_once_and_neighbours_together() -> None:
    fills = Fills()
    gaps = [
        gap(NOW - 9 * HOUR, NOW - 8 * HOUR),
        gap(NOW - 100_000, NOW - 90_000),
        gap(NOW - 80_000, NOW - 70_000, source="eventbridge"),
        gap(NOW - 10_000, None),
    ]
    for _ in range(2):
        fills.look(NOW, gaps)
    assert [(each.reason, each.start, each.end) for each in fills.all()] == [
        (GAP, NOW - 9 * HOUR, NOW - 8 * HOUR),
        (GAP, NOW - 100_000, NOW - 70_000),
    ]


def test_one_that_was_begun_is_not_made_longer() -> None:
    fills = Fills()
    fills.look(NOW, [gap(NOW - 9_000, NOW - 8_000)])
    goes_on(fills, fills.all()[0], 0.1)
    fills.look(NOW, [gap(NOW - 7_000, NOW - 6_000)])
    assert len(fills.all()) == 2


def test_one_that_is_about_to_be_asked_for_is_not_made_longer_either() -> None:
    fills = Fills()
    fills.look(NOW, [gap(NOW - 9_000, NOW - 8_000)])
    fill = fills.next(NOW)
    assert fill is not None
    assert fills.begin(fill.fill_id).end == NOW - 8_000
    fills.look(NOW, [gap(NOW - 7_000, NOW - 6_000)])
    assert [each.end for each in fills.all()] == [NOW - 8_000, NOW - 6_000]


def test_what_may_still_grow_is_waited_for() -> None:
    fills = Fills()
    fills.look(NOW, [gap(NOW - 3_000, NOW, "dropped")])
    assert fills.all() == []
    fills.look(NOW + SETTLED, [gap(NOW - 3_000, NOW, "dropped")])
    assert len(fills.all()) == 1


def test_the_newest_goes_first_and_a_second_look_last() -> None:
    fills = Fills()
    fills.add(START, NOW - DAY, NOW - HOUR, NOW)
    fills.add(AGAIN, NOW - HOUR, NOW, NOW)
    fills.add(GAP, NOW - MINUTE, NOW - SECOND, NOW)
    fills.add(GAP, NOW - MINUTE, NOW, NOW, due_at=NOW + SECOND)
    order = []
    while (fill := fills.next(NOW)) is not None:
        order.append((fill.reason, fill.end))
        fills.fetched(fill.fill_id, Outcome())
    assert order == [(GAP, NOW - SECOND), (START, NOW - HOUR), (AGAIN, NOW)]
    assert fills.next_due() == NOW + SECOND


def test_it_is_filled_when_all_is_stored_and_looked_at_again_later() -> None:
    fills = Fills()
    fills.look(NOW, [gap(NOW - 9_000, NOW)])
    (fill,) = fills.all()
    goes_on(fills, fill, 0.5)
    fills.fetched(fill.fill_id, Outcome(taken=3, passed=4, sure=True, notes=("so it is",)))
    assert fills.of(fill.fill_id).state == STORING
    assert fills.report().now == fills.of(fill.fill_id)
    filled = fills.stored(fill.fill_id, NOW + SECOND)
    assert (filled.state, filled.filled_at, filled.conversations, filled.passed) == (FILLED, NOW + SECOND, 3, 4)
    again = fills.all()[1]
    assert (again.reason, again.start, again.end, again.due_at) == (AGAIN, NOW - 9_000, NOW, NOW + SECOND + SECOND_LOOK)
    fills.fetched(again.fill_id, Outcome())
    fills.stored(again.fill_id, again.due_at)
    assert [each.reason for each in fills.all()] == [GAP, AGAIN], "a second look is enough"
    report = fills.report()
    assert (report.filled, report.conversations, report.requests, report.waiting) == (2, 3, 2, 0)


def test_a_period_that_is_long_past_needs_no_second_look() -> None:
    fills = Fills()
    fills.add(GAP, NOW - DAY, NOW - HOUR, NOW)
    fills.stored(fills.all()[0].fill_id, NOW)
    assert len(fills.all()) == 1


def test_what_fails_is_tried_again_after_pauses_that_grow_and_a_refusal_waits() -> None:
    fills = Fills()
    fills.add(GAP, NOW - MINUTE, NOW, NOW)
    (fill,) = fills.all()
    pauses = []
    for _ in range(12):
        fills.fail(fill.fill_id, "no route", NOW, refused=False)
        pauses.append(fills.of(fill.fill_id).due_at - NOW)
    assert pauses[:3] == [5 * SECOND, 10 * SECOND, 20 * SECOND]
    assert pauses[-1] == 10 * MINUTE
    assert fills.next(NOW) is None
    fills.retry()
    assert fills.next(NOW) is not None
    fills.fail(fill.fill_id, "wrong secret", NOW, refused=True)
    assert fills.of(fill.fill_id).state == REFUSED
    assert fills.next(NOW + DAY) is None
    assert fills.report().refused and fills.report().problem == "wrong secret"
    fills.retry()
    assert fills.next(NOW) is not None


def test_a_problem_is_over_when_more_is_done_than_before() -> None:
    fills = Fills()
    fills.add(GAP, NOW - MINUTE, NOW, NOW)
    (fill,) = fills.all()
    goes_on(fills, fill, 0.4)
    fills.fail(fill.fill_id, "no route", NOW, refused=False)
    goes_on(fills, fill, 0.2)
    assert fills.of(fill.fill_id).problem == "no route"
    assert fills.of(fill.fill_id).share == 0.4, "a bar does not run backwards"
    goes_on(fills, fill, 0.5)
    assert fills.of(fill.fill_id).problem is None


def test_an_earlier_process_left_off_where_it_was() -> None:
    fills = Fills()
    fills.add(START, NOW - 3 * DAY, NOW, NOW)
    (fill,) = fills.all()
    goes_on(fills, fill, 0.4, reached=NOW - DAY)
    fills.fail(fill.fill_id, "wrong secret", NOW, refused=True)
    (known,) = Fills(fills.all()).all()
    assert (known.state, known.reached, known.problem) == (WAITING, NOW - DAY, None)


def test_only_so_many_that_are_over_are_kept() -> None:
    fills = Fills()
    for n in range(KEPT + 20):
        fills.add(GAP, NOW - DAY + n, NOW - HOUR + n, NOW)
        fills.stored(fills.all()[-1].fill_id, NOW)
    assert len(fills.all()) == KEPT


def test_a_gap_shows_how_its_filling_stands() -> None:
    fills = Fills()
    ended = gap(NOW - 9_000, NOW)
    assert shown(ended, []) == ended
    fills.look(NOW, [ended])
    (fill,) = fills.all()
    goes_on(fills, fill, 0.25)
    assert shown(ended, fills.all()).filling == 0.25
    fills.fail(fill.fill_id, "no permission", NOW, refused=False)
    assert shown(ended, fills.all()).problem == "no permission"
    assert shown(gap(NOW, None), fills.all()).filling is None
    assert shown(replace(ended, filled_at=NOW), fills.all()).filling is None
