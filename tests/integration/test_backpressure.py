"""What happens between a platform that sends and a store that is slow, a disk that is slow, and a disk that is full."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from journeymap.errors import JournalFullError
from journeymap.journal import journal as journal_module
from journeymap.journal.journal import Journal
from journeymap.model.time import HOUR
from journeymap.runtime import keeping, receiving, worker
from journeymap.runtime.inbox import Inbox
from journeymap.store.base import Commit
from journeymap.testing import PAUSE

from .ingest import CLOCK, Running, Store, assert_holds, events, opened, source
from .process import CHECKOUT, until

RESERVE = 1 << 30


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STORE_RETRY", 50)
    monkeypatch.setattr(receiving, "JOURNAL_RETRY", 20)
    monkeypatch.setattr(worker, "LOOK_INTERVAL", 0.02)
    monkeypatch.setattr(worker, "TIDY_INTERVAL", 20)
    monkeypatch.setattr(worker, "STATUS_INTERVAL", 50)


class Slow(Store):
    """A store that takes a commit each time it is told to, or as they come once it is `quick`."""

    def __init__(self) -> None:
        super().__init__()
        self.quick = threading.Event()
        self.waits = threading.Event()
        self._go_on = threading.Semaphore(0)

    def commit(self, commit: Commit) -> int:
        self.waits.set()
        while not self.quick.is_set() and not self._go_on.acquire(timeout=0.02):
            pass
        self.waits.clear()
        return super().commit(commit)

    def take_one(self) -> None:
        """Take the commit that waits, and wait for the next."""
        self.waits.clear()
        self._go_on.release()
        assert self.waits.wait(30)


@pytest.fixture
def small_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "Inbox", partial(Inbox, max_records=100))


@pytest.mark.usefixtures("small_inbox")
def test_the_journal_absorbs_what_a_slow_store_cannot_take(tmp_path: Path) -> None:
    """Three sources deliver all they have while the store takes nothing; then it catches up and joins the live stream."""
    store = Slow()
    frames = [events(2_000, 10_000 * number, customers=30) for number in range(3)]
    later = [events(500, 10_000 * number + 2_000, customers=30) for number in range(3)]
    sources = [source(*some, PAUSE, name=f"s{number}") for number, some in enumerate(frames)]
    journal = Journal.open(tmp_path / "journal", segment_bytes=100_000)
    with Running(tmp_path, store, *sources, journal=journal, flush_max_events=400) as running:
        for item in sources:
            item.wait_for_pause()  # nobody had to wait for the store
        assert len(running.ingest._inbox._records) <= 100
        assert store.waits.wait(10)
        # Far more than is in memory. The first status may be of a moment before the first frame came.
        while running.status.waiting_bytes < 300_000 or not running.status.lag_ms:
            store.take_one()
        told = running.status
        waiting = [told.waiting_bytes]
        while waiting[-1] > 300_000:
            store.take_one()
            waiting.append(running.ingest._inbox.waiting_bytes)
        assert waiting == sorted(waiting, reverse=True)
        for item, some in zip(sources, later, strict=True):
            item.add(*some, PAUSE)
            item.go_on()
        store.quick.set()
        caught_up = running.until_told(lambda status: status.counts.events == 7_500 and not status.waiting_bytes)
        assert caught_up.journal_lag_bytes == 0 or caught_up.lag_ms == 0
        assert not running.ingest._inbox.replaying
    assert_holds(store, [frame for some in (*frames, *later) for frame in some])
    counts = running.pipeline.counts
    assert (counts.new, counts.duplicate, counts.records) == (7_500, 0, 7_500)
    assert list((tmp_path / "journal").glob("*.zst"))


@pytest.mark.usefixtures("small_inbox")
def test_a_store_that_fails_for_long_makes_nobody_wait(tmp_path: Path) -> None:
    store, frames = Store(), events(2_000)
    store.full = True
    with Running(tmp_path, store, source(*frames, PAUSE)) as running:
        running.source.wait_for_pause()
        until(lambda: running.ingest.problem, "the problem")
        assert len(running.ingest._inbox._records) <= 100
        store.full = False
        running.until_told(lambda status: status.counts.events == 2_000)
    assert_holds(store, frames)
    assert running.pipeline.counts.duplicate == 0


def test_sources_are_read_while_the_journal_of_an_earlier_process_is_still_replayed(tmp_path: Path) -> None:
    store, frames, live = Slow(), events(3_000), events(200, 3_000)
    with opened(tmp_path) as journal:
        for data in frames:
            journal.append("scripted", data, CLOCK.now())
    with Running(tmp_path, store, source(*live, PAUSE), flush_max_events=500) as running:
        running.source.wait_for_pause()
        assert not running.ingest.wait_until_replayed(0)
        assert running.ingest._inbox.waiting_bytes > 200 * len(live[0])
        store.quick.set()
        assert running.ingest.wait_until_replayed(20)
    assert_holds(store, [*frames, *live])
    assert running.pipeline.counts.duplicate == 0


def test_a_whole_batch_is_written_without_waiting_for_the_interval(tmp_path: Path) -> None:
    store, frames, few = Store(), events(500), events(50, 500)
    with Running(tmp_path, store, source(*frames, PAUSE), flush_interval=HOUR, flush_max_events=100) as running:
        until(lambda: running.pipeline.counts.records == 500, "batches")
        running.source.add(*few)
        running.source.go_on()
        until(lambda: running.ingest._inbox.waiting_bytes, "half a batch")
        running.until_told(lambda status: status.waiting_bytes)  # and that waits
        assert running.pipeline.counts.records == 500
    assert_holds(store, [*frames, *few])


def test_a_slow_sync_stalls_neither_receiving_nor_storing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncing, go_on = threading.Event(), threading.Event()

    def fsync(_: int) -> None:
        syncing.set()
        assert go_on.wait(30)

    monkeypatch.setattr(journal_module.os, "fsync", fsync)
    store, frames = Store(), events(300)
    with Running(tmp_path, store, source(*frames[:10], PAUSE, *frames[10:], PAUSE), fsync_interval=10) as running:
        running.source.wait_for_pause()
        assert syncing.wait(10)
        running.source.go_on()
        running.source.wait_for_pause()
        running.until_told(lambda status: status.counts.events == 300)
        until(lambda: running.pipeline.committed == running.journal.end, "all is stored")
        go_on.set()
    assert_holds(store, frames)


# Disks that are nearly full


def test_reading_stops_before_the_disk_is_full_and_goes_on_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = [RESERVE]
    store, frames = Store(), events(60)
    sources = [source(*frames[:20], PAUSE, *frames[40:], PAUSE), source(*frames[20:40], PAUSE, name="other")]
    with Running(tmp_path, store, *sources, free=lambda _: room[0], disk_reserve=RESERVE) as running:
        for item in sources:
            item.wait_for_pause()
        room[0] = RESERVE - 1
        stopped = running.until_told(lambda status: status.reading_stopped)
        assert "DISK_RESERVE" in (stopped.reading_stopped or "")
        assert stopped.disk_free_bytes == RESERVE - 1
        running.source.go_on()
        told = running.until_told(lambda status: status.state == "DISCONNECTED")
        assert told.error == stopped.reading_stopped
        until(lambda: store.document("status"), "a status")
        assert running.source.status().received == 20
        room[0] = 2 * RESERVE
        running.source.wait_for_pause()
        told = running.until_told(lambda status: status.reading_stopped is None and status.counts.events == 60)
        assert (told.state, told.error, told.disk_free_bytes) == ("OPEN", None, 2 * RESERVE)
    assert_holds(store, frames)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_disk_that_is_nearly_full_at_the_start_is_not_filled_further(tmp_path: Path) -> None:
    store, frames = Store(), events(10)
    room = [0]
    with Running(tmp_path, store, source(*frames, PAUSE), free=lambda _: room[0], disk_reserve=RESERVE) as running:
        running.until_told(lambda status: status.reading_stopped)
        assert running.source.status().received == 0
        room[0] = 2 * RESERVE
        running.source.wait_for_pause()
    assert_holds(store, frames)


# Disks that are full all the same


class Full:
    """Stands in for the system's writing: with `room` for so many bytes more it writes as much as fits, and fails then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self.refused = 0
        self._writev, self._write = os.writev, os.write
        monkeypatch.setattr(journal_module.os, "writev", self.writev)
        monkeypatch.setattr(journal_module.os, "write", self.write)

    def writev(self, file: int, parts: Sequence[bytes]) -> int:
        return self.write(file, b"".join(parts))

    def write(self, file: int, data: bytes) -> int:
        if not Path(f"/proc/self/fd/{file}").readlink().name.endswith(".journal"):
            return self._write(file, data)
        if not self.room:
            self.refused += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(file, data[: self.room])
        self.room -= written
        return written


