"""How many journeys were active, and in how many someone waited, over time; kept up to date by who comes and who goes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeAlias

from journeymap.model.time import Millis
from journeymap.readmodel.held import Held

Bins: TypeAlias = tuple[list[int], list[int]]
"""Active journeys, and waits, by bin."""


class Density:
    """Starts and ends of some journeys and of their waits, in order.

    Most events of a journey that goes on change none of them. Making all anew once a second was tried: at 20,000 journeys
    it took 30 ms, and an answer could be a second old.
    """

    def __init__(self, journeys: Iterable[Held]) -> None:
        self.asked_at: Millis = 0
        facts = [held.facts for held in journeys]
        self._starts = sorted([each.row.started_at for each in facts])
        self._ends = sorted([each.ends for each in facts])
        waits = [wait for each in facts for wait in each.waits]
        self._wait_starts = sorted([wait[0] for wait in waits])
        self._wait_ends = sorted([wait[1] for wait in waits])

    def change(self, before: Held | None, now: Held | None) -> None:
        """Put one in another's place; None where there is none."""
        one = None if before is None else before.facts
        two = None if now is None else now.facts
        _swap(self._starts, None if one is None else one.row.started_at, None if two is None else two.row.started_at)
        _swap(self._ends, None if one is None else one.ends, None if two is None else two.ends)
        waits, others = one.waits if one else (), two.waits if two else ()
        if waits != others:
            for start, end in waits:
                _take_out(self._wait_starts, start)
                _take_out(self._wait_ends, end)
            for start, end in others:
                insort(self._wait_starts, start)
                insort(self._wait_ends, end)

    def first(self) -> Millis | None:
        """When the first of them began; None where there are none."""
        return self._starts[0] if self._starts else None

    def bins(self, start: Millis, end: Millis, count: int, now: Millis) -> Bins:
        """Of each bin of `[start, end)`, how many journeys were active in it and how many waits went on in it. What is not
        over goes on until `now`."""
        edges = [start + (end - start) * place // count for place in range(count + 1)]
        active, waiting = [], []
        for low, high in pairwise(edges):
            if low > now:
                break
            active.append(bisect_left(self._starts, high) - bisect_left(self._ends, low))
            waiting.append(bisect_left(self._wait_starts, high) - bisect_right(self._wait_ends, low))
        rest = [0] * (count - len(active))
        return active + rest, waiting + rest


def _swap(moments: list[Millis], left: Millis | None, come: Millis | None) -> None:
    """Put one moment in another's place; None where there is none."""
    if left == come:
        return
    if left is not None:
        _take_out(moments, left)
    if come is not None:
        insort(moments, come)


def _take_out(moments: list[Millis], moment: Millis) -> None:
    del moments[bisect_left(moments, moment)]
