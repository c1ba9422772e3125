"""Back-fill from the platform's records: beside a running ingest, or by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymap.runtime.clock import SystemClock
from journeymap.settings import Settings
from journeymap.store.base import StoreReader

if TYPE_CHECKING:
    from journeymap.runtime.filler import Filler
    from journeymap.source.publicapi.client import PublicApi


def make_filler(settings: Settings, store: StoreReader, clock: SystemClock, api: PublicApi | None) -> Filler | None:
    """What fills gaps while ingest runs; None where there are no records to be asked, or they are not to be."""
    from journeymap.runtime.filler import Filler
    from journeymap.source.publicapi.records import AnalyticsRecords

    if api is None or settings.backfill == "off":
        return None
    return Filler(AnalyticsRecords(api, clock.now), store, clock, settings.backfill_reach)
