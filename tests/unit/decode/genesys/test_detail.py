"""Detail events: all sixteen kinds, over the websocket and over EventBridge."""

from __future__ import annotations

import json
from typing import Any

import pytest

from journeymap.decode.event import decode_frame, decode_raw
from journeymap.decode.genesys.detail import KINDS
from journeymap.model.event import Event
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions
from tests.unit.decode.genesys.samples import (
    AGENTS,
    BEGIN,
    CALL,
    CONTACT,
    DETAIL,
    EVENTBRIDGE,
    QUEUES,
    WRAPUPS,
    decoded,
    messages,
    sample,
)

COMMON = {
    "eventTime": BEGIN, "conversationId": "c", "participantId": "p", "sessionId": "s", "mediaType": "VOICE",
    "direction": "INBOUND", "conversationExternalContactIds": ["ann"],
}  # fmt: skip


def framed(kind: str, **fields: Any) -> dict[str, Any]:
    body = {name: value for name, value in {**COMMON, **fields}.items() if value is not None}
    return {"topicName": f"v2.detail.events.conversation.c.{kind}", "version": "2", "eventBody": body, "metadata": {}}


def one(kind: str, **fields: Any) -> Event:
    """The event of this kind, the last one that a frame tells."""
    return decoded([framed(kind, **fields)])[-1]


def payload(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.raw)["payload"]
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_one_event_of_its_conversation(kind: str) -> None:
    event = one(kind)
    assert (event.type, event.timestamp, event.interaction_id, event.leg) == (kind, BEGIN, "c", "s")
    assert event.event_id.split(":")[:2] == [kind, "s"]
    assert (event.channel, event.direction, event.customer_id, event.standing) == ("voice", "inbound", "ann", 1)
    assert decode_raw(event.raw, BEGIN) == event


def test_the_sixteen_kinds() -> None:
    assert len(KINDS) == 16
    assert {message["topicName"].split(".", 5)[5] for message in sample(DETAIL)} < KINDS


def test_eventbridge_says_the_same() -> None:
    inside = decoded(messages(EVENTBRIDGE), 5)
    assert inside == decoded(messages(DETAIL), 5)
    assert {event.interaction_id for event in inside} == {CALL}


def test_eventbridge_names_the_kind_where_the_topic_is_missing() -> None:
    frame = framed("acd.start")
    detail = {name: value for name, value in frame.items() if name != "topicName"}
    envelope = {"version": "0", "detail-type": "v2.detail.events.conversation.{id}.acd.start", "detail": detail}
    assert decoded([envelope]) == decoded([frame])


def test_what_a_call_tells() -> None:
    events = {event.event_id.split(":")[0]: event for event in decoded(messages(DETAIL))}
    assert events["customer.start"].customer_id == events["acd.end"].customer_id == CONTACT
    assert (events["acd.end"].type, events["acd.end"].agent, events["acd.end"].queue) == (
        "acd.answered", AGENTS[1], QUEUES[1],
    )  # fmt: skip
    assert events["acw"].disposition == WRAPUPS[1]
    assert events["customer.end"].duration == 400_005
    assert payload(events["flow.end"])["exitReason"] == "TRANSFER"
    assert payload(events["customer.start"])["ani"] == "tel:+15555550123"


# The end of an agent's session


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"interactingDurationMs": 0, "heldDurationMs": 0, "alertingDurationMs": 15_000}, "user.missed"),
        ({"interactingDurationMs": 0, "alertingDurationMs": 15_000, "disconnectType": "TRANSFER"}, "user.missed"),
        ({"alertingDurationMs": 15_000}, "user.missed"),
        ({"alertingDurationMs": 15_000, "interactingDurationMs": None, "disconnectType": "CLIENT"}, "user.missed"),
        ({"dialingDurationMs": 0}, "user.missed"),
        ({"alertingDurationMs": 15_000, "heldDurationMs": 5}, "user.end"),
        ({"alertingDurationMs": "long"}, "user.end"),
        ({"interactingDurationMs": 5, "disconnectType": "TRANSFER"}, "user.transferred"),
        ({"interactingDurationMs": 5, "disconnectType": "CONSULT_TRANSFER"}, "user.transferred"),
        ({"heldDurationMs": 5, "disconnectType": "PEER"}, "user.end"),
        ({"disconnectType": "SOMETHING_NEW"}, "user.end"),
        ({}, "user.end"),
    ],
)
def test_how_an_agents_session_ended(fields: dict[str, Any], named: str) -> None:
    event = one("user.end", **fields)
    assert (event.type, event.event_id) == (named, "user.end:s")


def test_its_lengths_tell_when_it_began_and_was_answered() -> None:
    began, answered, ended = decoded(
        [framed("user.end", userId="ada", interactingDurationMs=100, heldDurationMs=20, alertingDurationMs=7)]
    )
    assert (began.event_id, began.timestamp) == ("user.start:s", BEGIN - 127)
    assert (answered.event_id, answered.timestamp, answered.agent) == ("user.answer:s", BEGIN - 120, "ada")
    assert began.standing == answered.standing > ended.standing


@pytest.mark.parametrize("lasted", [-1, "long", None, True, 1e300])
def test_lengths_that_cannot_be_are_passed_over(lasted: Any) -> None:
    assert [event.type for event in decoded([framed("user.end", interactingDurationMs=lasted)])] == ["user.end"]


