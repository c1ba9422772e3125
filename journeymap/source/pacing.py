"""Plays recorded events in the time they took, or some times faster."""

from __future__ import annotations

import calendar
import math
import re
from typing import Final

import msgspec

from journeymap.model.time import SECOND, Millis, is_usable

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))?", re.ASCII
)


class _Stamped(msgspec.Struct, gc=False):
    timestamp: int | float | str | None = None


class _Batch(msgspec.Struct, gc=False):
    events: list[_Stamped]


_decode: Final = msgspec.json.Decoder(_Stamped).decode
_decode_array: Final = msgspec.json.Decoder(list[_Stamped]).decode
_decode_batch: Final = msgspec.json.Decoder(_Batch).decode


def timestamp_of(line: bytes) -> Millis | None:
    """When the (first) event of a recorded line happened; None where that cannot be told at a glance. Never raises."""
    try:
        if line.lstrip()[:1] == b"[":
            found: list[_Stamped] = _decode_array(line)
        else:
            found = [_decode(line)]
            if found[0].timestamp is None:
                found = _decode_batch(line).events
        stamp = found[0].timestamp if found else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    at = _from_iso(stamp) if isinstance(stamp, str) else stamp
    # Compared and not asked with `isfinite`, which raises for a whole number beyond all floats.
    return int(at) if at is not None and abs(at) < math.inf and is_usable(int(at)) else None


def _from_iso(text: str) -> Millis | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        seconds = calendar.timegm((year, month, day, hour, minute, second))
    except (ValueError, OverflowError):
        return None
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    if sign is not None:
        offset = (int(offset_hours) * 60 + int(offset_minutes)) * 60
        seconds += -offset if sign == "+" else offset
    return seconds * SECOND + int((fraction or "0").ljust(3, "0")[:3])


class Pace:
    """Says how long to wait before a line is due: `speed` times as fast as it happened, 0 means at once."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._anchor: tuple[Millis, Millis] | None = None

    def wait(self, line: bytes, now: Millis) -> Millis:
        """How long this line is still to be held back. Time starts with the first line that has a timestamp."""
        if not self._speed or (at := timestamp_of(line)) is None:
            return 0
        if self._anchor is None:
            self._anchor = (at, now)
        first, began = self._anchor
        return max(0, began + int((at - first) / self._speed) - now)

    def skip(self) -> None:
        """Let the next line start time anew: an operator does not want to wait for it."""
        self._anchor = None
