"""Messages of the platform's public APIs, told apart by their shape: a websocket's frame, an EventBridge envelope, records of
analytics, an answer of the REST API."""

from __future__ import annotations

from typing import Any, Final

from journeymap.decode.genesys import activity, analytics, contact, detail
from journeymap.decode.genesys.fact import Fact, Scene
from journeymap.decode.genesys.memory import Snapshots
from journeymap.decode.genesys.reading import mapping, text
from journeymap.decode.timestamp import read_date
from journeymap.model.time import Millis

REASONS: Final = {
    "no-conversation": "the message names no conversation",
    "unknown-topic": "the message is of a topic that tells nothing of conversations",
    "control": "the message is about the connection, not about a conversation",
    "nothing-told": "the message says nothing that happened, or not when",
}
"""Reasons why a message has no facts, beside those of `decode.event`, and each in a sentence."""

DETAIL_EVENTS: Final = "v2.detail.events.conversation."
_CONTROL: Final = ("channel.metadata", "v2.system.")
_SHAPES: Final = ("topicName", "detail-type", "conversationId", "conversations", "participants", "results")


def speaks(value: dict[str, Any]) -> bool:
    """Whether a JSON object may be a message of the platform's APIs. An event of a stream has a `type`, these have none."""
    return "type" not in value and any(name in value for name in _SHAPES)


def facts(value: dict[str, Any], arrived_at: Millis, snapshots: Snapshots) -> tuple[list[Fact], list[str]]:
    """The facts of a message, and the reasons why parts of it have none.

    A snapshot that says what `snapshots` know already has neither.
    """
    if "conversations" in value and "topicName" not in value:
        given = value["conversations"]
        records = given if isinstance(given, list) and given else [None]
    else:
        records = [value]
    found: list[Fact] = []
    reasons: list[str] = []
    for record in records:
        told = _facts(record, arrived_at, snapshots) if isinstance(record, dict) else "nothing-told"
        if isinstance(told, str):
            reasons.append(told)
        else:
            found += told
    return found, reasons


def _facts(value: dict[str, Any], arrived_at: Millis, snapshots: Snapshots) -> list[Fact] | str:
    if "detail-type" in value:
        inner = mapping(value.get("detail"))
        topic = text(inner.get("topicName")) or text(value.get("detail-type")) or ""
        return _topic(topic, mapping(inner.get("eventBody")), arrived_at, snapshots)
    if "topicName" in value:
        return _topic(text(value["topicName"]) or "", mapping(value.get("eventBody")), arrived_at, snapshots)
    if "results" in value:
        return activity.facts(value)
    if "participants" in value and "id" in value:
        return snapshots.take(value, arrived_at)
    if "participants" in value:
        return analytics.facts(value)
    return "no-type" if "eventTime" in value else "nothing-told"


def _topic(topic: str, body: dict[str, Any], arrived_at: Millis, snapshots: Snapshots) -> list[Fact] | str:
    if topic.startswith(_CONTROL):
        return "control"
    if topic.startswith(DETAIL_EVENTS):
        kind = topic.removeprefix(DETAIL_EVENTS).partition(".")[2]
        return detail.facts(kind, body) if kind else "no-type"
    parts = topic.split(".")
    match parts:
        case ["v2", "routing", "queues", _, "conversations"] | ["v2", "users", _, "conversations"]:
            return snapshots.take(body, arrived_at)
        case ["v2", "externalcontacts", "contacts", *_]:
            return contact.facts(body, arrived_at)
        case ["v2", "conversations", "chats", _, ("members" | "messages") as what]:
            return _chat(what.removesuffix("s"), body)
    return "unknown-topic"


def _chat(what: str, body: dict[str, Any]) -> list[Fact] | str:
    """A sign of life in a chat: who came or went, or that something was written. What was written is not kept."""
    conversation_id = text(mapping(body.get("conversation")).get("id"))
    if conversation_id is None:
        return "no-conversation"
    at = read_date(body.get("timestamp"))
    if at is None:
        return "bad-timestamp"
    member = mapping(body.get("member")) or mapping(body.get("sender"))
    who = text(member.get("id")) or ""
    scene = Scene(conversation_id, who, "detail", "chat")
    fields = {"state": text(member.get("state")), "messageId": text(body.get("id"))}
    return [scene.tell(f"chat.{what}", at, fields, mark=text(body.get("id")) or at)]
