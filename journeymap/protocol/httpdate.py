"""Dates as HTTP spells them."""

from __future__ import annotations

from email.utils import mktime_tz, parsedate_tz

from journeymap.model.time import SECOND, Millis

LONGEST = 100


def parse_http_date(text: str | None) -> Millis | None:
    """The moment that a header such as `Date` names, to the second; None if it names none."""
    if text is None or len(text) > LONGEST:
        return None
    try:
        date = parsedate_tz(text)
        return None if date is None else int(mktime_tz(date)) * SECOND
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
