"""The store on disk with planted rows, broken files and full disks."""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import diskcache
import pytest

from journeymap.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
)
from journeymap.model.change import Changes, RowChanges
from journeymap.store import disk
from journeymap.store.base import Commit, Query
from journeymap.store.cache import OneConnectionCache
from journeymap.store.disk import DiskReader, open_disk_reader
from journeymap.store.safe_disk import SafeDisk
from tests.integration.disk_store.writing import numbered, opened, record

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
