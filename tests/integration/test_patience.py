"""What is fetched again waits its turn: what is live never stands behind much of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journeymap.runtime.filler import Filler
from journeymap.runtime.receiving import FETCHED_AHEAD
from journeymap.source.base import Deliver
from journeymap.testing import PAUSE
from tests.integration.ingest import CLOCK, Running, Store, events, source
from tests.integration.process import until

EACH = 40
"""Events in a frame, as in the record of a long conversation."""


class Eager(Filler):
    """Has days of records at hand, and delivers them one after the other as fast as it may."""

    def __init__(self, frames: list[bytes]) -> None:
        nothing: Any = None  # neither records nor a store are asked
        super().__init__(nothing, nothing, CLOCK, 0)
        self.frames = frames
        self.done = threading.Event()

    def run(self, deliver: Deliver, journal_end: Callable[[], int]) -> None:
        for frame in self.frames:
            deliver(frame, CLOCK.now())
        self.done.set()

    def abort(self) -> None:
        self.stop()


@pytest.fixture(scope="module")
def fetched() -> list[bytes]:
    some = events(24_000)
    return [b"[" + b",".join(some[n : n + EACH]) + b"]" for n in range(0, len(some), EACH)]


def test_fetches_no_further_ahead_than_is_stitched_soon(tmp_path: Path, fetched: list[bytes]) -> None:
    store, filler, live = Store(), Eager(fetched), events(50, first=100_000)
    store.full = True  # so that only the first handful is taken
    with Running(tmp_path, store, source(PAUSE, *live), filler=filler) as running:
        until(lambda: running.journal.end > FETCHED_AHEAD, "some that is fetched")
        running.source.go_on()
        until(lambda: running.source.status().received == len(live), "all that is live")
        assert running.journal.end < sum(map(len, fetched)) // 2
        assert not filler.done.is_set()
        store.full = False
        assert filler.done.wait(30)
        running.until_told(lambda status: status.counts.events == 24_000 + len(live))
