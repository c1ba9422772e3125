"""What the rebuild of a store comes to, beside a running ingest and under a running page."""

from __future__ import annotations

import contextlib
import random
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from journeymap.bootstrap import stitch_options
from journeymap.decode.event import decode_raw
from journeymap.model.event import ENDED, MERGED, STARTED, Event
from journeymap.model.journey import journey_id_of
from journeymap.model.status import STATUS
from journeymap.model.time import DAY, MINUTE
from journeymap.readmodel.follow import Follower
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.pipeline import JOURNAL
from journeymap.runtime.rebuilding import Rebuilt
from journeymap.runtime.shelf import fold_record
from journeymap.settings import load
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions
from journeymap.store.disk import open_disk_reader
from journeymap.testing import frame
from tests.integration.rebuild.stores import NOW, OTHERS, in_store, of_customers, rebuilt
from tests.property.soups import OPTIONS, START, soups
from tests.stored import ENVIRONMENT, SOURCE, ingest, opened, pipeline_over, receive, rows_in

from ..process import Command, received_events, received_journeys, stored_journeys, until
from ..test_migration import content

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
