"""The garbage collector of a process that holds many journeys: kept from stopping it."""

from __future__ import annotations

import gc

YOUNG = 5_000
MIDDLE = 10
NEVER = 1_000_000_000
FEW_JOURNEYS = 5_000


def calm_collector() -> None:
    """Leave what is loaded now out of all collections, and look only for young garbage, a little at a time.

    What the stitcher holds has no cycles and is freed without the collector; a full collection over it would stop the
    process for half a second and find nothing. Garbage that outlives the young collections waits for `collect_old`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


def collect_old(hot_journeys: int) -> None:
    """Collect everything, where so few journeys are in memory that nobody notices."""
    if hot_journeys <= FEW_JOURNEYS:
        gc.collect()
