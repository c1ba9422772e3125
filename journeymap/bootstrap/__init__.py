"""The composition root: it alone knows which source, store and clock are in use."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from journeymap.bootstrap.backfilling import make_filler
from journeymap.bootstrap.posting import Posts
from journeymap.bootstrap.sources import make_sources, public_api
from journeymap.model.event import Event
from journeymap.model.names import NAMES
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.ingesting import Ingesting
from journeymap.runtime.logs import start_logging_beside
from journeymap.runtime.memory import calm_collector
from journeymap.runtime.names import NamesKeeper
from journeymap.runtime.outdated import outdated
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf, fold_record
from journeymap.runtime.simulated import SimulatedSource
from journeymap.runtime.work import StoreWork, Tell
from journeymap.runtime.worker import Ingest, IngestOptions
from journeymap.settings import Settings, load
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.stitch.rules import IdentityRules
from journeymap.stitch.stitcher import Stitcher
from journeymap.view.document import document

if TYPE_CHECKING:
    from fastapi import FastAPI

IMPORT_BATCH = 5_000


def stitch_options(settings: Settings) -> StitchOptions:
    """The options of stitching as the settings say."""
    timeouts = Timeouts(
        settings.idle_after, settings.close_after, settings.idle_after_by_channel, settings.close_after_by_channel
    )
    return StitchOptions(timeouts, settings.engagement_window, identity_rules(settings))


def identity_rules(settings: Settings) -> IdentityRules:
    """The rules of identity as the settings say."""
    return IdentityRules(settings.identity_rules, settings.identity_key_limit, settings.identity_ignore or ())


# Offline


class Stitched(msgspec.Struct, frozen=True):
    """What `stitch` found: the journeys as lines of JSON, and the counts of its summary."""

    lines: Iterable[bytes]
    events: int
    journeys: int
    duplicates: int
    conflicting: int


def stitch_events(settings: Settings, events: Iterable[Event], as_of: int | None) -> Stitched:
    """Stitch a whole set of events at once; `as_of` is the clock, the latest timestamp unless given."""
    options = stitch_options(settings)
    stitcher = Stitcher(options, EmptyShelf())
    gc.disable()  # nothing here has cycles, and the process ends soon
    known = list(events)
    applied = stitcher.apply(known)
    now = max((event.timestamp for event in known), default=0) if as_of is None else as_of
    journeys = stitcher.journeys()
    reading = ClockReading(now, options.timeouts)
    lines = (document(journey, reading) for journey in journeys)
    return Stitched(lines, len(known), len(journeys), applied.duplicate, applied.conflicting)


class Imported(msgspec.Struct, frozen=True):
    """What became of imported events."""

    new: int
    duplicates: int
    expired: int


def import_events(settings: Settings, events: Iterable[Event]) -> Imported:
    """Fold recorded events into the store. Raises StoreLockedError while another process writes to it or makes another in
    its place."""
    from journeymap.store.lock import replacement_lock

    clock = SystemClock()
    with contextlib.ExitStack() as closing:
        store = open_store(settings, clock)
        closing.callback(store.close)
        # What comes here is in no journal, so a rebuild would miss it.
        closing.enter_context(replacement_lock(settings.store_path))
        pipeline = make_pipeline(settings, store, stitch_options(settings))
        batch: list[Event] = []
        reached = 0

        def write() -> None:
            nonlocal reached
            now = clock.now()
            reached = max([reached, *(event.timestamp for event in batch)])
            pipeline.hold(batch, "import", now, now)
            pipeline.flush(now, last=True, closed_by=reached)
            batch.clear()

        for event in events:
            batch.append(event)
            if len(batch) >= IMPORT_BATCH:
                write()
        write()
        counts = pipeline.counts
        return Imported(counts.new, counts.duplicate + counts.conflicting, counts.expired)


def store_work(settings: Settings, tell: Tell) -> StoreWork:
    """What a rebuild, a backup or a restore of the store of these settings needs."""
    calm_collector()
    return StoreWork(
        settings.store_path,
        stitch_options(settings),
        lambda store, options: make_pipeline(settings, store, options),
        settings.disk_reserve,
        tell,
    )


# The running product


def run(settings: Settings, *, open_browser: bool = False) -> None:
    """Ingest and web in one process, until told to stop. Raises what ingest failed with."""
    from journeymap.runtime.serving import Server

    clock = SystemClock()
    with contextlib.ExitStack() as closing:
        server = Server(settings.host, settings.port, "PORT")
        closing.callback(server.close)
        posts = Posts(settings, clock)
        ingesting = _ingesting(settings, clock, server.stop, posts)
        closing.callback(ingesting.close)
        ingesting.open()
        app = _web(settings, clock, ingesting, ingesting.start, posts)
        _announce(server.address, open_browser)
        server.serve(app, ingesting.hurry)
        if ingesting.failure is not None:
            raise ingesting.failure


def serve(settings: Settings) -> None:
    """Web only, over a store that another process writes, until told to stop."""
    from journeymap.runtime.serving import Server

    with contextlib.closing(Server(settings.host, settings.port, "PORT")) as server:
        app = _web(settings, SystemClock())
        _announce(server.address, False)
        server.serve(app)


def ingest(settings: Settings) -> None:
    """Ingest only, with health and metrics on `INGEST_PORT`, until told to stop. Raises what ingest failed with."""
    from journeymap.runtime.serving import Server
    from journeymap.web.health import create_health_app

    clock = SystemClock()
    with contextlib.ExitStack() as closing:
        server = Server(settings.host, settings.ingest_port, "INGEST_PORT")
        closing.callback(server.close)
        posts = Posts(settings, clock)
        ingesting = _ingesting(settings, clock, server.stop, posts)
        closing.callback(ingesting.close)
        ingesting.open()
        ingesting.start()
        app = create_health_app(ingesting.status, ingesting.problem, clock.now, posts.routers())
        sys.stderr.write(f"Ingesting into {settings.store}; health and metrics at {server.address}. Ctrl-C stops it.\n")
        server.serve(app)
        try:
            ingesting.close()
        except KeyboardInterrupt:
            ingesting.hurry()
            raise
        if ingesting.failure is not None:
            raise ingesting.failure


def create_server() -> FastAPI:
    """The ASGI application for a server of one's own: its lifespan starts ingest in the one worker that gets the lock."""
    settings = load()
    settings.require_credentials()
    start_logging_beside(settings)
    clock = SystemClock()
    # Where ingest has failed, this worker ends as if told to: it lets go of the lock, and whoever watches over the workers
    # starts another.
    posts = Posts(settings, clock)
    ingesting = _ingesting(settings, clock, lambda: os.kill(os.getpid(), signal.SIGTERM), posts)
    return _web(settings, clock, ingesting, ingesting.start_when_free, posts)


