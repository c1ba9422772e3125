"""Events that do not come straight: late, twice, or overtaken by others."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from itertools import count
from typing import Final

from journeymap.simulator.faults import Faults
from journeymap.simulator.told import Told

_LONGEST_DELAY: Final = 60.0
_SOONEST: Final = 0.3
"""A late event or a second copy comes after at least this share of the longest delay."""


class Detours:
    """Holds events back as the faults `late`, `duplicates` and `reordering` ask. Chance is seeded: same events, same fate."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults = faults
        self._rng = random.Random(f"detours {seed}")
        self._held: list[tuple[int, int, Told]] = []
        self._numbers = count()

    def through(self, events: Sequence[Told], now: int) -> Sequence[Told]:
        """What arrives now, of these events and of those held back earlier."""
        faults = self._faults
        if not (self._held or faults.late or faults.duplicates or faults.reordering):
            return events
        arriving: list[Told] = []
        for told in events:
            # Always the same draws, so that one fault does not change what another does.
            aside, is_late, lateness, is_double, until_double = (self._rng.random() for _ in range(5))
            delay = aside * faults.reordering
            if is_late < faults.late:
                delay += self._long(lateness)
            if delay:
                self._hold(told, now, delay)
            else:
                arriving.append(told)
            if is_double < faults.duplicates:
                self._hold(told, now, delay + self._long(until_double))
        while self._held and self._held[0][0] <= now:
            arriving.append(heapq.heappop(self._held)[2])
        return arriving

    def _long(self, share: float) -> float:
        return (self._faults.longest_delay or _LONGEST_DELAY) * (_SOONEST + (1 - _SOONEST) * share)

    def _hold(self, told: Told, now: int, delay: float) -> None:
        heapq.heappush(self._held, (now + round(delay * 1000), next(self._numbers), told))
