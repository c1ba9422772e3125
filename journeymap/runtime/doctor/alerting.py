"""The web hook of `ALERT_URL`: whether it can be reached. Nothing is sent to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from msgspec.structs import replace

from journeymap.errors import ConfigurationError, TransientSourceError
from journeymap.model.time import Millis
from journeymap.runtime.doctor.examination import Check, Progress
from journeymap.runtime.doctor.line import shake_hands
from journeymap.runtime.doctor.outcome import Grade, Outcome, failed, ok
from journeymap.source.dialing import dial

TIMEOUT = 10.0
_SETTING = "ALERT_URL"


def alert_checks(url: str, clock: Callable[[], Millis]) -> list[Check]:
    """The check of this web hook."""
    return [Check("Alerts", "alert-url", partial(reached, url, clock))]


def reached(url: str, clock: Callable[[], Millis], progress: Progress) -> Outcome:
    """Whether the way to the web hook is open. Ingest does without, so it is a warning if it is not. Its address, of which any
    part may be a key, is never said."""
    try:
        if url.startswith("http:"):
            dial(url, TIMEOUT, _SETTING).close()
            outcome = ok("can be reached")
        else:
            outcome = shake_hands(url, _SETTING, clock, TIMEOUT, progress)
    except (TransientSourceError, ConfigurationError) as error:
        outcome = failed(error, "check ALERT_URL")
    grade = Grade.WARN if outcome.grade is Grade.FAIL else outcome.grade
    parts = urlsplit(url)
    found, remedy = outcome.found, outcome.remedy
    for name in (parts.netloc, parts.hostname or ""):
        found = found.replace(name, "the web hook")
        remedy = None if remedy is None else remedy.replace(name, "the web hook")
    return replace(outcome, grade=grade, found=found, remedy=remedy)
