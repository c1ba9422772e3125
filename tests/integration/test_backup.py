"""Backups of stores that are being written to, what becomes of them again, and files that only look like backups."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from journeymap.bootstrap import stitch_options
from journeymap.decode.event import decode_raw
from journeymap.errors import (
    InputError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreMismatchError,
)
from journeymap.model.event import Event
from journeymap.model.journey import Journey
from journeymap.model.status import STATUS
from journeymap.runtime import backup, restore
from journeymap.runtime.backup import BackedUp, back_up
from journeymap.runtime.restore import Restored, Wanted
from journeymap.runtime.work import Progress
from journeymap.settings import load
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions
from journeymap.store import copying
from journeymap.store.archive import Archive
from journeymap.store.base import SCHEMA_VERSION
from journeymap.store.disk import open_disk_reader
from journeymap.store.lock import replacement_lock, writer_lock
from tests.property.soups import OPTIONS
from tests.stored import ENVIRONMENT, SOURCE, ingest, journeys_in, opened, pipeline_over, receive, rows_in, work_on

from .process import CHECKOUT, Command, received_events, received_journeys, until
from .test_migration import content, unpacked
from .test_rebuild import NOW, OTHERS, of_customers


def backed_up(path: Path, out: Path, tell: Callable[[Progress], None] = lambda _: None, **more: Any) -> BackedUp:
    return back_up(work_on(path, OPTIONS, tell), out, NOW, force=more.get("force", False))


def restored(
    path: Path, file: Path, tell: Callable[[Progress], None] = lambda _: None, reserve: int = 0, **wanted: Any
) -> Restored:
    return restore.restore(work_on(path, OTHERS[0], tell, reserve=reserve), file, Wanted(**wanted), NOW)


def in_store(path: Path, options: StitchOptions = OPTIONS) -> list[Journey]:
    with contextlib.closing(open_disk_reader(path)) as reader:
        found = journeys_in(reader, options)
        assert {journey.journey_id for journey in found} == rows_in(reader).keys()
        return found


def beginning(received: list[Event], found: list[Journey]) -> list[Event]:
    """What was received up to the first event that these journeys do not have."""
    ids = {(event.interaction_id, event.event_id) for journey in found for event in journey.events}
    return list(takewhile(lambda event: (event.interaction_id, event.event_id) in ids, received))


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "journeymap", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of 60 journeys, of which the last frames are in the journal only."""
    path = tmp_path / "store"
    frames = of_customers(60)
    ingest(path, frames[:250], OPTIONS, NOW)
    receive(path, frames[250:], NOW)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.zst"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


LOCKS = {"writer.lock", "replacement.lock"}


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


# -- files that only look like backups --------------------------------------------------------------------------------


def archive(out: Path, held: dict[str, bytes], members: Iterable[Any] | None = None, **more: Any) -> None:
    """A backup by hand: `members` are `(name or TarInfo, content)`, those of `held` unless given; `more` goes into the
    manifest."""
    manifest = {
        "format": 1,
        "journeymap": "9.9",
        "schema_version": SCHEMA_VERSION,
        "source": SOURCE,
        "environment": more.pop("environment", "dev" if more.get("source") == "simulator" else ENVIRONMENT),
        "made_at": NOW,
        "position": 0,
        "files": [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in held.items()
        ],
        **more,
    }
    head = json.dumps(manifest).encode()
    with out.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        with tarfile.open(fileobj=stream, mode="w|") as tar:
            for name, data in [("manifest.json", head), *(held.items() if members is None else members)]:
                member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def linked(name: str, kind: bytes, to: str = "/etc/passwd") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member


