"""The restore of a backup: verified, brought up to date, its journal folded, and put in the place of what is there."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from journeymap.errors import InputError, StoreCorruptError, StoreError, StoreMismatchError
from journeymap.journal.replay import LOCK, read_journal
from journeymap.model.change import RowChanges
from journeymap.model.origin import difference
from journeymap.model.time import Millis
from journeymap.runtime.pipeline import JOURNAL
from journeymap.runtime.tail import JournalTail
from journeymap.runtime.work import Progress, StoreWork
from journeymap.stitch.options import StitchOptions, options_of
from journeymap.store.archive import Archive, Manifest
from journeymap.store.base import SCHEMA_VERSION, Commit
from journeymap.store.cache import DATABASE
from journeymap.store.copying import move_in, require_space, set_aside, take_over
from journeymap.store.disk import MARK, DiskStore, mark, open_disk_store, prepare
from journeymap.store.faults import mapped
from journeymap.store.lock import writer_lock
from journeymap.store.workplace import workplace

UNPACKING: Final = "Unpacking"
FOLDING: Final = "Folding the journal"
PUTTING: Final = "Putting it in place"


class Wanted(msgspec.Struct, frozen=True):
    """What is to be restored, and over what. `source` and `environment` must be the backup's; None stands for any.

    `replace` allows a store to be there, whose place the backup then takes. With `keep_journal`, what the journal there
    has received since the backup is not given up with it: for a store whose database is lost.
    """

    source: str | None = None
    environment: str | None = None
    replace: bool = False
    keep_journal: bool = False


class Restored(msgspec.Struct, frozen=True):
    """What was restored. `aside` is where a database lies now that could not be read."""

    manifest: Manifest
    journeys: int
    aside: Path | None


def restore(work: StoreWork, file: Path, wanted: Wanted, now: Millis) -> Restored:
    """Restore a backup. Whatever fails, what was there stays as it was.

    Raises `InputError` for a file that is no backup or damaged, `StoreMismatchError` for one of another store,
    `StoreLockedError` while anyone writes to the store, `StoreFullError` without the space for it.
    """
    with contextlib.ExitStack() as closing:
        archive = closing.enter_context(Archive(file))
        _check(file, archive.manifest, wanted)
        prepare(work.path)
        closing.enter_context(writer_lock(work.path))
        place = closing.enter_context(workplace(work.path))
        _check_place(work.path, wanted)
        require_space(work.path, (2 if wanted.replace else 1) * archive.manifest.bytes, work.reserve)
        new = place / "new"
        # 1. All of it, verified, before anything that is there is touched.
        with mapped(work.path):
            archive.extract(new, work.tell_bytes(UNPACKING))
        # 2. As this release keeps stores.
        store, options = _opened(work, file, archive.manifest, new)
        closing.callback(store.close)
        # 3. What its journal holds, so that no journal has to be put in the place of another; only the position says
        # up to where the one there, if any, is of no concern.
        if wanted.keep_journal:
            _check_journal(work.path / "journal", new / "journal", archive.manifest.position)
        else:
            pipeline = work.make_pipeline(store, options)
            tail = JournalTail(new / "journal", pipeline.fed_to)
            tail.fold(pipeline, lambda done: work.tell(Progress(FOLDING, done)))
            there = JournalTail(work.path / "journal", 0)
            position = max(pipeline.fed_to, there.end())
            store.commit(Commit(now, RowChanges(), None, {JOURNAL: position}))
        journeys = store.count()
        store.close()
        # 4. In one transaction, in the place of what was there.
        aside = None
        if (work.path / DATABASE).exists():
            try:
                take_over(new, work.path, work.tell_bytes(PUTTING))
            except StoreCorruptError:
                aside = set_aside(work.path, now)
        if not (work.path / DATABASE).exists():
            move_in(new, work.path, above=now if (work.path / MARK).exists() else 0)
            mark(work.path)
        return Restored(archive.manifest, journeys, aside)


def _check(file: Path, manifest: Manifest, wanted: Wanted) -> None:
    if manifest.schema_version > SCHEMA_VERSION:
        raise StoreMismatchError(
            f"{file} has schema version {manifest.schema_version}, this Journeymap reads up to {SCHEMA_VERSION}: restore it "
            f"with Journeymap {manifest.journeymap}, which made it, or a later one"
        )
    wrong = difference(manifest.source, manifest.environment, wanted.source, wanted.environment)
    if wrong is not None:
        raise StoreMismatchError(
            f"{file} is a backup of {wrong.what} {wrong.found!r}, not of {wrong.wanted!r}: set {wrong.what.upper()} to what it "
            "is of"
        )


def _check_place(path: Path, wanted: Wanted) -> None:
    received = any(found.name != LOCK for found in path.glob("journal/*"))
    if not wanted.replace and (received or (path / DATABASE).exists() or (path / MARK).exists()):
        raise StoreError(f"there is a store in {path} already: --replace puts the backup in its place")


def _opened(work: StoreWork, file: Path, manifest: Manifest, new: Path) -> tuple[DiskStore, StitchOptions]:
    """The unpacked store, migrated where it is older, and the options that its journal is to be folded with: its own."""

    def opened(options: StitchOptions | None) -> DiskStore:
        return open_disk_store(
            new,
            source=manifest.source,
            environment=manifest.environment,
            now=manifest.made_at,
            folded_with=None if options is None else options.fingerprint,
        )

    try:
        with contextlib.closing(opened(None)) as store:
            known = store.fingerprints()
            position = store.positions().get(JOURNAL, 0)
    except StoreError as error:
        raise InputError(f"{file} is no backup, or is damaged: {error}") from error
    if position != manifest.position:
        raise InputError(f"{file} is no backup, or is damaged: its store has come to another position than it says")
    options = options_of(known[-1]) if known else work.options
    return opened(options), options


def _check_journal(here: Path, packed: Path, position: int) -> None:
    """Raise `StoreError` unless the journal here goes on where the store in the backup ends."""
    if not here.is_dir() or not _goes_on(here, packed, position):
        raise StoreError(
            f"the journal in {here} does not go on from the backup: it is another store's, or its part from the backup on"
            f" has been deleted. Without --keep-journal, the backup is restored as it is"
        )


def _goes_on(here: Path, packed: Path, position: int) -> bool:
    with (
        contextlib.closing(read_journal(here, position)) as own,
        contextlib.closing(read_journal(packed, position)) as others,
    ):
        if own.missing:
            return False
        return all(
            (record := next(own, None)) is not None
            and (record.data, record.arrived_at) == (other.data, other.arrived_at)
            for other in others
        )
