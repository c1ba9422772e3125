"""Topics: which there are, what they need, and what becomes of a client's wish for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from journeymap.simulator.publicapi.conversation import DETAIL_KINDS
from journeymap.simulator.publicapi.details import TOPIC
from journeymap.simulator.publicapi.organisation import Organisation

LONGEST_NAME: Final = 200
_CONVERSATION: Final = "conversation:communication:view"
_MEDIA: Final = ("calls", "callbacks", "chats", "emails", "messages")


class Topic(NamedTuple):
    """A kind of topic. `name` holds `{id}` where an id belongs."""

    name: str
    description: str
    transports: tuple[str, ...]
    permissions: tuple[str, ...]
    needs_user: bool = False


class Wish(NamedTuple):
    """What a client asked for, and what becomes of it: the names that events come under, or why there are none."""

    asked: str
    names: tuple[str, ...] = ()
    reason: str = ""
    lacking: tuple[str, ...] = ()


_BOTH: Final = ("Websocket", "EventBridge")
_TOPICS: Final = (
    *(Topic(f"{TOPIC}.{{id}}.{kind}", f"The fact {kind} of a conversation", (*_BOTH, "ProcessAutomation"),
            ("analytics:conversationDetail:view",)) for kind in DETAIL_KINDS),
    Topic("v2.routing.queues.{id}.conversations", "Conversations in a queue", ("Websocket",), (_CONVERSATION,)),
    *(Topic(f"v2.routing.queues.{{id}}.conversations.{media}", f"The {media} in a queue", ("Websocket",),
            (_CONVERSATION,)) for media in _MEDIA),
    Topic("v2.users.{id}.conversations", "Conversations of a user", ("Websocket",), (_CONVERSATION,)),
    *(Topic(f"v2.users.{{id}}.conversations.{media}", f"The {media} of a user", ("Websocket",), (_CONVERSATION,))
      for media in _MEDIA),
    Topic("v2.users.{id}.presence", "Presence of a user", _BOTH, ()),
    Topic("v2.users.{id}.routingStatus", "Routing status of a user", _BOTH, ()),
    Topic("v2.users.{id}.station", "Station of a user", ("Websocket",), (), needs_user=True),
    *(Topic(f"v2.externalcontacts.contacts.{{id}}{part}", text, ("Websocket",), (permission,)) for part, text, permission in (
        ("", "An external contact, and its merges", "externalContacts:contact:view"),
        (".unresolved", "An external contact as it was before merges", "externalContacts:contact:view"),
        (".journey.sessions", "Sessions of an external contact", "externalContacts:session:view"))),
    Topic("v2.operations.events.{id}", "Operational errors", ("EventBridge",), ("operations:event:view",)),
)  # fmt: skip


class Catalogue:
    """The topics of an organisation, and who may have which. `lacking` tells the permissions that are missing."""

    def __init__(
        self,
        organisation: Organisation,
        lacking: Callable[[Sequence[str]], list[str]],
        details_on_socket: Callable[[], bool],
    ) -> None:
        self._organisation = organisation
        self._lacking = lacking
        self._details_on_socket = details_on_socket
        self._patterns = [
            (re.compile(re.escape(topic.name).replace(r"\{id\}", r"(?P<id>[^.?{}]+)")), topic) for topic in _TOPICS
        ]

    def judge(self, asked: str) -> Wish:
        """What becomes of this wish, which may be several topics of one prefix and id: `prefix.id?one&two`."""
        prefix, question, rest = asked.partition("?")
        if len(asked) > LONGEST_NAME:
            return Wish(asked, reason=f"Topic name is longer than {LONGEST_NAME} characters")
        names = tuple(f"{prefix}.{part}" for part in rest.split("&")) if question else (asked,)
        lacking: list[str] = []
        for name in names:
            wish = self._judge_one(name)
            if wish.reason and not wish.lacking:
                return wish._replace(asked=asked)
            lacking += wish.lacking
        if lacking:
            return Wish(asked, (), "Missing required permissions", tuple(dict.fromkeys(lacking)))
        return Wish(asked, names)

    def document(self, wanted: Sequence[str]) -> list[dict[str, Any]]:
        """All topics, with those of the optional parts that are wanted."""
        entities = []
        for topic in _TOPICS:
            parts: dict[str, Any] = {
                "description": topic.description,
                "transports": list(self._transports(topic)),
                "topicParameters": ["id"],
                "visibility": "Public",
                "schema": {"type": "object"},
                "requiresPermissions": list(topic.permissions),
            }
            said: dict[str, Any] = {"id": topic.name, "requiresCurrentUser": topic.needs_user, "enforced": True}
            said |= {name: part for name, part in parts.items() if name in wanted}
            if "requiresPermissions" in wanted and topic.permissions:
                details = {"type": "requiresPermissions", "permissions": list(topic.permissions), "enforced": True}
                said["permissionDetails"] = [details | {"allowsCurrentUser": False}]
            entities.append(said)
        return entities

    def _judge_one(self, name: str) -> Wish:
        for pattern, topic in self._patterns:
            match = pattern.fullmatch(name)
            if match is None:
                continue
            if "Websocket" not in self._transports(topic):
                return Wish(name, reason="Topic is not available over this transport")
            if topic.needs_user:
                return Wish(name, reason="Topic requires a current user")
            lacking = self._lacking(topic.permissions) or self._unknown(topic, match["id"])
            return (
                Wish(name, reason="Missing required permissions", lacking=tuple(lacking))
                if lacking
                else Wish(name, (name,))
            )
        return Wish(name, reason="Topic does not exist")

    def _transports(self, topic: Topic) -> tuple[str, ...]:
        if topic.name.startswith(TOPIC) and not self._details_on_socket():
            return tuple(transport for transport in topic.transports if transport != "Websocket")
        return topic.transports

    def _unknown(self, topic: Topic, name: str) -> list[str]:
        """The platform says of what there is not that it must not be seen."""
        listed = {"v2.routing": self._organisation.queues, "v2.users.{": self._organisation.users}.get(topic.name[:10])
        return list(topic.permissions or (_CONVERSATION,)) if listed is not None and name not in listed.by_id else []