def _ingesting(settings: Settings, clock: SystemClock, on_failure: Callable[[], None], posts: Posts) -> Ingesting:
    """The ingest side over the store of these settings, not opened yet."""

    def put_together(closing: contextlib.ExitStack) -> Ingest:
        from journeymap.journal.journal import Journal
        from journeymap.runtime.hook import alerts_to

        store = open_store(settings, clock)
        closing.callback(store.close)
        pipeline = make_pipeline(settings, store, stitch_options(settings))
        journal = Journal.open(settings.store_path / "journal", not_before=pipeline.committed)
        closing.callback(journal.close)
        api = public_api(settings, clock)
        if api is not None:
            closing.callback(api.close)
        sources = make_sources(settings, clock, settings.store_path / "subscriptions.json", posts.door, api)
        hook = settings.alert_url
        ingest = Ingest(
            store,
            journal,
            sources,
            pipeline,
            clock,
            IngestOptions(
                flush_interval=settings.flush_interval_ms,
                flush_max_events=settings.flush_max_events,
                fsync_interval=settings.fsync_interval,
                journal_max_bytes=settings.journal_max_bytes,
                journal_max_age=settings.journal_max_age,
                disk_reserve=settings.disk_reserve,
                store_path=settings.store_path,
            ),
            stitching_outdated=outdated(store.fingerprints(), stitch_options(settings).fingerprint),
            alerts=None if hook is None else alerts_to(hook.get_secret_value(), settings.environment, clock.now),
            names=None if api is None else NamesKeeper(api, clock.now, store.document(NAMES)),
            filler=make_filler(settings, store, clock, api),
            on_failure=on_failure,
        )
        for source in sources:
            if isinstance(source, SimulatedSource):
                source.launch()
        return ingest

    return Ingesting(put_together, on_failure)


