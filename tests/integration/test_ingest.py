"""Ingest as it runs, with threads and a journal on disk, fed by a source with a script."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from journeymap.model.event import STARTED
from journeymap.model.status import (
    CONNECTIONS,
    GAPS,
    QUARANTINE,
    STATUS,
    IngestStatus,
    decode_connections,
    decode_gaps,
    decode_quarantine,
    decode_status,
)
from journeymap.model.time import HOUR
from journeymap.runtime import worker
from journeymap.runtime.inbox import HANDFUL
from journeymap.runtime.worker import STATUS_INTERVAL
from journeymap.store.base import Commit
from journeymap.store.disk import open_disk_store
from journeymap.testing import EOF, PAUSE, frame

from .ingest import CLOCK, Running, Store, assert_holds, events, opened, source
from .process import until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STORE_RETRY", 100)


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_a_clean_stop_stores_everything(tmp_path: Path, kind: str) -> None:
    frames = events(900)
    disk = (
        open_disk_store(tmp_path / "store", source="x", environment="dev", now=CLOCK.now()) if kind == "disk" else None
    )
    store = disk or Store()
    try:
        with Running(tmp_path, store, source(*frames, PAUSE)) as running:
            running.source.wait_for_pause()
        assert_holds(store, frames)
        assert running.pipeline.committed == running.journal.end
        status = running.status
        assert (status.state, status.error, status.source) == ("DISCONNECTED", "ingest was stopped", "scripted")
        assert (status.counts.received, status.counts.events, status.journeys) == (900, 900, 20)
        assert (status.lag_ms, status.journal_lag_bytes) == (0, 0)
    finally:
        store.close()


def test_a_backlog_of_many_handfuls(tmp_path: Path) -> None:
    frames = [frame(STARTED, CLOCK.now(), f"i{n % 50}", event_id=f"e{n}", note="x" * 9_000) for n in range(1_000)]
    assert sum(map(len, frames)) > 4 * HANDFUL
    store = Store()
    with Running(tmp_path, store, source(*frames, EOF), flush_interval=300) as running:
        until(lambda: running.pipeline.committed == running.journal.end > HANDFUL, "all is stored", 20)
    assert_holds(store, frames)
    assert running.pipeline.counts.new == 1_000


def test_a_restart_goes_on_from_the_committed_position(tmp_path: Path) -> None:
    store, frames = Store(), events(300)
    with Running(tmp_path, store, source(*frames[:100], PAUSE)) as running:
        running.source.wait_for_pause()
    committed = running.pipeline.committed
    with opened(tmp_path) as journal:  # received, then a crash
        for data in frames[100:200]:
            journal.append("scripted", data, CLOCK.now())
    again = Running(tmp_path, store, source(PAUSE, *frames[200:], PAUSE))
    assert again.pipeline.committed == committed
    with again:
        assert again.ingest.wait_until_replayed(10)
        assert_holds(store, frames[:200])
        again.source.wait_for_pause()
        again.source.go_on()
        again.source.wait_for_pause()
    assert again.pipeline.counts.events == 200
    assert again.pipeline.counts.duplicate == 0
    assert_holds(store, frames)


def test_a_store_that_fails_for_a_while(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, frames = Store(), events(300)
    caplog.set_level(logging.WARNING)
    with Running(tmp_path, store, source(*frames[:100], PAUSE, *frames[100:200], PAUSE, *frames[200:])) as running:
        running.source.wait_for_pause()
        running.until_told(lambda status: status.counts.events == 100)
        store.full = True
        running.source.go_on()
        until(lambda: running.ingest.problem, "the problem")
        until(lambda: store.refused >= 2, "another try")
        assert running.ingest.problem == "no space left for the store"
        store.full = False
        running.source.wait_for_pause()
        running.source.go_on()
        status = running.until_told(lambda status: status.counts.events == 300)
        assert (status.state, status.error, status.journeys) == ("OPEN", None, 20)
        assert status.events_per_second > 0
        assert sum(status.flushes.counts) >= 2
        assert {row.kind for row in status.gap_totals} == {"disconnected", "stopped", "dropped", "disk"}
        assert running.ingest.problem is None
    assert_holds(store, frames)
    assert [record.getMessage() for record in caplog.records] == [
        "no space left for the store",
        "the store can be written again",
    ]


def test_a_store_that_cannot_take_the_status_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    with Running(tmp_path, store, source()) as running:
        until(lambda: store.told_at, "a status")
        store.full = True  # nothing comes in, so that only the status is there to be written
        until(lambda: store.refused >= 3, "some tries")
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        store.full = False
        until(lambda: running.ingest.problem is None, "the end of the problem")
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_store_that_cannot_be_read_for_a_while(tmp_path: Path) -> None:
    store, frames = Store(), events(300, customers=1_000)
    with Running(tmp_path, store, source(*frames[:100], PAUSE, *frames[100:])) as running:
        running.source.wait_for_pause()
        store.unreadable = True
        running.source.go_on()
        until(lambda: store.refused >= 2, "another try")
        store.unreadable = False
        running.until_told(lambda status: status.counts.events == 300)
    assert_holds(store, frames)


def test_a_replay_says_where_it_stands(tmp_path: Path) -> None:
    class Slow(Store):
        def commit(self, commit: Commit) -> int:
            if self.commits == 1:
                assert go_on.wait(10)
            return super().commit(commit)

        def write_documents(self, documents: Mapping[str, bytes]) -> None:
            super().write_documents(documents)
            told.append(decode_status(documents[STATUS]))

    go_on = threading.Event()
    told: list[IngestStatus] = []
    with opened(tmp_path) as journal:
        for data in events(6_000):
            journal.append("scripted", data, CLOCK.now() - HOUR)
    with Running(tmp_path, Slow(), source()) as running:
        status = until(lambda: told, "a status in the middle")[0]
        go_on.set()
        running.ingest.wait_until_replayed(20)
        running.until_told(lambda status: status.state == "OPEN")
    assert status.lag_ms >= HOUR
    assert status.journal_lag_bytes > 0
    assert (told[-1].lag_ms, told[-1].journal_lag_bytes, told[-1].counts.events) == (0, 0, 6_000)


def test_try_again_reaches_every_source(tmp_path: Path) -> None:
    store = Store()
    sources = [source(), source(name="other")]
    with Running(tmp_path, store, *sources):
        store.leave_command("something else")
        store.leave_command("retry")
        until(lambda: all(item.retries for item in sources), "the command")
    assert [item.retries for item in sources] == [1, 1]


def test_a_change_of_state_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STATUS_INTERVAL", HOUR)
    with Running(tmp_path, Store(), source(*events(3), PAUSE)) as running:
        running.until_told(lambda status: status.state == "OPEN")
        running.source.hold("a test")
        assert running.until_told(lambda status: status.state != "OPEN").error == "a test"
        running.source.release()
        running.until_told(lambda status: status.state == "OPEN")


@pytest.mark.parametrize("flush_interval", [100, 700, 5_000])
def test_the_status_is_written_every_second_whatever_the_flush_interval(tmp_path: Path, flush_interval: int) -> None:
    store = Store()
    with Running(tmp_path, store, source(*events(3)), flush_interval=flush_interval) as running:
        until(lambda: len(store.told_at) >= 3, "status documents")
        status = running.status
    gaps = [after - before for before, after in pairwise(store.told_at[:3])]
    # A busy machine needs more than one; that the interval of 5 s held would show all the same.
    assert max(gaps) <= 3 * STATUS_INTERVAL
    assert (status.pid, status.state, status.refused) == (os.getpid(), "OPEN", False)
    assert status.started_at <= status.since <= status.written_at <= CLOCK.now()
    assert status.journal_bytes == running.journal.size()


def test_the_status_adds_sources_up_and_shows_the_worst(tmp_path: Path) -> None:
    store = Store()
    done, live = source(*events(10), EOF, name="done"), source(*events(5, 100), b"not json", name="live")
    with Running(tmp_path, store, done, live) as running:
        status = running.until_told(lambda status: status.counts.received == 16 and done.status().finished)
        status = running.until_told(lambda later: later.written_at > status.written_at)
        assert (status.source, status.state) == ("live", "OPEN")
        assert (status.counts.events, status.counts.quarantined, status.rejected) == (15, 1, {"not-json": 1})
        assert status.last_event_at is not None


def test_gaps_and_connections_outlive_stops_and_crashes(tmp_path: Path) -> None:
    store = Store()
    with Running(tmp_path, store, source(*events(3), PAUSE)) as running:
        running.source.wait_for_pause()
        running.until_told(lambda status: status.counts.received == 3)
    (stopped,) = decode_gaps(store.document(GAPS) or b"")
    assert (stopped.source, stopped.kind, stopped.end) == ("scripted", "stopped", None)
    assert stopped.start <= running.status.written_at
    with Running(tmp_path, store, source()) as running:
        opened = running.until_told(lambda status: status.state == "OPEN")
        ended = decode_gaps(store.document(GAPS) or b"")
        assert ended == [replace(stopped, end=opened.since)]
        left = {name: store.document(name) or b"" for name in (STATUS, GAPS, CONNECTIONS)}
    store.write_documents(left)  # as if it had been killed before it could say more
    with Running(tmp_path, store, source()) as running:
        again = running.until_told(lambda status: status.pid and status.since > opened.since and status.state == "OPEN")
        one, other = decode_gaps(store.document(GAPS) or b"")
        assert one == ended[0]
        assert other.start == opened.written_at
        assert other.end == again.since
        changes = decode_connections(store.document(CONNECTIONS) or b"")
        assert [(change.state, change.reason) for change in changes] == [
            ("OPEN", None),
            ("DISCONNECTED", "ingest was stopped"),
            ("OPEN", None),
            ("DISCONNECTED", "ingest ended without a word"),
            ("OPEN", None),
        ]


def test_what_cannot_be_used_outlives_a_restart(tmp_path: Path) -> None:
    store = Store()
    with Running(tmp_path, store, source(b'{"token":"abcdefgh"', b"{}", PAUSE)) as running:
        running.source.wait_for_pause()
    with Running(tmp_path, store, source(b"[[]]", PAUSE)) as running:
        running.source.wait_for_pause()
    entries = decode_quarantine(store.document(QUARANTINE) or b"")
    assert {(entry.reason, entry.count, entry.sample) for entry in entries} == {
        ("not-json", 0, '{"token":"******"'),
        ("no-type", 0, "{}"),
        ("not-an-event", 1, "[]"),
    }


def test_documents_that_cannot_be_read_are_no_reason_not_to_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store()
    store.write_documents(dict.fromkeys((STATUS, GAPS, CONNECTIONS, QUARANTINE), b'{"of": another release'))
    with Running(tmp_path, store, source()) as running:
        until(lambda: len(store.told_at) > 1, "a status")
        running.until_told(lambda status: status.state == "OPEN")
    assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 4


def test_a_damaged_journal_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = events(10)
    with opened(tmp_path) as journal:
        ends = [journal.append("scripted", data, CLOCK.now()) for data in frames]
    (segment,) = (tmp_path / "journal").glob("*.journal")
    data = bytearray(segment.read_bytes())
    data[ends[4] + 30] ^= 0xFF
    segment.write_bytes(data)
    store = Store()
    with Running(tmp_path, store, source()) as running:
        assert running.ingest.wait_until_replayed(10)
    assert_holds(store, frames[:5] + frames[6:])
    assert [record.getMessage() for record in caplog.records] == [
        f"{ends[5] - ends[4]} bytes of the journal cannot be read, in 1 places"
    ]


def test_thirty_starts_and_stops_leave_nothing_behind(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def once(number: int) -> None:
        store = open_disk_store(tmp_path / "store", source="x", environment="dev", now=CLOCK.now())
        try:
            with Running(tmp_path, store, source(*events(3, 3 * number), PAUSE)) as running:
                running.source.wait_for_pause()
        finally:
            store.close()

    once(0)
    threads, before = set(threading.enumerate()), descriptors()
    for number in range(1, 30):
        once(number)
    assert set(threading.enumerate()) == threads
    assert descriptors() == before
