"""How long to wait before the next attempt: full-jitter exponential backoff, and what `Retry-After` asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from journeymap.model.time import HOUR, MINUTE, SECOND, Millis
from journeymap.protocol.httpdate import parse_http_date

FIRST: Final = SECOND
LAST: Final = MINUTE
MAX_RETRY_AFTER: Final = HOUR
"""A platform that asks for a longer wait is asked again after this one."""

_SECONDS: Final = re.compile(r"\s*(\d{1,12})(?:\.\d*)?\s*", re.ASCII)
_IN_TEXT: Final = re.compile(r"(?<![\d.])(\d{1,12})(?![\d.])", re.ASCII)


def backoff(random: Callable[[], float], first: Millis = FIRST, last: Millis = LAST) -> Iterator[Millis]:
    """Waits without end, each anywhere between 0 and a ceiling that doubles from `first` to `last` (full jitter).

    `random` answers numbers in [0, 1).
    """
    ceiling = first
    while True:
        yield int(random() * ceiling)
        ceiling = min(ceiling * 2, last)


def parse_retry_after(value: str | None, now: Millis) -> Millis | None:
    """The wait that a `Retry-After` header asks for, in seconds or as an HTTP date; None if it is unusable.

    At most `MAX_RETRY_AFTER`. `now` is wall time, for dates.
    """
    if value is None or len(value) > 100:
        return None
    if seconds := _SECONDS.fullmatch(value):
        return min(int(seconds[1]) * SECOND, MAX_RETRY_AFTER)
    at = parse_http_date(value)
    return None if at is None else max(0, min(at - now, MAX_RETRY_AFTER))


def retry_after_in(reason: str) -> Millis | None:
    """The wait in seconds that the reason of a close frame names ("retry after 5"), if it names just one number."""
    numbers = _IN_TEXT.findall(reason[:200])
    return min(int(numbers[0]) * SECOND, MAX_RETRY_AFTER) if len(numbers) == 1 else None
