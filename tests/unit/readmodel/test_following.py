"""What the read model tells beside the rows: status, gaps, a replaced store, and how it follows the store."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec
import pytest

from journeymap.errors import StoreCorruptError, StoreError
from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.model.journey import Journey
from journeymap.model.status import ConnectionChange, EventCounts, Gap, Quarantined, SourceReport
from journeymap.model.time import DAY, SECOND
from journeymap.readmodel.follow import Follower
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.options import Timeouts
from journeymap.store.base import Batch, Commit
from journeymap.store.memory import MemoryStore
from journeymap.view.question import Question
from tests.unit.readmodel.bench import EVERYONE, START, Bench, no_fold, row


def test_the_status_is_told_when_it_changes() -> None:
    bench = Bench()
    bench.report(lag_ms=40, counts=EventCounts(received=3))
    answer = bench.told()
    assert (answer.status.state, answer.status.ingest_running, answer.status.lag_ms) == ("OPEN", True, 40)
    bench.clock.advance(SECOND)
    bench.report(lag_ms=90, counts=EventCounts(received=5))
    assert bench.ask() is None, "a few milliseconds of lag are no news"
    bench.clock.advance(SECOND)
    bench.report(events_per_second=3.44, counts=EventCounts(late=2, duplicate=1, quarantined=4, dropped=5))
    status = bench.told().status
    assert (status.events_per_second, status.late, status.duplicate) == (3.4, 2, 1)
    assert (status.quarantined, status.dropped, status.simulated) == (4, 5, False)
    bench.clock.advance(SECOND)
    bench.report(sources=[SourceReport(name="simulator", state="OPEN")])
    assert bench.told().status.simulated
    bench.clock.advance(SECOND)
    bench.report(state="DISCONNECTED", error="refused: invalid_client", refused=True)
    answer = bench.told()
    assert (answer.status.refused, answer.status.error) == (True, "refused: invalid_client")
    bench.clock.advance(6 * SECOND)
    answer = bench.told()
    assert (answer.status.ingest_running, answer.status.state) == (False, "DISCONNECTED")
    assert answer.status.error == "ingest is not running"
    assert bench.ask() is None


def test_a_status_of_a_later_release_is_read_and_a_broken_one_is_an_error() -> None:
    bench = Bench()
    bench.store.write_documents({"status": b'{"written_at":%d,"state":"OPEN","news":{"a":1}}' % bench.clock.now()})
    assert bench.told().status.state == "OPEN"
    bench.store.write_documents({"status": b"{"})
    bench.clock.advance(SECOND)
    with pytest.raises(StoreError, match="status document"):
        bench.model.poll()


def test_a_replaced_store_is_read_anew() -> None:
    bench = Bench()
    bench.commit(row("a", START))
    bench.commit(row("b", START))
    assert bench.told().total == 2
    other = MemoryStore()
    other.commit(Commit(START, RowChanges([row("z", START)])))
    bench.model._store = bench.store = other
    answer = bench.told()
    assert (answer.version, answer.order, answer.gone) == (1, ["z"], {"a": None, "b": None})


def test_a_journey_is_folded_from_all_its_events_and_found_by_old_ids() -> None:
    store = MemoryStore()
    one = row("j-1", START)
    record = JourneyRecord("j-1", one.customer_id, START, START, START, one, ("c1", "c2"), (b"5",))
    changes = Changes(journeys=[record], chunks={"c1": (b"1", b"2"), "c2": (b"3", b"4")}, pointers={"j-old": "j-1"})
    store.commit(Commit(START, RowChanges(), changes))
    seen: list[bytes] = []

    def fold(record: JourneyRecord, events: list[bytes]) -> Journey:
        seen.extend(events)
        return no_fold(record, events)

    model = ReadModel(store, lambda: START, Timeouts(), fold)
    found = model.detail("j-old")
    assert found is not None
    assert found.journey_id == "j-1"
    assert seen == [b"1", b"2", b"3", b"4", b"5"]
    assert model.detail("j-none") is None
    assert model.neighbours(found) == []


def test_chunks_that_a_checkpoint_replaced_meanwhile_are_looked_up_again() -> None:
    one = row("j-1", START)

    class Moving(MemoryStore):
        asked = 0

        def chunks(self, names: Sequence[str]) -> list[tuple[bytes, ...]]:
            self.asked += 1
            if self.asked == 1:
                raise StoreCorruptError("gone")
            return super().chunks(names)

    store = Moving()
    record = JourneyRecord("j-1", one.customer_id, START, START, START, one, (), (b"1",))
    store.commit(Commit(START, RowChanges(), Changes(journeys=[record])))
    assert ReadModel(store, lambda: START, Timeouts(), no_fold).detail("j-1") is not None


def test_the_follower_goes_on_after_errors_and_stops() -> None:
    class Failing(MemoryStore):
        failing: Exception | None = StoreError("the disk is away")

        def batches(self, after: int) -> Sequence[Batch] | None:
            return super().batches(after)

        def head(self) -> int:
            if self.failing:
                raise self.failing
            return super().head()

    store = Failing()
    store.commit(Commit(START, RowChanges([row("a", START)])))
    model = ReadModel(store, lambda: START, Timeouts(), no_fold)
    failed = threading.Event()
    remember = model.fail
    model.fail = lambda problem: (remember(problem), failed.set())[0]  # type: ignore[method-assign]
    follower = Follower(model)
    follower.start()
    follower.start()
    try:
        assert failed.wait(5)
        assert model.problem == "store: the disk is away"
        answer = model.answer(Question(), EVERYONE, START)
        assert answer is not None
        assert answer.status.error == "store: the disk is away"
        failed.clear()
        store.failing = ValueError("a defect")
        assert failed.wait(5)
        store.failing = None
        assert model.wait_for(1, 5)
    finally:
        follower.stop()
    follower.stop()
    assert not any(thread.name == "readmodel" for thread in threading.enumerate())
    assert not model.wait_for(2, 0)


def tell(bench: Bench, *gaps: Gap) -> None:
    bench.store.write_documents({"gaps": msgspec.json.encode(gaps)})
    bench.clock.advance(SECOND)


def test_gaps_are_told_once_and_merged_by_kind() -> None:
    bench = Bench()
    bench.report()
    bench.told()
    tell(
        bench,
        Gap("a", "disconnected", START - 5 * DAY, START - 2 * DAY),
        Gap("a", "disconnected", START - 9, START - 5),
        Gap("b", "disconnected", START - 7, START - 3, detail="no route"),
        Gap("b", "dropped", START - 6, START - 1, 20, "rate"),
        Gap("a", "dropped", START - 4, START - 2, 5, "rate"),
        Gap("b", "disconnected", START),
        Gap("a", "disconnected", START + 2, START + 4),
    )
    bench.report()
    answer = bench.told()
    assert answer.gaps == [
        (START - 9, START - 3, "disconnected", 0, "no route", None, ""),
        (START - 6, START - 1, "dropped", 25, "rate", None, ""),
        (START, None, "disconnected", 0, "", None, ""),
    ]
    assert bench.ask() is None
    bench.clock.advance(SECOND)
    bench.report()
    assert bench.ask() is None
    assert len(bench.model.gaps(bench.clock.now())) == 7
    bench.commit(row("a", START))
    assert bench.told().gaps is None, "the page has them"
    assert bench.told(at=0).gaps == answer.gaps


def test_gaps_that_are_filled_are_left_out_and_others_say_how_far_they_are() -> None:
    bench = Bench()
    bench.report()
    tell(
        bench,
        Gap("a", "disconnected", START - 90, START - 80, filled_at=START),
        Gap("a", "disconnected", START - 70, START - 60, filling=0.5),
        Gap("b", "disconnected", START - 65, START - 50, filling=0.25, problem="no permission"),
        Gap("a", "stopped", START - 40, START - 30, filled_at=START),
        Gap("b", "stopped", START - 40, START - 20),
    )
    assert bench.told().gaps == [
        (START - 70, START - 50, "disconnected", 0, "", 0.25, "no permission"),
        (START - 40, START - 20, "stopped", 0, "", None, ""),
    ]
    assert len(bench.model.gaps(bench.clock.now())) == 5


def test_of_very_many_gaps_the_latest_are_told() -> None:
    bench = Bench()
    bench.report()
    tell(bench, *[Gap("a", "disconnected", START + 10 * n, START + 10 * n + 5) for n in range(300)])
    answer = bench.told()
    assert (len(answer.gaps), answer.gaps[-1][0]) == (200, START + 2_990)


def test_an_ingest_that_is_gone_without_a_word_is_a_gap() -> None:
    bench = Bench()
    heard_at = bench.clock.now() - 300
    reports = [
        SourceReport(name="a", state="OPEN", last_heard_at=heard_at),
        SourceReport(name="b", state="CONNECTING", last_heard_at=heard_at),
        SourceReport(name="file", state="OPEN", live=False),
    ]
    bench.report(sources=reports)
    written_at = bench.clock.now()
    assert bench.told().gaps == []
    bench.clock.advance(6 * SECOND)
    assert bench.told().gaps == [(heard_at, None, "stopped", 0, "", None, "")]
    gaps = bench.model.gaps(bench.clock.now())
    assert [(gap.source, gap.start) for gap in gaps] == [("a", heard_at), ("b", written_at)]
    tell(bench, Gap("a", "stopped", START), Gap("b", "stopped", START))
    assert len(bench.model.gaps(bench.clock.now())) == 2


def test_connections_and_quarantine_are_read() -> None:
    bench = Bench()
    assert (list(bench.model.connections()), list(bench.model.quarantine())) == ([], [])
    change, entry = ConnectionChange(START, "a", "OPEN"), Quarantined("not-json", 2, START, sample="x")
    bench.store.write_documents(
        {"connections": msgspec.json.encode([change]), "quarantine": msgspec.json.encode([entry])}
    )
    bench.model.poll()
    assert (list(bench.model.connections()), list(bench.model.quarantine())) == ([change], [entry])


def test_a_page_is_told_at_once_why_nothing_new_comes() -> None:
    bench = Bench()
    bench.report()
    bench.told()
    bench.clock.advance(SECOND)
    down = SourceReport(name="a", state="DISCONNECTED", down_since=START + 7)
    bench.report(reading_stopped="the disk is nearly full", source="a", sources=[down])
    status = bench.told().status
    assert status.down_since == START + 7
    assert (status.reading_stopped, status.finished, status.problem) == ("the disk is nearly full", False, None)
    bench.model.fail("store: the disk is away")
    failed_at = bench.clock.now()
    bench.clock.advance(SECOND)
    bench.model.fail("store: the disk is away")
    assert bench.model.problem_since == failed_at
    answer = bench.model.answer(bench.page, EVERYONE, bench.clock.now())
    assert answer is not None
    assert answer.status.problem == "store: the disk is away"
    bench.model.poll()
    assert bench.model.problem_since is None
    bench.clock.advance(SECOND)
    bench.report(sources=[SourceReport(name="a", state="DISCONNECTED", finished=True)])
    assert bench.told().status.finished
