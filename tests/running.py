"""A source at work in a thread of its own, for tests: what it delivered, and waits with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from journeymap.source.base import Deliver, Source, SourceStatus


class Running:
    """Runs the source until the block ends. `error` is what came out of `run`."""

    def __init__(self, source: Source, deliver: Deliver | None = None) -> None:
        self.source = source
        self.frames: list[bytes] = []
        self.arrivals: list[int] = []
        self.error: BaseException | None = None
        self._deliver = deliver or self._collect
        self._thread = threading.Thread(target=self._run, name="source-under-test", daemon=True)

    def _collect(self, frame: bytes, arrived_at: int) -> None:
        self.frames.append(frame)
        self.arrivals.append(arrived_at)

    def _run(self) -> None:
        try:
            self.source.run(self._deliver)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(5)

    def stop(self, limit: float) -> float:
        """Stop it; how many seconds that took."""
        began = time.monotonic()
        self.source.stop()
        self._thread.join(limit)
        assert not self._thread.is_alive(), f"run did not return within {limit} s of stop"
        return time.monotonic() - began

    def join(self, limit: float = 5) -> None:
        """Wait for a finite source to end by itself."""
        self._thread.join(limit)
        assert not self._thread.is_alive(), f"run did not return within {limit} s"

    def wait(self, holds: Callable[[SourceStatus], object], limit: float = 5) -> SourceStatus:
        """Wait until this holds of the status; the status."""
        until = time.monotonic() + limit
        while not holds(status := self.source.status()):
            assert time.monotonic() < until, f"not within {limit} s: {status}"
            assert self._thread.is_alive() or holds(self.source.status()), f"run has ended: {self.error!r}"
            time.sleep(0.002)
        return status

    def wait_for_frames(self, count: int, limit: float = 5) -> list[bytes]:
        """Wait until so many frames were delivered; all of them."""
        until = time.monotonic() + limit
        while len(self.frames) < count:
            assert time.monotonic() < until, f"{len(self.frames)} of {count} frames within {limit} s"
            time.sleep(0.002)
        return self.frames
