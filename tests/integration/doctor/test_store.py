"""`journeymap doctor` on stores, journals and disks, beside a running ingest, and its ends."""

from __future__ import annotations

import gzip
import re
import signal
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from journeymap.journal.journal import Journal
from journeymap.simulator.server import SimulatedPlatform
from journeymap.store.disk import open_disk_store
from journeymap.store.lock import writer_lock
from journeymap.testing import frame
from tests.doctoring import Doctor
from tests.integration.process import Command, platforms, until

STORED = ("--only", "integrity", "--only", "ingest", "--only", "journal", "--only", "disk", "--only", "stitching")
DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Doctor:
    doctor = Doctor(tmp_path, monkeypatch, capfd)
    (tmp_path / "events.jsonl").write_bytes(frame("interaction.created", 1_760_000_000_000, "i") + b"\n")
    doctor.set(source="file:events.jsonl", store="disk:store")
    return doctor


def made(doctor: Doctor, source: str = "file", environment: str = "dev") -> Path:
    path = doctor.directory / "store"
    open_disk_store(path, source=source, environment=environment, now=1_760_000_000_000).close()
    return path


# Stores


def test_a_store_that_is_well(doctor: Doctor) -> None:
    made(doctor)
    before = (doctor.directory / "store" / "cache.db").read_bytes()
    code, checks = doctor.find(*STORED)
    assert code == 0
    assert re.fullmatch(
        r"schema version \d+, 0 journeys, \d+ KiB; of source file, environment dev, made 2025-10-09 08:53:20 \+00:00",
        checks["store"]["found"],
    ), checks["store"]["found"]
    assert checks["integrity"]["found"] == "the database is intact"
    assert checks["stitching"]["grade"] == "ok"
    assert (doctor.directory / "store" / "cache.db").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "environment", "found", "remedy"),
    [
        ("eventstreams", "dev", "the store in .* belongs to source 'eventstreams', not to 'file'", "another STORE"),
        ("file", "prod", "the store in .* belongs to environment 'prod', not to 'dev'", "another STORE"),
    ],
)
def test_a_store_of_another(doctor: Doctor, source: str, environment: str, found: str, remedy: str) -> None:
    made(doctor, source, environment)
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (1, ["store"])
    assert re.fullmatch(found, wrong["store"][1])
    assert remedy in wrong["store"][2]
    assert doctor.find()[1]["journal"]["found"] == "needs store, which failed"


def test_an_older_store_is_not_migrated_by_looking(doctor: Doctor) -> None:
    old = doctor.directory / "old"
    with tarfile.open(DATA / "stores" / "v1.tar.xz") as archive:
        archive.extractall(old, filter="data")
    (database,) = old.rglob("cache.db")
    database.parent.chmod(0o700)
    with closing(sqlite3.connect(database)) as connection:
        before = connection.execute("SELECT value FROM Cache WHERE key = 'meta'").fetchone()
    doctor.set(store=f"disk:{database.parent}", source="simulator")
    code, wrong = doctor.wrong("--only", "store")
    assert (code, list(wrong)) == (0, ["store"])
    assert wrong["store"][1].startswith("schema version 1, of source simulator, environment dev, made ")
    assert "make a backup" in wrong["store"][2]
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT value FROM Cache WHERE key = 'meta'").fetchone() == before


def test_a_store_that_cannot_be_read(doctor: Doctor) -> None:
    path = made(doctor)
    (path / "cache.db").write_bytes(b"this is no database" * 1_000)
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (1, ["store"])
    assert wrong["store"][1] == "cannot be read: file is not a database"
    assert "`journeymap restore FILE --replace --keep-journal`" in wrong["store"][2]


