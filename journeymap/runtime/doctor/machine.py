"""What the machine has to give: time zone, descriptors, ports."""

from __future__ import annotations

import sys
import time

import httpx

from journeymap.errors import ConfigurationError
from journeymap.runtime.doctor.examination import Check
from journeymap.runtime.doctor.outcome import Outcome, fail, ok, warn
from journeymap.runtime.serving import Server
from journeymap.settings import Settings

ENOUGH_DESCRIPTORS = 1_024
"""Each viewer's browser keeps a few connections open, and the store, the journal and the stream take about forty."""

TOO_FEW_DESCRIPTORS = 128
ANSWER_PATIENCE = 2.0
_SECTION = "This machine"


def machine_checks(settings: Settings) -> list[Check]:
    """The checks of the machine that these settings run on."""
    return [
        Check(_SECTION, "time-zone", lambda _: time_zone(settings.time_zone)),
        Check(_SECTION, "descriptors", lambda _: descriptors(_descriptor_limit())),
        Check(_SECTION, "port", lambda _: port("PORT", settings.host, settings.port)),
        Check(_SECTION, "ingest-port", lambda _: port("INGEST_PORT", settings.host, settings.ingest_port)),
    ]


def time_zone(name: str | None) -> Outcome:
    """Which zone the page and exports use, and which the machine is in."""
    machine = f"this machine is in {time.strftime('%Z (UTC%z)')}"
    return ok(f"{name}; {machine}" if name else f"the browser's, since TIME_ZONE is not set; {machine}")


def _descriptor_limit() -> int | None:
    """How many files and sockets a process may have open; None where the system knows no such limit."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def descriptors(limit: int | None) -> Outcome:
    """Whether the process may have enough files and sockets open."""
    if limit is None:
        return ok("no limit on open files and sockets")
    found = f"{limit:,} open files and sockets are allowed"
    remedy = (
        f"allow {ENOUGH_DESCRIPTORS:,} or more: `ulimit -n {ENOUGH_DESCRIPTORS}` in the shell that starts it, or LimitNOFILE= in"
        " the service's unit"
    )
    if limit < TOO_FEW_DESCRIPTORS:
        return fail(f"{found}, too few to run", remedy)
    return warn(f"{found}, few once many browsers look", remedy) if limit < ENOUGH_DESCRIPTORS else ok(found)


def port(setting: str, host: str, number: int) -> Outcome:
    """Whether the port can be listened on. It is for a moment, and nothing is served."""
    if number == 0:
        return ok(f"{setting} = 0: any free one")
    shown = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
    try:
        Server(host, number, setting).close()
    except ConfigurationError as error:
        if _is_journeymap(f"http://{shown}"):
            return ok(f"{shown} is in use by a Journeymap that is running")
        remedy = f"stop the program that uses it, or set {setting} to another port (0 takes any free one)"
        found = f"cannot listen on {shown}: {_reason(error)}"
        # `run` and `serve` need the one, only `ingest` the other.
        return fail(found, remedy) if setting == "PORT" else warn(found, f"{remedy}; only `journeymap ingest` needs it")
    return ok(f"{shown} is free")


def _reason(error: ConfigurationError) -> str:
    cause = error.__cause__
    return (cause.strerror or str(cause)) if isinstance(cause, OSError) else str(error)


def _is_journeymap(address: str) -> bool:
    """Whether a Journeymap answers there."""
    try:
        answer = httpx.get(f"{address}/healthz", timeout=ANSWER_PATIENCE, trust_env=False)
        return bool(answer.json() == {"status": "alive"})
    except (httpx.HTTPError, ValueError):
        return False
