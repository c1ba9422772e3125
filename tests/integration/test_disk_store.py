"""The store on disk under real faults: other processes, kill -9, full disks, planted and broken files."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path

import diskcache
import pytest

from journeymap.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreMismatchError,
)
from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.store import disk
from journeymap.store.base import Commit, Query
from journeymap.store.cache import OneConnectionCache
from journeymap.store.disk import DiskReader, DiskStore, open_disk_reader, open_disk_store
from journeymap.store.safe_disk import SafeDisk

ROOT = Path(__file__).parents[2]


def opened(path: Path, *, source: str = "s", environment: str = "e") -> DiskStore:
    return open_disk_store(path, source=source, environment=environment, now=1)


def record(name: str, last: int, tail: bytes = b"{}") -> JourneyRecord:
    part = InteractionRow("i", "voice", "ACTIVE", 1, last, None, None, None, None, ())
    return JourneyRecord(
        name, "C", 1, last, last + 9, JourneyRow(name, "C", 1, last, last, 1, 1, 0, (part,), ()), (), (tail,)
    )


def numbered(number: int, size: int = 3, tail: bytes = b"{}") -> Commit:
    """A commit whose every part says which one it was."""
    records = [record(f"j-{place}", number, tail) for place in range(size)]
    return Commit(number, RowChanges([one.row for one in records]), Changes(journeys=records), {"s": number})


def deadline(seconds: float = 20) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
    pytest.fail("took too long")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.integration.test_disk_store import numbered, opened
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
        "from tests.integration.test_disk_store import followed\n"
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


# -- planted files ----------------------------------------------------------------------------------------------------


class _Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.mark),))


ROWS = {
    "pickled value": ("UPDATE Cache SET mode = 4, value = :bomb WHERE key = :key", True),
    "pickled file": ("UPDATE Cache SET mode = 4, value = NULL, filename = '../bomb' WHERE key = :key", True),
    "binary file": ("UPDATE Cache SET mode = 2, value = NULL, filename = '../secret' WHERE key = :key", True),
    "text file": ("UPDATE Cache SET mode = 3, value = NULL, filename = '../secret' WHERE key = :key", True),
    "raw with a file": ("UPDATE Cache SET filename = '../secret' WHERE key = :key", True),
    "no mode": ("UPDATE Cache SET mode = 0 WHERE key = :key", True),
    "text value": ("UPDATE Cache SET value = 'text' WHERE key = :key", True),
    "number value": ("UPDATE Cache SET value = 1 WHERE key = :key", True),
    "no value": ("UPDATE Cache SET value = NULL WHERE key = :key", True),
    "garbage value": ("UPDATE Cache SET value = x'c1c1c1' WHERE key = :key", True),
    "other type": ("UPDATE Cache SET value = x'93010203' WHERE key = :key AND key != 'head'", True),
    "pickled key": ("UPDATE Cache SET key = :bomb, raw = 0 WHERE key = :key", False),
}


@pytest.mark.parametrize("planted", ROWS)
def test_planted_rows_run_nothing_and_read_nothing(path: Path, tmp_path: Path, planted: str) -> None:
    mark = tmp_path / "executed"
    bomb = pickle.dumps(_Bomb(mark))
    (tmp_path / "bomb").write_bytes(bomb)
    (tmp_path / "secret").write_bytes(b"secret")
    statement, refused = ROWS[planted]
    reads = {
        "head": lambda store: store.head(),
        "j:j-0": lambda store: (store.find("j-0"), store.query(Query()), store.snapshot(0, 9)),
        "b:0000000000000001": lambda store: store.batches(0),
        "t:t": lambda store: store.token("t"),
        "x:e": lambda store: store.identity(),
        "positions": lambda store: store.positions(),
        "meta": lambda store: store.head(),
    }
    for key, read in reads.items():
        store = opened(path)
        changes = Changes(journeys=[record("j-0", 1)], identity={"e": b"1"})
        changes.tokens = [disk.codec.TokenRecord("t", {})]
        store.commit(Commit(1, RowChanges([changes.journeys[0].row]), changes, {"s": 1}))
        store.close()
        with sqlite3.connect(path / "cache.db") as connection:
            connection.execute(statement, {"key": key, "bomb": bomb} if ":bomb" in statement else {"key": key})
        connection.close()
        for open_it in (opened, open_disk_reader):
            if refused and not (planted == "other type" and key == "head"):
                with pytest.raises(StoreCorruptError, match=r"^the store in .* cannot be read: ") as caught:
                    _used(open_it(path), read)
                assert str(caught.value).count("cannot be read") == 1
            else:
                with suppress(StoreCorruptError):
                    _used(open_it(path), read)
        _touch(OneConnectionCache(path), key)
        assert not mark.exists()
        assert (tmp_path / "secret").read_bytes() == b"secret"
        assert (tmp_path / "bomb").exists()
        shutil.rmtree(path)


def _used(store: DiskReader, read: Callable[[DiskReader], object]) -> None:
    try:
        read(store)
    finally:
        store.close()


def _touch(cache: diskcache.Cache, key: str) -> None:
    """Every way to a row that diskcache itself has."""
    for touch in (lambda: cache[key], lambda: cache.get(key), lambda: list(cache), lambda: cache.pop(key)):
        with suppress(StoreCorruptError, KeyError):
            touch()
    cache.close()


def test_planted_settings_are_refused(path: Path) -> None:
    for key, value in (
        ("_directory", "/"),
        ("sqlite_writable_schema", 1),
        ("disk_put", 1),
        ("cull_limit", b"\x80\x04N."),
    ):
        opened(path).close()
        with sqlite3.connect(path / "cache.db") as connection:
            connection.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (key, value))
        connection.close()
        with pytest.raises(StoreCorruptError, match=key):
            opened(path)
        shutil.rmtree(path)


def test_the_disk_lets_nothing_but_text_keys_and_bytes_through(tmp_path: Path) -> None:
    safe = SafeDisk(str(tmp_path))
    assert safe.put("key") == ("key", True)
    assert safe.store(b"x" * 1_000_000, False) == (0, 1, None, b"x" * 1_000_000)
    for wrong in (
        lambda: safe.put(1),
        lambda: safe.put(b"key"),
        lambda: safe.put(("a",)),
        lambda: safe.get(b"key", 1),
        lambda: safe.get(pickle.dumps(1), 0),
        lambda: safe.store("text", False),
        lambda: safe.store({}, False),
        lambda: safe.store(b"", True),
        lambda: safe.fetch(1, None, b"", True),
        safe.filename,
        lambda: safe.remove("../x"),
        lambda: safe._write(str(tmp_path / "x"), iter([b""]), "xb"),
    ):
        with pytest.raises(StoreCorruptError):
            wrong()
    assert list(tmp_path.iterdir()) == []


def test_large_values_stay_inside_the_database(path: Path) -> None:
    store = opened(path)
    store.commit(numbered(1, 2, b"x" * 3_000_000))
    assert {file.name for file in path.iterdir()} <= {
        "cache.db",
        "cache.db-wal",
        "cache.db-shm",
        "writer.lock",
        "writer.json",
        "store.txt",
    }
    store.close()


# -- broken files -----------------------------------------------------------------------------------------------------


def _break(path: Path, how: str) -> None:
    database = path / "cache.db"
    size = database.stat().st_size
    if how == "missing":
        database.unlink()
        return
    with database.open("r+b") as file:
        if how == "garbage":
            file.write(os.urandom(size))
        elif how == "empty":
            file.truncate(0)
        elif how == "half":
            file.truncate(size // 2)
        elif how == "no longer a page":
            file.truncate(5_000)
        elif how == "other text":
            file.truncate(0)
            file.write(b"these are not the pages you are looking for\n" * 200)
        else:
            for at in range(4_096, size, 1_024):
                file.seek(at)
                file.write(b"\xff" * 64)


@pytest.mark.parametrize("how", ["garbage", "empty", "half", "no longer a page", "other text", "flipped", "missing"])
def test_a_broken_database_gives_one_clear_error(path: Path, how: str) -> None:
    store = opened(path)
    for number in range(1, 6):
        store.commit(numbered(number, 200, b"x" * 300))
    store.close()
    _break(path, how)

    def use() -> None:
        store = opened(path)
        try:
            store.commit(numbered(6, 400))
            store.snapshot(0, 10_000)
            store.batches(0)
            store.query(Query(limit=1_000))
            store.find_many(f"j-{number}" for number in range(400))
        finally:
            store.close()

    with pytest.raises(StoreCorruptError, match=r"cannot be read.*Restore a backup over it"):
        use()
    with pytest.raises(StoreCorruptError) if how not in {"empty", "missing"} else nullcontext():
        reader = open_disk_reader(path)
        reader.find_many(f"j-{number}" for number in range(400))
        reader.snapshot(0, 10_000)
    shutil.rmtree(path)
    opened(path).close()


# -- full disks -------------------------------------------------------------------------------------------------------


def test_a_full_database_keeps_what_it_has_and_goes_on_when_there_is_space(path: Path) -> None:
    store = opened(path)
    store.commit(numbered(1))
    connection = store._cache._con
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    for number in (2, 3):
        with pytest.raises(StoreFullError, match=r"no space left.*bytes free\).*make room"):
            store.commit(numbered(number, 300, b"x" * 1_000))
        assert store.head() == 1
        assert dict(store.positions()) == {"s": 1}
    connection.execute("PRAGMA max_page_count = 1000000")
    assert store.commit(numbered(4, 300)) == 2
    assert store.count() == 300
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "small"
    mount.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(mount)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no small file system can be mounted: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_keeps_what_it_has_and_goes_on_when_there_is_space(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_500_000)
    path = small_disk / "store"
    store = opened(path)
    number = 1
    with pytest.raises(StoreFullError, match="make room"):  # noqa: PT012 # how many fit is the file system's affair
        for number in range(1, 100):
            store.commit(numbered(number, 50, os.urandom(1_000)))
    assert number > 1
    kept = number - 1
    assert store.head() == kept
    assert dict(store.positions()) == {"s": kept}
    with pytest.raises(StoreFullError):
        store.commit(numbered(number, 2_000, os.urandom(1_000)))
    ballast.unlink()
    assert store.commit(numbered(number)) == number
    store.close()
    store = opened(path)
    assert store.head() == number
    store.close()


def test_no_store_is_made_on_a_full_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    (small_disk / "store").mkdir(0o700)
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for _ in range(10_000):
            file.write(b"x" * 4_096)
    with pytest.raises(StoreError):
        opened(small_disk / "store")
    ballast.unlink()
    opened(small_disk / "store").close()


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