# Ids


def test_copies_have_one_id_and_repeated_events_have_several() -> None:
    def name(kind: str, **fields: Any) -> str:
        return one(kind, **fields).event_id

    later = BEGIN + 2
    assert name("acd.end") == name("acd.end", eventTime=later, acdOutcome="ANSWERED")
    assert name("acw") == name("acw", eventTime=later) != name("acw", sessionId="t")
    assert name("acw", mediaType="EMAIL") == name("acw", mediaType="EMAIL", eventTime=later)
    assert name("acw", mediaType="EMAIL") != name("acw", mediaType="EMAIL", eventTime=BEGIN + 1_000)
    assert name("wrapup", mediaType="MESSAGE") != name("wrapup", mediaType="MESSAGE", eventTime=BEGIN + 1_000)
    assert name("contact", externalContactId="ann") != name("contact", externalContactId="bob")
    assert name("attributes", attributes={"a": "1"}) != name("attributes", attributes={"a": "2"})
    assert name("attributes", attributes={"a": "1"}) == name("attributes", attributes={"a": "1"}, eventTime=later)
    assert name("flow.outcome", flowOutcomeId="o") != name("flow.outcome", flowOutcomeId="o", eventTime=later)


def test_without_a_session_the_participant_stands_in() -> None:
    assert one("attributes", sessionId=None, attributes={"a": "1"}).leg == "p"


# Whose it is


def test_the_customers_own_contact_comes_first() -> None:
    assert one("customer.start", externalContactId="bob").customer_id == "bob"
    assert one("user.start", conversationExternalContactIds=["ann", "bob"]).customer_id is None
    assert one("user.start", conversationExternalContactIds=[]).customer_id is None


# What is kept, and what is not


def test_unknown_values_and_fields_are_kept() -> None:
    event = one("acd.end", acdOutcome="carriedAway", mediaType="HOLOGRAM", newField={"x": [1]}, provider="Edge")
    assert (event.type, event.channel) == ("acd.end", "hologram")
    assert payload(event)["acdOutcome"] == "CARRIED_AWAY"
    assert payload(event)["newField"] == {"x": [1]}


def test_a_medium_that_is_not_known_yet_does_not_stay_unknown() -> None:
    first, last = framed("customer.start", mediaType="UNKNOWN"), framed("customer.end", eventTime=BEGIN + 1_000)
    started, ended = decoded([first, last])
    assert (started.channel, ended.channel) == (None, "voice")
    assert payload(started)["mediaType"] == "UNKNOWN"
    (journey,) = journeys([started, ended], StitchOptions())
    assert journey.interactions[0].channel == "voice"


def test_a_missed_alert_leaves_nobody_in_wrapup() -> None:
    """The alert's own length may be all that there is."""
    missed = {"userId": "ada", "alertingDurationMs": 15_000, "disconnectType": "CLIENT"}
    told = [
        framed("customer.start"), framed("user.start", sessionId="u", eventTime=BEGIN + 5_000, userId="ada"),
        framed("customer.end", eventTime=BEGIN + 30_000),
    ]  # fmt: skip
    ways = [
        journeys(
            decoded([*told, framed("user.end", sessionId="u", eventTime=BEGIN + 20_000, **lengths)]), StitchOptions()
        )
        for lengths in (missed, {**missed, "interactingDurationMs": 0})
    ]
    states = [[(one.state, [each.kind for each in one.segments]) for one in way[0].interactions] for way in ways]
    assert states[0] == states[1]
    assert states[0] == [("CLOSED", ["wait", "alert"])]


def test_an_unknown_kind_is_kept_as_a_sign_of_life() -> None:
    event = one("robot.start")
    assert (event.type, event.rank, event.event_id) == ("robot.start", 9, f"robot.start:s:{BEGIN}")


def test_media_beside_the_conversation_are_not_its_channel() -> None:
    event = one("user.start", mediaType="SCREENSHARE")
    assert (event.type, event.channel, event.rank, event.event_id) == (
        "screenshare.user.start",
        None,
        9,
        "user.start:s",
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (framed("acd.start", conversationId=None), "no-conversation"),
        (framed("acd.start", eventTime=None), "bad-timestamp"),
        (framed("acd.start", eventTime=5), "bad-timestamp"),
        (framed(""), "no-type"),
        ({"topicName": "v2.detail.events.conversation.c"}, "no-type"),
        ({"topicName": "v2.detail.events.conversation.c.acw"}, "no-conversation"),
        ({"topicName": "v2.operations.events.1", "eventBody": {}}, "unknown-topic"),
        ({"topicName": None}, "unknown-topic"),
        ({"detail-type": "v2.detail.events.conversation.{id}.acw", "detail": 5}, "no-conversation"),
        ({"topicName": "channel.metadata", "eventBody": {"message": "pong"}}, "control"),
        ({"topicName": "v2.system.socket_closing"}, "control"),
        (COMMON, "no-type"),
    ],
)
def test_what_cannot_be_used_says_why(value: dict[str, Any], reason: str) -> None:
    events, (rejected,) = decode_frame(json.dumps(value).encode())
    assert (events, rejected.reason) == ([], reason)
