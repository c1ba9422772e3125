"""What is worked out of a row at a moment: flags, waits, since when, and where it ranks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from journeymap.errors import InputError
from journeymap.model.journey import State
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.facts import ONGOING, Facts, facts
from journeymap.view.flags import Flag
from journeymap.view.masking import Viewer
from journeymap.view.sorting import GROUPS, SORTS, check_sort, group_place, rank_of

START = 1_700_000_000_000
LONG = Timeouts(idle_after=HOUR, close_after=2 * HOUR)
PART = InteractionRow("i-1", "voice", "INITIATED", START, START, None, None, None, None, (("wait", START, None),))
CLOSED = {"state": "CLOSED", "ended_at": START + 60, "last_event_at": START + 90}


def part(**changes: Any) -> InteractionRow:
    return msgspec.structs.replace(PART, **changes)


def kinds(words: str) -> tuple[tuple[str, int, int | None], ...]:
    """Segments of these kinds, each of a millisecond, one after the other."""
    return tuple((kind, START + place, START + place + 1) for place, kind in enumerate(words.split()))


def open_kinds(words: str) -> tuple[tuple[str, int, int | None], ...]:
    """The same, the last one open."""
    *closed, (kind, start, _) = kinds(words)
    return (*closed, (kind, start, None))


def row(*parts: InteractionRow, **changes: Any) -> JourneyRow:
    last = max(each.last_event_at for each in parts)
    return msgspec.structs.replace(JourneyRow("j-1", "Ann", START, last, 0, 1, len(parts), 0, parts, ()), **changes)


def at(later: int, *parts: InteractionRow, timeouts: Timeouts = LONG, **changes: Any) -> Facts:
    return facts(row(*parts, **changes), ClockReading(START + later, timeouts))


def test_a_long_wait_is_flagged_when_it_has_become_long_and_says_when() -> None:
    before, then = at(5 * MINUTE - 1, PART), at(5 * MINUTE, PART)
    assert (before.flags, before.due) == (frozenset(), START + 5 * MINUTE)
    assert (then.flags, then.due) == ({Flag.WAITING_LONG}, None)
    assert at(2 * HOUR, PART).flags == {Flag.TIMED_OUT, Flag.ABANDONED}, "who timed out waits no more"


@pytest.mark.parametrize(
    ("parts", "changes", "flags"),
    [
        ([part()], {"transfer_count": 1}, set()),
        ([part()], {"transfer_count": 2}, {Flag.HANDED_OVER}),
        ([part(channel="chat"), part(channel="email"), part()], {}, {Flag.MANY_CHANNELS}),
        ([part(channel="chat"), part(), part()], {}, set()),
        ([part()], {"customer_id": "session:abc"}, {Flag.ANONYMOUS}),
        ([part()], {"customer_id": "interaction:i-1"}, {Flag.ANONYMOUS}),
        ([part()], {"customer_id": "phone:+15555550123"}, {Flag.ANONYMOUS}),
        ([part()], {"oversized": True}, {Flag.LARGE}),
        ([part(**CLOSED, segments=(("wait", START, START + 60),))], {}, {Flag.ABANDONED}),
        ([part(**CLOSED, segments=(("wait", START, START + 9), ("interact", START + 9, START + 60)))], {}, set()),
        ([part(**CLOSED, segments=(("wait", START, START + 9), ("wrapup", START + 9, START + 60)))], {}, {Flag.ABANDONED}),
        ([part(**CLOSED, segments=(("wait", START, START + 9), ("transfer", START + 9, START + 60)))], {}, set()),
        ([part(**CLOSED, segments=())], {}, set()),
        ([part(**CLOSED, segments=kinds("wait ivr queue alert queue"))], {}, {Flag.ABANDONED}),
        ([part(**CLOSED, segments=kinds("wait ivr"))], {}, set()),
        ([part(**CLOSED, segments=kinds("wait queue ivr"))], {}, set()),
        ([part(**CLOSED, segments=kinds("wait queue alert interact hold wrapup"))], {}, set()),
        ([part(**CLOSED, segments=kinds("interact wrapup ivr"))], {}, set()),
        ([part(**CLOSED, segments=kinds("interact wrapup queue interact"))], {}, {Flag.REOPENED}),
        ([part(**CLOSED, segments=kinds("interact hold interact transfer queue alert interact wrapup"))], {}, set()),
        (
            [part(segments=(("interact", START, START + 9), ("wrapup", START + 9, START + 12), ("interact", START + 12, None)))],
            {},
            {Flag.REOPENED},
        ),
        ([part(state="ACTIVE", segments=(("interact", START, START + 9), ("interact", START + 12, None)))], {}, {Flag.REOPENED}),
        ([part(state="ACTIVE", segments=(("transfer", START, START + 9), ("interact", START + 9, None)))], {}, set()),
    ],
)  # fmt: skip
def test_flags(parts: list[InteractionRow], changes: dict[str, Any], flags: set[Flag]) -> None:
    assert at(90, *parts, **changes).flags == flags


def test_waits() -> None:
    over = part(segments=(("wait", START, START + 30), ("interact", START + 30, None)), state="ACTIVE")
    known = at(60, over, part(segments=(("wait", START + 10, None),)), part(segments=(("wait", START + 20, None),)))
    assert (known.waiting_since, known.waited) == (START + 10, 30)
    assert known.waits == ((START, START + 30), (START + 10, ONGOING), (START + 20, ONGOING))
    assert (at(60, over).waiting_since, at(60, over).waited) == (None, 30)
    quiet = part(last_event_at=START + 50)
    timed_out = at(3 * HOUR, quiet)
    assert (timed_out.waiting_since, timed_out.waited) == (None, 50)


@pytest.mark.parametrize(
    ("later", "parts", "state", "since"),
    [
        (9, [part(segments=())], State.INITIATED, 0),
        (9, [part(state="ACTIVE", segments=(("wait", START, START + 5), ("interact", START + 5, None)))], State.ACTIVE, 5),
        (
            9,
            [part(state="WRAPUP", segments=(("interact", START + 2, START + 5), ("wrapup", START + 5, None)))],
            State.ACTIVE,
            2,
        ),
        (
            9,
            [part(state="WRAPUP", segments=(("transfer", START + 2, START + 5), ("wrapup", START + 5, None))), part()],
            State.ACTIVE,
            5,
        ),
        (9, [part(state="ACTIVE", segments=open_kinds("wait queue alert interact hold interact"))], State.ACTIVE, 3),
        (9, [part(state="INITIATED", segments=open_kinds("interact transfer queue alert"))], State.INITIATED, 2),
        (9, [part(state="INITIATED", segments=open_kinds("wait ivr queue"))], State.INITIATED, 0),
        (9, [part(state="WRAPUP", segments=open_kinds("wait interact hold wrapup"))], State.ACTIVE, 1),
        (9, [part(state="ACTIVE", segments=open_kinds("wait interact interact"))], State.ACTIVE, 2),
        (9, [part(state="TRANSFERRING", segments=(("transfer", START + 4, None),)), part(state="ACTIVE")], State.TRANSFERRING, 4),
        (99, [part(**CLOSED, segments=(("wrapup", START + 60, START + 80),))], State.CLOSED, 80),
        (99, [part(**CLOSED, segments=())], State.CLOSED, 60),
        (HOUR + 9, [part(last_event_at=START + 3), part(**CLOSED)], State.IDLE, HOUR + 3),
        (2 * HOUR + 9, [part(last_event_at=START + 3), part()], State.CLOSED, 2 * HOUR + 3),
    ],
)  # fmt: skip
def test_since_when_it_is_in_its_state(later: int, parts: list[InteractionRow], state: State, since: int) -> None:
    known = at(later, *parts)
    assert (known.state, known.since - START) == (state, since)


def ranked(sort: str, *each: Facts) -> list[int]:
    return sorted(range(len(each)), key=lambda place: rank_of(sort)(each[place]), reverse=True)


def test_who_waits_now_and_longest_comes_first_then_who_has_waited() -> None:
    early, late = at(60, part(segments=(("wait", START, None),))), at(60, part(segments=(("wait", START + 5, None),)))
    had = at(60, part(segments=(("wait", START - HOUR, START), ("interact", START, None))))
    never = at(60, part(segments=(("interact", START, None),)))
    assert ranked("wait", never, had, late, early) == [3, 2, 1, 0]


def test_the_longest_in_their_state_come_first_and_the_closed_ones_last() -> None:
    early, late = at(60, part(segments=(("wait", START, None),))), at(60, part(segments=(("wait", START + 5, None),)))
    closed = at(9 * SECOND, part(**CLOSED, segments=(("wrapup", START + 60, START + 80),)))
    older = at(9 * SECOND, part(**CLOSED, segments=(("wrapup", START + 60, START + 70),)))
    assert ranked("state", older, late, closed, early) == [3, 1, 2, 0]


def test_names_go_from_a_to_z_or_back_and_those_without_one_come_last_either_way() -> None:
    each = [at(9, part(queue=name)) for name in ("b", None, "A", "ab", "Z")]
    assert ranked("queue", *each) == [2, 3, 0, 4, 1]
    assert ranked("-queue", *each) == [4, 0, 3, 2, 1]


def test_every_sort_can_be_turned_round() -> None:
    one = at(
        9,
        part(queue="Sales", segments=(("wait", START - 5, None),)),
        transfer_count=1,
        event_count=3,
        started_at=START - 5,
        customer_id="Bo",
    )
    talk = (("interact", START, None),)
    other = at(9, part(state="ACTIVE", segments=talk), part(**CLOSED, channel="chat", queue="Care"), customer_id="Cy")
    for sort in SORTS:
        assert ranked(f"-{sort}", one, other) == ranked(sort, one, other)[::-1], sort


def test_an_order_does_not_tell_what_may_not_be_seen() -> None:
    stranger = Viewer(sees_identifiers=False)
    numbers = [at(9, part(), customer_id=name) for name in ("+49 151 234599", "+49 151 234511")]
    assert ranked("customer", *numbers) == [1, 0]
    assert ranked(check_sort("customer", Viewer()), *numbers) == [1, 0]
    hidden = [at(9, part(), customer_id=name) for name in ("+49 151 999911", "+49 151 111111", "Ann")]
    assert rank_of(check_sort("customer", stranger))(hidden[0]) == rank_of(check_sort("customer", stranger))(hidden[1])
    assert ranked(check_sort("-customer", stranger), *hidden)[:2] == [0, 1]
    for name in ("masked-customer", "", "-", "--wait"):
        with pytest.raises(InputError):
            check_sort(name, stranger)


def test_a_journey_stands_in_the_queue_that_was_active_last() -> None:
    parts = [part(queue="Sales", last_event_at=START + 5), part(queue="Care"), part(last_event_at=START + 9)]
    assert GROUPS["queue"](at(9, *parts)) == "Sales"
    assert GROUPS["queue"](at(9, PART)) == ""
    assert sorted(["", "b", "A", "a"], key=lambda name: group_place("queue", name)) == ["A", "a", "b", ""]
    names = [*State][::-1]
    assert max(names, key=lambda name: group_place("state", name)) == "CLOSED"


def test_waiting_goes_on_from_queue_to_queue_and_while_it_rings() -> None:
    told = at(9, part(state="INITIATED", segments=open_kinds("wait ivr queue alert queue")))
    assert (told.waits, told.waiting_since, told.waited) == (
        ((START, START + 1), (START + 2, ONGOING)), START + 2, 1,
    )  # fmt: skip
    over = at(9, part(**CLOSED, segments=kinds("queue alert interact queue")))
    assert (over.waits, over.waited) == (((START, START + 2), (START + 3, START + 4)), 2)
