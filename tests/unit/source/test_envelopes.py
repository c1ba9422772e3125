"""What lies in messages of a queue and in posts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.decode.event import decode_frame
from journeymap.errors import InputError
from journeymap.source.envelopes import MAX_FRAME, frame_in, frame_of_post

TOPIC = "v2.detail.events.conversation.{id}.acd.start"
BODY = {
    "eventTime": 1_795_000_000_000,
    "conversationId": "c1",
    "participantId": "p1",
    "sessionId": "s1",
    "mediaType": "VOICE",
    "queueId": "q1",
}
ENVELOPE = {"version": "0", "detail-type": TOPIC, "detail": {"topicName": TOPIC, "eventBody": BODY}}


def test_a_message_is_its_body() -> None:
    for text in (json.dumps(ENVELOPE), json.dumps(ENVELOPE["detail"]), "no JSON at all", "", "[1]", '"x"', "{" * 5_000):
        assert frame_in(text) == text.encode()


def test_what_sns_has_wrapped_is_taken_out() -> None:
    inner = json.dumps(ENVELOPE)
    assert frame_in(json.dumps({"Type": "Notification", "MessageId": "m", "Message": inner})) == inner.encode()
    assert frame_in(json.dumps({"Type": "Notification", "Message": "no JSON"})) == b"no JSON"
    for other in ({"Type": "Notification"}, {"Type": "Other", "Message": inner}, {"Type": 1, "Message": inner}):
        assert frame_in(json.dumps(other)) == json.dumps(other).encode()


def test_text_that_cannot_be_utf8_is_kept_for_the_quarantine() -> None:
    frame = frame_in("\ud800")
    _, (rejected,) = decode_frame(frame)
    assert rejected.reason == "not-utf8"


def test_a_post_is_unaltered() -> None:
    for body in (json.dumps(ENVELOPE, indent=2).encode(), b"[]", b" 5 ", b"[" * 5_000 + b"]" * 5_000):
        assert frame_of_post(body, None) == body


def test_an_event_body_alone_gets_the_topic_that_came_with_it() -> None:
    body = json.dumps(BODY).encode()
    frame = frame_of_post(b"\n" + body + b"\n", TOPIC)
    assert body in frame
    (event,), rejected = decode_frame(frame)
    (expected,), _ = decode_frame(json.dumps(ENVELOPE).encode())
    assert rejected == []
    assert (event.event_id, event.type, event.timestamp) == (expected.event_id, "acd.start", BODY["eventTime"])


def test_what_has_an_envelope_does_not_need_the_topic() -> None:
    for value in (ENVELOPE, ENVELOPE["detail"], [BODY]):
        body = json.dumps(value).encode()
        assert frame_of_post(body, TOPIC) == body


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"a":"\xff"}', b"{}{}"])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="not JSON"):
        frame_of_post(body, None)


@pytest.mark.parametrize("topic", ["", "x", "v2", 'v2.a","b', "v2.a b", "v2." + "a." * 20 + "b", "v2.ä"])
def test_a_topic_that_is_none_is_refused(topic: str) -> None:
    with pytest.raises(InputError, match="topic"):
        frame_of_post(b"{}", topic)


def test_a_body_that_is_too_large_with_its_topic_is_refused() -> None:
    body = b'{"a":"' + b"x" * (MAX_FRAME - 8) + b'"}'
    assert len(body) == MAX_FRAME
    assert frame_of_post(body, None) == body
    with pytest.raises(InputError, match="larger"):
        frame_of_post(body, TOPIC)


@given(st.text() | st.builds(lambda text: json.dumps({"Type": "Notification", "Message": text}), st.text()))
def test_any_message_is_a_frame(text: str) -> None:
    assert isinstance(frame_in(text), bytes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON), st.none() | st.just(TOPIC) | st.text())
def test_any_post_is_kept_whole_or_refused(body: bytes, topic: str | None) -> None:
    try:
        frame = frame_of_post(body, topic)
    except InputError:
        return
    assert body.strip() in frame
    decode_frame(frame)
