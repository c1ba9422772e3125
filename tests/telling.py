"""What a platform tells of customers, in short: detail events as they come over a websocket."""

from __future__ import annotations

import json
from typing import Any

from journeymap.model.time import MINUTE, Millis


def detail(kind: str, conversation: str, at: Millis, **fields: Any) -> bytes:
    """One detail event of the customer's session of a conversation."""
    body = {
        "eventTime": at,
        "conversationId": conversation,
        "participantId": f"customer of {conversation}",
        "sessionId": f"session of {conversation}",
        **fields,
    }
    topic = f"v2.detail.events.conversation.{conversation}.{kind}"
    return json.dumps({"topicName": topic, "version": "2", "eventBody": body, "metadata": {}}).encode()


def call(conversation: str, at: Millis, number: str, contact: str | None = None) -> list[bytes]:
    """A call of a minute."""
    fields = {"mediaType": "VOICE", "direction": "INBOUND", "ani": f"tel:{number}", "dnis": "tel:+15555550000"}
    who = {} if contact is None else {"externalContactId": contact}
    return [
        detail("customer.start", conversation, at, **fields, **who),
        detail("customer.end", conversation, at + MINUTE, disconnectType="PEER", **fields, **who),
    ]
