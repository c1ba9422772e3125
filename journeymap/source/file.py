"""Recorded events from a file or standard input, as if they came from the platform."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from journeymap.errors import ConfigurationError, InputError
from journeymap.model.time import SECOND, Millis
from journeymap.source.base import ConnectionState, Deliver, SourceStatus, followed
from journeymap.source.lines import read_lines
from journeymap.source.pacing import Pace
from journeymap.source.steady import monotonic_ms

_log = logging.getLogger(__name__)


class FileSource:
    """Delivers the lines of a JSON Lines file (gzip too; `-` is standard input), then has finished.

    `speed` 0 is as fast as it goes, 1 by the events' own timestamps, N is N times faster; a line whose timestamp cannot
    be read is delivered at once. A run always starts at the beginning: events are known by their ids, so that what was
    delivered before does no harm. A line over 1 MiB is delivered as its first 1 MiB + 1 bytes, which decode rejects as
    too large. A file that cannot be read raises `InputError`, a cut-off gzip after all that was readable.
    """

    name = "file"
    live = False

    def __init__(
        self,
        path: str | Path,
        speed: float,
        clock: Callable[[], Millis],
        steady: Callable[[], Millis] = monotonic_ms,
    ) -> None:
        if not math.isfinite(speed) or speed < 0:
            raise ConfigurationError(f"--speed is {speed}; allowed is 0 (as fast as it goes) or a positive number")
        self._path = path
        self._speed = speed
        self._clock = clock
        self._steady = steady
        self._stopped = threading.Event()
        self._news = threading.Event()  # wakes up whatever waits, to look at the others
        self._skip = threading.Event()
        self._held: str | None = None
        self._received = 0
        self._last_frame_at: Millis | None = None
        self._line = 0
        self._status = SourceStatus(since=clock())

    @property
    def line(self) -> int:
        """Number of the line that was delivered last, from 1; 0 before the first."""
        return self._line

    def run(self, deliver: Deliver) -> None:
        """Deliver all lines, or as many as come before `stop`. Raises `InputError` as the class says."""
        if self._held is None:
            self._enter(ConnectionState.OPEN)
        else:
            self._wait_while_held()
        lines = read_lines(self._path)
        try:
            self._deliver_all(lines, deliver)
            self._enter(ConnectionState.DISCONNECTED, finished=not self._stopped.is_set())
        except InputError as error:
            # All that could be read has been delivered; nothing more will come from this file.
            self._enter(ConnectionState.DISCONNECTED, error=str(error), finished=True)
            raise
        except BaseException:
            self._enter(ConnectionState.DISCONNECTED)
            raise

    def _deliver_all(self, lines: Iterator[tuple[int, bytes]], deliver: Deliver) -> None:
        pace = Pace(self._speed)
        stopped = self._stopped.is_set
        clock = self._clock
        for number, line in lines:
            if self._speed:
                self._wait_until_due(pace, line)
            if self._held is not None:
                self._wait_while_held()
                pace.skip()
            if stopped():
                return
            now = clock()
            deliver(line, now)
            self._received += 1
            self._last_frame_at = now
            self._line = number

    def _wait_until_due(self, pace: Pace, line: bytes) -> None:
        while (wait := pace.wait(line, self._steady())) and self._held is None and not self._stopped.is_set():
            self._news.wait(min(wait, SECOND) / SECOND)
            self._news.clear()
            if self._skip.is_set():
                self._skip.clear()
                pace.skip()

    def _wait_while_held(self) -> None:
        while (reason := self._held) is not None and not self._stopped.is_set():
            if reason != self._status.error:
                self._enter(ConnectionState.DISCONNECTED, error=reason)
            self._news.wait()
            self._news.clear()
        if not self._stopped.is_set():
            self._enter(ConnectionState.OPEN)

    def _enter(self, state: ConnectionState, error: str | None = None, finished: bool = False) -> None:
        status = SourceStatus(state=state, since=self._clock(), error=error, finished=finished)
        self._status = followed(self._status, status, self._last_frame_at)
        _log.info("file source %s: %s", "has finished" if finished else state, error or self._path)

    def stop(self) -> None:
        """Make `run` return before the next line."""
        self._stopped.set()
        self._news.set()

    def retry(self) -> None:
        """End the wait for the next line; time goes on from there."""
        self._skip.set()
        self._news.set()

    def hold(self, reason: str) -> None:
        """Deliver no further line until `release`; time stands still meanwhile."""
        self._held = reason
        self._news.set()

    def release(self) -> None:
        """Go on with the next line."""
        self._held = None
        self._news.set()

    def status(self) -> SourceStatus:
        """How it stands now."""
        at = self._last_frame_at
        return replace(self._status, received=self._received, last_frame_at=at, last_heard_at=at)
