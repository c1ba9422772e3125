"""Times as senders write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from journeymap.model.time import Millis, is_usable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SHORT_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?=[T ])")


def read_timestamp(value: Any) -> Millis | None:
    """Milliseconds from a number of milliseconds or ISO 8601 text (UTC where it names no zone); None if unusable."""
    if type(value) is int:
        timestamp = value
    elif type(value) is float:
        if not math.isfinite(value):
            return None
        timestamp = math.floor(value)
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            timestamp = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
        except (ValueError, OverflowError):
            return None
    else:
        return None
    return timestamp if is_usable(timestamp) else None


def read_date(value: Any) -> Millis | None:
    """As `read_timestamp`, also where month or day has one digit only (`2021-04-2T15:30:51.418Z`), as published records have."""
    at = read_timestamp(value)
    if at is None and isinstance(value, str) and (short := _SHORT_DATE.match(value)):
        return read_timestamp(f"{short[1]}-{short[2]:0>2}-{short[3]:0>2}{value[short.end() :]}")
    return at
