"""The clock for measuring waits."""

from __future__ import annotations

import time

from journeymap.model.time import Millis


def monotonic_ms() -> Millis:
    """A clock that nobody sets: a machine whose wall clock is put back must not stop pinging."""
    return time.monotonic_ns() // 1_000_000
