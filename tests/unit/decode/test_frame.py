"""Frames: which events they hold, which are turned away, and that nothing makes the reader fail."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journeymap.decode import event as event_module
from journeymap.decode.event import (
    MAX_DEPTH,
    MAX_FRAME,
    REASONS,
    decode_frame,
    decode_raw,
    decode_value,
)
from journeymap.model.event import Event, better_copy, canonical_json, order_key, same_copy
from journeymap.model.record import Rejected
from tests.unit.decode.framing import GOOD, HEAD, START, made, one, reasons, with_top

# Frames


def test_one_event_an_array_and_an_envelope() -> None:
    for frame in (
        b"[%s,%s]" % (GOOD, GOOD),
        b'{"events":[%s,%s]}' % (GOOD, GOOD),
        b'{"n":1,"events":[%s,%s]}' % (GOOD, GOOD),
    ):
        events, rejected = decode_frame(frame)
        assert [event.raw for event in events] == [GOOD, GOOD]
        assert not rejected
    assert one(b"\n %s\t" % GOOD).interaction_id == "a"


def test_empty_arrays_and_envelopes_are_nothing() -> None:
    assert decode_frame(b"[]") == decode_frame(b'{"events":[]}') == ([], [])


def test_one_unusable_event_does_not_spoil_the_others() -> None:
    for frame in (b'[%s,5,{"type":"x"},%s]', b'{"events":[%s,5,{"type":"x"},%s]}'):
        events, rejected = decode_frame(frame % (GOOD, GOOD))
        assert [event.raw for event in events] == [GOOD, GOOD]
        assert [item.reason for item in rejected] == ["not-an-event", "bad-timestamp"]
        assert [item.sample for item in rejected] == [b"5", b'{"type":"x"}']


def test_frames_are_not_nested() -> None:
    assert reasons(b"[[%s]]" % GOOD) == ["not-an-event"]
    assert reasons(b'[{"events":[%s]}]' % GOOD) == ["no-type"]
    assert reasons(b'{"events":{"events":[%s]}}' % GOOD) == ["no-type"]


def test_an_object_with_a_type_is_an_event_whatever_else_it_has() -> None:
    event = one(GOOD[:-1] + b',"events":[1,2]}')
    assert event.interaction_id == "a"


@pytest.mark.parametrize("frame", [b'"a"', b"5", b"null", b"true", b"1e5"])
def test_other_values_are_no_events(frame: bytes) -> None:
    assert reasons(frame) == ["not-an-event"]


@pytest.mark.parametrize(
    "frame",
    [
        b"", b" ", b"{", GOOD[:-1], GOOD + b"x", GOOD + GOOD, b"{'type':1}", b"\0", GOOD + b"\0",
        b'{%s,"payload":{"interactionId":"a","x":NaN}}' % HEAD,
        b'{%s,"payload":{"interactionId":"a","x":-Infinity}}' % HEAD,
        b'{%s,"payload":{"interactionId":"a","x":1e400}}' % HEAD,
        b'{%s,"payload":{"interactionId":"a","x":01}}' % HEAD,
        b'{%s,"payload":{"interactionId":"a\0b"}}' % HEAD,
        b'{%s,"payload":{"interactionId":"\\ud800"}}' % HEAD,
        b'{%s,"payload":{"interactionId":%s}}' % (HEAD, b"9" * 5_000),
        b"\xef\xbb\xbf" + GOOD,
    ],
)  # fmt: skip
def test_not_json(frame: bytes) -> None:
    assert reasons(frame) == ["not-json"]


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff", GOOD + b"\xff", GOOD.replace(b'"a"', b'"\xff"'), GOOD.replace(b'"a"', b'"\xed\xa0\x80"'),
        GOOD.replace(b'"a"', b'"\xc0\x80"'),
    ],
)  # fmt: skip
def test_not_utf8(frame: bytes) -> None:
    assert reasons(frame) == ["not-utf8"]


def test_a_nul_escape_is_a_character() -> None:
    event = one(GOOD.replace(b'"a"', b'"a\\u0000b"'))
    assert event.interaction_id == "a\0b"
    assert decode_raw(event.raw) == event


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert one(GOOD.replace(b'"a"', b'"\\ud83d\\ude00"')).interaction_id == "\U0001f600"


def test_the_largest_frame() -> None:
    filled = GOOD + b" " * (MAX_FRAME - len(GOOD))
    assert one(filled).interaction_id == "a"
    events, (rejected,) = decode_frame(filled + b" ")
    assert not events
    assert (rejected.reason, len(rejected.sample)) == ("too-large", 2_000)


def nested(levels: int) -> bytes:
    """An event of so many levels in all: two are its own and the payload's."""
    return b'{%s,"payload":{"interactionId":"a","x":%s}}' % (HEAD, b"[" * (levels - 2) + b"]" * (levels - 2))


def test_the_deepest_event() -> None:
    assert one(nested(MAX_DEPTH)).interaction_id == "a"
    assert reasons(nested(MAX_DEPTH + 1)) == ["too-deep"]
    assert reasons(nested(100_000)) == ["too-deep"]
    assert reasons(b"[" * 500_000) == ["too-deep"]
    many = b'{%s,"payload":{"interactionId":"a","x":[%s1]}}' % (HEAD, b"[]," * 1_000)
    assert one(many).interaction_id == "a"


def test_a_deep_event_does_not_spoil_the_others() -> None:
    events, rejected = decode_frame(b"[%s,%s]" % (nested(500), GOOD))
    assert (len(events), [item.reason for item in rejected]) == (1, ["too-deep"])


