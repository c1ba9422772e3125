"""The reorder buffer: events are held for a while after they arrive and leave in order (docs/stitching.md, section 8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from journeymap.model.event import Event, OrderKey, order_key
from journeymap.model.time import Millis


class ReorderBuffer:
    """Holds the events of one source for `window` milliseconds and lets them go in the order of events.

    An event that sorts before the last one already let go is late: it leaves at its turn all the same, and the answer
    of `release` says how many such there are. Nothing is ever dropped.
    """

    def __init__(self, window: Millis) -> None:
        self._window = window
        self._arrivals: deque[tuple[Millis, int, int]] = deque()  # (end of hold, number of events, mark)
        self._held: deque[Event] = deque()  # in order of arrival
        self._released: OrderKey | None = None

    def __len__(self) -> int:
        return len(self._held)

    def push(self, events: Sequence[Event], now: Millis, mark: int = 0) -> None:
        """Take in events that arrived at `now`; `mark` is where in the journal they begin."""
        if events:
            self._arrivals.append((now + self._window, len(events), mark))
            self._held.extend(events)

    def release(self, now: Millis) -> tuple[list[Event], int]:
        """Events whose hold has ended by `now`, and those that sort before one of them, in order.

        The second value says how many of them, at the front, are late.
        """
        ended = 0
        while self._arrivals and self._arrivals[0][0] <= now:
            ended += self._arrivals.popleft()[1]
        return self._let_go(ended)

    def flush(self) -> tuple[list[Event], int]:
        """Everything that is held, as at the end of a stream."""
        self._arrivals.clear()
        return self._let_go(len(self._held))

    def next_due(self) -> Millis | None:
        """When the next hold ends; None while nothing is held."""
        return self._arrivals[0][0] if self._arrivals else None

    def oldest_mark(self) -> int | None:
        """The mark of the events held longest; None while nothing is held. All that arrived before it has left."""
        return self._arrivals[0][2] if self._arrivals else None

    def _let_go(self, ended: int) -> tuple[list[Event], int]:
        if not ended:
            return [], 0
        held = self._held
        leaving = [held.popleft() for _ in range(ended)]
        leaving.sort(key=order_key)
        last = order_key(leaving[-1])
        # Events still on hold that sort before the last one leave with it, or they would be late by our own doing.
        early = [event for event in held if event.timestamp <= last[0] and order_key(event) < last]
        if early:
            leaving = sorted(leaving + early, key=order_key)
            self._keep([event for event in held if order_key(event) >= last])
        late = 0
        if self._released is not None:
            while late < len(leaving) and order_key(leaving[late]) < self._released:
                late += 1
        if self._released is None or last > self._released:
            self._released = last
        return leaving, late

    def _keep(self, staying: list[Event]) -> None:
        """Shorten the buffer to `staying`; each of them keeps its own end of hold."""
        kept = {id(event) for event in staying}
        arrivals: deque[tuple[Millis, int, int]] = deque()
        events = iter(self._held)
        for until, count, mark in self._arrivals:
            left = sum(id(next(events)) in kept for _ in range(count))
            if left:
                arrivals.append((until, left, mark))
        self._arrivals, self._held = arrivals, deque(staying)
