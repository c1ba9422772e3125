"""Backups of stores that are being written to, and what becomes of them again."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import sys
import tracemalloc
from itertools import takewhile
from pathlib import Path

import pytest

from journeymap.bootstrap import stitch_options
from journeymap.decode.event import decode_raw
from journeymap.errors import (
    InputError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
)
from journeymap.model.event import Event
from journeymap.model.journey import Journey
from journeymap.model.status import STATUS
from journeymap.runtime import backup, restore
from journeymap.runtime.restore import Wanted
from journeymap.runtime.work import Progress
from journeymap.settings import load
from journeymap.stitch.definition import journeys
from journeymap.store import copying
from journeymap.store.archive import Archive
from journeymap.store.base import SCHEMA_VERSION
from journeymap.store.disk import open_disk_reader
from tests.integration.backup.stores import LOCKS, archive, backed_up, in_store, restored
from tests.property.soups import OPTIONS
from tests.stored import ENVIRONMENT, SOURCE, ingest, opened, pipeline_over, receive, work_on

from ..process import CHECKOUT, Command, received_events, received_journeys, until
from ..rebuild.stores import NOW, of_customers
from ..test_migration import content, unpacked


def beginning(received: list[Event], found: list[Journey]) -> list[Event]:
    """What was received up to the first event that these journeys do not have."""
    ids = {(event.interaction_id, event.event_id) for journey in found for event in journey.events}
    return list(takewhile(lambda event: (event.interaction_id, event.event_id) in ids, received))


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "journeymap", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


# -- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.timeout(120)
def test_of_a_store_that_takes_hundreds_of_events_a_second(tmp_path: Path, out: Path, elsewhere: Path) -> None:
    path = tmp_path / "store"
    options = stitch_options(load({"source": "simulator"}))
    flags = ("--store", f"disk:{path}", "--rate", "300", "--history", "5s")
    with Command("ingest", "--ingest-port", "0", *flags, log=tmp_path / "ingest.log") as running:
        until(lambda: running.get("/healthz") and (path / "journal").exists(), "ingest")
        until(lambda: len(received_events(path)) > 2_000, "events")
        for _ in range(3):
            before = len(received_events(path))
            backed_up(path, out, force=True)
            after = len(received_events(path))
            restore.restore(work_on(elsewhere, options), out, Wanted(replace=True), NOW)
            found = in_store(elsewhere, options)
            held = beginning(received_events(path), found)
            assert before <= len(held) <= after
            assert found == journeys(held, options)
        until(lambda: len(received_events(path)) > after + 300, "that ingest goes on")
        assert "cannot" not in running.output
        assert running.stop() == 0
    assert in_store(path, options) == received_journeys(path, options)


def test_what_is_in_the_store_and_what_is_in_its_journal_only(path: Path, out: Path, elsewhere: Path) -> None:
    with contextlib.closing(opened(path, OPTIONS)) as store:
        store.write_documents({STATUS: b"{}", "gaps": b"[1]"})
    before = content(path)
    made = backed_up(path, out)
    assert (made.journeys, made.records, made.damaged, made.bytes) == (50, 50, 0, out.stat().st_size)
    assert content(path) == before
    assert out.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in out.parent.iterdir()) == [out.name, "store"]
    found = restored(elsewhere, out, source=SOURCE, environment=ENVIRONMENT)
    assert (found.journeys, found.aside, found.manifest.made_at) == (60, None, NOW)
    assert in_store(elsewhere) == received_journeys(path, OPTIONS)
    with contextlib.closing(open_disk_reader(elsewhere)) as reader:
        assert (reader.document(STATUS), reader.document("gaps")) == (b"{}", b"[1]")
        # Its journal was folded as the store was, not by the settings of whoever restores it.
        assert reader.fingerprints() == (OPTIONS.fingerprint,)
    assert elsewhere.stat().st_mode & 0o777 == 0o700
    assert {"cache.db", "store.txt"} == {file.name for file in elsewhere.iterdir() if "-" not in file.name} - LOCKS
    ingest(elsewhere, of_customers(5, 800), OPTIONS, NOW)
    assert in_store(elsewhere) == journeys([*received_events(path), *received_events(elsewhere)], OPTIONS)


def test_of_an_imported_store_without_a_journal(out: Path, tmp_path: Path, elsewhere: Path) -> None:
    path = tmp_path / "store"
    events = [decode_raw(data) for data in of_customers(30)]
    with contextlib.closing(opened(path, OPTIONS)) as store:
        pipeline = pipeline_over(store, OPTIONS)
        pipeline.hold(events, "import", NOW, NOW)
        pipeline.flush(NOW, last=True)
    assert backed_up(path, out).records == 0
    restored(elsewhere, out)
    assert in_store(elsewhere) == journeys(events, OPTIONS)
    assert not (path / "journal").exists()


def test_of_an_empty_store(out: Path, tmp_path: Path, elsewhere: Path) -> None:
    opened(tmp_path / "store", OPTIONS).close()
    assert backed_up(tmp_path / "store", out).journeys == 0
    assert restored(elsewhere, out).journeys == 0
    ingest(elsewhere, of_customers(5), OPTIONS, NOW)
    assert len(in_store(elsewhere)) == 5


def test_what_had_passed_its_retention_is_there_as_it_was(out: Path, tmp_path: Path, elsewhere: Path) -> None:
    """Years later too: only ingest lets go of it."""
    path = tmp_path / "store"
    ingest(path, of_customers(5), OPTIONS, NOW)
    receive(path, of_customers(5, 50), NOW)
    backed_up(path, out)
    later = work_on(elsewhere, OPTIONS, retention=1_000 * (NOW // 1_000_000))
    restore.restore(later, out, Wanted(), NOW * 2)
    assert len(in_store(elsewhere)) == 10


def test_a_backup_of_an_earlier_schema_version_is_migrated(out: Path, tmp_path: Path, elsewhere: Path) -> None:
    path = unpacked(1, tmp_path / "store")
    options = stitch_options(load({"source": "simulator"}))
    expected = received_journeys(path, options)
    assert content(path)[0]["schema_version"] == 1
    position = sum(file.stat().st_size for file in path.glob("journal/*.journal"))
    archive(
        out, {"cache.db": (path / "cache.db").read_bytes()}, schema_version=1, source="simulator", position=position
    )
    restore.restore(work_on(elsewhere, options), out, Wanted(source="simulator"), NOW)
    assert content(elsewhere)[0]["schema_version"] == SCHEMA_VERSION
    assert in_store(elsewhere, options) == expected


def test_memory_does_not_grow_with_the_store(path: Path, out: Path, elsewhere: Path) -> None:
    noise = random.Random(1)
    with contextlib.closing(opened(path, OPTIONS)) as store:
        for number in range(20):
            store.write_documents({f"ballast{number}": noise.randbytes(2_000_000)})
    tracemalloc.start()
    try:
        backed_up(path, out)
        restored(elsewhere, out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert out.stat().st_size > 40_000_000
    assert peak < 12_000_000


# -- what a backup refuses --------------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_kept_unless_told_otherwise(path: Path, out: Path) -> None:
    out.write_bytes(b"precious")
    with pytest.raises(InputError, match="is there already; --force replaces it"):
        backed_up(path, out)
    assert out.read_bytes() == b"precious"
    backed_up(path, out, force=True)
    with Archive(out) as archive:
        assert archive.manifest.source == SOURCE
    with pytest.raises(InputError, match="is there already"):
        backed_up(path, path, force=True)
    with pytest.raises(InputError, match="cannot write"):
        backed_up(path, path / "nowhere" / "backup")


def test_a_damaged_store_is_not_backed_up(path: Path, out: Path) -> None:
    with (path / "cache.db").open("r+b") as file:
        file.seek(8_192 * 3)
        file.write(b"\xff" * 8_192)
    with pytest.raises(StoreCorruptError, match="damaged, nothing was backed up"):
        backed_up(path, out)
    assert [file.name for file in out.parent.iterdir()] == ["store"]


@pytest.mark.parametrize("step", [backup.COPYING, backup.CHECKING, backup.PACKING])
def test_interrupted_it_leaves_no_file(path: Path, out: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGES_AT_ONCE", 4)

    def tell(progress: Progress) -> None:
        if progress.what == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backed_up(path, out, tell)
    assert [file.name for file in out.parent.iterdir()] == ["store"]


def test_without_space_for_it_it_is_not_begun(path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 99))
    with pytest.raises(StoreFullError, match="99 bytes are free"):
        backed_up(path, out)
    assert [file.name for file in out.parent.iterdir()] == ["store"]


def test_there_must_be_a_store(out: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store in"):
        backed_up(tmp_path / "nowhere", out)


def test_a_journal_that_is_cut_short_meanwhile_is_noticed(path: Path, out: Path) -> None:
    def forget(progress: Progress) -> None:
        if progress.what == backup.CHECKING:
            (segment,) = path.glob("journal/*.journal")
            segment.rename(segment.with_name(f"{segment.stat().st_size:020d}.journal"))

    with pytest.raises(StoreError, match=r"ingest has deleted a part of the journal"):
        backed_up(path, out, forget)
    assert not out.exists()


# -- on the command line ----------------------------------------------------------------------------------------------


def test_on_the_command_line_it_does_not_end_up_among_others_journeys(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    store = f"disk:{elsewhere}"
    said = command("restore", str(out))  # neither of it set: that would be the simulator's store
    assert (said.returncode, said.stderr.count("\n")) == (1, 1)
    assert f"is a backup of source '{SOURCE}', not of 'simulator': set SOURCE to what it is of" in said.stderr
    said = command("restore", str(out), "--store", store, "--environment", "prod")
    assert f"is a backup of environment '{ENVIRONMENT}', not of 'prod'" in said.stderr
    said = command("restore", str(out), "--store", store)
    assert said.returncode == 0
    assert f"60 journeys as of 2023-11-15 08:13:20 UTC (source {SOURCE}, environment {ENVIRONMENT})" in said.stderr
    said = command("restore", str(out), "--store", store)
    assert (said.returncode, "--replace" in said.stderr) == (1, True)
    said = command("backup", "-o", str(out), "--store", store, "--force")
    assert (said.returncode, "60 journeys and 0 frames of the journal" in said.stderr) == (0, True)
    said = command("backup", "-o", str(out), "--store", store, "-q")
    assert (said.returncode, "--force" in said.stderr) == (1, True)
