"""The door of a source that does not fetch but is brought its frames: whoever serves HTTP hands them in here."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from journeymap.errors import TransientSourceError
from journeymap.model.time import Millis
from journeymap.source.base import Deliver

RETRY_AFTER: Final = 2.0
"""Seconds after which it is worth coming again to a closed door."""

NOT_RUNNING: Final = "no ingest is running in this process"
ENDING: Final = "ingest is stopping"

THREADS: Final = 4
"""The journal takes one frame at a time; more threads than one only so that a slow disk does not hold up looking at the next."""

MOST_WAITING: Final = 256
"""Frames that may wait to be delivered; more are sent away."""


class Door:
    """Takes frames while it is open, in threads of its own, so that no server's event loop waits for a disk.

    From any thread. `received` counts what was delivered, `refused` by reason what was sent away, here or by the server.
    `failure` is what `deliver` raised first: the door is closed then, and `on_failure` called, from any thread.
    """

    def __init__(self, clock: Callable[[], Millis]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._deliver: Deliver | None = None
        self._closed: str | None = NOT_RUNNING
        self._threads: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._refused: Counter[str] = Counter()
        self.received = 0
        self.last_frame_at: Millis | None = None
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None

    def open(self, deliver: Deliver) -> None:
        """Take frames from now on, and hand them to `deliver`."""
        with self._lock:
            self._deliver = deliver
            self._closed = None
            if self._threads is None:
                self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="journeymap-post")

    def reopen(self) -> None:
        """Take frames again after `close`, if it was open before and nothing has failed."""
        with self._lock:
            if self._threads is not None and self.failure is None:
                self._closed = None

    def close(self, why: str) -> None:
        """Take no more; `why` is told who comes. Does not wait for what was taken before."""
        with self._lock:
            self._closed = why

    def end(self) -> None:
        """Close for good, and wait until what was taken is delivered."""
        with self._lock:
            self._closed = ENDING
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()

    def take(self, read: Callable[[], bytes]) -> Future[None]:
        """Deliver the frame that `read` makes of what was posted; done as soon as the frame is safe.

        Raises `TransientSourceError` where the door is closed or too many wait. The future ends with that error where the frame
        could not be delivered, or with the `InputError` of `read`. Cancelled before its turn, it was not delivered.
        """
        arrived_at = self._clock()
        with self._lock:
            if self._closed is not None or self._threads is None:
                raise self._turned_away("closed", self._closed or NOT_RUNNING)
            if self._waiting >= MOST_WAITING:
                raise self._turned_away("busy", f"{MOST_WAITING} posts are waiting to be written")
            future = self._threads.submit(self._bring_in, read, arrived_at)
            self._waiting += 1
        future.add_done_callback(self._done)
        return future

    def refuse(self, reason: str) -> None:
        """Count a post that the server sent away."""
        with self._lock:
            self._refused[reason] += 1

    def refused(self) -> Mapping[str, int]:
        """How many posts were sent away, by reason."""
        with self._lock:
            return dict(self._refused)

    def _turned_away(self, reason: str, why: str) -> TransientSourceError:
        self._refused[reason] += 1
        return TransientSourceError(why, RETRY_AFTER)

    def _done(self, _: Future[None]) -> None:
        with self._lock:
            self._waiting -= 1

    def _bring_in(self, read: Callable[[], bytes], arrived_at: Millis) -> None:
        frame = read()
        deliver = self._deliver
        assert deliver is not None
        try:
            deliver(frame, arrived_at)
        except BaseException as error:
            with self._lock:
                first = self.failure is None
                self.failure = self.failure or error
                self._closed = "ingest has failed"
                failed = self._turned_away("failed", "ingest has failed")
            if first:
                self.on_failure()
            raise failed from error
        with self._lock:
            self.received += 1
            self.last_frame_at = max(arrived_at, self.last_frame_at or 0)
