"""The rebuild of a store: beside a running ingest, under a running page, and killed in every step of it."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from journeymap.bootstrap import stitch_options
from journeymap.decode.event import decode_raw
from journeymap.errors import StoreError, StoreFullError, StoreLockedError
from journeymap.model.event import CREATED, ENDED, MERGED, STARTED, TRANSFERRED, Event
from journeymap.model.journey import Journey, journey_id_of
from journeymap.model.status import STATUS
from journeymap.model.time import DAY, HOUR, MINUTE, Millis
from journeymap.readmodel.follow import Follower
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime import rebuilding
from journeymap.runtime.pipeline import JOURNAL
from journeymap.runtime.rebuilding import Rebuilt, rebuild
from journeymap.runtime.shelf import fold_record
from journeymap.runtime.work import Progress
from journeymap.settings import load
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.store import copying
from journeymap.store.disk import open_disk_reader
from journeymap.store.lock import replacement_lock, writer_lock
from journeymap.testing import frame
from tests.property.soups import OPTIONS, START, soups
from tests.stored import ENVIRONMENT, SOURCE, ingest, journeys_in, opened, pipeline_over, receive, rows_in, work_on

from .process import CHECKOUT, Command, received_events, received_journeys, stored_journeys, until
from .test_migration import content

NOW = START + 10 * HOUR
OTHERS = [
    replace(OPTIONS, engagement_window=10 * MINUTE),
    replace(OPTIONS, engagement_window=DAY),
    replace(OPTIONS, timeouts=Timeouts(5 * MINUTE, MINUTE, {}, {"pigeon": 5 * HOUR})),
]
STEPS = [
    rebuilding.COPYING,
    rebuilding.FOLDING,
    rebuilding.CATCHING_UP,
    rebuilding.WAITING,
    rebuilding.SWAPPING,
]


def rebuilt(
    path: Path,
    options: StitchOptions,
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    patience: float = 0,
    reserve: int = 0,
    **more: int,
) -> Rebuilt:
    return rebuild(work_on(path, options, tell, reserve=reserve, **more), patience)


def in_store(path: Path, options: StitchOptions) -> list[Journey]:
    with contextlib.closing(open_disk_reader(path)) as reader:
        found = journeys_in(reader, options)
        assert {journey.journey_id for journey in found} == rows_in(reader).keys()
        return found


def of_customers(count: int, first: int = 0, at: Millis = START) -> list[bytes]:
    """Frames of so many customers: two interactions each that a window of an hour joins and one of ten minutes does not,
    with a transfer in between that a patience of a minute ends."""
    frames = []
    for n in range(first, first + count):
        frames += [
            frame(CREATED, at + n, f"i{n}", event_id=f"a{n}", customerId=f"c{n}", channelType="voice"),
            frame(STARTED, at + n + 1, f"i{n}", event_id=f"b{n}", note="x" * (n % 300)),
            frame(TRANSFERRED, at + n + MINUTE, f"i{n}", event_id=f"c{n}"),
            frame(STARTED, at + n + 20 * MINUTE, f"k{n}", event_id=f"d{n}", customerId=f"c{n}"),
            frame(ENDED, at + n + 21 * MINUTE, f"k{n}", event_id=f"e{n}"),
        ]
    return frames


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


# -- what it comes to -------------------------------------------------------------------------------------------------


@given(soups, soups, st.integers(0, 9999), st.sampled_from(OTHERS))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_comes_to_what_the_definition_says_of_all_events(
    tmp_path_factory: pytest.TempPathFactory,
    stored: list[Event],
    behind: list[Event],
    seed: int,
    options: StitchOptions,
) -> None:
    path = tmp_path_factory.mktemp("store")
    chance = random.Random(seed)
    frames = [event.raw for event in stored]
    chance.shuffle(frames)
    ingest(path, frames, OPTIONS, NOW, batch=chance.randint(1, 9), retention=9 * DAY)
    receive(path, [event.raw for event in behind], NOW + 1)
    before = in_store(path, OPTIONS)
    found = rebuilt(path, options, retention=9 * DAY)
    whole = journeys([*stored, *behind], options)
    assert in_store(path, options) == whole
    assert (found.journeys_before, found.journeys) == (len(before), len(whole))
    with contextlib.closing(open_disk_reader(path)) as reader:
        # As if it had never been otherwise; only when each event arrived is not known for certain any more.
        rows = rows_in(reader)
        afresh = path / "afresh"
        ingest(afresh, [*frames, *(event.raw for event in behind)], options, NOW, retention=9 * DAY)
        with contextlib.closing(open_disk_reader(afresh)) as other:
            expected = rows_in(other)
        assert {name: replace(row, arrived_at=0) for name, row in rows.items()} == {
            name: replace(row, arrived_at=0) for name, row in expected.items()
        }
        assert all(NOW <= row.arrived_at <= NOW + 1 for row in rows.values())
        # A second time there is nothing left to change.
        again = rebuilt(path, options, retention=9 * DAY)
        assert (again.changed, again.from_journal, again.events) == (0, 0, found.events)
        assert rows_in(reader) == rows
        if stored or behind:
            assert reader.positions()[JOURNAL] == sum(file.stat().st_size for file in path.glob("journal/*"))


def test_what_else_is_in_the_store_stays(path: Path) -> None:
    ingest(path, of_customers(30), OPTIONS, NOW)
    with contextlib.closing(opened(path, OPTIONS)) as store:
        store.write_documents({STATUS: b"{}", "gaps": b"[1]"})
        created_at = content(path)[0]["created_at"]
    found = rebuilt(path, OTHERS[0])
    assert found == Rebuilt(events=150, from_journal=0, journeys_before=30, journeys=60, changed=60)
    with contextlib.closing(open_disk_reader(path, source=SOURCE, environment=ENVIRONMENT)) as reader:
        assert (reader.document(STATUS), reader.document("gaps")) == (b"{}", b"[1]")
        assert reader.fingerprints() == (OTHERS[0].fingerprint,)
    assert content(path)[0]["created_at"] == created_at
    assert list(path.glob("rebuild-*")) == []
    assert path.stat().st_mode & 0o777 == 0o700


def test_ingest_goes_on_from_it(path: Path) -> None:
    frames = of_customers(40)
    ingest(path, frames[:100], OPTIONS, NOW)
    receive(path, frames[100:150], NOW)
    rebuilt(path, OTHERS[0])
    ingest(path, frames[150:], OTHERS[0], NOW)
    assert in_store(path, OTHERS[0]) == received_journeys(path, OTHERS[0])
    assert len(in_store(path, OTHERS[0])) == 80


def test_what_a_token_was_bound_to_by_an_evicted_interaction_holds(path: Path) -> None:
    """No event says any more whose token it was, only the store does."""
    ingest(path, [frame(STARTED, START, "old", customerId="ann", sessionToken="t")], OPTIONS, START)
    ingest(path, [frame(STARTED, START + 2 * DAY, "new", sessionToken="t")], OPTIONS, START + 2 * DAY)
    ingest(path, [], OPTIONS, START + 3 * DAY, retention=2 * DAY)
    with contextlib.closing(opened(path, OPTIONS)) as store:
        pipeline = pipeline_over(store, OPTIONS, retention=2 * DAY)
        pipeline.flush(START + 3 * DAY, last=True)
        assert store.find(journey_id_of("old")) is None
    for _ in range(2):
        rebuilt(path, OTHERS[0])
        assert [journey.customer_id for journey in in_store(path, OPTIONS)] == ["ann"]
    more = [frame(STARTED, START + 2 * DAY, "more", sessionToken="t")]
    ingest(path, more, OTHERS[0], START + 2 * DAY)
    assert [journey.customer_id for journey in in_store(path, OPTIONS)] == ["ann"]


def test_events_older_than_the_retention_stay_with_a_journey_that_goes_on(path: Path) -> None:
    """And what was too old when it arrived does not come back, whether it is stored yet or only in the journal."""
    ingest(path, [frame(STARTED, START, "i", customerId="ann", event_id="1")], OPTIONS, START)
    long = replace(OPTIONS, engagement_window=9 * DAY)
    later = START + 3 * DAY
    ingest(path, [frame(STARTED, later, "k", customerId="ann", event_id="2")], long, later, retention=2 * DAY)
    rebuilt(path, long, retention=2 * DAY)
    (journey,) = in_store(path, long)
    assert [event.event_id for event in journey.events] == ["1", "2"]
    receive(path, [frame(ENDED, START, "i", event_id="3"), frame(ENDED, later, "k", event_id="4")], later)
    assert rebuilt(path, long, retention=2 * DAY).from_journal == 1
    (journey,) = in_store(path, long)
    assert [event.event_id for event in journey.events] == ["1", "2", "4"]


def test_merged_customers_and_large_journeys(path: Path) -> None:
    many = [frame("note.added", START + n, "big", event_id=f"n{n}", customerId="ann") for n in range(500)]
    other = frame(STARTED, START + MINUTE, "other", customerId="bob")
    merge = frame(MERGED, START, fromCustomerId="ann", toCustomerId="bob", event_id="m")
    ingest(path, [*many, other, merge], OPTIONS, NOW, batch=100)
    found = rebuilt(path, OTHERS[1])
    assert found.changed == 0
    assert found.events == 502
    (journey,) = in_store(path, OTHERS[1])
    assert (journey.customer_id, len(journey.events)) == ("bob", 501)
    split = frame("customer.split", START + 1, fromCustomerId="ann", toCustomerId="bob", event_id="s")
    ingest(path, [split], OTHERS[1], NOW)
    assert [journey.customer_id for journey in in_store(path, OTHERS[1])] == ["ann", "bob"]
    assert in_store(path, OTHERS[1]) == received_journeys(path, OTHERS[1])


def test_an_imported_store_has_no_journal(path: Path) -> None:
    with contextlib.closing(opened(path, OPTIONS)) as store:
        pipeline = pipeline_over(store, OPTIONS)
        events = [decode_raw(data) for data in of_customers(30)]
        pipeline.hold(events, "import", NOW, NOW)
        pipeline.flush(NOW, last=True)
    rebuilt(path, OTHERS[0])
    assert in_store(path, OTHERS[0]) == journeys(events, OTHERS[0])
    assert not (path / "journal").exists()


# -- under readers ----------------------------------------------------------------------------------------------------


def test_a_running_reader_sees_the_old_state_and_then_the_new(path: Path) -> None:
    ingest(path, of_customers(200), OPTIONS, NOW)
    reader = open_disk_reader(path)
    head = reader.head()
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            snapshot = reader.snapshot(0, 10_000)
            seen.append((snapshot.head, len(snapshot.rows)))

    model = ReadModel(
        reader, lambda: NOW, OPTIONS.timeouts, lambda record, raws: fold_record(record, raws, OPTIONS), window=9 * DAY
    )
    follower = Follower(model)
    follower.start()
    looker = threading.Thread(target=look)
    looker.start()
    try:
        assert model.wait_for(head, 10)
        assert len(model.rows()) == 200
        rebuilt(path, OTHERS[0])
        assert model.wait_for(head + 1, 10)
        assert len(model.rows()) == 400
        assert model.problem is None
    finally:
        done.set()
        looker.join()
        follower.stop()
    assert set(seen) <= {(head, 200), (head + 1, 400)}
    assert reader.batches(head) is None
    assert reader.batches(head + 1) == []
    ingest(path, of_customers(1, 500), OTHERS[0], NOW)
    batches = reader.batches(head + 1)
    assert batches is not None
    assert [batch.number for batch in batches] == [head + 2]
    reader.close()


@pytest.mark.timeout(120)
def test_beside_a_running_ingest(tmp_path: Path) -> None:
    path = tmp_path / "store"
    flags = ("--store", f"disk:{path}", "--rate", "200", "--history", "10s")
    window = ("--set", "ENGAGEMENT_WINDOW=1m")
    options = stitch_options(load({"source": "simulator", "engagement_window": "1m"}))
    with Command("ingest", "--ingest-port", "0", *flags, log=tmp_path / "ingest.log") as first:
        until(lambda: first.get("/healthz") and (path / "journal").exists(), "ingest")
        until(lambda: len(received_events(path)) > 2_000, "events")
        command = ("rebuild", "--store", f"disk:{path}", "--wait", "60s", *window)
        with Command(*command, log=tmp_path / "rebuild.log") as work:
            until(lambda: "Stop ingest now" in work.output, "the word to stop it")
            before = len(received_events(path))
            until(lambda: len(received_events(path)) > before + 200, "that ingest goes on meanwhile")
            assert first.stop() == 0
            assert work.process.wait(30) == 0, work.output
            assert "Start ingest again." in work.output
    assert stored_journeys(path, options) == received_journeys(path, options)
    assert len(received_events(path)) > before
    with Command("ingest", "--ingest-port", "0", *flags, *window, log=tmp_path / "again.log") as second:
        until(lambda: second.get("/healthz"), "ingest again")
        assert second.stop() == 0
        assert "made with" not in second.output
    assert stored_journeys(path, options) == received_journeys(path, options)


# -- refusals and failures --------------------------------------------------------------------------------------------


def test_it_says_what_to_do_while_ingest_runs(path: Path) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)
    before = content(path)
    told: list[Progress] = []
    with writer_lock(path):
        with pytest.raises(StoreLockedError, match=r"ingest is running \(process \d+ on host .*--wait 10m"):
            rebuilt(path, OTHERS[0], told.append)
        assert told == []  # before any work is done for nothing
        with pytest.raises(StoreLockedError, match=r"not stopped within 0\.2 s, and the store is as it was"):
            rebuilt(path, OTHERS[0], told.append, patience=0.2)
    assert told[-1].what == rebuilding.WAITING
    assert content(path) == before
    assert list(path.glob("rebuild-*")) == []
    rebuilt(path, OTHERS[0], patience=0.2)
    assert len(in_store(path, OTHERS[0])) == 40


def test_while_one_rebuilds_nobody_else_does_or_imports(path: Path, tmp_path: Path) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"\n".join(of_customers(1, 900)))
    said: list[str] = []

    def meanwhile(progress: Progress) -> None:
        if progress.what == rebuilding.FOLDING:
            with pytest.raises(StoreLockedError, match="rebuilt, restored or imported into by process"):
                rebuilt(path, OPTIONS)
            more = ["--set", f"ENVIRONMENT={ENVIRONMENT}", "--store", f"disk:{path}", "--source", f"file:{events}"]
            command = [sys.executable, "-m", "journeymap", "import", str(events), *more]
            said.append(subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False).stderr)

    _belongs_to(path, "file")
    rebuilt(path, OTHERS[0], meanwhile, patience=1)
    assert len(said) == 1
    assert "is being rebuilt, restored or imported into by process" in said[0]
    assert len(in_store(path, OTHERS[0])) == 40


def _belongs_to(path: Path, source: str) -> None:
    meta = content(path)[0] | {"source": source}
    with contextlib.closing(sqlite3.connect(path / "cache.db")) as sql, sql:
        sql.execute("UPDATE Cache SET value = ? WHERE key = 'meta'", (msgspec.msgpack.encode(meta),))


def test_without_enough_space_nothing_is_begun_or_it_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)
    before = content(path)
    free = shutil.disk_usage(path).free
    with pytest.raises(StoreFullError, match=r"not enough space.*DISK_RESERVE.*Make room"):
        rebuilt(path, OTHERS[0], reserve=free)
    told: list[Progress] = []

    def fill(progress: Progress) -> None:
        told.append(progress)
        if progress.what == rebuilding.FOLDING:
            monkeypatch.setattr(copying.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 99))

    with pytest.raises(StoreFullError, match="99 bytes are free, 100 are needed"):
        rebuilt(path, OTHERS[0], fill, reserve=100)
    monkeypatch.undo()
    assert told[-1].what == rebuilding.FOLDING
    assert content(path) == before
    assert list(path.glob("rebuild-*")) == []


def test_a_journal_that_is_cut_short_meanwhile_is_noticed(path: Path) -> None:
    frames = of_customers(40)
    ingest(path, frames[:50], OPTIONS, NOW)
    receive(path, frames[50:], NOW, segment_bytes=4_000)
    before = content(path)

    def forget(progress: Progress) -> None:
        if progress.what == rebuilding.FOLDING:
            for segment in sorted(path.glob("journal/*.journal"))[:2]:
                segment.unlink()

    with pytest.raises(StoreError, match=r"ingest has deleted a part of the journal.*JOURNAL_MAX_BYTES"):
        rebuilt(path, OTHERS[0], forget)
    assert content(path) == before
    # What was lost before it began is not its affair.
    rebuilt(path, OTHERS[0])
    assert in_store(path, OTHERS[0]) != received_journeys(path, OTHERS[0])
    assert dict(open_disk_reader(path).positions())[JOURNAL] > 0


DIES = """
import contextlib, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from journeymap.store import copying
from journeymap.store.lock import writer_lock
from tests.integration import test_rebuild
copying.PAGES_AT_ONCE = 4
path, step = Path(sys.argv[2]), sys.argv[3]
def tell(progress):
    if progress.what == step and progress.done != progress.total:
        os.kill(os.getpid(), signal.SIGKILL)