def test_a_full_disk_makes_sources_wait_and_loses_no_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = Full(monkeypatch, 10_050)  # in the middle of a record
    store, frames, others = Store(), events(200), events(100, 1_000)
    sources = [source(*frames, PAUSE), source(*others, PAUSE, name="other")]
    with Running(tmp_path, store, *sources) as running:
        until(lambda: running.ingest._receiving._refused == 2 and full.refused > 4, "some tries of both")
        told = running.until_told(lambda status: status.reading_stopped)
        assert "make room" in (told.reading_stopped or "")
        received = sum(item.status().received for item in sources)
        running.until_told(lambda status: status.counts.events == received)
        assert running.ingest.failure is None
        full.room = 1 << 30
        for item in sources:
            item.wait_for_pause()
        running.until_told(lambda status: status.reading_stopped is None)
    assert_holds(store, [*frames, *others])
    assert running.pipeline.counts.new == 300
    assert [(record.levelname, record.getMessage()[:30]) for record in caplog.records] == [
        ("ERROR", "reading is stopped: no space l"),
        ("WARNING", "the journal can be written aga"),
    ]


def test_a_limit_of_the_system_is_waited_out_too(tmp_path: Path) -> None:
    """In a process of its own, since the limit on the size of files is the whole process's."""
    code = (
        "import sys; from pathlib import Path; from tests.integration.test_backpressure import fill_up\n"
        "fill_up(Path(sys.argv[1]))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=CHECKOUT, check=True, timeout=120)


def fill_up(path: Path) -> None:
    receiving.JOURNAL_RETRY = 20
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_050, hard))
    store, frames = Store(), events(300)
    with Running(path, store, source(*frames, PAUSE)) as running:
        running.until_told(lambda status: status.reading_stopped)
        assert 0 < running.source.status().received < 300
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        running.source.wait_for_pause(30)
        running.until_told(lambda status: status.reading_stopped is None and status.counts.events == 300)
    assert_holds(store, frames)
    assert running.pipeline.counts.duplicate == 0


