"""Times as the public APIs write and read them: ISO 8601 in UTC, to the millisecond."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def stamp(at: int) -> str:
    """`2026-11-20T09:00:00.000Z` for a time in milliseconds since the epoch."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at // 1000))}.{at % 1000:03d}Z"


def read_stamp(text: str) -> int:
    """The time (ms) that a stamp with a zone means. Raises ValueError."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return round((read - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
