"""The queue between the threads that receive and the one that stitches: bounded, with the journal to take what is too much."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from journeymap.journal.replay import Replay
from journeymap.journal.segment import Damage
from journeymap.model.record import Record
from journeymap.model.time import Millis

MAX_BYTES = 16 * 1024 * 1024
MAX_RECORDS = 50_000
"""So many frames, of so many bytes, wait in memory at most."""

HANDFUL = 2 * 1024 * 1024
"""So many bytes are taken at once, some thousands of events: what is taken is stitched and written before more is."""

WORTHWHILE = 512 * 1024
"""So many bytes are worth taking at once. Less is taken with the next flush."""

BATCH = 5_000
"""So many records are taken at once."""


class Inbox:
    """Records that are in the journal and wait to be stitched.

    They wait in three parts, and are taken in this order, which is that of the journal: a *stretch* of the journal that
    is being read, the newer ones that are held in memory, and the newest ones that found no room there and are only in
    the journal. Once the first two are empty the third becomes the stretch, and memory takes what comes from then on. So
    neither a slow store nor a long replay makes receiving wait or memory grow, and nothing is taken twice or left out.

    `replay` reads the journal between two offsets. What lies between `start` and `end` waits from the beginning. `put` is for
    one thread at a time, in the order of the journal; `take` for one other thread. Both raise nothing of their own;
    `take` and the constructor let a `JournalError` of the reading through.
    """

    def __init__(
        self,
        replay: Callable[[int, int], Replay],
        start: int,
        end: int,
        *,
        batch: int = BATCH,
        max_bytes: int = MAX_BYTES,
        max_records: int = MAX_RECORDS,
    ) -> None:
        self._replay = replay
        self._batch = batch
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._fewer = threading.Condition(self._lock)
        self._stretch: Replay | None = None
        self._stretch_end = end
        self._next: Record | None = None  # of the stretch
        self._records: deque[Record] = deque()
        self._bytes = 0
        # Where the third part begins, and when its first record arrived.
        self._left_off: tuple[int, Millis] | None = None
        self._end = end
        self._taken = start
        self._woken = False
        self.damage = Damage()
        self.missing = 0
        if end > start:
            self._begin(start, end)

    def put(self, record: Record) -> None:
        """Add a record. Never waits."""
        size = len(record.data)
        with self._lock:
            if self._left_off is None:
                held, before = len(self._records), self._bytes
                if held < self._max_records and (before + size <= self._max_bytes or not held):
                    self._records.append(record)
                    self._bytes += size
                    if held + 1 == self._batch or before < WORTHWHILE <= before + size:
                        self._changed.notify()
                else:
                    self._left_off = (self._end, record.arrived_at)
                    self._changed.notify()
            self._end = record.end

    def take(self, handful: int = HANDFUL) -> list[Record]:
        """The records that wait longest, in order: all, or about as many bytes as a handful, or as many as a batch.

        There may be none although some wait, where they cannot be read.
        """
        if self._stretch is None:
            with self._lock:
                if self._records or self._left_off is None:
                    return self._take_held(handful)
                start, end = self._left_off[0], self._end
                self._left_off = None
            self._begin(start, end)
        return self._read_on(handful)

    def wait(self, seconds: float) -> bool:
        """Wait until there is a batch to be taken, `wake` is called, or the time is over; whether it came to one of the first
        two."""
        with self._lock:
            return self._changed.wait_for(lambda: self._woken or self._has_batch(), seconds)

    def wait_for_fewer(self, most: int, seconds: float) -> bool:
        """Wait until no more than so many bytes of the journal wait to be taken, or the time is over; whether it came to that.
        For whoever has patience, so that others need none."""
        with self._lock:
            return self._fewer.wait_for(lambda: self._end - self._taken <= most, seconds)

    def wake(self) -> None:
        """Let nobody wait for a batch any more."""
        with self._lock:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of what is being read. For the thread that takes, which takes no more."""
        if self._stretch is not None:
            self._stretch.close()

    @property
    def has_batch(self) -> bool:
        """Whether so much waits that it is worth taking at once."""
        with self._lock:
            return self._has_batch()

    @property
    def replaying(self) -> bool:
        """Whether what is taken next comes from the journal."""
        return self._stretch is not None

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of the journal have not been taken yet."""
        with self._lock:
            return self._end - self._taken

    def waiting_since(self) -> Millis | None:
        """When the record that waits longest arrived; None if none waits."""
        with self._lock:
            if self._next is not None:
                return self._next.arrived_at
            if self._records:
                return self._records[0].arrived_at
            return None if self._left_off is None else self._left_off[1]

    def _has_batch(self) -> bool:
        return (
            self._stretch is not None
            or self._left_off is not None
            or len(self._records) >= self._batch
            or self._bytes >= WORTHWHILE
        )

    def _take_held(self, handful: int) -> list[Record]:
        taken: list[Record] = []
        records = self._records
        while records and handful > 0 and len(taken) < self._batch:
            record = records.popleft()
            taken.append(record)
            size = len(record.data)
            handful -= size
            self._bytes -= size
        if taken:
            self._taken = taken[-1].end
            self._fewer.notify_all()
        return taken

    # The stretch belongs to the thread that takes; only what others look at is set under the lock.

    def _begin(self, start: int, end: int) -> None:
        stretch = self._replay(start, end)
        first = next(stretch, None)
        with self._lock:
            self._stretch, self._stretch_end, self._next = stretch, end, first
            self._taken = max(self._taken, stretch.start)
        if first is None:
            self._finish()

    def _read_on(self, handful: int) -> list[Record]:
        taken: list[Record] = []
        stretch, record = self._stretch, self._next
        while stretch is not None and record is not None and handful > 0 and len(taken) < self._batch:
            taken.append(record)
            handful -= len(record.data)
            record = next(stretch, None)
        with self._lock:
            self._next = record
            if taken:
                self._taken = taken[-1].end
                self._fewer.notify_all()
        if record is None:
            self._finish()
        return taken

    def _finish(self) -> None:
        stretch = self._stretch
        assert stretch is not None
        self.damage.stretches += stretch.damage.stretches
        self.damage.bytes += stretch.damage.bytes
        self.missing += stretch.missing
        with self._lock:
            self._stretch = None
            self._taken = self._stretch_end
            self._fewer.notify_all()
