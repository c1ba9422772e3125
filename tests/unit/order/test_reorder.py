"""The reorder buffer: nothing is lost, what is released is in order, and late is what sorts before the last one released."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from journeymap.model.event import Event, order_key
from journeymap.order.reorder import ReorderBuffer
from journeymap.testing import event

START = 1_700_000_000_000


def at(offset: int, event_id: str = "e", interaction_id: str = "a") -> Event:
    return event("note.added", START + offset, interaction_id, event_id=event_id)


def offsets(events: Sequence[Event]) -> list[int]:
    return [item.timestamp - START for item in events]


def test_an_event_is_held_for_the_window_and_not_longer() -> None:
    buffer = ReorderBuffer(100)
    buffer.push([at(0)], 1_000)
    assert buffer.release(1_099) == ([], 0)
    assert buffer.next_due() == 1_100
    assert buffer.release(1_100) == ([at(0)], 0)
    assert len(buffer) == 0
    assert buffer.next_due() is None


def test_events_leave_in_order_however_they_came() -> None:
    buffer = ReorderBuffer(100)
    buffer.push([at(3), at(1, "y"), at(1, "x")], 0)
    buffer.push([at(2), at(1, "x", "0")], 50)
    released, late = buffer.release(150)
    assert [(item.timestamp - START, item.event_id, item.interaction_id) for item in released] == [
        (1, "x", "0"), (1, "x", "a"), (1, "y", "a"), (2, "e", "a"), (3, "e", "a"),
    ]  # fmt: skip
    assert late == 0


def test_what_sorts_before_a_leaving_event_leaves_with_it() -> None:
    buffer = ReorderBuffer(100)
    buffer.push([at(5)], 0)
    buffer.push([at(4), at(6)], 50)
    buffer.push([at(3), at(5)], 90)
    released, late = buffer.release(100)
    assert (offsets(released), late) == ([3, 4, 5], 0)
    assert len(buffer) == 2
    assert buffer.next_due() == 150
    assert offsets(buffer.release(189)[0]) == [5, 6]  # the copy of 5 sorts before 6


def test_a_copy_of_the_last_released_event_is_not_late() -> None:
    buffer = ReorderBuffer(0)
    buffer.push([at(5)], 0)
    buffer.release(0)
    buffer.push([at(5)], 1)
    assert buffer.release(1) == ([at(5)], 0)


def test_late_events_are_released_first_and_counted() -> None:
    buffer = ReorderBuffer(0)
    buffer.push([at(5)], 0)
    buffer.release(0)
    buffer.push([at(6), at(1), at(4)], 1)
    released, late = buffer.release(1)
    assert (offsets(released), late) == ([1, 4, 6], 2)


def test_late_goes_by_the_greatest_released_not_the_latest() -> None:
    buffer = ReorderBuffer(0)
    for offset, expected in ((5, 0), (1, 1), (3, 1), (5, 0), (6, 0)):
        buffer.push([at(offset)], offset)
        assert buffer.release(10)[1] == expected


def test_late_by_rank_within_a_millisecond() -> None:
    buffer = ReorderBuffer(0)
    buffer.push([event("disposition.completed", START, "a", event_id="e1")], 0)
    buffer.release(0)
    buffer.push([event("interaction.created", START, "a", event_id="e2")], 0)
    assert buffer.release(0)[1] == 1


def test_flush_lets_everything_go_and_the_buffer_goes_on() -> None:
    buffer = ReorderBuffer(100)
    buffer.push([at(7), at(2)], 0, mark=10)
    released, late = buffer.flush()
    assert (offsets(released), late) == ([2, 7], 0)
    assert (len(buffer), buffer.next_due(), buffer.oldest_mark()) == (0, None, None)
    assert buffer.flush() == ([], 0)
    buffer.push([at(3)], 0)
    assert buffer.flush() == ([at(3)], 1)


def test_pushing_nothing_holds_nothing() -> None:
    buffer = ReorderBuffer(100)
    buffer.push([], 0, mark=5)
    assert (len(buffer), buffer.next_due(), buffer.oldest_mark()) == (0, None, None)


def test_the_mark_waits_for_the_last_of_its_events() -> None:
    buffer = ReorderBuffer(100)
    buffer.push([at(9), at(1)], 0, mark=10)
    buffer.push([at(2), at(20)], 50, mark=20)
    buffer.push([at(3)], 60, mark=30)
    assert buffer.oldest_mark() == 10
    assert offsets(buffer.release(100)[0]) == [1, 2, 3, 9]
    assert buffer.oldest_mark() == 20  # 20 is still held; all of mark 30 left early
    assert offsets(buffer.release(150)[0]) == [20]
    assert buffer.oldest_mark() is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.lists(st.tuples(st.integers(0, 12), st.sampled_from("xyz")), max_size=4)),
        st.tuples(st.just("wait"), st.integers(0, 60)),
        st.tuples(st.just("release"), st.none()),
        st.tuples(st.just("flush"), st.none()),
    ),
    max_size=30,
)


class Model:
    """The buffer said simply: a list of held events with their ends and marks, searched through every time."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.held: list[tuple[int, int, Event]] = []
        self.greatest: tuple[int, int, str, str] | None = None

    def let_go(self, now: int | None) -> tuple[list[Event], int]:
        ended = [item for until, _, item in self.held if now is None or until <= now]
        if not ended:
            return [], 0
        last = max(map(order_key, ended))

        def leaves(until: int, item: Event) -> bool:
            return now is None or until <= now or order_key(item) < last

        leaving = sorted((item for until, _, item in self.held if leaves(until, item)), key=order_key)
        self.held = [held for held in self.held if not leaves(held[0], held[2])]
        late = sum(self.greatest is not None and order_key(item) < self.greatest for item in leaving)
        self.greatest = max(last, self.greatest or last)
        return leaving, late


@given(st.sampled_from([0, 30, 100]), steps)
def test_the_buffer_is_the_simple_model(window: int, script: list[tuple[str, object]]) -> None:
    buffer, model, now, mark, pushed = ReorderBuffer(window), Model(window), 0, 0, 0
    out: list[Event] = []
    for step, argument in script:
        if step == "push":
            assert isinstance(argument, list)
            events = [at(offset, event_id) for offset, event_id in argument]
            buffer.push(events, now, mark)
            model.held += [(now + window, mark, item) for item in events]
            mark += 10
            pushed += len(events)
        elif step == "wait":
            assert isinstance(argument, int)
            now += argument
        else:
            found = buffer.flush() if step == "flush" else buffer.release(now)
            assert found == model.let_go(None if step == "flush" else now)
            out += found[0]
        assert len(buffer) == len(model.held)
        assert buffer.oldest_mark() == min((item[1] for item in model.held), default=None)
        assert buffer.next_due() == min((item[0] for item in model.held), default=None)
    out += buffer.flush()[0]
    assert len(out) == pushed


@given(steps)
def test_without_a_late_one_the_whole_stream_is_in_order(script: list[tuple[str, object]]) -> None:
    buffer, now, out, lates = ReorderBuffer(30), 0, [], 0
    for step, argument in [*script, ("flush", None)]:
        if isinstance(argument, list):
            buffer.push([at(offset, event_id) for offset, event_id in argument], now)
        elif isinstance(argument, int):
            now += argument
        else:
            released, late = buffer.flush() if step == "flush" else buffer.release(now)
            out += released
            lates += late
    keys = list(map(order_key, out))
    assert (keys == sorted(keys)) == (lates == 0)
