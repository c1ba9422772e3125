"""Topics by name: which there are for a queue, a conversation and a contact, and what a platform says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from journeymap.protocol.notifications.limits import LONGEST_TOPIC

_QUEUE: Final = "v2.routing.queues.{id}.conversations"
_CONVERSATION: Final = "v2.detail.events.conversation.{id}"
_CONTACT: Final = "v2.externalcontacts.contacts.{id}"
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

KINDS: Final = (
    "customer.end", "acd.start", "acd.end", "user.start", "user.end", "acw", "contact", "attributes", "flow.start",
    "flow.end", "flow.outcome", "wrapup", "voicemail.end", "voicemail.start", "outbound", "customer.start",
)  # fmt: skip
"""Kinds of detail events, the ones that tell most of a conversation that is known already first: what finds no room in one
combined topic is left to snapshots."""

_ANY_DETAIL: Final = f"{_CONVERSATION}.{KINDS[0]}"
"""Its permissions are those of every kind."""

_ON_SOCKET: Final = frozenset({"websocket", "all"})


class Refusal(msgspec.Struct, frozen=True):
    """A topic that the platform does not grant, why, and the permissions that are missing."""

    topic: str
    reason: str = ""
    permissions: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True):
    """What can be had over a socket: `kinds` of detail events of a conversation, and events of external contacts.
    `permissions` are those that the topics need, by topic, as far as the platform says."""

    queues: bool = True
    kinds: tuple[str, ...] = ()
    contacts: bool = False
    permissions: Mapping[str, tuple[str, ...]] = {}

    def needed_by(self, topic: str) -> tuple[str, ...]:
        """The permissions that this topic needs, also one of many kinds or with `{id}` in the place of its id."""
        pattern = pattern_of(topic)
        return self.permissions.get(_ANY_DETAIL if pattern.startswith(_CONVERSATION) else pattern, ())


def queue_topic(queue: str) -> str:
    """Snapshots of all conversations in a queue, whatever the medium."""
    return _QUEUE.replace("{id}", queue)


def is_of_queue(topic: str) -> bool:
    """Whether it is a queue's topic."""
    return topic.startswith(_QUEUE.partition("{")[0])


def detail_topic(conversation: str, kinds: Sequence[str]) -> str | None:
    """What happens in a conversation, of as many kinds as fit into one combined topic; None if not even one does."""
    prefix = _CONVERSATION.replace("{id}", conversation)
    chosen: list[str] = []
    for kind in kinds:
        if len(prefix) + len("&".join([*chosen, kind])) + 1 <= LONGEST_TOPIC:
            chosen.append(kind)
    if len(chosen) == 1:
        return f"{prefix}.{chosen[0]}"
    return f"{prefix}?{'&'.join(chosen)}" if chosen else None


def contact_topic(contact: str) -> str:
    """What becomes of an external contact, merges too."""
    return _CONTACT.replace("{id}", contact)


def pattern_of(topic: str) -> str:
    """The topic with `{id}` in the place of ids, without what is combined in it."""
    return _ID.sub("{id}", topic.partition("?")[0])


def read_offer(document: Mapping[str, Any]) -> Offer:
    """What `availabletopics` says. What it does not list is not offered, but for conversations in queues: then its word is
    not what it seems, and the answer to the subscription counts."""
    listed = {
        topic["id"]: topic
        for topic in document.get("entities") or ()
        if isinstance(topic, dict) and isinstance(topic.get("id"), str)
    }
    permissions = {
        name: tuple(filter(_is_text, topic.get("requiresPermissions") or ())) for name, topic in listed.items()
    }
    prefix = _CONVERSATION + "."
    return Offer(
        queues=_QUEUE not in listed or _is_on_socket(listed[_QUEUE]),
        kinds=tuple(kind for kind in KINDS if prefix + kind in listed and _is_on_socket(listed[prefix + kind])),
        contacts=_CONTACT in listed and _is_on_socket(listed[_CONTACT]),
        permissions={name: permissions[name] for name in (_QUEUE, _ANY_DETAIL, _CONTACT) if name in listed},
    )


def read_refusals(document: Any) -> tuple[Refusal, ...]:
    """The refused ones of the topics that a platform was asked for with `ignoreErrors`."""
    entities = document.get("entities") if isinstance(document, dict) else None
    return tuple(
        Refusal(
            topic["id"],
            str(topic.get("rejectionReason") or ""),
            tuple(filter(_is_text, topic.get("missingPermissions") or ())),
        )
        for topic in entities or ()
        if isinstance(topic, dict) and _is_text(topic.get("id")) and str(topic.get("state", "")).lower() == "rejected"
    )


def explained(refusals: Iterable[Refusal], offer: Offer = Offer(), most: int = 8) -> tuple[str, ...]:  # noqa: B008 - frozen
    """The refused topics in words, one line for each sort of topic and reason; at most so many lines. Where the platform gives
    no reason, what it says in `offer` that such topics need is the likeliest one."""
    groups: dict[tuple[str, str], list[str]] = {}
    for refusal in refusals:
        groups.setdefault((pattern_of(refusal.topic), _why(refusal, offer)), []).append(refusal.topic)
    lines = []
    for (pattern, why), topics in groups.items():
        ids = _ID.search(topics[0])
        which = "topics" if topics == [pattern] else f"{len(topics):,} topics" if len(topics) > 1 else "1 topic"
        example = f", e.g. of {ids[0]}" if ids is not None else ""
        lines.append(f"{which} {pattern} refused{example}: {why}")
    rest = len(lines) - most
    return (*lines[:most], f"{rest} more sorts of refusals") if rest > 0 else tuple(lines)


def _why(refusal: Refusal, offer: Offer) -> str:
    if refusal.permissions:
        return f"the OAuth client's roles lack {', '.join(refusal.permissions)}"
    needed = offer.needed_by(refusal.topic)
    return refusal.reason or "no reason given" + (f"; such topics need {', '.join(needed)}" if needed else "")


def _is_on_socket(topic: Mapping[str, Any]) -> bool:
    """Whether it can be had over a socket by such a client; where the platform does not name transports, perhaps."""
    transports = topic.get("transports")
    if topic.get("requiresCurrentUser") is True:
        return False
    return not transports or any(str(transport).lower() in _ON_SOCKET for transport in transports)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
