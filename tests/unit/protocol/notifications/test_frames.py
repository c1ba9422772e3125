"""Frames of the Notification Service: about the connection, about a conversation, or neither."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.protocol.notifications.frames import Seen, Sign, System, read
from tests.unit.decode.genesys.samples import CALL, CONTACT, MERGED, SNAPSHOTS, SOCKET, messages, sample
from tests.unit.decode.genesys.samples import DETAIL as DETAIL_FILE

QUEUE = "v2.routing.queues.q1.conversations"
DETAIL = "v2.detail.events.conversation.c1"


def frame(topic: str, body: Any) -> bytes:
    return json.dumps({"topicName": topic, "version": "2", "eventBody": body, "metadata": {}}).encode()


@pytest.mark.parametrize(
    ("topic", "body", "said"),
    [
        ("channel.metadata", {"message": "WebSocket Heartbeat"}, Sign.HEARTBEAT),
        ("channel.metadata", {"message": "pong"}, Sign.PONG),
        ("channel.metadata", None, Sign.HEARTBEAT),
        ("v2.system.socket_closing", {}, Sign.CLOSING),
        ("v2.system.socket_closing", "whatever it says", Sign.CLOSING),
        (
            "v2.system.token_revoked",
            {"systemTopicType": "token_revoked", "reason": "user_tokens_revoked"},
            System("token_revoked", "user_tokens_revoked"),
        ),
        ("v2.system.no_longer_subscribed", {"message": "gone\n"}, System("no_longer_subscribed", "gone")),
        ("v2.system.", None, System("")),
    ],
)
def test_what_is_about_the_connection(topic: str, body: Any, said: object) -> None:
    assert read(frame(topic, body), False) == said
    assert read(frame(topic, body), True) == said


def test_the_sampled_frames_of_a_socket() -> None:
    """What the server says; answers to `subscribe` say nothing that is of use, for topics are set by REST."""
    said = [read(json.dumps(each["frame"]).encode(), True) for each in sample(SOCKET) if each["direction"] == "server"]
    assert said == [
        Sign.HEARTBEAT, Sign.PONG, None, None, Sign.CLOSING, System("no_longer_subscribed", "another_channel_subscribed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        (DETAIL_FILE, {Seen(CALL, (CONTACT,), False, True), Seen(CALL, (CONTACT,), True, True)}),
        (SNAPSHOTS, {Seen(CALL, (CONTACT,))}),
        (MERGED, {None}),
    ],
)
def test_the_sampled_frames_of_conversations(name: str, kinds: set[Seen | None]) -> None:
    assert {read(json.dumps(each).encode(), True) for each in messages(name)} == kinds
    assert {read(json.dumps(each).encode(), False) for each in messages(name)} == {None}


@pytest.mark.parametrize(
    "topic", ["channel.metadata", "v2.system.notifications", "v2.something.else", "socket", ""], ids=repr
)
def test_a_system_message_is_known_by_its_body_whatever_its_topic(topic: str) -> None:
    revoked = {"systemTopicType": "token_revoked", "reason": "user_tokens_revoked", "participants": None}
    for follow in (False, True):
        assert read(frame(topic, revoked), follow) == System("token_revoked", "user_tokens_revoked")
        assert read(frame(topic, {"systemTopicType": "socket_closing"}), follow) is Sign.CLOSING


@pytest.mark.parametrize("body", [None, [], "token_revoked", {}, {"id": "c1"}, {"systemTopicType": 4}])
def test_what_is_of_another_topic_and_says_nothing_of_the_connection_is_data(body: Any) -> None:
    assert read(frame("v2.something.else", body), True) is None


@pytest.mark.parametrize("topic", [QUEUE, f"{DETAIL}.acw", "v2.externalcontacts.contacts.p1"])
def test_an_event_is_never_a_system_message(topic: str) -> None:
    found = read(frame(topic, {"id": "c1", "systemTopicType": "token_revoked"}), True)
    assert not isinstance(found, Sign | System)


@pytest.mark.parametrize(
    ("topic", "body", "seen"),
    [
        (QUEUE, {"id": "c1", "participants": []}, Seen("c1")),
        (
            QUEUE,
            {"id": "c1", "participants": [{"purpose": "customer", "externalContactId": "p1"}, {"purpose": "agent"}]},
            Seen("c1", ("p1",)),
        ),
        (QUEUE, {"id": "c1", "participants": [{"purpose": "Customer", "endTime": "2026"}]}, Seen("c1", (), True)),
        (QUEUE, {"id": 7}, None),
        (f"{DETAIL}.acd.start", {"conversationExternalContactIds": ["p1", 4, "p1"]}, Seen("c1", ("p1",), False, True)),
        (f"{DETAIL}.customer.end", {}, Seen("c1", (), True, True)),
        (f"{DETAIL}.customer.end", "unreadable", Seen("c1", (), True, True)),
        ("v2.externalcontacts.contacts.p1", {"id": "p1"}, None),
    ],
)
def test_what_is_about_a_conversation(topic: str, body: Any, seen: Seen | None) -> None:
    assert read(frame(topic, body), True) == seen
    assert read(frame(topic, body), False) is None


@given(st.binary(max_size=200))
def test_it_never_raises(data: bytes) -> None:
    assert read(data, True) is None or data


@given(
    st.sampled_from(["channel.metadata", "v2.system.x", "else", QUEUE, f"{DETAIL}.acw"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "message", "participants", "purpose", "reason", "systemTopicType"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
)
def test_bodies_of_any_form(topic: str, body: Any) -> None:
    read(frame(topic, body), True)
