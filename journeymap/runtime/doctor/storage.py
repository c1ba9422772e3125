"""Where journeys are kept: the store, who writes to it and how that one fares, the journal, and room on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from journeymap.errors import JournalError, StoreCorruptError, StoreError, StoreMismatchError
from journeymap.journal.replay import end_of_journal, read_journal
from journeymap.journal.segment import segments
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.status import STATUS, IngestStatus, decode_status
from journeymap.model.time import Millis
from journeymap.runtime.disk import free_space
from journeymap.runtime.doctor.examination import Check, Progress
from journeymap.runtime.doctor.outcome import Outcome, fail, ok, skip, warn
from journeymap.runtime.outdated import outdated
from journeymap.settings import Settings, show
from journeymap.store import inspection
from journeymap.store.base import SCHEMA_VERSION
from journeymap.store.codec import Meta
from journeymap.store.disk import is_of_others, look, open_disk_reader
from journeymap.store.faults import mapped
from journeymap.store.lock import Holder, replacement_lock, writer_lock
from journeymap.view.findings import findings
from journeymap.view.labels import date_and_time, duration, size

QUICK_CHECK_SECONDS: Final = 5.0
JOURNAL: Final = "journal"
MEND_IT: Final = (
    "stop ingest and run `journeymap restore FILE --replace --keep-journal` with the latest backup: what the journal has received"
    " since is folded again; docs/ops/backup.md says what to do without one"
)


class StorageChecks:
    """The checks of the store of these settings. Nothing is written, and a running ingest is not disturbed."""

    def __init__(self, settings: Settings, source: str, fingerprint: Fingerprint, clock: Callable[[], Millis]) -> None:
        """`source` is what the store records as its source, `fingerprint` what its journeys would be folded with now."""
        self._settings = settings
        self._path = settings.store_path.absolute()
        self._source = source
        self._fingerprint = fingerprint
        self._clock = clock
        self._holder: Holder | None = None
        self._meta: Meta | None = None
        self._committed = 0

    def checks(self) -> list[Check]:
        """In their order."""
        section = f"Store {self._settings.store}"
        store = Check(section, "store", self.store)
        lock = Check(section, "lock", self.lock, (store,))
        return [
            store,
            Check(section, "integrity", self.integrity, (store,)),
            Check(section, "stitching", self.stitching, (store,)),
            lock,
            Check(section, "ingest", self.ingest, (lock,)),
            Check(section, "journal", self.journal, (store,)),
            Check(section, "disk", self.disk),
        ]

    def store(self, _: Progress) -> Outcome:
        """Whether it is ours and can be used, or can be made."""
        path = self._path
        if os.path.expandvars(path) != str(path):
            return fail(f"STORE names a variable: {path}", "write the path out: variables in it are not replaced")
        try:
            if not path.exists():
                return self._to_be_made()
            if not path.is_dir():
                return fail(f"{path} is not a directory", "set STORE to a directory of its own, such as disk:data/prod")
            if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                return fail(
                    f"{path} is closed to this user (it is {_owner(path)}'s)",
                    "run doctor as the user that ingest runs as, or give the directory to this one: chown -R",
                )
            if is_of_others(path):
                return fail(
                    f"{path} is open to other users and holds other files", "set STORE to a directory of its own"
                )
            return self._existing()
        except StoreMismatchError as error:
            found, remedy = str(error).rsplit(": ", 1)
            return fail(found, remedy)
        except StoreCorruptError as error:
            return fail(f"cannot be read: {error.__cause__ or error}", MEND_IT)
        except (StoreError, OSError) as error:
            return fail(str(error), "set STORE to a directory on a local disk that this user may write to")

    def _to_be_made(self) -> Outcome:
        above = _nearest(self._path)
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            what = "not open to this user" if above.is_dir() else "not a directory"
            return fail(
                f"{self._path} cannot be made: {above} is {what}", "set STORE to a place that this user may write to"
            )
        return ok(f"{self._path} is not there yet; the first start makes it")

    def _existing(self) -> Outcome:
        with mapped(self._path):
            meta = look(self._path, self._source, self._settings.environment)
        if meta is None:
            return ok(f"{self._path} is empty; the first start makes the store in it")
        self._meta = meta
        found = f"of source {meta.source}, environment {meta.environment}, made {date_and_time(meta.created_at)}"
        if meta.schema_version < SCHEMA_VERSION:
            return warn(
                f"schema version {meta.schema_version}, {found}",
                f"the next start takes it on to version {SCHEMA_VERSION} for good: make a backup with the old release first",
            )
        with closing(open_disk_reader(self._path)) as reader:
            journeys, taken = reader.count(), reader.size()
            self._committed = reader.positions().get(JOURNAL, 0)
        return ok(f"schema version {meta.schema_version}, {journeys:,} journeys, {size(taken)}; {found}")

    def integrity(self, waits: Progress) -> Outcome:
        """Whether the database is intact, as far as can be seen in a few seconds."""
        if self._meta is None:
            return skip("there is no store yet")
        waits("looking through the database")
        try:
            found = inspection.damage(self._path, QUICK_CHECK_SECONDS)
        except StoreCorruptError as error:
            return fail(f"cannot be read: {error.__cause__ or error}", MEND_IT)
        if found is None:
            return ok(
                f"no damage found in {QUICK_CHECK_SECONDS:g} s; a store of this size takes longer to look through"
            )
        return fail(f"the database is damaged: {'; '.join(found)}", MEND_IT) if found else ok("the database is intact")

    def stitching(self, _: Progress) -> Outcome:
        """Whether its journeys are what today's settings and code would make of its events."""
        if self._meta is None:
            return skip("there is no store yet")
        found = outdated(self._meta.folded_with, self._fingerprint)
        if found is None:
            return ok("its journeys are what today's settings make of its events")
        what, remedy = found.rsplit(": ", 1)
        return warn(what, f"{remedy}; or set back what was changed")

    def lock(self, _: Progress) -> Outcome:
        """Who writes to it, or is about to put another in its place."""
        if not self._path.is_dir():
            return ok("free: there is no store yet")
        self._holder = holder = writer_lock(self._path).look()
        replacing = replacement_lock(self._path).look()
        if replacing is not None and (holder is None or replacing.pid != holder.pid):
            return warn(
                f"it is being rebuilt, restored or imported into by {_named(replacing)}",
                "wait until that is done before ingest is started or stopped",
            )
        if holder is None:
            return ok("free: no ingest is running on this store")
        return ok(f"ingest is running as {_named(holder)}; a second one would be refused")

    def ingest(self, _: Progress) -> Outcome:
        """How the ingest that is running fares, by what it says of itself."""
        if self._holder is None:
            return skip("no ingest is running on this store")
        with closing(open_disk_reader(self._path)) as reader:
            document = reader.document(STATUS)
        status = None if document is None else decode_status(document)
        return health(status, self._clock())

    def journal(self, _: Progress) -> Outcome:
        """Whether the journal can be read and keeps to its bound. Of its records only the newest segment's are read."""
        directory = self._path / JOURNAL
        try:
            if not directory.exists():
                return ok("not there yet; the first start makes it")
            found = segments(directory)
            if not found:
                return ok("empty")
            with closing(read_journal(directory, found[-1].base)) as replay:
                records = sum(1 for _ in replay)
                reached, damaged = replay.reached, replay.damage.bytes
            with closing(read_journal(directory)) as replay:
                oldest = next(replay, None)
            end = end_of_journal(directory)
        except JournalError as error:
            return fail(str(error), "see that this user may read it and that the disk is sound")
        except OSError as error:
            return fail(f"{directory}: {error.strerror}", "see that STORE is a directory of its own, open to this user")
        figures = JournalFigures(
            taken=_taken(directory),
            bound=self._settings.journal_max_bytes,
            segments=len(found),
            waiting=max(0, end - self._committed),
            # While ingest writes, a record that is not complete is only being written.
            torn=end - reached if records and self._holder is None else 0,
            damaged=damaged,
            age=None if oldest is None else self._clock() - oldest.arrived_at,
        )
        return judge_journal(figures)

    def disk(self, _: Progress) -> Outcome:
        """Whether there is room, now and for what is to come."""
        above = _nearest(self._path)
        growth = max(0, self._settings.journal_max_bytes - _taken(self._path / JOURNAL))
        return room(free_space(above), self._settings.disk_reserve, growth, str(above))


