"""The rebuild: a store's events, and then its journal's, folded into a new store that takes its place.

Ingest may go on all the while, except at the end: it must let go of the writer's lock for the moments in which the last
events of the journal are folded and the new store is swapped in. The steps are numbered in `rebuild`.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from journeymap.errors import StoreError, StoreLockedError
from journeymap.model.change import Changes, RowChanges
from journeymap.model.event import Event
from journeymap.model.time import Millis
from journeymap.runtime.pipeline import JOURNAL
from journeymap.runtime.shelf import StoreShelf, decode_all, events_of
from journeymap.runtime.tail import JournalTail
from journeymap.runtime.work import Progress, StoreWork
from journeymap.stitch.bindings import left_behind
from journeymap.stitch.keys import left_behind as keys_left_behind
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit, Store
from journeymap.store.copying import copy_out, require_space, take_over
from journeymap.store.disk import open_disk_store
from journeymap.store.lock import StoreLock, writer_lock
from journeymap.store.whole import Stored, WholeReader
from journeymap.store.workplace import workplace

EVENTS_AT_ONCE: Final = 5_000
LITTLE: Final = 1 << 20
"""With no more than so many bytes of the journal folded in one go, the new store is as good as up to date."""

LOOK_EVERY: Final = 0.1
"""Seconds between two tries to get the lock that ingest holds."""

EVER: Final[Millis] = 2**60

COPYING: Final = "Copying the store"
FOLDING: Final = "Folding its events"
COMPARING: Final = "Comparing"
CATCHING_UP: Final = "Folding the journal"
WAITING: Final = "Waiting for ingest to be stopped"
SWAPPING: Final = "Swapping it in"


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did. `events` are all in the new store, `from_journal` those of them that the old one did not have when
    it was copied. `changed` counts the journeys that its events alone came to and that were not in it as they are now."""

    events: int
    from_journal: int
    journeys_before: int
    journeys: int
    changed: int


def rebuild(work: StoreWork, patience: float) -> Rebuilt:
    """Fold all again, and swap the result in. Whatever fails, the old store stays as it is.

    `patience` is how many seconds to wait for ingest to be stopped. Without any, ingest must be stopped before, and cannot be
    started until this is done. Raises `StoreLockedError` while ingest holds the lock and patience is at an end,
    `StoreFullError` where there is not the space for it, and what reading the store raises.
    """
    with contextlib.ExitStack() as closing:
        running = closing.enter_context(contextlib.closing(WholeReader(work.path)))
        meta = running.meta()
        lock = writer_lock(work.path)
        closing.callback(lock.release)
        if not patience:
            _acquire(lock)
        place = closing.enter_context(workplace(work.path))
        # The copy goes before the new store is swapped in, which then stands twice on the disk too.
        require_space(work.path, 2 * running.size(), work.reserve)
        tail = JournalTail(work.path / "journal", running.positions().get(JOURNAL, 0))
        # 1. A copy of one moment: reading it for long holds up nobody, and no log grows behind a reader.
        copy_out(work.path, place / "old", work.tell_bytes(COPYING))
        old = closing.enter_context(contextlib.closing(WholeReader(place / "old")))
        new = open_disk_store(
            place / "new",
            source=meta.source,
            environment=meta.environment,
            now=meta.created_at,
            folded_with=work.options.fingerprint,
        )
        closing.callback(new.close)
        # 2. All its events.
        events = _fold(work, old, new)
        before = old.count()
        changed = _compare(work, old, place / "new")
        old.close()
        shutil.rmtree(place / "old")
        # 3. What came since, until that is little.
        pipeline = work.make_pipeline(new, work.options)

        def catch_up() -> int:
            return tail.fold(pipeline, lambda done: work.tell(Progress(CATCHING_UP, done)))

        while catch_up() > LITTLE:
            pass
        # 4. The lock, and what came up to then.
        if patience:
            _wait(work, lock, patience, catch_up)
        catch_up()
        if running.positions().get(JOURNAL, 0) > pipeline.fed_to:
            raise StoreError(f"the journal in {work.path / 'journal'} lacks what the store has: run this again")
        found = Rebuilt(events + pipeline.counts.new, pipeline.counts.new, before, new.count(), changed)
        new.close()
        # 5. In one transaction, the new store in the old one's place.
        take_over(place / "new", work.path, work.tell_bytes(SWAPPING), with_documents=True)
    return found


def _fold(work: StoreWork, old: WholeReader, new: Store) -> int:
    """Fold all events of `old` into `new`; how many there were."""
    # What evicted interactions have left behind cannot be read off events any more.
    kept = [left for token in old.token_records() if (left := left_behind(token)) is not None]
    rules = work.options.identity
    keys = [known for record in old.key_records() if (known := keys_left_behind(record, rules)) is not None]
    new.commit(Commit(0, RowChanges(), Changes(tokens=kept, keys=keys), old.positions()))
    stitcher = Stitcher(work.options, StoreShelf(new))

    def store() -> None:
        stitcher.take_rows(0, last=True)  # nobody follows this store
        new.commit(Commit(0, RowChanges(), stitcher.take_changes()))
        stitcher.release(EVER)

    identity_events = decode_all(old.identity().values())
    stitcher.apply(identity_events)
    store()
    total = old.count()
    events = len(identity_events)
    for done, together in _handfuls(old):
        stitcher.apply(together)
        store()
        events += len(together)
        work.tell(Progress(FOLDING, done, total, "journeys"))
        require_space(work.path, 0, work.reserve)
    return events


def _handfuls(old: WholeReader) -> Iterator[tuple[int, list[Event]]]:
    """The events of whole journeys, some thousands at once, and how many journeys that were so far."""
    together: list[Event] = []
    done = 0
    for done, record in enumerate(old.records(), 1):
        # When each event arrived is not kept, only when the newest of the journey did.
        together += events_of(record, old, record.row.arrived_at)
        if len(together) >= EVENTS_AT_ONCE:
            yield done, together
            together = []
    if together:
        yield done, together


def _compare(work: StoreWork, old: WholeReader, new: Path) -> int:
    """How many journeys of the new store were not in the old one as they are now."""
    changed = 0
    with contextlib.closing(WholeReader(new)) as reader:
        total = reader.count()
        others = old.stored()
        other: Stored | None = next(others, None)
        for done, journey in enumerate(reader.stored(), 1):
            while other is not None and other.journey_id < journey.journey_id:
                other = next(others, None)
            changed += other != journey
            if done % EVENTS_AT_ONCE == 0:
                work.tell(Progress(COMPARING, done, total, "journeys"))
    return changed


def _acquire(lock: StoreLock) -> None:
    try:
        lock.acquire()
    except StoreLockedError as error:
        raise StoreLockedError(
            f"ingest is running ({lock.holder()}): stop it and run this again, or leave it running and say how long to wait"
            f" for it to be stopped at the end (--wait 10m)"
        ) from error


def _wait(work: StoreWork, lock: StoreLock, patience: float, meanwhile: Callable[[], object]) -> None:
    """Take the lock as soon as ingest lets go of it."""
    began = time.monotonic()
    while True:
        try:
            lock.acquire()
        except StoreLockedError as error:
            if time.monotonic() - began >= patience:
                raise StoreLockedError(
                    f"ingest ({lock.holder()}) was not stopped within {patience:g} s, and the store is as it was: stop "
                    f"ingest and run this again"
                ) from error
        else:
            return
        work.tell(Progress(WAITING))
        meanwhile()
        time.sleep(LOOK_EVERY)
