"""Which source is made for which setting."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import SystemRandom

import msgspec

from journeymap.errors import ConfigurationError, InputError
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.simulated import Access, SimulatedSource
from journeymap.settings import Settings
from journeymap.source.base import Source


def make_sources(settings: Settings, clock: SystemClock, ledger: Path | None = None) -> list[Source]:
    """All sources that the settings name.

    `ledger` only for who holds the store's lock: what stands in it is taken for left behind.
    """
    return [_source(name, settings, clock, ledger) for name in settings.sources]


def _faults(settings: Settings) -> list[str]:
    """What is to be wrong with the simulated platform; ConfigurationError where it knows of no such thing."""
    from journeymap.simulator.faults import Faults, assignment

    faults = [fault.strip() for fault in (settings.simulator_faults or "").split(",") if fault.strip()]
    try:
        Faults().change(dict(map(assignment, faults)))
    except InputError as error:
        raise ConfigurationError(f"SIMULATOR_FAULTS: {error}") from error
    return faults


def _source(name: str, settings: Settings, clock: SystemClock, ledger: Path | None) -> Source:
    from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
    from journeymap.source.file import FileSource

    kind, _, rest = name.partition(":")
    if kind == "file":
        return FileSource(rest, settings.speed, clock.now)

    def connect(access: Access, max_events: int, ledger: Path | None = None) -> Source:
        config = EventStreamsConfig(**msgspec.structs.asdict(access), max_events_per_second=max_events)
        return EventStreamsSource(config, clock.now, SystemRandom(), ledger=ledger)

    if kind == "eventstreams":
        secret = settings.client_secret
        access = Access(
            settings.login_url or "",
            settings.api_url or "",
            settings.stream_url or "",
            settings.client_id or "",
            "" if secret is None else secret.get_secret_value(),
        )
        return connect(access, settings.max_events_per_second, ledger)
    rate = settings.simulator_rate
    command = [
        sys.executable, "-m", "journeymap", "simulate", "--port", "0", "--json", "--exit-with-parent",
        "--rate", str(max(1.0, rate)), "--seed", str(settings.simulator_seed), "--history", f"{settings.simulator_history}ms",
    ]  # fmt: skip
    for fault in _faults(settings):
        command += ["--fault", fault]
    checkout = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([checkout, *filter(None, [os.getenv("PYTHONPATH")])])}
    # Ask for a multiple of the mean rate, so that a busy second is not cut short.
    most = max(settings.max_events_per_second, round(4 * rate))
    return SimulatedSource(command, environment, lambda access: connect(access, most))
