"""A fact: one thing that happened in a conversation, in the form of an event (docs/stitching.md, section 1).

Its id names the conversation's session and the kind, so that it is the same whichever API tells it. Kinds that come more than
once in a session have a mark beside it, of what makes this one another than the last.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias

import msgspec

from journeymap.decode.genesys.reading import says
from journeymap.model.event import canonical_json
from journeymap.model.time import SECOND, Millis

Fact: TypeAlias = dict[str, Any]
"""An event as JSON: `eventId`, `type`, `timestamp` and `payload`."""

BESIDES: Final = frozenset({"cobrowse", "screenshare", "screenmonitoring", "monitoring"})
"""Media beside a conversation, and supervisors who listen in: their coming and going is told, but moves nothing."""

REOPENED: Final = frozenset({"email", "message", "internalmessage"})
"""Media whose conversations may be opened again, so that a session may have several wrap-ups."""

ESTIMATE: Final = "estimate"
"""The API of facts that have no time of their own: dated by our clock, or reckoned back from a length."""


class Scene(msgspec.Struct, frozen=True):
    """Where facts happen: a session of a conversation, as one API (`seen_in`, of `STANDINGS`) tells it.

    `fields` are those that all its events have, of those that say something (`present`). `media` is the medium in lower case.
    """

    conversation_id: str
    session_id: str
    seen_in: str
    media: str = ""
    fields: dict[str, Any] = {}

    def tell(
        self,
        kind: str,
        at: Millis,
        fields: dict[str, Any] | None = None,
        *,
        type: str = "",  # noqa: A002  # the event's own word
        mark: object = "",
        estimated: bool = False,
    ) -> Fact:
        """The fact of this kind at this time; `type` where the event has another than the kind."""
        name = type or kind
        told: dict[str, Any] = {
            "interactionId": self.conversation_id,
            "seenIn": ESTIMATE if estimated else self.seen_in,
        }
        if self.session_id:
            told["sessionId"] = self.session_id
        if self.media in BESIDES:
            name = f"{self.media}.{name}"  # and it is not the conversation's channel
        elif self.media:
            told["channelType"] = self.media
        told |= self.fields
        for field, value in (fields or {}).items():
            if says(value):
                told[field] = value
            else:
                told.pop(field, None)
        parts = (kind, self.session_id, str(mark))
        return {
            "eventId": ":".join(part for part in parts if part),
            "type": name,
            "timestamp": at,
            "payload": told,
        }


def about(at: Millis) -> Millis:
    """A time as a mark: to the nearest second, since the APIs' times of one thing may differ by milliseconds."""
    return (at + SECOND // 2) // SECOND * SECOND


def digest(value: Any) -> str:
    """A short mark of a JSON value's content."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()[:16]
