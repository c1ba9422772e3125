"""What a frame of the Notification Service is: about the connection, or about a conversation. Never raises."""

from __future__ import annotations

import enum
from typing import Any, Final, TypeAlias

import msgspec

_METADATA: Final = "channel.metadata"
_SYSTEM: Final = "v2.system."
_DETAIL: Final = "v2.detail.events.conversation."
_SNAPSHOT: Final = "v2.routing.queues."
_OURS: Final = (_DETAIL, _SNAPSHOT, "v2.externalcontacts.contacts.")
_CLOSING: Final = "socket_closing"
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


class _Notice(msgspec.Struct, gc=False):
    message: Any = None
    systemTopicType: Any = None  # noqa: N815
    reason: Any = None


class _Body(msgspec.Struct, gc=False):
    id: Any = None
    conversationExternalContactIds: Any = None  # noqa: N815
    participants: list[_Participant] = []


_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_notice: Final = msgspec.json.Decoder(_Notice).decode
_decode_body: Final = msgspec.json.Decoder(_Body).decode


def read(frame: bytes, follow: bool) -> Control | Seen | None:
    """The control frame that this is, or what conversation it tells of; None for other data, which includes all that cannot
    be read, and for all data unless we `follow` conversations."""
    try:
        head = _decode_head(frame)
    except _UNREADABLE:
        return None
    topic = head.topicName
    if not topic.startswith(_OURS):
        return _control(head)
    if follow and topic.startswith(_DETAIL):
        conversation, _, _ = topic.removeprefix(_DETAIL).partition(".")
        return Seen(conversation, _ids(_body(head).conversationExternalContactIds), topic.endswith(_END), True)
    return _snapshot(head) if follow and topic.startswith(_SNAPSHOT) else None


def _control(head: _Head) -> Control | None:
    """What the platform says of the connection. The topic of such a message is not published, only what is in its body."""
    topic, notice = head.topicName, _notice(head)
    named = _text(topic.removeprefix(_SYSTEM)) if topic.startswith(_SYSTEM) else ""
    kind = _text(notice.systemTopicType) or named
    if _CLOSING in (kind, named):
        return Sign.CLOSING
    if kind or topic.startswith(_SYSTEM):
        return System(kind, _text(notice.reason) or _text(notice.message))
    if topic != _METADATA:
        return None
    return Sign.PONG if notice.message == "pong" else Sign.HEARTBEAT


def _snapshot(head: _Head) -> Seen | None:
    body = _body(head)
    if not _is_id(body.id):
        return None
    customers = [one for one in body.participants if _text(one.purpose).lower() in _CUSTOMERS]
    ended = bool(customers) and all(one.endTime for one in customers)
    return Seen(body.id, _ids([one.externalContactId for one in customers]), ended)


def _notice(head: _Head) -> _Notice:
    try:
        return _decode_notice(head.eventBody)
    except _UNREADABLE:
        return _Notice()


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