def _web(
    settings: Settings,
    clock: SystemClock,
    ingesting: Ingesting | None = None,
    start: Callable[[], None] = lambda: None,
    posts: Posts | None = None,
) -> FastAPI:
    """The pages and the HTTP interface over the store of these settings. `start` is called when the server starts;
    `ingesting`, where it is done in this process, is closed when it stops, and `posts` are taken."""
    import asyncio

    from journeymap.readmodel.follow import Follower
    from journeymap.readmodel.readmodel import ReadModel
    from journeymap.runtime.operator import command, new_id
    from journeymap.store.disk import open_disk_reader
    from journeymap.view.masking import Viewer
    from journeymap.web.api import create_api
    from journeymap.web.app import create_app
    from journeymap.web.exporting import create_exports
    from journeymap.web.health import create_health
    from journeymap.web.metrics import HttpMetrics, Metrics
    from journeymap.web.viewing import ViewedModel

    options = stitch_options(settings)
    reader = open_disk_reader(settings.store_path)
    model = ReadModel(
        reader,
        clock.now,
        options.timeouts,
        lambda record, raws: fold_record(record, raws, options),
        rules=options.identity,
        beside=lambda: None if ingesting is None else ingesting.problem(),
    )
    follower = Follower(model)
    metrics = Metrics(model.status, clock.now, model)
    everyone = Viewer()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        start()
        follower.start()
        yield
        if ingesting is not None:
            await asyncio.to_thread(ingesting.close)
        await asyncio.to_thread(follower.stop)
        reader.close()

    _, app = create_app(
        ViewedModel(model, everyone),
        clock=clock.now,
        time_zone=settings.time_zone,
        retry=lambda: reader.leave_command("retry"),
        change_customers=lambda do, one, other: reader.leave_command(command(do, one, other, new_id(do))),
        routers=(
            create_health(model.status, lambda: model.problem, clock.now, metrics),
            create_api(model, reader, clock.now, lambda _: everyone),
            create_exports(model, reader, clock.now, lambda _: everyone, time_zone=settings.time_zone),
            *(() if posts is None else posts.routers()),
        ),
        lifespan=lifespan,
    )
    app.add_middleware(HttpMetrics, metrics=metrics)
    return app


def _announce(address: str, open_browser: bool) -> None:
    sys.stderr.write(f"Journeymap is at {address} (Ctrl-C stops it)\n")
    if open_browser:
        threading.Timer(1.0, webbrowser.open, (address,)).start()


def open_store(settings: Settings, clock: SystemClock) -> Any:
    """The store of these settings, opened for writing."""
    from journeymap.store.disk import open_disk_store

    return open_disk_store(
        settings.store_path,
        source=kinds_of(settings),
        environment=settings.environment,
        now=clock.now(),
        folded_with=stitch_options(settings).fingerprint,
    )


def kinds_of(settings: Settings) -> str:
    """What a store is told of its sources."""
    return ",".join(sorted({source.partition(":")[0] for source in settings.sources}))


def make_pipeline(settings: Settings, store: Any, stitching: StitchOptions) -> Pipeline:
    """The way into the store of these settings."""
    shelf = StoreShelf(store)
    options = PipelineOptions(
        reorder_window=settings.reorder_window_ms, retention=settings.retention, max_journeys=settings.max_journeys
    )
    return Pipeline(store, lambda: Stitcher(stitching, shelf, shelf.identity_events()), options)
