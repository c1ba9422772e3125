"""What ingest says of gaps of the Notification Service: shown soon after a socket is lost, and none where one is replaced."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from journeymap.model.status import GAPS, Gap, decode_gaps
from journeymap.model.time import SECOND
from journeymap.simulator.server import SimulatedPlatform
from tests.integration.ingest import CLOCK, Running, Store
from tests.integration.process import until
from tests.notifications import QUICK, source_for


def gaps(store: Store) -> list[Gap]:
    document = store.document(GAPS)
    return [] if document is None else decode_gaps(document)


def test_a_lost_socket_is_a_gap_and_a_renewal_is_none(tmp_path: Path) -> None:
    store = Store()
    with SimulatedPlatform(rate_limit=100_000, notification_heartbeat=0.1) as platform:
        platform.set_faults(channel_life=2.4)
        source = source_for(platform, limits=QUICK)
        with Running(tmp_path, store, source) as running:  # type: ignore[arg-type]  # a source of any kind
            running.until_told(lambda status: status.state == "OPEN")
            until(lambda: channels_made(platform) >= 3, "two renewals")
            assert gaps(store) == []
            lost_at = CLOCK.now()
            platform.drop_connections()
            gap = until(lambda: gaps(store), "a gap")[0]
            assert CLOCK.now() - lost_at < 5 * SECOND
            assert (gap.source, gap.kind) == ("notifications", "disconnected")
            assert lost_at - SECOND < gap.start <= CLOCK.now()
            until(lambda: gaps(store)[0].end is not None, "its end")
            assert running.until_told(lambda status: status.state == "OPEN").sources[0].topics == 5


def test_a_gap_of_one_channel_begins_with_its_own_silence(tmp_path: Path) -> None:
    store = Store()
    with SimulatedPlatform(queues=1_500, rate_limit=100_000, notification_heartbeat=0.1) as platform:
        source = source_for(platform, limits=replace(QUICK, pong=2_000))
        with Running(tmp_path, store, source) as running:  # type: ignore[arg-type]  # a source of any kind
            running.until_told(lambda status: status.state == "OPEN")
            lost_at = CLOCK.now()
            assert platform.act("half_open", only="oldest") == 1
            gap = until(lambda: gaps(store), "a gap")[0]
            assert CLOCK.now() - lost_at > 1.5 * SECOND
            assert gap.start < lost_at + SECOND, "the other channel was heard all the time"


def channels_made(platform: SimulatedPlatform) -> int:
    count: int = platform.stats()["answers"].get("POST /api/v2/notifications/channels 200", 0)
    return count
