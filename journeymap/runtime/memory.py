"""The garbage collector of a process that holds many journeys: kept from stopping it."""

from __future__ import annotations

import gc

YOUNG = 50_000
MIDDLE = 20
OLD = 100


def calm_collector() -> None:
    """Leave what is loaded now out of all collections, and look for garbage seldom.

    What the stitcher holds has no cycles and is freed without the collector; a full collection over it would stop the
    process for half a second and find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
