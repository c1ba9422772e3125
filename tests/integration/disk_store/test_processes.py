"""The store on disk among several processes, some of which are killed; whose it is, and what it holds open."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journeymap.errors import (
    StoreError,
    StoreLockedError,
    StoreMismatchError,
)
from journeymap.model.fingerprint import Fingerprint
from journeymap.store import disk
from journeymap.store.disk import open_disk_reader, open_disk_store
from tests.integration.disk_store.writing import numbered, opened

ROOT = Path(__file__).parents[3]


def deadline(seconds: float = 100) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
    pytest.fail("took too long")


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.integration.disk_store.writing import numbered, opened
store = opened(Path(sys.argv[2]))
print("open", flush=True)
for number in range(1, int(sys.argv[3]) + 1):
    head = store.commit(numbered(number, 50 if number % 5 else 400, b"x" * 500))
    store.write_documents({"status": b"%d" % number})
    print(head, flush=True)
store.close()
"""


def writer(path: Path, commits: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(ROOT), str(path), str(commits)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


# -- other processes --------------------------------------------------------------------------------------------------


def test_a_killed_writer_loses_nothing_and_lets_go_of_the_lock(path: Path) -> None:
    acknowledged = 0
    for stop_after in (2, 9, 17):
        with writer(path, 100_000) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            heads = [int(process.stdout.readline()) for _ in range(stop_after)]
            process.send_signal(signal.SIGKILL)
            heads += [int(line) for line in process.stdout if line.endswith("\n")]
        assert heads[0] == acknowledged + 1
        reader = open_disk_reader(path)
        seen = reader.head()
        store = opened(path)
        head = store.head()
        assert head == seen
        assert head in {heads[-1], heads[-1] + 1}
        batches = store.batches(acknowledged)
        assert batches is not None
        assert [batch.number for batch in batches] == list(range(acknowledged + 1, head + 1))
        number = batches[-1].committed_at
        found = store.find("j-0")
        assert found is not None
        assert (found.last_event_at, dict(store.positions())) == (number, {"s": number})
        assert store.count() == store.snapshot(0, 9_999).rows.__len__()
        store.close()
        reader.close()
        acknowledged = head


def test_readers_in_other_processes_follow_without_gaps(path: Path) -> None:
    reader = open_disk_reader(path, source="s", environment="e")
    follow = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from tests.integration.disk_store.test_processes import followed\n"
        "print(followed(Path(sys.argv[2]), int(sys.argv[3])))\n"
    )
    commits = 120
    others = [
        subprocess.Popen(
            [sys.executable, "-c", follow, str(ROOT), str(path), str(commits)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    with writer(path, commits) as process:
        assert followed(path, commits) == commits
        assert process.wait(20) == 0
    for other in others:
        answer, _ = other.communicate(timeout=20)
        assert answer == f"{commits}\n"
    assert reader.head() == commits
    reader.close()


def followed(path: Path, until: int) -> int:
    """Follow the store in `path` up to a batch; each batch must be the next one, and whole."""
    reader = open_disk_reader(path)
    cursor = 0
    for _ in deadline():
        if reader.head() > cursor:
            for batch in reader.batches(cursor) or ():
                assert batch.number == cursor + 1
                assert {row.last_event_at for row in batch.rows} == {batch.committed_at}
                assert len(batch.rows) == (50 if batch.number % 5 else 400)
                cursor = batch.number
            snapshot = reader.snapshot(0, 50)
            assert {row.last_event_at for row in snapshot.rows} == {snapshot.head}
        if cursor == until:
            break
    reader.close()
    return cursor


def test_a_second_writer_is_told_who_the_first_is(path: Path) -> None:
    with writer(path, 100_000) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StoreLockedError, match=rf"process {process.pid} on host .*choose another STORE"):
            opened(path)
        process.kill()
    opened(path).close()


def test_a_second_writer_in_the_same_process_is_refused_too(path: Path) -> None:
    store = opened(path)
    with pytest.raises(StoreLockedError, match=f"process {os.getpid()}"):
        opened(path)
    assert store.commit(numbered(1)) == 1
    store.close()
    opened(path).close()


def test_a_reader_writes_nothing_and_does_not_wait_for_the_writer(path: Path) -> None:
    store = opened(path)
    store.commit(numbered(1))
    connection = store._cache._con
    before = connection.execute("PRAGMA data_version").fetchone(), connection.total_changes
    connection.execute("BEGIN IMMEDIATE")  # the writer is in the middle of a commit
    reader = open_disk_reader(path)
    assert reader.head() == 1
    assert len(reader.snapshot(0, 10).rows) == 3
    with reader._connections.borrow() as read_only, pytest.raises(sqlite3.OperationalError, match="readonly"):
        read_only.execute("DELETE FROM Cache")
    connection.execute("ROLLBACK")
    assert (connection.execute("PRAGMA data_version").fetchone(), connection.total_changes) == before
    reader.close()
    store.close()


def test_a_reader_notices_that_the_store_was_replaced(path: Path, tmp_path: Path) -> None:
    store = opened(path)
    for number in range(1, 4):
        store.commit(numbered(number))
    store.close()
    reader = open_disk_reader(path)
    assert reader.head() == 3
    path.rename(tmp_path / "old")
    assert reader.head() == 0
    store = opened(path)
    store.commit(numbered(1))
    assert reader.head() == 1
    assert reader.batches(3) is None
    store.close()
    reader.close()


def test_commands_come_from_readers_without_touching_the_database(path: Path) -> None:
    reader = open_disk_reader(path)
    with pytest.raises(StoreError):
        reader.leave_command("retry")
    store = opened(path)
    reader.leave_command("retry")
    (path / "commands" / "000000000007").write_bytes(b"\xff")
    (path / "commands" / "notes.txt").write_text("not a command")
    assert store.take_commands() == ["retry"]
    assert (path / "commands").stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in (path / "commands").iterdir()) == ["notes.txt"]
    store.close()


# -- whose store it is ------------------------------------------------------------------------------------------------


def test_another_source_environment_or_version_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(path).close()
    with pytest.raises(StoreMismatchError, match=r"source 's', not to 'x'.*choose another STORE"):
        opened(path, source="x")
    with pytest.raises(StoreMismatchError, match="environment 'e', not to 'prod'"):
        opened(path, environment="prod")
    with pytest.raises(StoreMismatchError, match="environment 'e', not to 'prod'"):
        open_disk_reader(path, environment="prod").head()
    monkeypatch.setattr("journeymap.store.reader.SCHEMA_VERSION", 1)
    with pytest.raises(StoreMismatchError, match="schema version 2, this Journeymap needs 1: run the Journeymap"):
        opened(path)
    with pytest.raises(StoreMismatchError, match="schema version 2"):
        open_disk_reader(path).head()
    monkeypatch.undo()
    opened(path).close()


def test_either_source_of_the_public_apis_may_join_a_store_of_the_other(path: Path) -> None:
    opened(path, source="notifications").close()
    opened(path, source="eventbridge,notifications").close()
    opened(path, source="eventbridge").close()
    with pytest.raises(StoreMismatchError, match="source 'notifications', not to 'eventstreams'"):
        opened(path, source="eventstreams")


def test_a_store_notes_what_its_writers_fold_with_and_never_forgets_that_it_was_something_else(path: Path) -> None:
    def folding(version: int | None) -> tuple[int, ...]:
        folded_with = None if version is None else Fingerprint(version, 1, 1)
        with closing(open_disk_store(path, source="s", environment="e", now=1, folded_with=folded_with)) as store:
            store.commit(numbered(1))
            return tuple(fingerprint.stitching_version for fingerprint in store.fingerprints())

    assert folding(None) == ()
    assert folding(1) == (1,)
    assert folding(1) == (1,)
    assert folding(2) == (1, 2)
    assert folding(1) == (1, 2)
    assert folding(None) == (1, 2)
    for version in range(3, 30):
        assert folding(version)[-1] == version
    with closing(open_disk_reader(path)) as reader:
        assert len(reader.fingerprints()) == 8
        assert reader.count() == 3


def test_the_directory_is_closed_to_others(path: Path) -> None:
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o700
    path.chmod(0o755)
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o700


def test_somebody_elses_directory_is_not_taken(path: Path) -> None:
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    (path / "thesis.txt").write_text("…")
    with pytest.raises(StoreError, match=r"mode 0755.*directory of its own"):
        opened(path)
    assert path.stat().st_mode & 0o777 == 0o755
    (path / "thesis.txt").unlink()
    path.chmod(0o1777)
    with pytest.raises(StoreError, match="1777"):
        opened(path)


# -- resources --------------------------------------------------------------------------------------------------------


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_threads_come_and_go_without_leaving_connections(path: Path) -> None:
    store = opened(path)
    reader = open_disk_reader(path)

    def work() -> None:
        store.commit(numbered(store.head() + 1))
        reader.batches(0)
        reader.snapshot(0, 10)

    work()
    gc.collect()
    before = _descriptors()
    for _ in range(20):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    gc.disable()
    try:
        # At most the connections kept idle: database, WAL and shared memory each.
        assert _descriptors() <= before + 3 * 2 * 4
    finally:
        gc.enable()
    assert store.head() == 61
    store.close()
    reader.close()
    with pytest.raises(StoreError, match="closed"):
        reader.head()
    with pytest.raises(StoreError, match="closed"):
        store.commit(numbered(1))


def test_the_log_is_moved_into_the_database_beside_the_commits(path: Path) -> None:
    store = opened(path)
    names = {thread.name for thread in threading.enumerate()}
    for number in range(1, 41):
        store.commit(numbered(number, 500, b"x" * 500))
    for _ in deadline():
        if (path / "cache.db").stat().st_size > 1_000_000:
            break
    assert (path / "cache.db-wal").stat().st_size < 64 << 20
    store.close()
    assert {thread.name for thread in threading.enumerate()} == names
    assert not (path / "cache.db-wal").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_opening_and_closing_leaves_nothing_open(path: Path) -> None:
    opened(path).close()
    gc.collect()
    before = _descriptors()
    for number in range(20):
        store = opened(path)
        store.commit(numbered(number + 1))
        store.find("j-0")
        store.close()
        with pytest.raises(StoreMismatchError):
            opened(path, source="x")
    assert _descriptors() == before


def test_the_ring_is_bounded_by_bytes_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "BATCH_BYTES_KEPT", 20_000)
    store = opened(path)
    for number in range(1, 41):
        store.commit(numbered(number, 50))
    assert store.batches(0) is None
    assert store.batches(39) is not None
    with store._reading() as connection:
        [(kept, size)] = connection.execute("SELECT count(*), sum(length(value)) FROM Cache WHERE key LIKE 'b:%'")
    assert 1 < kept < 15
    assert size <= 20_000
    store.close()
    store = opened(path)
    store.commit(numbered(41, 50))
    assert [batch.number for batch in store.batches(39) or ()] == [40, 41]
    store.close()