def test_of_keys_that_stand_twice_the_last_holds() -> None:
    event = one(
        b'{%s,"payload":5,"eventId":"e1","eventId":"e2","payload":{"interactionId":"b","interactionId":"a"}}' % HEAD
    )
    assert (event.interaction_id, event.event_id) == ("a", "e2")
    events, rejected = decode_frame(b'{"events":[1,2,3],"events":[%s,%s]}' % (GOOD, GOOD))
    assert (len(events), rejected) == (2, [])
    events, rejected = decode_frame(b'{"events":5,"events":[%s]}' % GOOD)
    assert (len(events), rejected) == (1, [])
    assert reasons(b'{"events":[%s],"events":5}' % GOOD) == ["no-type"]


def test_keys_may_be_escaped() -> None:
    assert one(b'{"\\u0065vents":[%s]}' % GOOD).raw == GOOD
    assert one(GOOD.replace(b'"type"', b'"\\u0074ype"')).type == "conversation.started"


def test_every_reason_has_its_sentence() -> None:
    for frame in (b"", b"\xff", b"5", nested(999), b"{}", with_top(payload=None), with_top(timestamp=1)):
        _, (rejected,) = decode_frame(frame)
        assert rejected.detail == REASONS[rejected.reason]


def test_stored_bytes_that_are_no_event() -> None:
    for raw in (b"", b"[]", b"[%s,%s]" % (GOOD, GOOD), b"{}", b"\xff"):
        with pytest.raises(ValueError, match="not one usable event"):
            decode_raw(raw)


# Anything at all

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(),
        st.sampled_from(
            [START, START + 0.5, "2023-11-14T22:13:20Z", "conversation.started", "customer.merged", "a", ""]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
    max_leaves=8,
)


payloads = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"interactionId": st.one_of(st.just("a"), st.just("a"), anything)},
        optional={
            name: st.one_of(st.text(max_size=3), anything)
            for name in ("customerId", "sessionToken", "channelType", "durationSeconds", "disposition", "agentId",
                         "queueName", "fromCustomerId", "toCustomerId")
        },
    ),
)  # fmt: skip


event_likes = st.fixed_dictionaries(
    {
        "type": st.one_of(st.sampled_from(["interaction.started", "customer.split", "note"]), anything),
        "timestamp": st.one_of(st.integers(START, START + 5), anything),
        "payload": payloads,
    },
    optional={"eventId": st.one_of(st.text(max_size=3), anything), "events": anything},
)


items = st.one_of(event_likes, event_likes, anything)


def check(frame: bytes) -> tuple[list[Event], list[Rejected]]:
    events, rejected = decode_frame(frame, 5)
    for item in rejected:
        assert item.reason in REASONS
        assert len(item.sample) <= 2_000
    for event in events:
        msgspec.json.decode(event.raw)
        assert msgspec.structs.replace(decode_raw(event.raw), arrived_at=5) == event
        assert same_copy(event, event)
        assert same_copy(event, one(event.raw + b" "))
        assert better_copy(event, event) is event
        assert event.event_id
        assert (event.interaction_id == "") == (event.from_customer is not None)
        order_key(event)
    return events, rejected


@given(st.binary(max_size=200))
@example(b"\xed\xa0\x80")
@example(b'{"type":')
def test_bytes_never_raise(frame: bytes) -> None:
    events, rejected = check(frame)
    assert events or rejected or json.loads(frame) in ([], {"events": []})


@given(st.binary(max_size=5), st.integers(0, len(GOOD)), st.integers(0, 5))
def test_a_spoiled_event_never_raises(noise: bytes, place: int, cut: int) -> None:
    check(GOOD[:place] + noise + GOOD[place + cut :])


@given(items, st.booleans())
def test_values_never_raise(value: Any, ascii_only: bool) -> None:
    check(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))


@given(st.lists(items, max_size=6), st.booleans())
def test_each_item_of_a_frame_is_an_event_or_a_rejection(values: list[Any], in_envelope: bool) -> None:
    text = json.dumps({"n": 0, "events": values} if in_envelope else values, ensure_ascii=True)
    events, rejected = check(text.encode())
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        assert [item.reason for item in rejected] == ["not-json"]
    else:
        assert len(events) + len(rejected) == len(values)


nearly_usual = st.builds(
    lambda top, payload: {
        "eventId": "e",
        "type": "conversation.started",
        "timestamp": START,
        **top,
        "payload": payload,
    },
    st.dictionaries(st.sampled_from(["eventId", "type", "timestamp"]), anything, max_size=1),
    st.builds(
        lambda payload, odd: {"interactionId": "a", **payload, **odd},
        st.dictionaries(st.sampled_from(["customerId", "sessionToken", "channelType", "agentId"]), st.text(max_size=3)),
        st.dictionaries(
            st.sampled_from(["interactionId", "customerId", "channelType", "durationSeconds", "queueName"]),
            anything,
            max_size=1,
        ),
    ),
)


@given(st.one_of(nearly_usual, event_likes))
def test_the_short_way_and_the_long_way_agree(value: dict[str, Any]) -> None:
    raw = json.dumps(value).encode()
    try:
        parsed = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return
    result = decode_value(parsed, raw, 5)
    if not (isinstance(result, Rejected) and result.reason == "too-deep"):
        assert result == event_module._decode_odd(parsed, raw, 5)


@given(event_likes)
def test_a_made_id_is_that_of_the_parsed_event(value: dict[str, Any]) -> None:
    value.pop("eventId", None)
    result = decode_value(value, b"{}")
    if isinstance(result, Event):
        spelled = canonical_json([result.type, result.timestamp, value["payload"]])
        assert result.event_id == made(spelled)
        json.loads(spelled)
