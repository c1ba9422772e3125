"""How lengths of time are spread, in bounded memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from journeymap.model.status import Durations


class Spread:
    """Counts lengths by the bounds (ms, ascending) that they do not exceed, and adds them up."""

    def __init__(self, bounds_ms: Sequence[float]) -> None:
        self._bounds = list(bounds_ms)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def add(self, length_ms: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, length_ms)] += 1
        self._sum += length_ms

    def durations(self) -> Durations:
        """All that was counted."""
        return Durations(list(self._bounds), list(self._counts), round(self._sum, 2))
