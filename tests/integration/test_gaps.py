"""What ingest says of gaps, over a real connection that is broken off, renewed, throttled and refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journeymap.model.status import CONNECTIONS, GAPS, Gap, decode_connections, decode_gaps
from journeymap.model.time import MINUTE, SECOND
from journeymap.simulator.server import SimulatedPlatform
from tests.eventstreams import PATIENT, Ahead, Hasty, source_for
from tests.integration.ingest import Running, Store, events
from tests.integration.process import until


@pytest.fixture
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(heartbeat=0.1) as running:
        yield running


def gaps(store: Store) -> list[Gap]:
    document = store.document(GAPS)
    return [] if document is None else decode_gaps(document)


def changes(store: Store) -> list[tuple[str, str | None]]:
    document = store.document(CONNECTIONS)
    return [(each.state, each.reason) for each in decode_connections(document or b"[]")]


def test_an_outage_is_a_gap_from_the_last_sign_of_life_to_the_next_connection(
    tmp_path: Path, platform: SimulatedPlatform
) -> None:
    store = Store()
    with Running(tmp_path, store, source_for(platform, Hasty())) as running:  # type: ignore[arg-type]  # of any kind
        before = running.until_told(lambda status: status.state == "OPEN")
        for data in events(3):
            platform.send(data)
        running.until_told(lambda status: status.counts.events == 3)
        platform.drop_connections()
        after = running.until_told(lambda status: status.reconnects == 1 and status.state == "OPEN")
        (gap,) = gaps(store)
        assert (gap.source, gap.kind, gap.end) == ("eventstreams", "disconnected", after.since)
        assert gap.detail
        told = decode_connections(store.document(CONNECTIONS) or b"")
        lost = next(each for each in told if each.state == "DISCONNECTED")
        assert before.since < gap.start <= lost.at < gap.end
        assert lost.at - gap.start < SECOND, "the platform had been heard ten times a second"
        assert lost.reason == gap.detail
        assert [state for state, _ in changes(store)] == ["CONNECTING", "OPEN", "DISCONNECTED", "CONNECTING", "OPEN"]
        assert after.sources[0].down_since is None


def test_a_socket_that_is_replaced_before_it_goes_is_none(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store, steady = Store(), Ahead()
    with Running(tmp_path, store, source_for(platform, steady=steady, limits=PATIENT)) as running:  # type: ignore[arg-type]
        first = running.until_told(lambda status: status.state == "OPEN")
        steady.advance(55 * MINUTE)
        running.until_told(lambda status: status.subscription_id not in {first.subscription_id, None})
        until(lambda: platform.stats()["connections"] == 1, "the end of the old socket")
        later = running.until_told(lambda status: status.written_at > first.written_at + 2 * SECOND)
        assert (later.state, later.since) == ("OPEN", first.since)
    assert [gap.kind for gap in gaps(store)] == ["stopped"], "the end of the test"
    assert changes(store) == [("CONNECTING", None), ("OPEN", None), ("DISCONNECTED", "ingest was stopped")]


def test_what_the_platform_leaves_out_is_a_gap(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store = Store()
    with Running(tmp_path, store, source_for(platform)) as running:  # type: ignore[arg-type]
        before = running.until_told(lambda status: status.state == "OPEN")
        platform.act("throttle_frame", dropped=7, retry_after=0)
        running.until_told(lambda status: status.counts.dropped == 7)
        (gap,) = gaps(store)
        assert (gap.kind, gap.dropped) == ("dropped", 7)
        assert gap.end is not None
        assert before.written_at <= gap.start < gap.end <= gap.start + 10 * SECOND


def test_refused_credentials_are_a_gap_that_lasts(tmp_path: Path, platform: SimulatedPlatform) -> None:
    store = Store()
    with Running(tmp_path, store, source_for(platform, Hasty())) as running:  # type: ignore[arg-type]
        running.until_told(lambda status: status.state == "OPEN")
        platform.refuse_credentials()
        platform.expire_tokens()
        status = running.until_told(lambda status: status.refused)
        (gap,) = gaps(store)
        assert (gap.kind, gap.end) == ("disconnected", None)
        (down,) = [report.down_since for report in status.sources]
        assert down is not None
        assert gap.start <= down <= status.since
        platform.refuse_credentials(False)
        store.leave_command("retry")
        opened = running.until_told(lambda status: status.state == "OPEN")
        assert gaps(store) == [Gap("eventstreams", "disconnected", gap.start, opened.since, 0, gap.detail)]
