"""What `journeymap doctor` looks at, put together for the settings in force."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from journeymap.bootstrap import kinds_of, stitch_options
from journeymap.bootstrap.sources import can_ask, platform, public_platform, simulated, simulated_platform
from journeymap.errors import SourceError
from journeymap.model.time import Millis
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.doctor.alerting import alert_checks
from journeymap.runtime.doctor.configuration import configuration_checks
from journeymap.runtime.doctor.eventbridge import eventbridge_checks
from journeymap.runtime.doctor.examination import Check
from journeymap.runtime.doctor.machine import machine_checks
from journeymap.runtime.doctor.notifications import notification_checks
from journeymap.runtime.doctor.outcome import failed, ok, skip
from journeymap.runtime.doctor.platform import platform_checks
from journeymap.runtime.doctor.publicapi import NAMED_QUEUES, NAMES, RECORDS, PublicPart, public_part
from journeymap.runtime.doctor.recording import file_checks
from journeymap.runtime.doctor.storage import StorageChecks
from journeymap.settings import Settings


@contextlib.contextmanager
def checks(settings: Settings, patience: Millis) -> Iterator[list[Check]]:
    """All checks, in order; each source has its own. What they started or made is gone at the end. `patience` is how long a
    platform's first sign of life is waited for."""
    clock = SystemClock().now
    found = configuration_checks(settings)
    named = {check.name: check for check in found}
    with contextlib.ExitStack() as closing:
        for source in settings.sources:
            section = f"Source {source}"
            if source == "simulator":
                found += closing.enter_context(_simulated_checks(settings, section, clock, patience))
            elif source.startswith("file:"):
                found += file_checks(source.removeprefix("file:"), section)
            elif source == "eventbridge":
                from journeymap.web.ingest import PATH as INGEST_PATH

                found += closing.enter_context(eventbridge_checks(settings, section, INGEST_PATH, clock))
                if can_ask(settings) and "notifications" not in settings.sources:  # whose checks are the same
                    found += closing.enter_context(_public_checks(settings, section, clock, patience)).checks
            elif any(name.endswith("_url") for name in settings.missing()):
                found.append(Check(section, "proxy", lambda _: skip("needs addresses"), (named["addresses"],)))
            else:
                needs, credentials = (named["addresses"],), (named["credentials"],)
                rest = (section, clock, patience, needs, credentials)
                found += closing.enter_context(
                    notification_checks(public_platform(settings), *rest)
                    if source == "notifications"
                    else platform_checks(platform(settings), *rest)
                )
        if settings.alert_url is not None:
            found += alert_checks(settings.alert_url.get_secret_value(), clock)
        storage = StorageChecks(settings, kinds_of(settings), stitch_options(settings).fingerprint, clock)
        yield [*found, *storage.checks(), *machine_checks(settings)]


def _public_checks(
    settings: Settings, section: str, clock: Callable[[], Millis], patience: Millis
) -> contextlib.AbstractContextManager[PublicPart]:
    """What EventBridge cannot bring, and ingest asks the platform for: records and names."""
    return public_part(public_platform(settings), section, clock, patience, (NAMED_QUEUES, *RECORDS, *NAMES))


@contextlib.contextmanager
def _simulated_checks(
    settings: Settings, section: str, clock: Callable[[], Millis], patience: Millis
) -> Iterator[list[Check]]:
    """The checks of a simulated platform that is started for them, as `run` starts it."""
    began = time.monotonic()
    process = simulated_platform(settings)
    with contextlib.ExitStack() as closing:
        closing.callback(process.stop)
        process.launch()
        try:
            access = process.access()
        except SourceError as error:
            found = failed(error, "see `journeymap simulate`")
            yield [Check(section, "start", lambda _: found)]
            return
        assert access is not None
        seconds = time.monotonic() - began
        up = ok(f"a simulated platform of our own is at {access.api_url}, up after {seconds:.1f} s")
        start = Check(section, "start", lambda _: up)
        made = platform_checks(simulated(access, settings), section, clock, patience, (start,))
        yield [start, *closing.enter_context(made)]
