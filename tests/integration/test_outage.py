"""The line to the platform is cut while the source `notifications` is live: the gap is shown and filled, nothing lost or doubled.
In full, with 90 s at 100 events/s, it is `python -m benchmarks.outage`."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.outage import Relay, held_in, judge
from journeymap.model.status import GAPS, Gap, decode_gaps
from journeymap.model.time import SECOND
from journeymap.runtime.filler import Filler
from journeymap.simulator.platform import STREAM_PATH
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.notifications.source import NotificationsSource
from journeymap.source.publicapi.client import PublicApi, PublicApiConfig
from journeymap.source.publicapi.records import AnalyticsRecords
from tests.integration.ingest import CLOCK, Running, Store
from tests.integration.process import until


class Hasty(random.Random):
    """Waits as little as it may."""

    def random(self) -> float:
        return 0.0


def gap_of(store: Store) -> Gap | None:
    return next((gap for gap in decode_gaps(store.document(GAPS) or b"[]") if gap.kind == "disconnected"), None)


def test_an_outage_is_shown_filled_and_costs_nothing(tmp_path: Path) -> None:
    store = Store()
    with SimulatedPlatform(rate=3.0) as platform, Relay(platform.port) as relay:
        platform.platform.base_url = f"http://127.0.0.1:{relay.port}"
        base, stream = platform.platform.base_url, f"ws://127.0.0.1:{relay.port}{STREAM_PATH}"
        api = PublicApi(
            PublicApiConfig(base, base, stream, platform.client_id, platform.client_secret), CLOCK.now, Hasty()
        )
        live = NotificationsSource(api, stream, CLOCK.now, Hasty())
        filler = Filler(AnalyticsRecords(api, CLOCK.now), store, CLOCK, 10 * SECOND)
        with Running(tmp_path, store, live, filler=filler) as running:  # type: ignore[arg-type]  # of any kind
            running.until_told(lambda status: status.backfill is not None and status.backfill.filled)
            relay.cut()
            cut_at = CLOCK.now()
            until(lambda: gap_of(store), "the gap to be shown", 5)
            until(lambda: CLOCK.now() > cut_at + 2 * SECOND, "time to pass")
            relay.mend()
            until(lambda: (gap := gap_of(store)) and gap.filled_at, "the gap to be filled")
        gap = gap_of(store)
        assert gap is not None and gap.end is not None and gap.filled_at is not None
        assert gap.end - gap.start >= SECOND
        assert platform.public.chronicle is not None
        verdict = judge(held_in(store), platform.public.chronicle.story, gap.start, gap.end, CLOCK.now())
        api.close()
    assert verdict.due > 0
    assert (verdict.lost, verdict.doubled) == ([], [])
