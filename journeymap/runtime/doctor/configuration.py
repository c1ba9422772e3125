"""The settings: where they came from, and whether the secret is kept as a secret."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Final

from journeymap.errors import ConfigurationError
from journeymap.runtime.doctor.examination import Check
from journeymap.runtime.doctor.outcome import Outcome, fail, ok, warn
from journeymap.settings import Settings, in_force

SECTION = "Settings"
NAME = "configuration"
OVER_THE_NETWORK: Final = frozenset({"eventstreams", "notifications"})
"""Sources that need the addresses of a platform, and credentials."""

_TOLD = ("SOURCE", "STORE", "ENVIRONMENT")


def configuration_checks(settings: Settings) -> list[Check]:
    """The checks of settings that could be read."""
    checks = [Check(SECTION, NAME, lambda _: origins(settings))]
    if not OVER_THE_NETWORK.isdisjoint(settings.sources):
        checks += [
            Check(SECTION, "credentials", lambda _: credentials_of(settings)),
            Check(SECTION, "addresses", lambda _: addresses(settings)),
        ]
    return checks


def wrong(error: ConfigurationError) -> Outcome:
    """Settings that could not be read: one of them is wrong."""
    text = str(error)
    what, allowed, remedy = text.partition(": allowed is ")
    if allowed:
        return fail(what, f"allowed is {remedy}")
    return fail(text, "correct it there; `journeymap config` shows all settings and where each came from")


def origins(settings: Settings) -> Outcome:
    """Where the settings that matter most came from, and how many others are set."""
    rows = in_force(settings)
    told = [f"{row.name} = {row.value} ({row.origin})" for row in rows if row.name in _TOLD]
    others = [row.name for row in rows if row.origin != "default" and row.name not in _TOLD]
    return ok("; ".join(told) + (f"; also set: {', '.join(others)}" if others else "; all else by default"))


def credentials_of(settings: Settings) -> Outcome:
    """Whether the client's credentials are there, and the secret where no one else can read it."""
    missing = [name for name in settings.missing() if not name.endswith("_url")]
    if missing:
        names = " and ".join(name.upper() for name in missing)
        return fail(
            f"{names} {'is' if len(missing) == 1 else 'are'} not set",
            "make an OAuth client of the kind client credentials on the platform, and set JOURNEYMAP_CLIENT_ID and"
            " JOURNEYMAP_CLIENT_SECRET_FILE (or JOURNEYMAP_CLIENT_SECRET)",
        )
    return kept(settings, "client_secret", f"CLIENT_ID {settings.client_id}, secret from ")


def kept(settings: Settings, name: str, found: str) -> Outcome:
    """Whether this secret stands where no one else can read it. `found` goes on with where that is."""
    origin = settings.origins.get(name, "default")
    safe = f"give the secret as JOURNEYMAP_{name.upper()}, or in a file of its own with {name.upper()}_FILE"
    file = getattr(settings, f"{name}_file")
    if file is not None:
        mode = _mode(file)
        found += f"{file} (mode {mode:04o})" if mode is not None else str(file)
        if mode is not None and mode & stat.S_IROTH:
            return warn(f"{found}, which every user can read", f"chmod 600 {file}")
        return ok(found)
    if origin.startswith("command line"):
        return warn(f"{found}the command line, which every user can see", safe)
    if origin.startswith("journeymap.toml"):
        return warn(f"{found}{origin}, a file that is passed on", safe)
    return ok(found + origin)


def addresses(settings: Settings) -> Outcome:
    """Where the platform is."""
    missing = [name.upper() for name in settings.missing() if name.endswith("_url")]
    if missing:
        return fail(f"{', '.join(missing)} not set", "set REGION, or LOGIN_URL, API_URL and STREAM_URL each")
    rows = [row for row in in_force(settings) if row.name in ("LOGIN_URL", "API_URL", "STREAM_URL")]
    return ok("; ".join(f"{row.name} = {row.value} ({row.origin})" for row in rows))


def _mode(path: Path) -> int | None:
    """Who may read the file; None where the system has no such mode."""
    if sys.platform == "win32":
        return None
    return stat.S_IMODE(path.stat().st_mode)