class JournalFigures(msgspec.Struct, frozen=True):
    """A journal in figures, in bytes: what it takes up and may, what of it is not in the store yet, what of its end is torn
    off, what is damaged before that. `age` is that of its oldest record."""

    taken: int
    bound: int
    segments: int = 1
    waiting: int = 0
    torn: int = 0
    damaged: int = 0
    age: Millis | None = None


def health(status: IngestStatus | None, now: Millis) -> Outcome:
    """How ingest fares by its status document, None if it has written none."""
    if status is None or status.is_stale(now):
        heard = "never" if status is None else f"{duration(now - status.written_at)} ago"
        return fail(
            f"it holds the store but does not say how it fares (last: {heard})",
            "it has just been started, or it hangs: see its log, and start it again if this stays so",
        )
    found = findings(status, None, now)
    if found:
        told = fail if any(each.unready for each in found) else warn
        return told("; ".join(each.text(now) for each in found), found[0].remedy or "see its log")
    last = "none" if status.last_event_at is None else f"{duration(now - status.last_event_at)} ago"
    return ok(
        f"{status.state} for {duration(now - status.since)}, last event {last}, {duration(status.lag_ms)} behind,"
        f" {status.counts.events:,} events since it was started"
    )


def judge_journal(journal: JournalFigures) -> Outcome:
    """What a journal's figures mean."""
    found = f"{size(journal.taken)} of {show('journal_max_bytes', journal.bound)} in {journal.segments} segments"
    found += "" if journal.age is None else f", back to {duration(journal.age)} ago"
    found += f", {size(journal.waiting)} of it not in the store yet" if journal.waiting else ", all of it in the store"
    if journal.damaged:
        return warn(
            f"{found}; {journal.damaged:,} bytes are damaged",
            "check the disk; what is in the store already is not concerned, what is not is lost with them",
        )
    if journal.taken > journal.bound and journal.waiting:
        return warn(
            f"{found}: it is full of what waits to be stored",
            "start ingest and let it catch up (nothing is lost); if it does not, the disk or the machine is too slow",
        )
    if journal.torn:
        return warn(
            f"{found}; its last {journal.torn:,} bytes are torn",
            "nothing to be done: what a power failure cut off is dropped and counted at the next start",
        )
    return ok(found)


def room(free: int, reserve: int, growth: int, where: str) -> Outcome:
    """Whether the free bytes suffice for the reserve, and for what the journal may still grow by."""
    shown = f"{size(free)} free at {where}, DISK_RESERVE is {show('disk_reserve', reserve)}"
    remedy = "make room on that disk, move STORE to a larger one, or lower JOURNAL_MAX_BYTES or DISK_RESERVE"
    if free < reserve:
        return fail(f"{shown}: no event would be read", remedy)
    if free - reserve < growth:
        return warn(f"{shown}, and the journal may grow by {size(growth)}", remedy)
    return ok(shown)


def _named(holder: Holder) -> str:
    return f"process {holder.pid} on {holder.host} since {date_and_time(holder.since)}"


def _taken(directory: Path) -> int:
    """What the journal takes up, 0 where there is none."""
    total = 0
    with suppress(OSError):
        for segment in segments(directory):
            with suppress(FileNotFoundError):  # forgotten while we look
                total += segment.status().st_size
    return total


def _nearest(path: Path) -> Path:
    """The path, or what exists nearest above it."""
    return next(above for above in (path, *path.parents) if above.exists())


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, NotImplementedError, OSError):
        return "another user"
