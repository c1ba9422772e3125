"""Events out of frames, and why some are turned away."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from journeymap.decode.event import (
    decode_frame,
)
from journeymap.model.event import Event

START = 1_700_000_000_000


HEAD = b'"type":"conversation.started","timestamp":1700000000000'


GOOD = b'{%s,"payload":{"interactionId":"a"}}' % HEAD


def one(frame: bytes) -> Event:
    events, rejected = decode_frame(frame)
    assert not rejected
    (event,) = events
    return event


def reasons(frame: bytes) -> list[str]:
    events, rejected = decode_frame(frame)
    assert not events
    return [item.reason for item in rejected]


def with_top(**top: Any) -> bytes:
    event = {"type": "note", "timestamp": START, "payload": {"interactionId": "a"}, **top}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


# Made ids


def made(spelled: str) -> str:
    return "h-" + hashlib.sha256(spelled.encode()).hexdigest()
