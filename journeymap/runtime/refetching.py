"""Back-fill of one period by itself, without ingest: into the journal and into the store, as ingest would."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import msgspec
from msgspec.structs import replace

from journeymap.decode.event import decode_frame
from journeymap.errors import TransientSourceError
from journeymap.journal.journal import Journal
from journeymap.model.origin import PUBLIC_APIS
from journeymap.model.record import BACKFILL_SOURCE, Record
from journeymap.model.status import GAPS, decode_gaps
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backfill.slices import Period
from journeymap.runtime.clock import Clock
from journeymap.runtime.filler import known_open
from journeymap.runtime.gaps import is_filled_by
from journeymap.runtime.pipeline import Pipeline
from journeymap.source.base import Deliver
from journeymap.source.records import Fetch, KnownOpen, Records
from journeymap.store.base import Store

_BATCH: Final = 500
_TRIES: Final = 4
_PAUSE: Final = 5.0
_NAP: Final = 0.2


Tell = Callable[[float, int, int], None]
"""Hears how much is done, from 0 to 1, of how many conversations, by how many requests."""


class Refetched(msgspec.Struct, frozen=True):
    """What came of it. `new` events were not known, `known` were; `events` is all of them. `gaps` were closed by it. `waited` is
    how many milliseconds went by for the limit on requests."""

    conversations: int
    passed: int
    requests: int
    events: int
    new: int = 0
    known: int = 0
    gaps: int = 0
    waited: Millis = 0
    sure: bool = True
    notes: tuple[str, ...] = ()


class StoreFiller:
    """Takes records into a journal and a store that nobody else writes to."""

    def __init__(self, store: Store, journal: Journal, pipeline: Pipeline, clock: Clock) -> None:
        self._store = store
        self._journal = journal
        self._pipeline = pipeline
        self._clock = clock
        self._batch: list[Record] = []

    def catch_up(self) -> None:
        """Store what the journal holds and the store does not yet."""
        with closing(self._journal.replay(self._pipeline.committed)) as replay:
            for record in replay:
                self._take(record)
        self.flush()

    def deliver(self, frame: bytes, arrived_at: Millis) -> None:
        """Take a record: into the journal first."""
        end = self._journal.append(BACKFILL_SOURCE, frame, arrived_at)
        self._take(Record(frame, BACKFILL_SOURCE, arrived_at, end))

    def known_open(self, at: Millis) -> list[str]:
        """What is open in the store, with what has come up to now."""
        self.flush()
        return known_open(self._store, at)

    def flush(self) -> None:
        """Have all that came stored."""
        now = self._clock.now()
        batch, self._batch = self._batch, []
        self._pipeline.feed(batch, now)
        self._pipeline.flush(now, last=True)

    def close_gaps(self, period: Period, conversations: int) -> int:
        """Close the gaps that the period covers; how many."""
        document = self._store.document(GAPS)
        if document is None:
            return 0
        gaps, now, closed = decode_gaps(document), self._clock.now(), 0
        for place, gap in enumerate(gaps):
            if is_filled_by(gap, PUBLIC_APIS, period.start, period.end):
                gaps[place] = replace(gap, filled_at=now, conversations=conversations, filling=None, problem="")
                closed += 1
        self._store.write_documents({GAPS: msgspec.json.encode(gaps)})
        return closed

    def _take(self, record: Record) -> None:
        self._batch.append(record)
        if len(self._batch) >= _BATCH:
            self.flush()


class Counter:
    """Counts what records tell, and keeps nothing of it."""

    def __init__(self) -> None:
        self.events = 0

    def deliver(self, frame: bytes, arrived_at: Millis) -> None:
        """Take a record."""
        self.events += len(decode_frame(frame, arrived_at)[0])


def fetch(
    records: Records,
    period: Period,
    deliver: Deliver,
    known: KnownOpen,
    clock: Clock,
    tell: Tell,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetch:
    """Fetch a period to its end. A passing failure is waited out a few times, and what was delivered is not delivered again.

    Raises what the records raise otherwise.
    """
    tries, begun_at = 0, clock.now()
    going = records.begin(period, deliver, known)
    while going.outcome is None:
        try:
            while (left := going.not_before - clock.now()) > 0:
                sleep(min(_NAP, left / SECOND))
                _show(going, tell)
            going.step()
            _show(going, tell)
        except TransientSourceError:
            tries += 1
            if tries == _TRIES:
                raise
            sleep(_PAUSE)
            period = replace(period, begun_at=begun_at, reached=going.reached or period.reached)
            going = records.begin(period, deliver, known)
    return going


def _show(going: Fetch, tell: Tell) -> None:
    tell(going.share, going.taken, going.requests)
