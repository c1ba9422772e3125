"""Back-fill from the platform's records: beside a running ingest, through it, or by itself."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from journeymap.bootstrap.sources import PUBLIC, public_api
from journeymap.errors import ConfigurationError, JourneymapError, StoreError
from journeymap.model.backfill import BACKFILL, REFUSED, Fill, decode_fills
from journeymap.model.status import STATUS, decode_status
from journeymap.runtime.clock import SystemClock
from journeymap.settings import Settings
from journeymap.store.base import StoreReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journeymap.protocol.backfill.slices import Period
    from journeymap.runtime.filler import Filler
    from journeymap.runtime.refetching import Refetched, Tell
    from journeymap.source.publicapi.client import PublicApi

LOOK_EVERY: Final = 0.3
HEARD_WITHIN: Final = 10.0
"""Seconds within which a running ingest takes up a command."""


def make_filler(settings: Settings, store: StoreReader, clock: SystemClock, api: PublicApi | None) -> Filler | None:
    """What fetches from records while ingest runs; None where there are none to be asked."""
    from journeymap.runtime.filler import Filler
    from journeymap.source.publicapi.records import AnalyticsRecords

    if api is None:
        return None
    by_itself = settings.backfill == "auto"
    return Filler(AnalyticsRecords(api, clock.now), store, clock, settings.backfill_reach, by_itself=by_itself)


def ingest_runs(settings: Settings) -> str | None:
    """Who ingests into the store of these settings, in words; None if nobody does."""
    from journeymap.store.lock import writer_lock

    if not settings.store_path.is_dir():
        return None
    lock = writer_lock(settings.store_path)
    return None if lock.look() is None else lock.holder()


@contextlib.contextmanager
def leave_to_ingest(settings: Settings, period: Period) -> Iterator[Callable[[], Fill]]:
    """Ask the ingest that runs over the store to fetch a period; what is given tells how far that is, whenever it is called.

    Raises ConfigurationError where that ingest has no records to ask, StoreError where it does not take the command up.
    """
    from journeymap.runtime.commands import written
    from journeymap.store.disk import open_disk_reader

    with contextlib.closing(open_disk_reader(settings.store_path)) as reader:
        status = reader.document(STATUS)
        if status is not None and decode_status(status).backfill is None:
            raise ConfigurationError(
                "the ingest that runs over this store has no platform with records: its SOURCE must be one of"
                f" {', '.join(sorted(PUBLIC))}, with CLIENT_ID, CLIENT_SECRET and REGION"
            )
        name = f"asked-{SystemClock().now()}"
        asked = {"id": name, "from": period.start, "to": period.end, "jobs": period.jobs}
        reader.leave_command(written("backfill", **asked))
        yield lambda: _found(reader, name)


def _found(reader: StoreReader, name: str) -> Fill:
    until = time.monotonic() + HEARD_WITHIN
    while time.monotonic() < until:
        document = reader.document(BACKFILL)
        fills = [] if document is None else decode_fills(document)
        found = next((fill for fill in fills if fill.fill_id == name), None)
        if found is not None:
            return found
        time.sleep(LOOK_EVERY)
    raise StoreError("ingest does not take the command up; its log may say why")


def is_refused(fill: Fill) -> bool:
    """Whether it does not go on before an operator acts."""
    return fill.state == REFUSED


def refetch(settings: Settings, period: Period, tell: Tell, *, dry_run: bool = False) -> Refetched:
    """Fetch a period into the store by itself. Raises StoreLockedError while another process writes to it.

    With `dry_run` nothing is written, and a running ingest is no obstacle.
    """
    clock = SystemClock()
    api = public_api(settings, clock)
    if api is None:
        raise ConfigurationError(
            f"SOURCE is {settings.source}: records are asked of the platform of the sources"
            f" {' and '.join(sorted(PUBLIC))}; set one of them, with CLIENT_ID, CLIENT_SECRET and REGION"
        )
    with contextlib.closing(api):
        return _counted(api, period, clock, tell) if dry_run else _stored(settings, api, period, clock, tell)


def _counted(api: PublicApi, period: Period, clock: SystemClock, tell: Tell) -> Refetched:
    from journeymap.runtime.refetching import Counter, Refetched, fetch
    from journeymap.source.publicapi.records import AnalyticsRecords

    counter = Counter()
    done = fetch(AnalyticsRecords(api, clock.now), period, counter.deliver, lambda _: (), clock, tell)
    assert done.outcome is not None
    outcome = done.outcome
    return Refetched(
        outcome.taken,
        outcome.passed,
        done.requests,
        counter.events,
        waited=api.waited,
        sure=outcome.sure,
        notes=outcome.notes,
    )


def _stored(settings: Settings, api: PublicApi, period: Period, clock: SystemClock, tell: Tell) -> Refetched:
    from journeymap import bootstrap
    from journeymap.journal.journal import Journal
    from journeymap.runtime.refetching import Refetched, StoreFiller, fetch
    from journeymap.source.publicapi.records import AnalyticsRecords

    with contextlib.ExitStack() as closing:
        store = bootstrap.open_store(settings, clock)
        closing.callback(store.close)
        pipeline = bootstrap.make_pipeline(settings, store, bootstrap.stitch_options(settings))
        journal = Journal.open(settings.store_path / "journal", not_before=pipeline.committed)
        closing.callback(journal.close)
        filler = StoreFiller(store, journal, pipeline, clock)
        filler.catch_up()
        before = pipeline.counts.new
        known_before = pipeline.counts.duplicate + pipeline.counts.conflicting
        events_before = pipeline.counts.events
        try:
            records = AnalyticsRecords(api, clock.now)
            done = fetch(records, period, filler.deliver, filler.known_open, clock, tell)
        finally:
            with contextlib.suppress(JourneymapError):  # what went wrong first is what is said
                filler.flush()
        filler.flush()
        assert done.outcome is not None
        outcome, counts = done.outcome, pipeline.counts
        return Refetched(
            outcome.taken,
            outcome.passed,
            done.requests,
            counts.events - events_before,
            new=counts.new - before,
            known=counts.duplicate + counts.conflicting - known_before,
            gaps=filler.close_gaps(period, outcome.taken),
            waited=api.waited,
            sure=outcome.sure,
            notes=outcome.notes,
        )