def test_a_damaged_page_is_found(doctor: Doctor) -> None:
    path = made(doctor)
    with closing(sqlite3.connect(path / "cache.db")) as connection:
        connection.executemany(
            "INSERT INTO Cache (key, raw, store_time, access_time, access_count, size, mode, value)"
            " VALUES (?, 1, 0, 0, 0, 0, 1, ?)",
            [(f"x:{number:05d}", b"x" * 1_000) for number in range(2_000)],
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with (path / "cache.db").open("r+b") as database:
        for page in range(pages // 2, pages // 2 + 8):
            database.seek(page * size)
            database.write(b"\xff" * size)
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (1, ["integrity"])
    assert wrong["integrity"][1].startswith("the database is damaged: ")


@pytest.mark.parametrize(
    ("store", "found"),
    [
        ("disk:events.jsonl", ".*events.jsonl is not a directory"),
        ("disk:events.jsonl/store", ".*/store cannot be made: .*/events.jsonl is not a directory"),
        ("disk:$HOME/store", r"STORE names a variable: .*/\$HOME/store"),
        ("disk:.", ".* is open to other users and holds other files"),
    ],
)
def test_a_place_of_no_use(doctor: Doctor, store: str, found: str) -> None:
    doctor.directory.chmod(0o755)
    doctor.set(store=store)
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (1, ["store"])
    assert re.fullmatch(found, wrong["store"][1])


def test_settings_that_make_stored_journeys_outdated(doctor: Doctor) -> None:
    made(doctor)
    doctor.set(source="file:events.jsonl", speed="0")
    doctor.set(engagement_window="12h")
    log = doctor.directory / "log"
    arguments = ("ingest", "--ingest-port", "0", "--store", f"disk:{doctor.directory / 'store'}")
    with Command(*arguments, "--source", f"file:{doctor.directory / 'events.jsonl'}", log=log) as ingest:
        until(lambda: ingest.get("/healthz"), "ingest")
        assert ingest.stop() == 0
    assert doctor.wrong(*STORED) == (0, {})
    doctor.set(engagement_window="6h")
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (0, ["stitching"])
    assert wrong["stitching"][1:] == (
        "the stored journeys were made with ENGAGEMENT_WINDOW 12h (now 6h)",
        "`journeymap rebuild` makes them anew; or set back what was changed",
    )


# The disk and the journal


def test_a_disk_with_less_than_the_reserve(doctor: Doctor) -> None:
    doctor.set(disk_reserve="1000TiB")
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (1, ["disk"])
    assert re.fullmatch(
        rf"[\d.]+ [MGT]iB free at {doctor.directory}, DISK_RESERVE is 1000TiB: no event would be read",
        wrong["disk"][1],
    )


def test_a_disk_that_the_journal_could_fill(doctor: Doctor) -> None:
    doctor.set(journal_max_bytes="1000TiB")
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (0, ["disk"])
    assert wrong["disk"][1].endswith("and the journal may grow by 1000 TiB")


def journaled(path: Path, count: int = 100, segment_bytes: int = 1 << 30) -> None:
    with closing(Journal.open(path / "journal", segment_bytes=segment_bytes)) as journal:
        for number in range(count):
            journal.append("file", frame("interaction.created", number, "i" * 20_000), 1_760_000_000_000)
        journal.pack()


def test_a_journal_that_is_full_of_what_waits(doctor: Doctor) -> None:
    journaled(made(doctor))
    code, checks = doctor.find(*STORED)
    assert code == 0
    assert re.fullmatch(
        r"1\.9 MiB of 1GiB in 1 segments, back to \d+ d( \d+ h)? ago, 1\.9 MiB of it not in the store yet",
        checks["journal"]["found"],
    ), checks["journal"]["found"]
    doctor.set(journal_max_bytes="1MiB")
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (0, ["journal"])
    assert wrong["journal"][1].endswith("it is full of what waits to be stored")


def test_a_journal_of_packed_segments(doctor: Doctor) -> None:
    journaled(made(doctor), segment_bytes=100_000)
    code, checks = doctor.find(*STORED)
    assert code == 0
    assert re.fullmatch(
        r"\d+ KiB of 1GiB in 25 segments, .*, 1\.9 MiB of it not in the store yet", checks["journal"]["found"]
    ), checks["journal"]["found"]


def test_a_torn_journal(doctor: Doctor) -> None:
    path = made(doctor)
    journaled(path)
    (segment,) = (path / "journal").glob("*.journal")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - 7)
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (0, ["journal"])
    assert re.search(r"; its last 20,\d{3} bytes are torn$", wrong["journal"][1]), wrong["journal"][1]


def test_a_damaged_journal(doctor: Doctor) -> None:
    path = made(doctor)
    journaled(path)
    (segment,) = (path / "journal").glob("*.journal")
    with segment.open("r+b") as file:
        file.seek(segment.stat().st_size // 2)
        file.write(b"\0\0\0\0\0\0\0\0")
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (0, ["journal"])
    assert re.search(r"; [\d,]+ bytes are damaged$", wrong["journal"][1]), wrong["journal"][1]


def test_a_journal_that_cannot_be_read(doctor: Doctor) -> None:
    path = made(doctor)
    (path / "journal").write_text("not a directory")
    code, wrong = doctor.wrong(*STORED)
    assert (code, list(wrong)) == (1, ["journal"])
    assert wrong["journal"][1].endswith("journal: Not a directory")


# Files of events as a source


@pytest.mark.parametrize(
    ("name", "content", "grade", "found"),
    [
        ("a.jsonl", frame("interaction.created", 1, "i") * 1, "fail", "no event in its first 1 lines: the timestamp"),
        ("a.jsonl", None, "fail", "cannot be read: No such file or directory"),
        ("a.jsonl", b"", "warn", "a.jsonl is empty"),
        ("a.csv", b"type,timestamp\nx,1\n", "fail", "no event in its first 2 lines: the text is not JSON (2)"),
        ("a.jsonl.gz", gzip.compress(frame("x", 1_760_000_000_000, "i") * 99)[:-9], "fail", "truncated gzip"),
        (
            "a.jsonl",
            frame("interaction.created", 1_760_000_000_000, "i") + b"\nx\n",
            "warn",
            "its first 2 lines hold 1 interaction.created; unusable: the text is not JSON (1)",
        ),
    ],
)
def test_files_of_events(doctor: Doctor, name: str, content: bytes | None, grade: str, found: str) -> None:
    if content is not None:
        (doctor.directory / name).write_bytes(content)
    doctor.set(source=f"file:{name}")
    code, wrong = doctor.wrong("--only", "file")
    assert code == (1 if grade == "fail" else 0)
    assert wrong["file"][0] == grade
    assert found in wrong["file"][1]
    if name.endswith(".csv"):
        assert wrong["file"][2].startswith("`journeymap import` reads CSV and Parquet")


def test_a_file_that_is_well(doctor: Doctor) -> None:
    code, checks = doctor.find("--only", "file")
    assert code == 0
    assert re.fullmatch(r"events\.jsonl, \d+ B: its first 1 lines hold 1 interaction\.created", checks["file"]["found"])


# Beside a running ingest


def test_beside_a_running_ingest(doctor: Doctor) -> None:
    with SimulatedPlatform(rate=20, heartbeat=0.2) as platform:
        doctor.use(platform)
        store = doctor.directory / "store"
        log = doctor.directory / "log"
        with Command("run", "--port", "0", "--store", f"disk:{store}", log=log) as running:
            until(lambda: running.status().get("counts", {}).get("events", 0) > 0, "events")
            (subscription,) = platform.platform.subscriptions
            port = running.address.rpartition(":")[2]
            code, checks = doctor.find("--skip", "throttle", "--port", port)
            wrong = {name: check for name, check in checks.items() if check["grade"] in ("warn", "fail")}
            assert (code, wrong) == (0, {})
            assert re.fullmatch(
                rf"ingest is running as process {running.process.pid} on \S+ since 20.*; a second one would be refused",
                checks["lock"]["found"],
            )
            assert re.fullmatch(
                r"OPEN for .*, last event .* ago, .* behind, [\d,]+ events since it was started",
                checks["ingest"]["found"],
            ), checks["ingest"]["found"]
            assert checks["port"]["found"].endswith("is in use by a Journeymap that is running")
            assert list(platform.platform.subscriptions) == [subscription]
            assert running.status()["reconnects"] == 0
            running.kill()
            assert doctor.find("--only", "lock")[1]["lock"]["found"] == "free: no ingest is running on this store"


def test_an_ingest_that_says_nothing(doctor: Doctor) -> None:
    path = made(doctor)
    lock = writer_lock(path)
    lock.acquire()
    try:
        code, wrong = doctor.wrong(*STORED)
    finally:
        lock.release()
    assert (code, list(wrong)) == (1, ["ingest"])
    assert wrong["ingest"][1] == "it holds the store but does not say how it fares (last: never)"


# The end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_in_the_middle_leaves_nothing_behind(doctor: Doctor, number: signal.Signals) -> None:
    with SimulatedPlatform(heartbeat=60) as platform:
        doctor.use(platform)
        with Command("doctor", "--port", "0", log=doctor.directory / "log") as running:
            until(lambda: "subscription" in running.output, "a subscription")
            assert running.stop(number) == 130
        assert platform.stats()["subscriptions"] == 0
        assert "Traceback" not in running.output
        assert "first-sign" not in running.output


def test_an_end_in_the_middle_ends_the_simulated_platform(doctor: Doctor) -> None:
    doctor.set(source="simulator", simulator_seed="987654321013")
    with Command("doctor", "--port", "0", log=doctor.directory / "log") as running:
        until(lambda: "first-sign" in running.output, "the first event")
        assert running.stop(signal.SIGINT) in (0, 130)
    assert platforms("987654321013") == []
