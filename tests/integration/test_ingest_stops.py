"""Stops of ingest: with a full store, in a hurry, in the middle of a replay, and because a source broke."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from journeymap.errors import StoreFullError
from journeymap.model.event import STARTED
from journeymap.model.time import HOUR, SECOND
from journeymap.runtime import worker
from journeymap.store.base import Commit
from journeymap.testing import ABORT, PAUSE, ScriptAbortedError, frame

from .ingest import CLOCK, Running, Store, assert_holds, events, opened, source
from .process import until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STORE_RETRY", 100)


def test_a_store_that_is_full_at_the_start_of_a_replay(tmp_path: Path) -> None:
    store, frames = Store(), events(50)
    with opened(tmp_path) as journal:
        for data in frames:
            journal.append("scripted", data, CLOCK.now())
    store.full = True
    with Running(tmp_path, store, source()) as running:
        until(lambda: store.refused >= 2, "another try")
        assert not running.ingest.wait_until_replayed(0)
        store.full = False
        assert running.ingest.wait_until_replayed(10)
        assert_holds(store, frames)


def test_a_stop_while_the_store_is_full_is_a_failure_that_loses_nothing(tmp_path: Path) -> None:
    store, frames = Store(), events(100)
    with Running(tmp_path, store, source(*frames[:50], PAUSE, *frames[50:], PAUSE)) as running:
        running.source.wait_for_pause()
        store.full = True
        running.source.go_on()
        running.source.wait_for_pause()
        until(lambda: running.ingest.problem, "the problem")
    assert isinstance(running.ingest.failure, StoreFullError)
    store.full = False
    with Running(tmp_path, store, source()) as again:
        assert again.ingest.wait_until_replayed(10)
    assert_holds(store, frames)


def test_a_stop_just_when_the_store_can_be_written_again_stores_everything(tmp_path: Path) -> None:
    store, frames = Store(), events(100)
    with Running(tmp_path, store, source(*frames[:50], PAUSE, *frames[50:], PAUSE)) as running:
        running.source.wait_for_pause()
        store.full = True
        running.source.go_on()
        running.source.wait_for_pause()
        until(lambda: running.ingest.problem, "the problem")
        running.ingest._retry_at = CLOCK.now() + HOUR
        store.full = False
    assert_holds(store, frames)
    assert running.pipeline.committed == running.journal.end


def test_a_stop_in_a_hurry_leaves_the_backlog_to_the_next_start(tmp_path: Path) -> None:
    class Slow(Store):
        def commit(self, commit: Commit) -> int:
            assert go_on.wait(10)
            return super().commit(commit)

    go_on = threading.Event()
    frames = [frame(STARTED, CLOCK.now(), f"i{n % 50}", event_id=f"e{n}", note="x" * 9_000) for n in range(1_000)]
    store = Slow()
    with Running(tmp_path, store, source(*frames, PAUSE)) as running:
        running.source.wait_for_pause()
        stopping = threading.Thread(target=running.ingest.stop, daemon=True)
        stopping.start()
        running.ingest.hurry()
        until(running.ingest._stopping.is_set, "the stop")
        go_on.set()
        stopping.join(10)
        assert not stopping.is_alive()
    assert running.status.error == "ingest was stopped"
    assert 0 < running.pipeline.committed < running.journal.end
    with Running(tmp_path, store, source()) as again:
        assert again.ingest.wait_until_replayed(20)
    assert_holds(store, frames)


def test_a_source_that_breaks_ends_it_with_everything_before_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, frames = Store(), events(100)
    others = events(30, 1_000)
    other = source(*others, PAUSE, name="other")
    with Running(tmp_path, store, source(*frames, PAUSE, ABORT), other) as running:
        other.wait_for_pause()
        running.source.wait_for_pause()
        running.source.go_on()
        assert running.failed.wait(10)
    assert isinstance(running.ingest.failure, ScriptAbortedError)
    assert_holds(store, [*frames, *others])
    assert running.status.error == "ingest has failed: the script says so"
    assert any(record.exc_info for record in caplog.records)  # a defect: where it came from is worth knowing


@pytest.mark.parametrize("hurry", [False, True], ids=["patient", "hurried"])
def test_a_stop_in_the_middle_of_a_replay(tmp_path: Path, hurry: bool) -> None:
    class Slow(Store):
        def commit(self, commit: Commit) -> int:
            going.set()
            assert go_on.wait(10)
            return super().commit(commit)

    going, go_on = threading.Event(), threading.Event()
    store, frames = Slow(), events(6_000)
    with opened(tmp_path) as journal:
        for data in frames:
            journal.append("scripted", data, CLOCK.now() - SECOND)
    late = events(1, 6_000)[0]
    running = Running(tmp_path, store, source(late, PAUSE))
    with running:
        assert going.wait(10)
        running.source.wait_for_pause()  # what comes during a replay is received all the same
        stopping = threading.Thread(target=running.ingest.stop, daemon=True)
        stopping.start()
        until(running.ingest._stopping.is_set, "the stop")
        if hurry:
            running.ingest.hurry()
        go_on.set()
        stopping.join(10)
        assert not stopping.is_alive()
    assert (0 < running.pipeline.committed < running.journal.end) is hurry
    with Running(tmp_path, store, source()) as again:
        assert again.ingest.wait_until_replayed(20)
    assert_holds(store, [*frames, late])


def test_a_hurry_before_the_stop_does_not_cut_a_replay_short(tmp_path: Path) -> None:
    store, frames = Store(), events(5_000)
    with opened(tmp_path) as journal:
        for data in frames[:-1]:
            journal.append("scripted", data, CLOCK.now())
    running = Running(tmp_path, store, source(frames[-1], PAUSE))
    running.ingest.hurry()
    with running:
        running.source.wait_for_pause()
        until(lambda: running.pipeline.counts.events == len(frames), "all events")
    assert_holds(store, frames)
