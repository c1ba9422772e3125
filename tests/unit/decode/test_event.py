"""The door: whatever comes in, events and rejections come out, and an accepted event's bytes can always be read again."""

from __future__ import annotations

import hashlib
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
    read_timestamp,
)
from journeymap.model.event import Event, better_copy, canonical_json, order_key, same_copy
from journeymap.model.record import Rejected

START = 1_700_000_000_000
HEAD = b'"type":"conversation.started","timestamp":1700000000000'
GOOD = b'{%s,"payload":{"interactionId":"a"}}' % HEAD


def one(frame: bytes) -> Event:
    events, rejected = decode_frame(frame)
    assert not rejected
    (event,) = events
    return event


def reasons(frame: bytes) -> list[str]:
    events, rejected = decode_frame(frame)
    assert not events
    return [item.reason for item in rejected]


def with_payload(**payload: Any) -> Event:
    return one(json.dumps({"type": "note", "timestamp": START, "payload": {"interactionId": "a", **payload}}).encode())


def with_top(**top: Any) -> bytes:
    event = {"type": "note", "timestamp": START, "payload": {"interactionId": "a"}, **top}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


# What an event says


def test_every_field() -> None:
    frame = json.dumps(
        {
            "eventId": "e1",
            "type": "disposition.completed",
            "timestamp": START,
            "payload": {
                "customerId": "ann", "interactionId": "a", "sessionToken": "t", "channelType": "Voice",
                "durationSeconds": 1.5, "disposition": "Sold", "queueName": "Q", "agentId": "bob",
            },
        }
    ).encode()  # fmt: skip
    assert decode_frame(frame, 77) == (
        [
            Event(START, 4, "e1", "a", "disposition.completed", frame, "ann", "t", "voice", 1_500, "Sold", "Q", "bob",
                  arrived_at=77)
        ],
        [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("received", "known_as", "rank"),
    [
        ("interaction.created", "interaction.created", 0),
        ("conversation.started", "conversation.started", 1),
        ("interaction.started", "conversation.started", 1),
        ("transfer.initiated", "transfer.initiated", 2),
        ("conversation.ended", "conversation.ended", 3),
        ("disposition.completed", "disposition.completed", 4),
        ("note.added", "note.added", 9),
        ("Conversation.Started", "Conversation.Started", 9),
    ],
)
def test_types_and_ranks(received: str, known_as: str, rank: int) -> None:
    event = one(with_top(type=received))
    assert (event.type, event.rank) == (known_as, rank)


def test_order_is_time_rank_event_id_and_interaction() -> None:
    assert order_key(one(GOOD))[:2] == (START, 1)
    assert order_key(one(with_top(eventId="e")))[2:] == ("e", "a")


@pytest.mark.parametrize("value", ["", None, True, False, 1.5, [], {}, ["ann"]])
def test_what_is_not_text_is_missing(value: Any) -> None:
    event = with_payload(customerId=value, sessionToken=value, channelType=value, disposition=value, agentId=value)
    assert (event.customer_id, event.session_token, event.channel, event.disposition, event.agent) == (None,) * 5
    assert reasons(with_top(payload={"interactionId": value})) == ["no-interaction"]
    assert reasons(with_top(type=value)) == ["no-type"]
    assert one(with_top(eventId=value)).event_id.startswith("h-")


def test_whole_numbers_are_ids() -> None:
    event = one(with_top(eventId=7, payload={"interactionId": 0, "customerId": -5, "sessionToken": 10**25}))
    assert (event.event_id, event.interaction_id, event.customer_id) == ("7", "0", "-5")
    assert event.session_token == "1" + 25 * "0"


def test_spaces_are_text() -> None:
    assert with_payload(customerId=" ").customer_id == " "


@pytest.mark.parametrize("payload", [..., None, [], "a", 1, True, [{"interactionId": "a"}]])
def test_a_payload_must_be_an_object(payload: Any) -> None:
    assert reasons(with_top(payload=payload)) == ["no-interaction"]


# Identity events


def test_identity_events_have_customers_and_no_interaction() -> None:
    frame = with_top(type="customer.merged", payload={"fromCustomerId": "ann", "toCustomerId": 5, "interactionId": "a"})
    event = one(frame)
    assert (event.from_customer, event.to_customer, event.interaction_id, event.rank) == ("ann", "5", "", 9)


@pytest.mark.parametrize("payload", [{}, {"fromCustomerId": "a"}, {"toCustomerId": "a"}, None, ...])
@pytest.mark.parametrize("kind", ["customer.merged", "customer.split"])
def test_identity_events_without_customers(payload: Any, kind: str) -> None:
    assert reasons(with_top(type=kind, payload=payload)) == ["no-customers"]


# Times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (START, START),
        (946_684_800_000, 946_684_800_000),  # the first moment of 2000
        (946_684_799_999, None),
        (4_133_980_799_999, 4_133_980_799_999),  # the last of 2100
        (4_133_980_800_000, None),
        (0, None),
        (-START, None),
        (10**400, None),
        (START // 1000, None),  # seconds: 20 January 1970
        (float(START), START),
        (START + 0.9, START),
        (4_133_980_799_999.5, 4_133_980_799_999),
        (float("nan"), None),
        (float("inf"), None),
        (-1e300, None),
        (True, None),
        (False, None),
        (None, None),
        ([], None),
        ({}, None),
        ("", None),
        ("now", None),
        ("\0", None),
        ("\ud800", None),
        ("1700000000000", None),
        ("2023-11-14T22:13:20Z", START),
        ("2023-11-14T22:13:20+00:00", START),
        ("2023-11-14T22:13:20", START),  # no zone: UTC
        ("2023-11-15T03:43:20+05:30", START),
        ("2023-11-14T14:13:20-0800", START),
        ("2023-11-14 22:13:20Z", START),
        ("20231114T221320Z", START),
        ("2023-11-14T22:13:20.123Z", START + 123),
        ("2023-11-14T22:13:20.123999Z", START + 123),
        ("2023-11-14T22:13:20.123999999Z", START + 123),
        ("2023-11-14", START - 80_000_000),
        ("1999-12-31T23:59:59.999Z", None),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
        ("2000-01-01T00:00:00+00:01", None),
        ("2100-12-31T23:59:59.999Z", 4_133_980_799_999),
        ("2101-01-01T00:00:00Z", None),
        ("2101-01-01T00:30:00+01:00", 4_133_980_800_000 - 1_800_000),
        ("9999-12-31T23:59:59-14:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2023-02-29T00:00:00Z", None),
        ("2023-11-14T22:13:60Z", None),
    ],
)
def test_timestamps(value: Any, expected: int | None) -> None:
    assert read_timestamp(value) == expected


