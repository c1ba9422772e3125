"""How a network treats events: a little jitter for all, a few late ones, a few delivered twice."""

from __future__ import annotations

import random
from typing import NamedTuple

LONGEST_DELAY = 100_000
"""No event is delivered (or delivered again) later than this after it happened (ms)."""


class Delivery(NamedTuple):
    """The shares of events that come late (by 1 to 60 s) and that come twice; 0 turns either off."""

    late: float = 0.01
    duplicates: float = 0.01
    jitter: bool = True

    def delays(self, rng: random.Random) -> list[int]:
        """How long after it happened (ms) an event is delivered, once for each delivery.

        It always draws the same numbers, so that changing one share leaves everything else of a story as it was.
        """
        jitter, is_late, lateness, is_double, until_double = (rng.random() for _ in range(5))
        delay = 4 + round(80 * jitter * jitter) if self.jitter else 0
        if is_late < self.late:
            delay += 1_000 + round(59_000 * lateness * lateness)
        delays = [delay]
        if is_double < self.duplicates:
            delays.append(delay + 40 + round(30_000 * until_double * until_double))
        return delays
