"""The queue between the threads that receive and the one that stitches: bounded, and emptied in handfuls."""

from __future__ import annotations

import threading
from collections import deque

from journeymap.model.record import Record
from journeymap.model.time import Millis

MAX_BYTES = 64 * 1024 * 1024
"""So many bytes of frames may wait; then the receiving thread waits too, and with it the platform."""

HANDFUL = 2 * 1024 * 1024
"""So many bytes are taken at once, some thousands of events: what is taken is stitched and written before more is."""


class Inbox:
    """Records that were received and are in the journal, and wait to be stitched."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._room = threading.Condition()
        self._closed = False

    def put(self, record: Record) -> None:
        """Add a record; waits while there is no room, unless the inbox is closed."""
        with self._room:
            while self._bytes >= self._max_bytes and not self._closed:
                self._room.wait()
            self._records.append(record)
            self._bytes += len(record.data)

    def take(self, handful: int = HANDFUL) -> list[Record]:
        """The records that wait longest, in order: all, or about as many bytes as a handful."""
        taken = []
        with self._room:
            while self._records and handful > 0:
                record = self._records.popleft()
                taken.append(record)
                handful -= len(record.data)
                self._bytes -= len(record.data)
            self._room.notify_all()
        return taken

    def waiting_since(self) -> Millis | None:
        """When the record that waits longest arrived; None if none waits."""
        with self._room:
            return self._records[0].arrived_at if self._records else None

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of frames wait."""
        return self._bytes

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._room:
            self._closed = True
            self._room.notify_all()
