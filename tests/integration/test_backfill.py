"""Back-fill at work: ingest with a source that is cut off, over the records of the simulated platform."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from journeymap.decode.event import decode_frame
from journeymap.journal.journal import Journal
from journeymap.model.backfill import BACKFILL, Fill, decode_fills
from journeymap.model.status import GAPS, Gap, decode_gaps
from journeymap.model.time import HOUR, MINUTE, SECOND, Millis
from journeymap.protocol.backfill.slices import Period
from journeymap.protocol.backfill.stamps import iso
from journeymap.runtime import worker
from journeymap.runtime.commands import written
from journeymap.runtime.filler import Filler
from journeymap.runtime.refetching import StoreFiller, fetch
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.publicapi.client import PublicApi, PublicApiConfig
from journeymap.source.publicapi.records import AnalyticsRecords
from journeymap.testing import ScriptedSource
from tests.integration.ingest import CLOCK, OPTIONS, Running, Store, source
from tests.integration.process import until
from tests.public_client import PublicClient
from tests.stored import journeys_in, pipeline_over

LIMIT = 30.0


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(rate=3.0) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(platform: SimulatedPlatform) -> None:
    platform.reset_faults()


@contextlib.contextmanager
def api_of(platform: SimulatedPlatform) -> Iterator[PublicApi]:
    config = PublicApiConfig(
        login_url=platform.login_url,
        api_url=platform.api_url,
        stream_url="",
        client_id=platform.client_id,
        client_secret=platform.client_secret,
    )
    with contextlib.closing(PublicApi(config, CLOCK.now, random.Random(1))) as api:
        yield api


@contextlib.contextmanager
def filler(platform: SimulatedPlatform, store: Store, reach: Millis = 0) -> Iterator[Filler]:
    with api_of(platform) as api:
        yield Filler(AnalyticsRecords(api, CLOCK.now), store, CLOCK, reach)


def live() -> ScriptedSource:
    return source(name="notifications")


def gaps(store: Store) -> list[Gap]:
    return decode_gaps(store.document(GAPS) or b"[]")


def fills(store: Store) -> list[Fill]:
    return decode_fills(store.document(BACKFILL) or b"[]")


def told_by(platform: SimulatedPlatform, start: Millis, end: Millis) -> set[tuple[str, str]]:
    """What happened from `start` to `end`, as the platform's records have it."""
    with PublicClient(platform) as client:
        records: list[Any] = []
        while True:
            page = client.post(
                "/api/v2/analytics/conversations/details/query",
                {
                    "interval": f"{iso(start)}/{iso(end)}",
                    "paging": {"pageSize": 100, "pageNumber": len(records) // 100 + 1},
                },
            )
            records += page.get("conversations", [])
            if len(records) >= page["totalHits"]:
                break
    events = [event for each in records for event in decode_frame(msgspec.json.encode(each))[0]]
    return {(event.interaction_id, event.event_id) for event in events if start <= event.timestamp < end}


def held(store: Store) -> set[tuple[str, str]]:
    return {
        (event.interaction_id, event.event_id) for journey in journeys_in(store, OPTIONS) for event in journey.events
    }


def cut_off(running: Running, seconds: float) -> Gap:
    """Let the source lose its connection for so long; the gap once it is filled."""
    running.until_told(lambda status: status.state == "OPEN")
    running.source.hold("the line is cut")
    since = CLOCK.now()
    until(lambda: CLOCK.now() > since + seconds * SECOND, "time to pass")
    running.source.release()
    until(lambda: any(gap.filled_at for gap in gaps(running.store)), "the gap to be filled", LIMIT)
    return next(gap for gap in gaps(running.store) if gap.filled_at)


def test_a_gap_closes_when_all_that_happened_in_it_is_in_the_store(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store = Store()
    with filler(platform, store) as filling, Running(tmp_path, store, live(), filler=filling) as running:
        gap = cut_off(running, 2.0)
        assert gap.end is not None and gap.filled_at is not None
        assert gap.conversations > 0
        told = told_by(platform, gap.start, gap.end)
        assert told, "something happened"
        assert told <= held(store), "nothing is lost"
        (filled, again) = fills(store)
        assert (filled.reason, filled.state, filled.sure) == ("gap", "filled", True)
        assert (again.reason, again.state) == ("again", "waiting")
        assert again.due_at >= gap.end + MINUTE
        status = running.status
        assert status.backfill is not None and status.backfill.filled == 1
        assert sum(total.filled for total in status.gap_totals) == 1


def test_that_a_gap_is_filled_is_told_at_once(
    tmp_path: Path, platform: SimulatedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STATUS_INTERVAL", HOUR)
    store = Store()
    with filler(platform, store) as filling, Running(tmp_path, store, live(), filler=filling) as running:
        assert cut_off(running, 0.5).filled_at


def test_what_was_before_the_very_first_start_is_fetched(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store = Store()
    with filler(platform, store, reach=MINUTE) as filling, Running(tmp_path, store, live(), filler=filling):
        until(lambda: any(fill.over for fill in fills(store)), "the first start to be fetched", LIMIT)
        (fill, *_) = fills(store)
        assert (fill.reason, fill.end - fill.start) == ("start", MINUTE)
        assert told_by(platform, fill.start, fill.end) <= held(store)


def test_a_missing_permission_is_named_on_the_gap_and_granted_later(
    tmp_path: Path, platform: SimulatedPlatform
) -> None:
    store = Store()
    platform.set_faults(missing_permissions="analytics:conversationDetail:view")
    with filler(platform, store) as filling, Running(tmp_path, store, live(), filler=filling) as running:
        running.until_told(lambda status: status.state == "OPEN")
        running.source.hold("the line is cut")
        running.until_told(lambda status: status.state == "DISCONNECTED")
        running.source.release()
        until(lambda: any("analytics:conversationDetail:view" in gap.problem for gap in gaps(store)), "the reason")
        status = running.until_told(lambda status: status.backfill is not None and status.backfill.problem)
        assert (status.state, status.error) == ("OPEN", None), "the live source is not concerned"
        platform.reset_faults()
        store.leave_command("retry")
        until(lambda: any(gap.filled_at for gap in gaps(store)), "the gap to be filled", LIMIT)
        assert running.status.backfill is not None and running.status.backfill.problem is None


def test_credentials_that_are_refused_are_not_tried_on_and_on(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store = Store()
    platform.set_faults(refuse_credentials=True)
    with filler(platform, store, reach=MINUTE) as filling, Running(tmp_path, store, live(), filler=filling) as running:
        status = running.until_told(lambda status: status.backfill is not None and status.backfill.refused)
        assert status.backfill is not None and status.backfill.failed == 1
        (fill,) = fills(store)
        assert fill.state == "refused" and "CLIENT_SECRET" in (fill.problem or "")


def test_it_waits_for_records_that_lag_and_tries_again_what_failed(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store = Store()
    platform.set_faults(analytics_lag=2, fail_api="503:1")
    with filler(platform, store) as filling, Running(tmp_path, store, live(), filler=filling) as running:
        gap = cut_off(running, 0.5)
        assert gap.end is not None and gap.filled_at is not None
        assert gap.filled_at >= gap.end + 2 * SECOND
        assert told_by(platform, gap.start, gap.end) <= held(store)


def test_an_operators_command_is_obeyed_beyond_the_reach_of_queries_too(
    tmp_path: Path, platform: SimulatedPlatform
) -> None:
    store = Store()
    platform.set_faults(query_reach_days=1, job_time=0.2)
    end = CLOCK.now() - 26 * HOUR
    with filler(platform, store) as filling, Running(tmp_path, store, live(), filler=filling) as running:
        running.until_told(lambda status: status.state == "OPEN")
        store.leave_command(written("backfill", **{"from": end - SECOND, "to": end, "id": "mine"}))
        store.leave_command("backfill {}")
        until(lambda: any(fill.over for fill in fills(store)), "it to be fetched", LIMIT)
        (fill,) = fills(store)
        assert (fill.fill_id, fill.reason) == ("mine", "asked")
        assert any("jobs were asked" in note for note in fill.notes)
        assert fill.conversations > 0


def test_without_room_nothing_is_fetched_and_the_next_process_takes_it_up(
    tmp_path: Path, platform: SimulatedPlatform
) -> None:
    store = Store()
    room = [10**9]
    platform.set_faults(analytics_lag=60)
    with (
        filler(platform, store, reach=MINUTE) as filling,
        Running(tmp_path, store, live(), filler=filling, free=lambda _: room[0], disk_reserve=10**6) as running,
    ):
        room[0] = 0
        running.until_told(lambda status: status.reading_stopped)
        until(lambda: fills(store), "the time before the start to be taken up")
        (fill,) = fills(store)
        assert (fill.reason, fill.over) == ("start", False)
    platform.reset_faults()
    with filler(platform, store, reach=MINUTE) as filling, Running(tmp_path, store, live(), filler=filling):
        until(lambda: gaps(store) and all(gap.filled_at for gap in gaps(store)), "all gaps to be filled", LIMIT)
        assert {gap.kind for gap in gaps(store)} >= {"disk", "stopped"}
        assert [fill.reason for fill in fills(store)].count("start") == 1
        until(lambda: fills(store)[0].over, "the first start to be fetched", LIMIT)


def test_without_ingest_a_period_goes_into_journal_and_store_and_closes_gaps(
    tmp_path: Path, platform: SimulatedPlatform
) -> None:
    store = Store()
    end = CLOCK.now()
    period = Period(end - MINUTE, end, open_too=True)
    within, beyond = (
        Gap("notifications", "stopped", end - 9_000, end - 8_000),
        Gap("eventbridge", "stopped", 5, end - 9),
    )
    other, lasting = Gap("eventstreams", "stopped", end - 9_000, end - 8_000), Gap("notifications", "stopped", end - 5)
    store.write_documents({GAPS: msgspec.json.encode([within, beyond, other, lasting])})
    pipeline = pipeline_over(store, OPTIONS)
    told: list[tuple[float, int, int]] = []
    with api_of(platform) as api, contextlib.closing(Journal.open(tmp_path / "journal")) as journal:
        filling = StoreFiller(store, journal, pipeline, CLOCK)
        for _ in range(2):
            records = AnalyticsRecords(api, CLOCK.now)
            done = fetch(records, period, filling.deliver, filling.known_open, CLOCK, lambda *how: told.append(how))
            filling.flush()
            assert done.outcome is not None and done.outcome.taken == done.taken > 0
            new = pipeline.counts.new
        assert filling.close_gaps(period, done.taken) == 1
        assert [gap.filled_at is not None for gap in gaps(store)] == [True, False, False, False]
        again = [record.source for record in journal.replay(0)]
    assert told[-1][0] == 1.0
    assert set(again) == {"backfill"} and len(again) >= 2 * done.taken - 5
    assert pipeline.counts.duplicate > 0.9 * new, "the second time nearly all was known"
    assert told_by(platform, period.start, period.end) <= held(store)
