"""Moments as the platform's records write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from journeymap.model.time import SECOND, Millis

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def iso(moment: Millis) -> str:
    """ISO 8601, UTC, with milliseconds."""
    whole = datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{moment % SECOND:03d}Z"


def read_iso(value: Any) -> Millis | None:
    """The moment that a text names, in UTC where it names no zone; None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