def test_a_stop_while_the_disk_is_full_stores_everything_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Full(monkeypatch, 10_050)
    store, frames = Store(), events(200)
    with Running(tmp_path, store, source(*frames)) as running:
        until(lambda: full.refused > 2, "some tries")
    assert isinstance(running.ingest.failure, JournalFullError)  # one frame could be kept nowhere: that is said
    assert "no space left for the journal" in (running.status.error or "")
    assert_holds(store, frames[: running.source.status().received])
    assert 0 < running.source.status().received < 200


def test_the_status_says_what_the_journal_has_lost_and_keeps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = CLOCK.now() - HOUR
    with opened(tmp_path) as journal:
        for data in events(10):
            end = journal.append("scripted", data, first)
    (segment,) = (tmp_path / "journal").glob("*.journal")
    os.truncate(segment, end - 7)
    store = Store()
    with Running(tmp_path, store, source()) as running:
        told = running.until_told(lambda status: status.counts.events == 9)
    assert told.journal_torn_bytes > 0
    assert told.journal_oldest_at == first
    (said,) = caplog.records
    assert said.getMessage().startswith(
        f"the last {told.journal_torn_bytes} bytes of the journal were not a whole record"
    )


def test_old_parts_of_the_journal_go_when_they_are_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "AGE_SHARE", 1)
    store, frames = Store(), events(300)
    journal = Journal.open(tmp_path / "journal", segment_bytes=5_000)
    with Running(
        tmp_path, store, source(*frames, PAUSE), journal=journal, journal_max_bytes=20_000, journal_max_age=HOUR
    ) as running:
        running.source.wait_for_pause()
        told = running.until_told(lambda status: status.counts.events == 300 and 0 < status.journal_bytes <= 20_000)
        assert told.journal_oldest_at is not None
    assert_holds(store, frames)
    assert sum(file.stat().st_size for file in (tmp_path / "journal").iterdir()) < sum(map(len, frames))
