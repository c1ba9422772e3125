"""Which source is made for which setting, and how a platform is reached."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Final

import msgspec

from journeymap.errors import ConfigurationError, InputError
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.simulated import Access, PlatformProcess, SimulatedSource
from journeymap.settings import Settings
from journeymap.source.base import Source
from journeymap.source.config import EventStreamsConfig
from journeymap.source.door import Door
from journeymap.source.eventbridge import EventBridgeConfig
from journeymap.source.publicapi.config import PublicApiConfig

if TYPE_CHECKING:
    from journeymap.source.publicapi.client import PublicApi


def make_sources(
    settings: Settings,
    clock: SystemClock,
    ledger: Path | None = None,
    door: Door | None = None,
    api: PublicApi | None = None,
) -> list[Source]:
    """All sources that the settings name.

    `ledger` only for who holds the store's lock: what stands in it is taken for left behind. `door` is where a server hands
    in what is posted. `api` is the client of the public APIs that others use too, if there are such.
    """
    return [_source(name, settings, clock, ledger, door, api) for name in settings.sources]


def _source(
    name: str,
    settings: Settings,
    clock: SystemClock,
    ledger: Path | None,
    door: Door | None,
    api: PublicApi | None,
) -> Source:
    from journeymap.source.eventbridge import EventBridgeSource
    from journeymap.source.eventstreams import EventStreamsSource
    from journeymap.source.file import FileSource

    kind, _, rest = name.partition(":")
    if kind == "file":
        return FileSource(rest, settings.speed, clock.now)
    if kind == "eventstreams":
        return EventStreamsSource(platform(settings), clock.now, SystemRandom(), ledger=ledger)
    if kind == "eventbridge":
        return EventBridgeSource(eventbridge(settings), clock.now, SystemRandom().random, door)
    if kind == "notifications":
        return _notifications(public_platform(settings), clock, api)
    return SimulatedSource(
        simulated_platform(settings),
        lambda access: EventStreamsSource(simulated(access, settings), clock.now, SystemRandom()),
    )


def _notifications(config: PublicApiConfig, clock: SystemClock, api: PublicApi | None) -> Source:
    from journeymap.source.notifications.source import NotificationsSource
    from journeymap.source.publicapi.client import PublicApi

    return NotificationsSource(
        api or PublicApi(config, clock.now, SystemRandom()), config.stream_url, clock.now, SystemRandom()
    )


PUBLIC: Final = frozenset({"notifications", "eventbridge"})
"""The sources of the public platform."""


def public_api(settings: Settings, clock: SystemClock) -> PublicApi | None:
    """The one client of the public APIs that everything in this process shares; None without a source of that platform, or
    without what it takes to ask."""
    from journeymap.source.publicapi.client import PublicApi

    if PUBLIC.isdisjoint(settings.sources) or not can_ask(settings):
        return None
    return PublicApi(public_platform(settings), clock.now, SystemRandom())


def can_ask(settings: Settings) -> bool:
    """Whether the settings say where the public APIs are, and as whom to ask them."""
    return all((settings.client_id, settings.client_secret, settings.login_url, settings.api_url))


def public_platform(settings: Settings) -> PublicApiConfig:
    """The public platform that the settings name; what is not set is empty."""
    named = platform(settings)
    return PublicApiConfig(named.login_url, named.api_url, named.stream_url, named.client_id, named.client_secret)


def platform(settings: Settings) -> EventStreamsConfig:
    """The platform that the settings name; what is not set is empty."""
    secret = settings.client_secret
    return EventStreamsConfig(
        login_url=settings.login_url or "",
        api_url=settings.api_url or "",
        stream_url=settings.stream_url or "",
        client_id=settings.client_id or "",
        client_secret="" if secret is None else secret.get_secret_value(),
        max_events_per_second=settings.max_events_per_second,
    )


def eventbridge(settings: Settings) -> EventBridgeConfig:
    """What is read of EventBridge; what is not set is empty."""
    key = settings.eventbridge_key
    return EventBridgeConfig(
        key="" if key is None else key.get_secret_value(),
        queue_url=settings.eventbridge_queue_url or "",
        endpoint_url=settings.eventbridge_endpoint_url or "",
    )


def simulated_platform(settings: Settings) -> PlatformProcess:
    """The simulated platform, not started yet."""
    command = [
        sys.executable, "-m", "journeymap", "simulate", "--port", "0", "--json", "--exit-with-parent",
        "--rate", str(max(1.0, settings.simulator_rate)), "--seed", str(settings.simulator_seed),
        "--history", f"{settings.simulator_history}ms",
    ]  # fmt: skip
    for fault in _faults(settings):
        command += ["--fault", fault]
    checkout = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([checkout, *filter(None, [os.getenv("PYTHONPATH")])])}
    return PlatformProcess(command, environment)


def simulated(access: Access, settings: Settings) -> EventStreamsConfig:
    """The simulated platform, once it runs."""
    # Ask for a multiple of the mean rate, so that a busy second is not cut short.
    most = max(settings.max_events_per_second, round(4 * settings.simulator_rate))
    return EventStreamsConfig(**msgspec.structs.asdict(access), max_events_per_second=most)


def _faults(settings: Settings) -> list[str]:
    """What is to be wrong with the simulated platform; ConfigurationError where it knows of no such thing."""
    from journeymap.simulator.faults import Faults, assignment

    faults = [fault.strip() for fault in (settings.simulator_faults or "").split(",") if fault.strip()]
    try:
        Faults().change(dict(map(assignment, faults)))
    except InputError as error:
        raise ConfigurationError(f"SIMULATOR_FAULTS: {error}") from error
    return faults
