"""What an event says: its fields, its times, its made id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from journeymap.decode.event import decode_frame, decode_value
from journeymap.decode.timestamp import read_timestamp
from journeymap.model.event import Event, better_copy, contradicts, order_key, same_copy
from tests.unit.decode.framing import GOOD, HEAD, START, made, one, reasons, with_top


def with_payload(**payload: Any) -> Event:
    return one(json.dumps({"type": "note", "timestamp": START, "payload": {"interactionId": "a", **payload}}).encode())


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


# Copies from several APIs of a platform


def seen(seen_in: str, at: int = START, **payload: Any) -> Event:
    value = {
        "eventId": "acw:s", "type": "acw", "timestamp": at,
        "payload": {"interactionId": "a", "sessionId": "s", "seenIn": seen_in, **payload},
    }  # fmt: skip
    return one(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (seen("detail", START + 9), seen("analytics")),
        (seen("analytics", START + 9), seen("snapshot")),
        (seen("snapshot", START + 9), seen("estimate")),
        (seen("estimate", START + 9, disposition="done"), seen("detail")),
        (seen("analytics", START + 9, customerId="ann"), seen("detail")),
        (seen("detail"), seen("detail", START + 9)),
    ],
)
def test_the_better_copy_names_more_or_is_of_the_better_standing(better: Event, worse: Event) -> None:
    assert better_copy(better, worse) is better_copy(worse, better) is better
    assert not contradicts(better, worse)


def test_what_a_stream_says_has_no_standing() -> None:
    event = one(b'{%s,"eventId":"e","payload":{"interactionId":"a","seenIn":"detail","sessionId":"s"}}' % HEAD)
    assert (event.standing, event.leg) == (0, None)
    assert contradicts(event, event)
