"""The backup of a store, running or not: its database as of one moment, and its journal from the position that stands in it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from journeymap.errors import InputError, StoreCorruptError
from journeymap.journal.journal import Journal
from journeymap.journal.replay import LOCK
from journeymap.model.time import Millis
from journeymap.runtime.pipeline import JOURNAL
from journeymap.runtime.tail import JournalTail
from journeymap.runtime.work import Progress, StoreWork
from journeymap.store.archive import describe, pack
from journeymap.store.copying import copy_out, require_space
from journeymap.store.whole import WholeReader

COPYING: Final = "Copying the store"
COPYING_JOURNAL: Final = "Copying the journal"
CHECKING: Final = "Checking the copy"
PACKING: Final = "Packing"

SHARE: Final = 1.5
"""How much space it takes while it is made, in sizes of what it holds: a copy, and what that is packed to."""

EVERY: Final = 1_000


class BackedUp(msgspec.Struct, frozen=True):
    """What a backup holds: journeys, records of the journal, and bytes. `damaged` bytes of the journal could not be read."""

    journeys: int
    records: int
    bytes: int
    damaged: int


def back_up(work: StoreWork, out: Path, now: Millis, *, force: bool) -> BackedUp:
    """Write a backup to the file `out`, which appears whole or not at all, for nobody else to read.

    Ingest is not held up. Raises `InputError` where `out` cannot be written, or is there and `force` is not given.
    """
    out = out.absolute()
    if out.exists() and not (force and out.is_file()):
        raise InputError(f"{out} is there already" + ("" if force else "; --force replaces it"))
    with contextlib.ExitStack() as closing:
        running = closing.enter_context(contextlib.closing(WholeReader(work.path)))
        running.meta()
        try:
            place = closing.enter_context(tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent))
        except OSError as error:
            raise InputError(f"cannot write {out}: {error.strerror}") from error
        shared = work.path.stat().st_dev == out.parent.stat().st_dev
        position = running.positions().get(JOURNAL, 0)
        tail = JournalTail(work.path / "journal", position)
        held = running.size() + max(0, tail.end() - position)
        require_space(out.parent, round(SHARE * held), work.reserve if shared else 0)
        # 1. The database of one moment; a damaged one is better known while earlier backups still exist.
        copied = Path(place, "store")
        copy_out(work.path, copied, work.tell_bytes(COPYING))
        work.tell(Progress(CHECKING))
        with contextlib.closing(WholeReader(copied)) as copy:
            try:
                copy.check()
            except StoreCorruptError as error:
                raise StoreCorruptError(
                    f"the store in {work.path} is damaged, nothing was backed up: {error}"
                ) from error
            meta, journeys = copy.meta(), copy.count()
            position = copy.positions().get(JOURNAL, 0)
        # 2. What came since, up to now.
        records = _copy_journal(work, tail, copied / "journal", position)
        # 3. All of it in one file.
        part = Path(place, "backup")
        manifest = describe(meta.schema_version, meta.source, meta.environment, now, position)
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 # a mode
                pack(copied, manifest, file, work.tell_bytes(PACKING))
                file.flush()
                os.fsync(file.fileno())
            size = part.stat().st_size
            part.replace(out)
        except OSError as error:
            raise InputError(f"cannot write {out}: {error.strerror}") from error
    return BackedUp(journeys, records, size, tail.damaged)


def _copy_journal(work: StoreWork, tail: JournalTail, target: Path, position: int) -> int:
    """Copy what is behind the position into a journal of its own; how many records that is.

    Record by record: so segments may be packed or deleted meanwhile, and what cannot be read is left behind.
    """
    count = 0
    with contextlib.closing(Journal.open(target, not_before=position)) as journal:
        for count, record in enumerate(tail.records(position), 1):
            journal.append(record.source, record.data, record.arrived_at)
            if count % EVERY == 0:
                work.tell(Progress(COPYING_JOURNAL, count, unit="records"))
    (target / LOCK).unlink()
    return count
