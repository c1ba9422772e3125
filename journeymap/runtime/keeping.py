"""What keeps the journal safe from a power failure, and small."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Final

from journeymap.errors import JournalError, JournalFullError
from journeymap.journal.journal import Journal
from journeymap.model.time import Millis

log = logging.getLogger(__name__)

TIDY_INTERVAL: Millis = 2_000
AGE_SHARE: Final = 10
"""A segment is ended after this part of the age at which it may go, so that it does go soon after."""


class JournalKeeper:
    """Syncs and tidies. Each of the two is for a thread of its own: a disk that is slow stalls nothing else.

    What lies before the offset `committed` is in the store: the oldest of it is forgotten while the journal takes up more
    than `max_bytes`, or is older than `max_age`. No space for what would save space, and failures of tidying, are
    said in the log when they begin and are tried again; a failing sync is raised.
    """

    def __init__(
        self,
        journal: Journal,
        committed: Callable[[], int],
        max_bytes: int,
        max_age: Millis,
        clock: Callable[[], Millis],
    ) -> None:
        self._journal = journal
        self._committed = committed
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._clock = clock
        self._failing: set[str] = set()

    def sync(self) -> None:
        """Have what was appended so far outlive a power failure. Raises JournalError."""
        with self._passing("sync", JournalFullError):
            self._journal.sync()

    def tidy(self, go_on: Callable[[], bool]) -> None:
        """End a segment that is old enough, compress those that are finished, while `go_on` says so, and forget the oldest."""
        now = self._clock()
        with self._passing("pack", JournalError):
            self._journal.rotate(now - self._max_age // AGE_SHARE)
            self._journal.pack(go_on)
        # Last, by the sizes after packing; and without space for packing all the more.
        with self._passing("forget", JournalError):
            self._journal.forget(self._committed(), self._max_bytes, now - self._max_age)

    @contextlib.contextmanager
    def _passing(self, what: str, failure: type[JournalError]) -> Iterator[None]:
        """What goes wrong inside may pass: it is said when it begins."""
        try:
            yield
        except failure as error:
            if what not in self._failing:
                log.error("%s", error)
            self._failing.add(what)
        else:
            self._failing.discard(what)