DATA = b"x" * 10_000
HOSTILE: dict[str, tuple[dict[str, bytes], list[Any] | None, dict[str, Any]]] = {
    "a name that climbs": ({"cache.db": DATA}, [("cache.db", DATA), ("../../evil", b"evil")], {}),
    "a name that climbs, announced": ({"cache.db": DATA, "journal/../../../evil": b"evil"}, None, {}),
    "a name that begins at the root": ({"cache.db": DATA, "/tmp/evil": b"evil"}, None, {}),
    "a name with a zero byte": ({"cache.db": DATA, "journal/a\0b": b"evil"}, None, {}),
    "a name that hides": ({"cache.db": DATA, "journal/.hidden": b"evil"}, None, {}),
    "a symbolic link": ({"cache.db": b""}, [(linked("cache.db", tarfile.SYMTYPE), b"")], {}),
    "a hard link": ({"cache.db": b""}, [(linked("cache.db", tarfile.LNKTYPE), b"")], {}),
    "a device": ({"cache.db": b""}, [(linked("cache.db", tarfile.CHRTYPE), b"")], {}),
    "a directory": ({"cache.db": b""}, [(linked("cache.db", tarfile.DIRTYPE), b"")], {}),
    "a sparse file": ({"cache.db": b""}, [(linked("cache.db", tarfile.GNUTYPE_SPARSE), b"")], {}),
    "a link in the place of the journal": (
        {"cache.db": DATA, "journal/a": b"evil"},
        [(linked("journal", tarfile.SYMTYPE, "/tmp"), b""), ("journal/a", b"evil"), ("cache.db", DATA)],
        {},
    ),
    "a longer file": ({"cache.db": DATA}, [("cache.db", DATA + b"x")], {}),
    "a shorter file": ({"cache.db": DATA}, [("cache.db", DATA[1:])], {}),
    "another content": ({"cache.db": DATA}, [("cache.db", b"y" + DATA[1:])], {}),
    "a file too many": ({"cache.db": DATA}, [("cache.db", DATA), ("journal/a", b"")], {}),
    "a file twice": ({"cache.db": DATA}, [("cache.db", DATA), ("cache.db", DATA)], {}),
    "a file too few": ({"cache.db": DATA, "journal/a": b"a"}, [("cache.db", DATA)], {}),
    "no database": ({"journal/a": b"a"}, None, {}),
    "no database that is one": ({"cache.db": DATA}, None, {}),
    "no files": ({}, None, {}),
    "another form": ({"cache.db": DATA}, None, {"format": 2}),
    "a manifest of odd things": ({"cache.db": DATA}, None, {"files": [{"name": 7}]}),
    "a negative length": (
        {"cache.db": DATA},
        None,
        {"files": [{"name": "cache.db", "bytes": -1, "sha256": ""}]},
    ),
    "a name twice": (
        {"cache.db": DATA},
        None,
        {"files": [{"name": "cache.db", "bytes": 10_000, "sha256": ""}] * 2},
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_made_up_backup_is_refused_in_one_line(what: str, out: Path, elsewhere: Path, tmp_path: Path) -> None:
    files, members, more = HOSTILE[what]
    archive(out, files, members, **more)
    with pytest.raises(InputError, match=r"is no backup, or is damaged: .") as refused:
        restored(elsewhere, out)
    assert "\n" not in str(refused.value)
    assert_untouched(elsewhere)
    assert list(tmp_path.rglob("*evil*")) == []


def assert_untouched(elsewhere: Path) -> None:
    found = list(elsewhere.iterdir()) if elsewhere.exists() else []
    assert {file.name for file in found} <= LOCKS


def bomb(kind: bytes, size: int) -> bytes:
    """The header of an extra member that announces so many bytes, which tarfile reads into memory at once."""
    member = tarfile.TarInfo("bomb")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
@pytest.mark.parametrize("place", ["first", "behind the manifest"])
def test_a_header_that_announces_gigabytes_is_not_read(kind: bytes, place: str, out: Path, elsewhere: Path) -> None:
    archive(out, {"cache.db": DATA})
    with out.open("rb") as file:
        plain = zstandard.ZstdDecompressor().stream_reader(file).read()
    cut = 0 if place == "first" else 512 + 512 * -(-int(plain[124:135], 8) // 512)
    with out.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        stream.write(plain[:cut] + bomb(kind, 200_000_000))
        for _ in range(200):
            stream.write(b"9" * 1_000_000)
        stream.write(plain[cut:])
    assert out.stat().st_size < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="a header is too long"):
            restored(elsewhere, out)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert_untouched(elsewhere)


def test_a_chain_of_headers_is_not_followed_for_ever(out: Path, elsewhere: Path) -> None:
    with out.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        for _ in range(5_000):
            stream.write(bomb(tarfile.GNUTYPE_LONGNAME, 512) + b"n" * 512)
    with pytest.raises(InputError, match="is no backup"):
        restored(elsewhere, out)
    assert_untouched(elsewhere)


def test_a_backup_that_announces_more_than_there_is_space_for(out: Path, elsewhere: Path) -> None:
    archive(out, {"cache.db": DATA}, files=[{"name": "cache.db", "bytes": 2**62, "sha256": ""}])
    with pytest.raises(StoreFullError, match="not enough space"):
        restored(elsewhere, out)
    assert_untouched(elsewhere)


def test_a_backup_of_a_later_release_is_refused(out: Path, elsewhere: Path) -> None:
    archive(out, {"cache.db": DATA}, schema_version=SCHEMA_VERSION + 1)
    with pytest.raises(StoreMismatchError, match=r"reads up to 2: restore it with Journeymap 9\.9, which made it"):
        restored(elsewhere, out)
    assert not elsewhere.exists()


def test_a_store_that_is_not_the_one_announced_is_refused(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    into = out.parent / "unpacked"
    with Archive(out) as found:
        position = found.manifest.position
        found.extract(into, lambda done, total: None)
    data = (into / "cache.db").read_bytes()
    for more in ({"source": "other"}, {"environment": "prod"}, {"position": position + 1}):
        archive(out, {"cache.db": data}, **{"position": position, **more})
        with pytest.raises(InputError, match="is no backup, or is damaged"):
            restored(elsewhere, out)
        assert_untouched(elsewhere)


def test_a_backup_that_is_cut_or_changed_anywhere_is_refused(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    data = out.read_bytes()
    chance = random.Random(5)
    broken = [data[: chance.randrange(len(data))] for _ in range(25)] + [b"", data[:-1], data[:4]]
    for _ in range(25):
        place = chance.randrange(len(data))
        broken.append(data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :])
    for content_of_it in broken:
        out.write_bytes(content_of_it)
        with contextlib.suppress(InputError):
            # A few bits and the last bytes are of no consequence: then it must be the same.
            restored(elsewhere, out)
            assert in_store(elsewhere) == received_journeys(path, OPTIONS)
            assert len(data) - len(content_of_it) <= 8
            shutil.rmtree(elsewhere)
            continue
        assert_untouched(elsewhere)


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
from tests.integration import test_backup
copying.PAGES_AT_ONCE = 4
archive.CHUNK = 4_096
def tell(progress):
    if progress.what == sys.argv[4] and progress.done != progress.total:
        os.kill(os.getpid(), signal.SIGKILL)
test_backup.restored(Path(sys.argv[2]), Path(sys.argv[3]), tell, replace=True)
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
