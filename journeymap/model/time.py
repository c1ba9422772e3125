"""Time as this project keeps it: integer milliseconds since the epoch, UTC; spans are half-open `[start, end)`."""

from __future__ import annotations

from typing import TypeAlias

Millis: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00Z, or a length in milliseconds."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR

FIRST_USABLE: Millis = 946_684_800_000
"""2000-01-01T00:00:00Z. A timestamp before it is unusable (docs/stitching.md, section 1)."""

AFTER_LAST_USABLE: Millis = 4_133_980_800_000
"""2101-01-01T00:00:00Z: the years 2000 to 2100 are usable, this instant no longer is."""


def is_usable(timestamp: Millis) -> bool:
    """Whether an event may carry this timestamp."""
    return FIRST_USABLE <= timestamp < AFTER_LAST_USABLE
