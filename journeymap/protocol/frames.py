"""Tells the stream's control frames from data, without looking further into data than it must."""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import msgspec

from journeymap.model.time import HOUR, SECOND, Millis

MAX_FRAME: Final = 1 << 20
"""Bytes of the longest usable frame or line. A longer one is handed on as its first `MAX_FRAME + 1` bytes: enough for
decode to know that it is too large, and too little to fill the memory."""

MAX_DROPPED: Final = 1_000_000_000
"""A throttle frame that claims more than this many dropped events is read as this many."""

MAX_ID: Final = 2_048
"""Characters of the longest connection id or callback URL that is believed."""


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """The platform says that the subscription lives."""


class Throttle(msgspec.Struct, frozen=True, gc=False):
    """The platform left events out. `retry_after` is None where it was not said usably, `dropped` 0 likewise."""

    retry_after: Millis | None = None
    dropped: int = 0


class Opened(msgspec.Struct, frozen=True, gc=False):
    """The platform's greeting: what this connection is called, where it has said so."""

    connection_id: str | None = None
    callback_url: str | None = None


Control: TypeAlias = Heartbeat | Throttle | Opened
"""A frame that says something about the connection and carries no event."""


class _Head(msgspec.Struct, gc=False):
    type: str = ""


_START: Final = 200
"""Bytes of a frame that are looked at to see whether it is a batch."""

_HEARTBEAT: Final = Heartbeat()
_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_all: Final = msgspec.json.Decoder().decode
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
_CONTROL_TYPES: Final = frozenset({"heartbeat", "throttle", "connection.opened"})


def classify(frame: bytes) -> Control | None:
    """The control frame that this is, or None: data, which includes all that cannot be read. Never raises."""
    try:
        kind = _decode_head(frame).type
    except _UNREADABLE:
        return None
    return _control(kind, frame) if kind in _CONTROL_TYPES else None


def count_events(frame: bytes) -> int:
    """About how many events a data frame holds: in a batch, as many as there are keys named `type`. Never raises."""
    if frame.startswith(b"[") or frame.find(b'"events"', 0, _START) >= 0:
        return frame.count(b'"type"')
    return 1


def _control(kind: str, frame: bytes) -> Control | None:
    try:
        fields: dict[str, Any] = _decode_all(frame)
    except _UNREADABLE:
        # The head was readable, a number or text elsewhere is not: the type still holds.
        fields = {}
    if "events" in fields:
        return None
    if kind == "heartbeat":
        return _HEARTBEAT
    if kind == "throttle":
        return Throttle(_wait(fields.get("retryAfterSeconds")), _count(fields.get("dropped")))
    return Opened(_name(fields.get("connectionId")), _name(fields.get("callbackUrl")))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _wait(value: Any) -> Millis | None:
    if not _is_number(value) or not value >= 0:
        return None
    return HOUR if value >= HOUR // SECOND else int(value * SECOND)


def _count(value: Any) -> int:
    if not _is_number(value) or not value > 0:
        return 0
    return MAX_DROPPED if value >= MAX_DROPPED or not math.isfinite(value) else int(value)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable() else None
