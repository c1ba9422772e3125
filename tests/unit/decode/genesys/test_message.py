"""Messages are told apart by their shape; what they are about beside conversations' courses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from journeymap.decode.event import REASONS, decode_frame
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.event import MERGED
from tests.unit.decode.genesys.samples import BEGIN, CALL, CONTACT, FOLDER, decoded, messages

SAID = {
    "sdk-analytics-activity-query.json": 1,
    "sdk-analytics-details-query.json": 20,
    "sdk-eventbridge-journey-voice-blind-transfer.json": 20,
    "sdk-ws-externalcontact-merged.json": 1,
    "sdk-ws-journey-email.json": 11,
    "sdk-ws-journey-voice-abandoned.json": 9,
    "sdk-ws-journey-voice-blind-transfer.json": 20,
    "sdk-ws-journey-web-messaging.json": 12,
    "sdk-ws-queue-conversation-snapshot-callback.json": 1,
    "sdk-ws-queue-conversation-snapshot-message.json": 2,
    "sdk-ws-queue-conversation-snapshots-voice.json": 10,
}
"""How many events each sample tells."""

NO_EVENTS = {
    "rest-oauth-and-errors.json": {"no-type"},
    "sdk-externalcontact-journey-sessions.json": {"no-type"},
    "sdk-rest-channel-protocol.json": {"no-type"},
    "ws-protocol-messages.json": {"control", "no-type"},
}
"""Samples that tell nothing of a conversation's course, and why each is turned away. Who is meant by them reads them in
`tests/unit/protocol/notifications/test_frames.py` and `tests/integration/publicapi/test_sampled_answers.py`; nobody reads a
contact's sessions."""


def test_every_sample_is_looked_at() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == SAID.keys() | NO_EVENTS.keys()


@pytest.mark.parametrize("name", SAID)
def test_a_sample_is_decoded(name: str) -> None:
    assert len(decoded(messages(name), BEGIN + 400_000, Snapshots())) == SAID[name]


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_tells_nothing_says_why(name: str) -> None:
    reasons = set()
    for value in messages(name):
        events, rejected = decode_frame(json.dumps(value).encode(), BEGIN)
        assert events == []
        reasons |= {item.reason for item in rejected}
        assert all(item.detail == REASONS[item.reason] for item in rejected)
    assert reasons == NO_EVENTS[name]


REAL = os.environ.get("JOURNEYMAP_REAL_SAMPLES", "")


@pytest.mark.skipif(not REAL, reason="JOURNEYMAP_REAL_SAMPLES names no folder of messages that real organisations sent")
def test_real_messages_are_decoded() -> None:
    paths = sorted(Path(REAL).glob("real-*.json"))
    assert paths
    for path in paths:
        assert decoded([json.loads(path.read_text(encoding="utf-8"))], BEGIN), path.name


def test_an_array_of_messages_is_a_frame_too() -> None:
    together = messages("sdk-ws-journey-email.json")
    assert decoded([together]) == decoded(together)


def test_who_waits_right_now() -> None:
    (event,) = decoded(messages("sdk-analytics-activity-query.json"))
    assert (event.type, event.interaction_id, event.timestamp - BEGIN) == ("acd.start", CALL, 42_100)
    assert event.event_id == "acd.start:18329acb-9857-5cd5-9876-20d922a5260a"


@pytest.mark.parametrize(
    ("metric", "kind"), [("oWaiting", "acd.start"), ("oAlerting", "user.start"), ("oInteracting", "user.answer")]
)
def test_what_goes_on_right_now(metric: str, kind: str) -> None:
    entity = {
        "metric": metric, "conversationId": "c", "sessionId": "s", "activityDate": "2026-11-20T09:00:01Z", "userId": "ada",
    }  # fmt: skip
    answer = {"results": [{"entities": [entity, {**entity, "activityDate": None}, {**entity, "metric": "oOther"}]}, 5]}
    (event,) = decoded([answer])
    assert (event.type, event.event_id, event.agent) == (kind, f"{kind}:s", "ada")


def test_a_merged_contact_is_an_alias() -> None:
    (event,) = decoded(messages("sdk-ws-externalcontact-merged.json"))
    assert (event.type, event.to_customer) == (MERGED, CONTACT)
    assert event.from_customer == "f597bb2d-fe5d-5ef1-9281-cba90dd3804d"


@pytest.mark.parametrize(
    ("body", "merges"),
    [
        ({"id": "a", "mergedTo": "b"}, {("a", "b")}),
        ({"id": "a", "canonicalContactId": "b"}, {("a", "b")}),
        ({"id": "b", "mergedFrom": ["a", "c"]}, {("a", "b"), ("c", "b")}),
        ({"id": "b", "canonicalContactId": "b", "mergeSet": ["a", "b", None, "c"]}, {("a", "b"), ("c", "b")}),
        ({"id": "a", "canonicalContactId": "b", "mergeSet": ["a", "b"]}, {("a", "b")}),
        ({"id": "b", "mergedFrom": "a", "mergeSet": ["a", "b", "c"]}, {("a", "b"), ("c", "b")}),
        (
            {"id": "b", "mergeOperation": {"sourceContactId": "a", "targetContactId": "b", "resultingContactId": "r"}},
            {("a", "r"), ("b", "r")},
        ),
    ],
)
def test_every_way_of_saying_that_contacts_were_merged(body: dict[str, Any], merges: set[tuple[str, str]]) -> None:
    frame = {"topicName": "v2.externalcontacts.contacts.x", "eventBody": {"modifyDate": "2026-11-20T09:00:00Z", **body}}
    assert {(event.from_customer, event.to_customer) for event in decoded([frame])} == merges


@pytest.mark.parametrize("more", [{}, {"canonicalContactId": "a", "mergeSet": ["a"]}, {"mergeSet": ["a", "b"]}])
def test_a_contact_that_only_changed_tells_nothing(more: dict[str, Any]) -> None:
    """Nor does a set that names no one who stands for all."""
    frame = {
        "topicName": "v2.externalcontacts.contacts.a",
        "eventBody": {"id": "a", "modifyDate": "2026-11-20T09:00:00Z", **more},
    }
    assert [item.reason for item in decode_frame(json.dumps(frame).encode())[1]] == ["nothing-told"]


def test_a_chat_shows_signs_of_life_and_what_was_written_is_not_kept() -> None:
    body = {
        "id": "m", "conversation": {"id": "c"}, "sender": {"id": "s"}, "body": "My number is 4711",
        "timestamp": "2026-11-20T09:00:00Z",
    }  # fmt: skip
    (event,) = decoded([{"topicName": "v2.conversations.chats.c.messages", "eventBody": body}])
    assert (event.type, event.rank, event.interaction_id) == ("chat.message", 9, "c")
    assert b"4711" not in event.raw


def test_nesting_is_bounded() -> None:
    deep: Any = "x"
    for _ in range(70):
        deep = {"a": deep}
    frame = {"topicName": "v2.detail.events.conversation.c.acw", "eventBody": {"conversationId": "c", "deep": deep}}
    assert [item.reason for item in decode_frame(json.dumps(frame).encode())[1]] == ["too-deep"]
