"""What a frame of the Notification Service is: about the connection, or about a conversation. Never raises."""

from __future__ import annotations

import enum
from typing import Any, Final, TypeAlias

import msgspec

_METADATA: Final = "channel.metadata"
_SYSTEM: Final = "v2.system."
_DETAIL: Final = "v2.detail.events.conversation."
_SNAPSHOT: Final = "v2.routing.queues."
_END: Final = ".customer.end"
_CUSTOMERS: Final = frozenset({"customer", "external"})
_LONGEST_ID: Final = 100
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Sign(enum.Enum):
    """Frames that say no more than what they are."""

    HEARTBEAT = "heartbeat"
    PONG = "pong"
    CLOSING = "the socket is about to be closed"


class System(msgspec.Struct, frozen=True, gc=False):
    """The platform says that the channel brings nothing more: `kind` and its `reason`, as far as they were said."""

    kind: str
    reason: str = ""


Control: TypeAlias = Sign | System
"""A frame that says something about the connection and carries no event."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """Something has happened in a conversation. `contacts` are the external contacts in it, as far as the frame tells.
    `detail`: it came by a topic of the conversation's own."""

    conversation: str
    contacts: tuple[str, ...] = ()
    ended: bool = False
    detail: bool = False


class _Head(msgspec.Struct, gc=False):
    topicName: str = ""  # noqa: N815 - the platform's name
    eventBody: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815


class _Participant(msgspec.Struct, gc=False):
    purpose: Any = None
    endTime: Any = None  # noqa: N815
    externalContactId: Any = None  # noqa: N815


class _Body(msgspec.Struct, gc=False):
    id: Any = None
    message: Any = None
    systemTopicType: Any = None  # noqa: N815
    reason: Any = None
    conversationExternalContactIds: Any = None  # noqa: N815
    participants: list[_Participant] = []


_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_body: Final = msgspec.json.Decoder(_Body).decode


def read(frame: bytes, follow: bool) -> Control | Seen | None:
    """The control frame that this is, or what conversation it tells of; None for other data, which includes all that cannot
    be read, and for all data unless we `follow` conversations."""
    try:
        head = _decode_head(frame)
    except _UNREADABLE:
        return None
    topic = head.topicName
    if topic == _METADATA:
        return Sign.PONG if _body(head).message == "pong" else Sign.HEARTBEAT
    if topic.startswith(_SYSTEM):
        kind = topic.removeprefix(_SYSTEM)
        if kind == "socket_closing":
            return Sign.CLOSING
        body = _body(head)
        return System(_text(body.systemTopicType) or _text(kind), _text(body.reason) or _text(body.message))
    if follow and topic.startswith(_DETAIL):
        conversation, _, _ = topic.removeprefix(_DETAIL).partition(".")
        return Seen(conversation, _ids(_body(head).conversationExternalContactIds), topic.endswith(_END), True)
    return _snapshot(head) if follow and topic.startswith(_SNAPSHOT) else None


def _snapshot(head: _Head) -> Seen | None:
    body = _body(head)
    if not _is_id(body.id):
        return None
    customers = [one for one in body.participants if _text(one.purpose).lower() in _CUSTOMERS]
    ended = bool(customers) and all(one.endTime for one in customers)
    return Seen(body.id, _ids([one.externalContactId for one in customers]), ended)


def _body(head: _Head) -> _Body:
    try:
        return _decode_body(head.eventBody)
    except _UNREADABLE:
        return _Body()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()


def _ids(values: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(_is_id, values))) if isinstance(values, list) else ()


def _text(value: object) -> str:
    return "".join(filter(str.isprintable, value[:_LONGEST_ID])) if isinstance(value, str) else ""
