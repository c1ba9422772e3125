"""The interpreter of a process that holds many journeys: its garbage collector is kept from stopping it, its threads from waiting
for each other."""

from __future__ import annotations

import gc
import sys

from journeymap.model.time import HOUR, Millis

YOUNG = 3_000
MIDDLE = 3
NEVER = 1_000_000_000
FEW_JOURNEYS = 5_000
TURN = 0.001
"""Seconds."""


def short_turns() -> None:
    """Let a thread that has read from a socket, or written to the journal, not wait long for one that computes: each of a hundred
    small reads and writes a second would otherwise wait 5 ms for its turn."""
    sys.setswitchinterval(TURN)


def calm_collector() -> None:
    """Leave what is loaded now out of all collections, and look only for young garbage, a little at a time.

    What the stitcher holds has no cycles and is freed without the collector; a full collection over it would stop the
    process for a large part of a second and find next to nothing. Garbage that outlives the young collections waits for
    `OldGarbage`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


class OldGarbage:
    """Collects everything: while few journeys are in memory whenever it is asked, otherwise once an hour."""

    def __init__(self) -> None:
        self._collected_at: Millis | None = None

    def collect(self, hot_journeys: int, now: Millis) -> bool:
        """Collect if it is time; whether it was."""
        if self._collected_at is None:
            self._collected_at = now
        if hot_journeys > FEW_JOURNEYS and now - self._collected_at < HOUR:
            return False
        gc.collect()
        self._collected_at = now
        return True