def test_a_bad_timestamp_is_a_reason() -> None:
    for value in (..., None, True, "soon", 0, 4_133_980_800_000):
        assert reasons(with_top(timestamp=value)) == ["bad-timestamp"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0), (-0.0, 0), (90, 90_000), (1.5, 1_500), (0.0004, 0), (0.0006, 1), (-1, None), (-0.001, None),
        (True, None), (False, None), (None, None), ("90", None), ([], None), ({}, None), (10**400, None),
        (1e10, 10**13),
    ],
)  # fmt: skip
def test_durations(value: Any, expected: int | None) -> None:
    assert with_payload(durationSeconds=value).duration == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_durations_that_json_cannot_say(value: float) -> None:
    payload = {"interactionId": "a", "durationSeconds": value}
    event = decode_value({"type": "note", "timestamp": START, "payload": payload}, b"{}")
    assert isinstance(event, Event)
    assert event.duration is None


# Made ids


def made(spelled: str) -> str:
    return "h-" + hashlib.sha256(spelled.encode()).hexdigest()


def test_a_made_id_spells_type_time_and_payload() -> None:
    frame = '{"type":"interaction.started","timestamp":"2023-11-14T22:13:20Z","payload":{"interactionId":"a","b":"é"}}'
    spelled = r'["conversation.started",1700000000000,{"b":"\u00e9","interactionId":"a"}]'
    assert one(frame.encode()).event_id == made(spelled)


def test_a_made_id_of_known_digits() -> None:
    assert one(GOOD).event_id == "h-3d81aa498e9d5f6ad240f90abba69f3b2ff1f7133c1ddef53b1bd6e9dedfc178"


def test_a_made_id_takes_the_payload_as_it_is() -> None:
    merged = with_top(type="customer.merged", payload={"toCustomerId": "b", "fromCustomerId": "a", "x": [1.0, 2]})
    assert one(merged).event_id == made(
        '["customer.merged",1700000000000,{"fromCustomerId":"a","toCustomerId":"b","x":[1.0,2]}]'
    )


def test_what_is_outside_the_payload_has_no_part_in_a_made_id() -> None:
    assert one(with_top(region="x")).event_id == one(with_top()).event_id


# Copies


def test_spelling_is_no_difference() -> None:
    other = one(
        b' {"payload": {"interactionId": "\\u0061"}, "timestamp": 1700000000000, "type":"conversation.started"}'
    )
    assert same_copy(one(GOOD), other)


def test_the_better_of_two_copies_goes_by_the_event_as_received() -> None:
    renamed = one(GOOD.replace(b"conversation.started", b"interaction.started"))
    iso = one(GOOD.replace(b"1700000000000", b'"2023-11-14T22:13:20Z"'))
    plain = one(GOOD)
    assert not same_copy(plain, renamed)
    assert not same_copy(plain, iso)
    assert better_copy(plain, renamed) is better_copy(renamed, plain) is plain
    assert better_copy(plain, iso) is better_copy(iso, plain) is iso  # a quotation mark sorts before a digit


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
