"""What a rebuild refuses, and what it leaves when it is killed in every step of it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from journeymap.errors import StoreError, StoreFullError, StoreLockedError
from journeymap.runtime import rebuilding
from journeymap.runtime.pipeline import JOURNAL
from journeymap.runtime.work import Progress
from journeymap.store import copying
from journeymap.store.disk import open_disk_reader
from journeymap.store.lock import replacement_lock, writer_lock
from tests.integration.rebuild.stores import NOW, OTHERS, in_store, of_customers, rebuilt
from tests.property.soups import OPTIONS
from tests.stored import ENVIRONMENT, ingest, opened, receive

from ..process import CHECKOUT, received_journeys
from ..test_migration import content

STEPS = [
    rebuilding.COPYING,
    rebuilding.FOLDING,
    rebuilding.CATCHING_UP,
    rebuilding.WAITING,
    rebuilding.SWAPPING,
]


# -- refusals and failures --------------------------------------------------------------------------------------------


def test_it_says_what_to_do_while_ingest_runs(path: Path) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)
    before = content(path)
    told: list[Progress] = []
    with writer_lock(path):
        with pytest.raises(StoreLockedError, match=r"ingest is running \(process \d+ on host .*--wait 10m"):
            rebuilt(path, OTHERS[0], told.append)
        assert told == []  # before any work is done for nothing
        with pytest.raises(StoreLockedError, match=r"not stopped within 0\.2 s, and the store is as it was"):
            rebuilt(path, OTHERS[0], told.append, patience=0.2)
    assert told[-1].what == rebuilding.WAITING
    assert content(path) == before
    assert list(path.glob("rebuild-*")) == []
    rebuilt(path, OTHERS[0], patience=0.2)
    assert len(in_store(path, OTHERS[0])) == 40


def test_while_one_rebuilds_nobody_else_does_or_imports(path: Path, tmp_path: Path) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"\n".join(of_customers(1, 900)))
    said: list[str] = []

    def meanwhile(progress: Progress) -> None:
        if progress.what == rebuilding.FOLDING:
            with pytest.raises(StoreLockedError, match="rebuilt, restored or imported into by process"):
                rebuilt(path, OPTIONS)
            more = ["--set", f"ENVIRONMENT={ENVIRONMENT}", "--store", f"disk:{path}", "--source", f"file:{events}"]
            command = [sys.executable, "-m", "journeymap", "import", str(events), *more]
            said.append(subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False).stderr)

    _belongs_to(path, "file")
    rebuilt(path, OTHERS[0], meanwhile, patience=1)
    assert len(said) == 1
    assert "is being rebuilt, restored or imported into by process" in said[0]
    assert len(in_store(path, OTHERS[0])) == 40


def _belongs_to(path: Path, source: str) -> None:
    meta = content(path)[0] | {"source": source}
    with contextlib.closing(sqlite3.connect(path / "cache.db")) as sql, sql:
        sql.execute("UPDATE Cache SET value = ? WHERE key = 'meta'", (msgspec.msgpack.encode(meta),))


def test_without_enough_space_nothing_is_begun_or_it_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)
    before = content(path)
    free = shutil.disk_usage(path).free
    with pytest.raises(StoreFullError, match=r"not enough space.*DISK_RESERVE.*Make room"):
        rebuilt(path, OTHERS[0], reserve=free)
    told: list[Progress] = []

    def fill(progress: Progress) -> None:
        told.append(progress)
        if progress.what == rebuilding.FOLDING:
            monkeypatch.setattr(copying.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 99))

    with pytest.raises(StoreFullError, match="99 bytes are free, 100 are needed"):
        rebuilt(path, OTHERS[0], fill, reserve=100)
    monkeypatch.undo()
    assert told[-1].what == rebuilding.FOLDING
    assert content(path) == before
    assert list(path.glob("rebuild-*")) == []


def test_a_journal_that_is_cut_short_meanwhile_is_noticed(path: Path) -> None:
    frames = of_customers(40)
    ingest(path, frames[:50], OPTIONS, NOW)
    receive(path, frames[50:], NOW, segment_bytes=4_000)
    before = content(path)

    def forget(progress: Progress) -> None:
        if progress.what == rebuilding.FOLDING:
            for segment in sorted(path.glob("journal/*.journal"))[:2]:
                segment.unlink()

    with pytest.raises(StoreError, match=r"ingest has deleted a part of the journal.*JOURNAL_MAX_BYTES"):
        rebuilt(path, OTHERS[0], forget)
    assert content(path) == before
    # What was lost before it began is not its affair.
    rebuilt(path, OTHERS[0])
    assert in_store(path, OTHERS[0]) != received_journeys(path, OTHERS[0])
    assert dict(open_disk_reader(path).positions())[JOURNAL] > 0


DIES = """
import contextlib, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from journeymap.runtime import rebuilding
from journeymap.store import copying
from journeymap.store.lock import writer_lock
from tests.integration.rebuild.stores import OTHERS, rebuilt
copying.PAGES_AT_ONCE = 4
path, step = Path(sys.argv[2]), sys.argv[3]
def tell(progress):
    if progress.what == step and progress.done != progress.total:
        os.kill(os.getpid(), signal.SIGKILL)
with writer_lock(path) if step == rebuilding.WAITING else contextlib.nullcontext():
    rebuilt(path, OTHERS[0], tell, patience=5 if step == rebuilding.WAITING else 0)
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_in_any_step_it_leaves_the_store_as_it_was(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "EVENTS_AT_ONCE", 100)
    frames = of_customers(300)
    ingest(path, frames[:1_200], OPTIONS, NOW, batch=400)
    receive(path, frames[1_200:], NOW)
    before = content(path)
    dies = DIES.replace("copying.PAGES_AT_ONCE", "rebuilding.EVENTS_AT_ONCE = 100; copying.PAGES_AT_ONCE")
    command = [sys.executable, "-c", dies, str(CHECKOUT), str(path), step]
    killed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert content(path) == before
    assert len(list(path.glob("rebuild-*"))) == 1
    opened(path, OPTIONS).close()
    assert list(path.glob("rebuild-*")) == []
    assert content(path) == before
    rebuilt(path, OTHERS[0])
    assert in_store(path, OTHERS[0]) == received_journeys(path, OTHERS[0])


def test_interrupted_it_clears_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGES_AT_ONCE", 4)
    ingest(path, of_customers(20), OPTIONS, NOW)
    before = content(path)
    for step in (rebuilding.COPYING, rebuilding.FOLDING, rebuilding.SWAPPING):

        def tell(progress: Progress, step: str = step) -> None:
            if progress.what == step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuilt(path, OTHERS[0], tell)
        assert list(path.glob("rebuild-*")) == []
    assert content(path) == before
    with replacement_lock(path), writer_lock(path):
        pass


def test_a_start_of_ingest_leaves_a_rebuild_at_work_alone(path: Path) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)

    def meanwhile(progress: Progress) -> None:
        if progress.what == rebuilding.FOLDING:
            ingest(path, of_customers(5, 700), OPTIONS, NOW)

    found = rebuilt(path, OTHERS[0], meanwhile, patience=5)
    assert found.from_journal == 25
    assert in_store(path, OTHERS[0]) == received_journeys(path, OTHERS[0])


def test_there_must_be_a_store(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store in"):
        rebuilt(path, OPTIONS)
    assert not path.exists()
