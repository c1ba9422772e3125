"""Backups that take the place of a store, and what is killed on the way."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from journeymap.errors import (
    StoreCorruptError,
    StoreError,
    StoreLockedError,
    StoreMismatchError,
)
from journeymap.runtime import restore
from journeymap.stitch.definition import journeys
from journeymap.store.disk import open_disk_reader
from journeymap.store.lock import replacement_lock, writer_lock
from tests.integration.backup.stores import backed_up, in_store, restored
from tests.property.soups import OPTIONS
from tests.stored import ingest, opened, receive

from ..process import CHECKOUT, received_events, received_journeys, until
from ..rebuild.stores import NOW, of_customers
from ..test_migration import content

# -- in the place of a store ------------------------------------------------------------------------------------------


def test_a_store_that_is_there_or_written_to_is_not_replaced_by_mistake(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    before = content(path)
    with pytest.raises(StoreError, match=r"there is a store in .* already: --replace"):
        restored(path, out)
    with writer_lock(path), pytest.raises(StoreLockedError, match="is being written by process"):
        restored(path, out, replace=True)
    with replacement_lock(path), pytest.raises(StoreLockedError, match="is being rebuilt, restored or imported into"):
        restored(path, out, replace=True)
    for wanted in ({"source": "x"}, {"environment": "prod"}):
        with pytest.raises(StoreMismatchError, match=r"is a backup of (source|environment) '.*', not of '(x|prod)'"):
            restored(path, out, replace=True, **wanted)
    assert content(path) == before
    receive(elsewhere, of_customers(1), NOW)  # only a journal, which says that something was there
    with pytest.raises(StoreError, match="--replace"):
        restored(elsewhere, out)


def test_it_takes_the_place_of_a_store_under_a_running_reader(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    ingest(elsewhere, of_customers(200, 1_000), OPTIONS, NOW)
    others = received_events(elsewhere)
    reader = open_disk_reader(elsewhere)
    head, seen, done = reader.head(), set(), threading.Event()

    def look() -> None:
        while not done.is_set():
            snapshot = reader.snapshot(0, 10_000)
            seen.add((snapshot.head, len(snapshot.rows)))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        until(lambda: seen, "a look at the old one")
        restored(elsewhere, out, replace=True)
        until(lambda: (head + 1, 60) in seen, "a look at the new one")
    finally:
        done.set()
        looker.join()
    assert seen == {(head, 200), (head + 1, 60)}
    assert reader.batches(head) is None
    assert in_store(elsewhere) == received_journeys(path, OPTIONS)
    # The journal of the store that was there is of no concern to the one that is there now.
    ingest(elsewhere, of_customers(3, 5_000), OPTIONS, NOW)
    expected = [*received_events(path), *received_events(elsewhere)[len(others) :]]
    assert in_store(elsewhere) == journeys(expected, OPTIONS)
    reader.close()


DIES = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from journeymap.store import archive, copying
from tests.integration.backup.stores import restored
copying.PAGES_AT_ONCE = 4
archive.CHUNK = 4_096
def tell(progress):
    if progress.what == sys.argv[4] and progress.done != progress.total:
        os.kill(os.getpid(), signal.SIGKILL)
restored(Path(sys.argv[2]), Path(sys.argv[3]), tell, replace=True)
"""


@pytest.mark.parametrize("step", [restore.UNPACKING, restore.FOLDING, restore.PUTTING])
def test_killed_in_any_step_it_leaves_what_was_there(path: Path, out: Path, elsewhere: Path, step: str) -> None:
    backed_up(path, out)
    ingest(elsewhere, of_customers(100, 1_000), OPTIONS, NOW)
    before = content(elsewhere)
    arguments = [str(CHECKOUT), str(elsewhere), str(out), step]
    killed = subprocess.run([sys.executable, "-c", DIES, *arguments], cwd=CHECKOUT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert content(elsewhere) == before
    opened(elsewhere, OPTIONS).close()
    assert content(elsewhere) == before
    assert list(elsewhere.glob("rebuild-*")) == []
    restored(elsewhere, out, replace=True)
    assert in_store(elsewhere) == received_journeys(path, OPTIONS)


def test_a_lost_database_with_its_journal_loses_nothing(path: Path, out: Path) -> None:
    backed_up(path, out)
    ingest(path, of_customers(10, 300), OPTIONS, NOW)
    receive(path, of_customers(10, 400), NOW)
    everything = received_journeys(path, OPTIONS)
    reader = open_disk_reader(path)
    head = reader.head()
    (path / "cache.db").write_bytes(b"\xff" * 50_000)
    for ending in ("-wal", "-shm"):
        (path / f"cache.db{ending}").unlink(missing_ok=True)
    found = restored(path, out, replace=True, keep_journal=True)
    assert found.aside is not None
    assert (found.aside / "cache.db").read_bytes() == b"\xff" * 50_000
    assert reader.head() > head
    ingest(path, [], OPTIONS, NOW)
    assert in_store(path) == everything
    assert len(everything) == 80
    reader.close()


def test_a_lost_database_without_a_backup_is_made_from_the_journal(path: Path) -> None:
    everything = received_journeys(path, OPTIONS)
    (path / "cache.db").write_bytes(b"\xff" * 50_000)
    with pytest.raises(StoreCorruptError, match=r"move cache\.db and store\.txt away to start with an empty one"):
        opened(path, OPTIONS)
    for name in ("cache.db", "store.txt"):
        (path / name).unlink()
    ingest(path, [], OPTIONS, NOW)
    assert in_store(path) == everything


def test_a_journal_that_does_not_go_on_from_the_backup_is_not_taken_for_its_own(
    path: Path, out: Path, elsewhere: Path
) -> None:
    backed_up(path, out)
    ingest(elsewhere, of_customers(200, 2_000), OPTIONS, NOW)
    before = content(elsewhere)
    with pytest.raises(StoreError, match="does not go on from the backup"):
        restored(elsewhere, out, replace=True, keep_journal=True)
    shutil.rmtree(elsewhere / "journal")
    with pytest.raises(StoreError, match="does not go on from the backup"):
        restored(elsewhere, out, replace=True, keep_journal=True)
    assert content(elsewhere) == before
    for segment in path.glob("journal/*.journal"):
        segment.rename(segment.with_name(f"{10**9:020d}.journal"))
    with pytest.raises(StoreError, match="does not go on from the backup"):
        restored(path, out, replace=True, keep_journal=True)


def test_a_store_without_its_database_is_restored_too(path: Path, out: Path) -> None:
    backed_up(path, out)
    with contextlib.closing(open_disk_reader(path)) as reader:
        head = reader.head()
        (path / "cache.db").unlink()
        restored(path, out, replace=True)
        assert reader.head() > head
    assert in_store(path) == received_journeys(path, OPTIONS)
