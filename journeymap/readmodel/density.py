"""How many journeys were active, and in how many someone waited, over time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeAlias

from journeymap.model.time import Millis
from journeymap.readmodel.held import Held

Bins: TypeAlias = tuple[list[int], list[int]]
"""Active journeys, and waits, by bin."""


class Density:
    """Starts and ends of some journeys and of their waits, in order. Made anew rather than kept up to date: that costs
    some milliseconds for 10,000 journeys, and an overview that is a second old is as good."""

    def __init__(self, journeys: Iterable[Held], position: int, now: Millis) -> None:
        self.position = position
        """Up to where of the table's changes this is worked in."""
        self.made_at = now
        facts = [held.facts for held in journeys]
        self._starts = sorted([each.row.started_at for each in facts])
        self._ends = sorted([each.ends for each in facts])
        waits = [wait for each in facts for wait in each.waits]
        self._wait_starts = sorted([start for start, _ in waits])
        self._wait_ends = sorted([end for _, end in waits])

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
