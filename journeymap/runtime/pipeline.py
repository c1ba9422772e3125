"""The way of a record through the core and into the store, as numbered steps. No threads and no clock of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.change import Changes, RowChanges
from journeymap.model.event import Event
from journeymap.model.record import RETELLING, Record
from journeymap.model.row import JourneyRow
from journeymap.model.time import DAY, MINUTE, SECOND, Millis
from journeymap.order.reorder import ReorderBuffer
from journeymap.runtime.quarantine import Quarantine
from journeymap.runtime.spread import Spread
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Batch, Commit, Store

CHEAP_CHECKPOINT = 300
"""With at most so many records to write, every flush is a checkpoint."""

COSTLY_CHECKPOINT = 5_000
"""After a checkpoint of so many records or more, the whole interval passes before the next; after a smaller one, less."""

JOURNAL = "journal"
"""The name under which the store keeps the journal offset that it has reached."""

FLUSH_BOUNDS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000)
"""Milliseconds by which flushes are told apart."""

EVICT_BATCH = 500
"""At most this many journeys are evicted between two flushes."""


class PipelineOptions(msgspec.Struct, frozen=True):
    """Lengths in milliseconds. `checkpoint_interval` is how long records may lag behind rows under high load."""

    reorder_window: Millis = 100
    checkpoint_interval: Millis = 5 * SECOND
    retention: Millis = 30 * DAY
    max_journeys: int = 1_000_000
    evict_interval: Millis = MINUTE


class Counts(msgspec.Struct):
    """What became of everything that was fed, beside what is in quarantine."""

    records: int = 0
    events: int = 0
    new: int = 0
    late: int = 0
    duplicate: int = 0
    conflicting: int = 0
    expired: int = 0
    evicted: int = 0


class Pipeline:
    """Takes records in, and writes what they mean into the store.

    Feed records in the order of their journal offsets, then call `flush` often. If `flush` raises a StoreError, nothing is
    lost: call it again when the store has recovered, and feed nothing in between that need not be. `make_stitcher` makes
    an engine over what the store holds: the first one, and another after an error inside it.
    """

    def __init__(self, store: Store, make_stitcher: Callable[[], Stitcher], options: PipelineOptions) -> None:
        self._store = store
        self._make_stitcher = make_stitcher
        self._stitcher = make_stitcher()
        self._options = options
        self._snapshots = Snapshots()
        self._buffers: dict[str, ReorderBuffer] = {}  # by source: what is late is so among the events of its source
        self._fed_to = store.positions().get(JOURNAL, 0)
        self._committed = self._fed_to
        self._held_to = self._fed_to  # up to where everything fed was put on hold
        self._pending: Commit | None = None
        self._stitched: list[tuple[list[Event], bool]] = []  # since the last checkpoint, in turn; True for late ones
        self._counted = (0, 0, 0, 0, 0)  # what `_stitch` and `_evict` count, as of the last checkpoint
        self._torn = False  # the stitcher stopped in the middle of something
        self._failed_at: Millis | None = None
        self._to_correct = _unkept(store, options.checkpoint_interval)
        self._checkpoint_at: Millis = 0
        self._evict_at: Millis = 0
        self._watch: Callable[[Sequence[JourneyRow]], None] | None = None
        self.counts = Counts()
        self.quarantine = Quarantine()
        self.last_arrived_at: Millis | None = None
        self.flush_ms = 0.0
        self.flushes = Spread(FLUSH_BOUNDS)

    @property
    def committed(self) -> int:
        """The journal offset up to which everything is in the store."""
        return self._committed

    @property
    def fed_to(self) -> int:
        """The journal offset up to which records were fed."""
        return self._fed_to

    @property
    def retention(self) -> Millis:
        """How long closed journeys are kept."""
        return self._options.retention

    @property
    def hot_journeys(self) -> int:
        """How many journeys are in memory."""
        return self._stitcher.hot_journeys

    def watch(self, see: Callable[[Sequence[JourneyRow]], None]) -> None:
        """Have `see` told of all rows that readers are given from now on."""
        self._watch = see

    def feed(self, records: Sequence[Record], now: Millis) -> None:
        """1. Decode records and put their events on hold."""
        counts = self.counts
        source, arrived_at = "", 0
        together: list[Event] = []  # of one source and one moment
        for record in records:
            if together and (record.arrived_at != arrived_at or record.source != source):
                self.hold(together, source, arrived_at, now)
                together = []
            source, arrived_at = record.source, record.arrived_at
            events, rejected = decode_frame(record.data, record.arrived_at, self._snapshots)
            counts.records += 1
            counts.events += len(events)
            for item in rejected:
                self.quarantine.set_aside(item, source, arrived_at)
            if events:
                together += events
                self.last_arrived_at = arrived_at
            if not together:
                self._held_to = record.end
            self._fed_to = record.end
        if together:
            self.hold(together, source, arrived_at, now)

    def hold(self, events: Sequence[Event], source: str, arrived_at: Millis, now: Millis) -> None:
        """Put events on hold, except those that are past the retention."""
        horizon = now - self._options.retention
        kept = [event for event in events if event.timestamp >= horizon]
        self.counts.expired += len(events) - len(kept)
        buffer = self._buffers.get(source)
        if buffer is None:
            buffer = self._buffers[source] = ReorderBuffer(self._options.reorder_window)
        buffer.push(kept, arrived_at, self._held_to)
        self._held_to = self._fed_to

    def flush(self, now: Millis, *, last: bool = False, closed_by: Millis | None = None) -> bool:
        """Write what is due; whether anything was. With `last`, what is on hold too, as at the end of a stream.

        `closed_by` is the moment by which closed journeys may leave memory, `now` unless given: a replay of old events
        gives the time that it has come to.
        """
        started = time.perf_counter()
        self._failed_at = now
        closed_by = now if closed_by is None else closed_by
        # 2. A commit that failed is tried again as it is, before the store is asked what it would answer otherwise after it.
        wrote = self._commit(closed_by)
        try:
            if self._torn:
                self._stitch_again()
            for source, buffer in self._buffers.items():
                # 3. Let go of what has been held long enough, in order.
                events, late = buffer.flush() if last else buffer.release(now)
                late = 0 if source in RETELLING else late
                # 4. Stitch it: the late ones first, so that they can be counted without the copies among them.
                self._stitch([(events[:late], True), (events[late:], False)])
            # 5. Evict what is past its retention.
            if now >= self._evict_at:
                self._evict(now)
        except BaseException:
            self._torn = True
            raise
        # 6. Hand over rows for readers and, at a checkpoint, records and the position they reach.
        self._pending = self._next_commit(now, last)
        # 7. Store first; only then is anything let go of.
        wrote |= self._commit(closed_by)
        self._failed_at = None
        if wrote:
            self.flush_ms = (time.perf_counter() - started) * 1000
            self.flushes.add(self.flush_ms)
        return wrote

    def next_due(self) -> Millis | None:
        """When `flush` next has something to do even if nothing is fed; None if never."""
        due = [buffer.next_due() for buffer in self._buffers.values()]
        due += [self._stitcher.next_due(), self._failed_at]
        if self._stitcher.unsaved:
            due.append(self._checkpoint_at)
        return min((moment for moment in due if moment is not None), default=None)

    def _stitch(self, parts: list[tuple[list[Event], bool]]) -> None:
        parts = [part for part in parts if part[0]]
        self._stitched += parts
        for events, late in parts:
            self._apply(events, late)

    def _apply(self, events: list[Event], late: bool) -> None:
        applied = self._stitcher.apply(events)
        self.counts.new += applied.new
        self.counts.duplicate += applied.duplicate
        self.counts.conflicting += applied.conflicting
        if late:
            self.counts.late += applied.new

    def _stitch_again(self) -> None:
        """Go on with a new engine after one could not read the store: it is given all that came since the checkpoint."""
        self._stitcher = self._make_stitcher()
        counts = self.counts
        counts.new, counts.duplicate, counts.conflicting, counts.late, counts.evicted = self._counted
        self._evict_at = 0
        for events, late in self._stitched:
            self._apply(events, late)
        self._torn = False

    def _next_commit(self, now: Millis, last: bool) -> Commit | None:
        rows = self._stitcher.take_rows(now, last=last)
        marks = [mark for buffer in self._buffers.values() if (mark := buffer.oldest_mark()) is not None]
        position = min(marks, default=self._fed_to)
        unsaved = self._stitcher.unsaved
        if last or unsaved <= CHEAP_CHECKPOINT or now >= self._checkpoint_at:
            share = min(1.0, unsaved / COSTLY_CHECKPOINT)
            self._checkpoint_at = now + round(self._options.checkpoint_interval * share)
            if rows or unsaved or position != self._committed or self._to_correct:
                changes = self._stitcher.take_changes()
                self._correct(rows, changes)
                return Commit(now, rows, changes, {JOURNAL: position})
        return Commit(now, rows) if rows else None

    def _commit(self, closed_by: Millis) -> bool:
        """Write what is to be written; whether anything was."""
        commit = self._pending
        if commit is None:
            return False
        self._store.commit(commit)
        self._pending = None
        if self._watch is not None:
            self._watch(commit.rows.rows)
        if commit.positions is not None:
            counts = self.counts
            self._committed = commit.positions[JOURNAL]
            self._stitched = []
            self._counted = (counts.new, counts.duplicate, counts.conflicting, counts.late, counts.evicted)
            self._stitcher.release(closed_by)
        return True

    def _correct(self, rows: RowChanges, changes: Changes) -> None:
        """Tell readers how rows now stand that an earlier process told them of without keeping what it made them from."""
        told = {row.journey_id for row in rows.rows} | {record.journey_id for record in changes.journeys}
        for journey_id, stands in self._to_correct.items():
            if journey_id in told or journey_id in rows.gone:
                continue
            if isinstance(stands, JourneyRow):
                rows.rows.append(stands)
            else:
                rows.gone[journey_id] = stands
        self._to_correct = {}

    def _evict(self, now: Millis) -> None:
        options = self._options
        old = self._store.evictable(now, now - options.retention, EVICT_BATCH)
        surplus = self._store.count() - options.max_journeys
        if surplus > len(old):
            old = self._store.evictable(now, None, min(surplus, EVICT_BATCH))
        if old and (evicted := self._stitcher.forget(old, now)):
            self.counts.evicted += evicted
            # Written at once: until then the store would name the same ones again.
            self._checkpoint_at = now
        if len(old) < EVICT_BATCH:
            self._stitcher.forget_identity(now - options.retention)
            self._evict_at = now + options.evict_interval


def _unkept(store: Store, checkpoint_interval: Millis) -> dict[str, JourneyRow | str | None]:
    """Where readers know more than the records do, because a process ended between two checkpoints: how the journey
    stands in the records, as its row, the journey it leads to, or None.

    What the journal brings again need not come to the same rows: folded in other batches, a journey that stood for a
    moment may never come about, and nobody would say that it is gone.
    """
    head = store.head()
    batches: Sequence[Batch] = ()
    count = 1
    # All batches since the last checkpoint are kept; whichever are not, are older.
    while count < 2 * head and (found := store.batches(max(0, head - count))) is not None:
        batches = found
        if batches[-1].committed_at - batches[0].committed_at >= checkpoint_interval:
            break
        count *= 2
    told: dict[str, JourneyRow | None] = {}
    for batch in batches:
        told.update(dict.fromkeys(batch.gone))
        told.update((row.journey_id, row) for row in batch.rows)
    records = store.find_many(told)
    unkept: dict[str, JourneyRow | str | None] = {}
    for journey_id, row in told.items():
        record = records.get(journey_id)
        if record is None or record.journey_id != journey_id:
            if row is not None:
                unkept[journey_id] = None if record is None else record.journey_id
        elif record.row != row:
            unkept[journey_id] = record.row
    return unkept