with writer_lock(path) if step == test_rebuild.rebuilding.WAITING else contextlib.nullcontext():
    test_rebuild.rebuilt(path, test_rebuild.OTHERS[0], tell, patience=5 if step == test_rebuild.rebuilding.WAITING else 0)
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_in_any_step_it_leaves_the_store_as_it_was(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "EVENTS_AT_ONCE", 100)
    frames = of_customers(300)
    ingest(path, frames[:1_200], OPTIONS, NOW, batch=400)
    receive(path, frames[1_200:], NOW)
    before = content(path)
    dies = DIES.replace("copying.PAGES_AT_ONCE", "test_rebuild.rebuilding.EVENTS_AT_ONCE = 100; copying.PAGES_AT_ONCE")
    command = [sys.executable, "-c", dies, str(CHECKOUT), str(path), step]
    killed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert content(path) == before
    assert len(list(path.glob("rebuild-*"))) == 1
    opened(path, OPTIONS).close()
    assert list(path.glob("rebuild-*")) == []
    assert content(path) == before
    rebuilt(path, OTHERS[0])
    assert in_store(path, OTHERS[0]) == received_journeys(path, OTHERS[0])


def test_interrupted_it_clears_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGES_AT_ONCE", 4)
    ingest(path, of_customers(20), OPTIONS, NOW)
    before = content(path)
    for step in (rebuilding.COPYING, rebuilding.FOLDING, rebuilding.SWAPPING):

        def tell(progress: Progress, step: str = step) -> None:
            if progress.what == step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuilt(path, OTHERS[0], tell)
        assert list(path.glob("rebuild-*")) == []
    assert content(path) == before
    with replacement_lock(path), writer_lock(path):
        pass


def test_a_start_of_ingest_leaves_a_rebuild_at_work_alone(path: Path) -> None:
    ingest(path, of_customers(20), OPTIONS, NOW)

    def meanwhile(progress: Progress) -> None:
        if progress.what == rebuilding.FOLDING:
            ingest(path, of_customers(5, 700), OPTIONS, NOW)

    found = rebuilt(path, OTHERS[0], meanwhile, patience=5)
    assert found.from_journal == 25
    assert in_store(path, OTHERS[0]) == received_journeys(path, OTHERS[0])


def test_there_must_be_a_store(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store in"):
        rebuilt(path, OPTIONS)
    assert not path.exists()
