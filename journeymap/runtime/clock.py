"""The clock that the core is given: wall time that never runs backwards."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from journeymap.model.time import Millis


class Clock(Protocol):
    """Tells the time. `now()` never answers less than it answered before."""

    def now(self) -> Millis: ...


class SystemClock:
    """The machine's wall clock, held still (never turned back) while the machine's clock is set back."""

    def __init__(self) -> None:
        self._latest: Millis = 0
        self._lock = threading.Lock()

    def now(self) -> Millis:
        with self._lock:
            self._latest = max(self._latest, time.time_ns() // 1_000_000)
            return self._latest
