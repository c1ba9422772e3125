"""Stores as earlier versions of the code left them, opened by this one."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from journeymap.bootstrap import stitch_options
from journeymap.errors import StoreMismatchError
from journeymap.model.status import STATUS, decode_status
from journeymap.runtime.pipeline import JOURNAL
from journeymap.settings import load
from journeymap.stitch.options import StitchOptions
from journeymap.store import migrations
from journeymap.store.base import SCHEMA_VERSION
from journeymap.store.disk import DiskStore, open_disk_reader, open_disk_store
from tests.stored import journeys_in, rows_in

from .process import CHECKOUT, Command, received_events, received_journeys, stored_journeys, until

STORES = CHECKOUT / "tests" / "data" / "stores"
OLDER = sorted(migrations.STEPS)


def options() -> StitchOptions:
    """Those that the stores were made with: the shipped ones."""
    return stitch_options(load({"source": "simulator"}))


def unpacked(version: int, into: Path) -> Path:
    with tarfile.open(STORES / f"v{version}.tar.xz") as archive:
        archive.extractall(into, filter="data")
    into.chmod(0o700)
    return into


def opened(path: Path) -> DiskStore:
    return open_disk_store(path, source="simulator", environment="dev", now=1, folded_with=options().fingerprint)


def content(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """`meta`, and all other entries by key, as they lie in the database."""
    with closing(sqlite3.connect(f"file:{path / 'cache.db'}?mode=ro", uri=True)) as sql:
        found = dict(sql.execute("SELECT key, value FROM Cache WHERE raw = 1"))
    return msgspec.msgpack.decode(found.pop("meta")), found


def test_every_earlier_version_has_its_step_and_a_store_of_it() -> None:
    assert list(range(1, SCHEMA_VERSION)) == OLDER
    for version in OLDER:
        assert (STORES / f"v{version}.tar.xz").exists(), "a store as the version before left it belongs there"


@pytest.mark.parametrize("version", OLDER)
def test_a_store_of_an_earlier_version_holds_the_same_afterwards(
    tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = unpacked(version, tmp_path / "store")
    expected = received_journeys(path, options())
    assert len(expected) > 500
    caplog.set_level(logging.INFO)
    store = opened(path)
    assert journeys_in(store, options()) == expected
    rows = rows_in(store)
    assert rows == {row.journey_id: row for row in store.snapshot(0, 10_000).rows}
    status = store.document(STATUS)
    assert status is not None
    assert decode_status(status).error == "ingest was stopped"
    assert store.fingerprints() == (options().fingerprint,)
    assert dict(store.positions()) == {JOURNAL: sum(file.stat().st_size for file in path.glob("journal/*.journal"))}
    store.close()
    said = f"the store in {path} was migrated from schema version {version} to {SCHEMA_VERSION}"
    assert [record.getMessage() for record in caplog.records] == [said]
    caplog.clear()
    store = opened(path)  # and that once only
    assert rows_in(store) == rows
    store.close()
    assert caplog.records == []


@pytest.mark.parametrize("version", OLDER)
def test_a_reader_says_what_to_do_and_reads_on_once_it_is_done(tmp_path: Path, version: int) -> None:
    path = unpacked(version, tmp_path / "store")
    reader = open_disk_reader(path)
    before = content(path)
    with pytest.raises(StoreMismatchError, match=rf"has schema version {version}, .*start ingest to migrate it"):
        reader.head()
    assert content(path) == before
    opened(path).close()
    assert reader.head() > 0
    assert len(reader.snapshot(0, 10_000).rows) == reader.count() > 500
    reader.close()


DIES = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from journeymap.store import migrations
from tests.integration.test_migration import opened
last = max(migrations.STEPS)
step = migrations.STEPS[last]
def dies(sql, meta):
    step(sql, meta)
    sql.execute("DELETE FROM Cache WHERE key LIKE 'j:%'")
    os.kill(os.getpid(), signal.SIGKILL)
migrations.STEPS[last] = dies
opened(Path(sys.argv[2]))
"""


@pytest.mark.parametrize("version", OLDER)
def test_a_crash_in_the_middle_leaves_the_earlier_version(tmp_path: Path, version: int) -> None:
    path = unpacked(version, tmp_path / "store")
    before = content(path)
    crashed = subprocess.run([sys.executable, "-c", DIES, str(CHECKOUT), str(path)], check=False)
    assert crashed.returncode == -signal.SIGKILL
    assert content(path) == before
    store = opened(path)
    assert len(rows_in(store)) == store.count() > 500
    store.close()


def test_an_error_in_a_step_leaves_the_earlier_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = unpacked(1, tmp_path / "store")
    before = content(path)

    def fails(sql: sqlite3.Connection, meta: dict[str, Any]) -> None:
        meta["source"] = "nobody"
        sql.execute("DELETE FROM Cache")
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "STEPS", {1: fails})
    with pytest.raises(ZeroDivisionError):
        opened(path)
    assert content(path) == before
    monkeypatch.undo()
    opened(path).close()
    assert content(path)[0]["schema_version"] == SCHEMA_VERSION


def test_a_newer_store_and_anothers_are_refused_untouched(tmp_path: Path) -> None:
    path = unpacked(1, tmp_path / "store")
    with pytest.raises(StoreMismatchError, match="environment 'dev', not to 'prod'"):
        open_disk_store(path, source="simulator", environment="prod", now=1)
    assert content(path)[0]["schema_version"] == 1
    for version in (0, SCHEMA_VERSION + 1):
        meta = content(path)[0] | {"schema_version": version}
        with closing(sqlite3.connect(path / "cache.db")) as sql, sql:
            sql.execute("UPDATE Cache SET value = ? WHERE key = 'meta'", (msgspec.msgpack.encode(meta),))
        before = content(path)
        with pytest.raises(
            StoreMismatchError, match=rf"schema version {version}, .*run the Journeymap it was made with"
        ):
            opened(path)
        with pytest.raises(StoreMismatchError, match="run the Journeymap it was made with"):
            open_disk_reader(path).head()
        assert content(path) == before


def test_ingest_goes_on_from_a_store_of_version_1(tmp_path: Path) -> None:
    path = unpacked(1, tmp_path / "store")
    known = len(received_events(path))
    log = tmp_path / "log"
    arguments = ("ingest", "--store", f"disk:{path}", "--ingest-port", "0", "--rate", "50", "--history", "0s")
    with Command(*arguments, "--set", "RETENTION=3650d", log=log) as ingest:
        until(lambda: ingest.get("/healthz") and len(received_events(path)) > known + 50, "events")
        assert ingest.stop() == 0
        assert f"migrated from schema version 1 to {SCHEMA_VERSION}" in ingest.output
        assert "rebuild" not in ingest.output
    assert stored_journeys(path, options()) == received_journeys(path, options())
    again = ("--set", "RETENTION=3650d", "--set", "ENGAGEMENT_WINDOW=12h")
    with Command(*arguments, *again, log=log) as ingest:
        until(lambda: ingest.get("/healthz"), "the second start")
        assert "made with ENGAGEMENT_WINDOW 24h (now 12h): `journeymap rebuild`" in ingest.output
        assert ingest.stop() == 0
    reader = open_disk_reader(path)
    status = reader.document(STATUS)
    assert status is not None
    assert "ENGAGEMENT_WINDOW 24h (now 12h)" in str(decode_status(status).stitching_outdated)
    reader.close()
