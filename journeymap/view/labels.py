"""Times and durations as people write and read them. Besides `decode` the only place that knows calendars."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from journeymap.errors import InputError
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, Millis, is_usable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ID_SHOWN: Final = 8
_LENGTH: Final = re.compile(r"(\d{1,13}(?:\.\d{1,3})?) ?(ms|s|min|m|h|d)?", re.ASCII)
_LENGTH_UNITS: Final = {"ms": 1, "s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY}


def duration(length: Millis) -> str:
    """A length in its two largest units: `850 ms`, `42 s`, `3 min 5 s`, `2 h`, `1 d 4 h`; negative ones read 0 s."""
    if length <= 0:
        return "0 s"
    if length < SECOND:
        return f"{length} ms"
    for place, (unit, name) in enumerate(_UNITS):
        if length >= unit:
            text = f"{length // unit} {name}"
            if place + 1 < len(_UNITS):
                smaller, smaller_name = _UNITS[place + 1]
                rest = length % unit // smaller
                return f"{text} {rest} {smaller_name}" if rest else text
            return text
    raise AssertionError("a length of a second or more has a unit")


def size(length: int) -> str:
    """A number of bytes in its largest unit: `812 B`, `1.5 MiB`, `20 GiB`; negative ones read 0 B."""
    value, unit = float(max(0, length)), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1_000:
            break
        value, unit = value / 1_024, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"


def clock_time(moment: Millis, zone: tzinfo = UTC) -> str:
    """The time of day to the second, `14:03:59`."""
    return _datetime(moment, zone).strftime("%H:%M:%S")


def date_and_time(moment: Millis, zone: tzinfo = UTC) -> str:
    """Date and time to the second with the zone's offset, `2026-11-24 14:03:59 +00:00`."""
    text = _datetime(moment, zone).isoformat(sep=" ", timespec="seconds")
    return f"{text[:-6]} {text[-6:]}"


def short_day(moment: Millis, zone: tzinfo = UTC) -> str:
    """The day without its year, `24 Nov`."""
    day = _datetime(moment, zone)
    return f"{day.day} {_MONTHS[day.month - 1]}"


def day_and_time(moment: Millis, zone: tzinfo = UTC) -> str:
    """Day and time to the second, `24 Nov 2026, 14:03:59`."""
    at = _datetime(moment, zone)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M:%S}"


def tick_label(moment: Millis, step: Millis, zone: tzinfo = UTC) -> str:
    """A tick's label: seconds, minutes or days, as fine as the ticks are apart; midnight shows the day."""
    at = _datetime(moment, zone)
    if step >= DAY or (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0):
        return short_day(moment, zone)
    return f"{at:%H:%M:%S}" if step < MINUTE else f"{at:%H:%M}"


def zone_offset(moment: Millis, zone: tzinfo) -> Millis:
    """What local time is ahead of UTC at this moment."""
    return (_datetime(moment, zone).utcoffset() or timedelta()) // timedelta(milliseconds=1)


def folded_tick_label(moment: Millis, step: Millis, zone: tzinfo = UTC) -> str:
    """A tick's label on a folded axis: one on a round time as on any axis, one where a piece begins with its time of day."""
    on_grid = (moment + zone_offset(moment, zone)) % step == 0
    return tick_label(moment, step if on_grid else min(step, HOUR), zone)


def short_duration(length: Millis) -> str:
    """A length for a narrow column: `42s`, `3m`, `2h`, `4d`."""
    for unit, name in _UNITS:
        if length >= unit:
            return f"{length // unit}{name[0]}"
    return "0s"


def short_name(name: str) -> str:
    """The beginning of an id that has no name; whatever else there is stays as it is."""
    return f"{name[:_ID_SHOWN]}…" if _ID.fullmatch(name) else name


def iso(moment: Millis) -> str:
    """ISO 8601 in UTC with milliseconds, `2026-11-24T14:03:59.120Z`."""
    return _datetime(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_compact(moment: Millis, zone: tzinfo = UTC) -> str:
    """Date and time to the second for names of files, `20261124-140359`."""
    return _datetime(moment, zone).strftime("%Y%m%d-%H%M%S")


def parse_moment(text: str, name: str) -> Millis:
    """A moment from milliseconds since the epoch or ISO 8601 (UTC where it names no zone). `name` is for the error.

    Raises InputError.
    """
    text = text.strip()
    try:
        if text.isascii() and text.isdecimal() and len(text) > 8:
            moment = int(text)
        else:
            parsed = datetime.fromisoformat(text)
            moment = ((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise InputError(
            f"{name} is {text[:40]!r}; use milliseconds since 1970 or ISO 8601 such as 2026-11-24T14:00:00Z"
        ) from None
    if not is_usable(moment):
        raise InputError(f"{name} is {text[:40]!r}, which lies outside the years 2000 to 2100")
    return moment


def parse_length(text: str, name: str) -> Millis:
    """A length of time from `90s`, `5m` or `5min`, `2h`, `1d`, or a number of milliseconds. `name` is for the error.

    Raises InputError.
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{name} is {text[:40]!r}; use a length such as 90s, 5m, 2h or 1d, or milliseconds")
    return round(float(match[1]) * _LENGTH_UNITS[match[2] or "ms"])


def _datetime(moment: Millis, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=moment)).astimezone(zone)
