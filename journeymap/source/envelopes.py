"""What lies in what is brought: the message of a queue, a post with an envelope, a post of the event's body alone."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from journeymap.errors import InputError

MAX_FRAME: Final = 1024 * 1024
"""Bytes of the largest frame that decode looks at."""

TOPIC: Final = re.compile(r"v2(\.[A-Za-z0-9_{}-]{1,100}){1,12}", re.ASCII)
"""Topics of the platform; those of a trigger have a literal `{id}` in them."""

_ENVELOPE: Final = ("detail-type", "topicName")


class _Notification(msgspec.Struct):
    """What SNS makes of a message."""

    Type: str
    Message: str


_read_notification = msgspec.json.Decoder(_Notification).decode
_read = msgspec.json.Decoder().decode


def frame_in(message: str) -> bytes:
    """The frame in a message of a queue: what SNS has put into it, or else all of it. Anything is let through: what is not
    usable is set aside later, with its reason."""
    body = message.encode("utf-8", "surrogatepass")
    try:
        wrapped = _read_notification(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return body
    return wrapped.Message.encode("utf-8", "surrogatepass") if wrapped.Type == "Notification" else body


def frame_of_post(body: bytes, topic: str | None) -> bytes:
    """The frame that was posted. With a `topic`, an object without an envelope is taken for the body of an event of this topic.

    Raises `InputError` for what is not JSON, for a topic that is none, and for what is too large with it.
    """
    try:
        value: Any = _read(body)
    except RecursionError:
        value = None  # JSON nested too deep is set aside later, with that reason
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InputError(f"the body is not JSON: {error}") from None
    frame = body
    if topic is not None:
        if not TOPIC.fullmatch(topic):
            raise InputError(
                "the topic must be a topic of the platform, such as v2.detail.events.conversation.{id}.acd.end"
            )
        if isinstance(value, dict) and not any(name in value for name in _ENVELOPE):
            frame = b'{"topicName":"%s","eventBody":%s}' % (topic.encode("ascii"), body.strip())
    if len(frame) > MAX_FRAME:
        raise InputError(f"the body and its topic are larger than {MAX_FRAME} bytes")
    return frame
