"""The simulated platform's conversations, in all their forms, are the same journeys. It shares no code with what reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.journey import Journey, Kind, Segment
from journeymap.simulator.delivery import Delivery
from journeymap.simulator.publicapi.chronicle import Chronicle
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS, Conversation
from journeymap.simulator.publicapi.details import body, topic_of
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.snapshots import snapshot, whole
from journeymap.simulator.story import Story
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions

NOW = 1_795_165_200_000
HOUR = 3_600_000
MANY = 120

Message = tuple[int, dict[str, Any]]


@cache
def conversations() -> list[Conversation]:
    chronicle = Chronicle(Story(3, 20.0, Delivery(0.0, 0.0, jitter=False)))
    found = sorted(found for found in chronicle.open_between(NOW, NOW + HOUR // 4) if found.start >= NOW)
    return [chronicle.conversation(each) for each in found[:: len(found) // MANY]]


def end_of(conversation: Conversation) -> int:
    return conversation.end or NOW + 6 * HOUR


def details(one: Conversation) -> Iterator[Message]:
    for moment in one.moments:
        if moment.kind in DETAIL_KINDS:
            yield moment.at, {"topicName": topic_of(one, moment), "eventBody": body(one, moment)}


def snapshots(one: Conversation) -> Iterator[Message]:
    for at in sorted({moment.at for moment in one.moments}):
        yield at, {"topicName": "v2.routing.queues.q.conversations", "eventBody": snapshot(one, at)}


def records(one: Conversation) -> Iterator[Message]:
    """The record as it grows: asked for at every moment."""
    for at in sorted({moment.at for moment in one.moments}):
        yield at, record(one, at)


def last_record(one: Conversation) -> Iterator[Message]:
    yield end_of(one), record(one, end_of(one))


def everything(one: Conversation) -> Iterator[Message]:
    yield from (*snapshots(one), *last_record(one), *details(one), *records(one))
    yield end_of(one) + HOUR, whole(one, end_of(one))


FORMS = {form.__name__: form for form in (snapshots, records, last_record, everything)}


def journey_of(messages: Iterator[Message]) -> Journey:
    """The journey of one conversation, with holds as the talk that they are part of, and without its list of events."""
    memory, events = Snapshots(), []
    for at, message in messages:
        found, rejected = decode_frame(json.dumps(message).encode(), at, memory)
        assert rejected == []
        events += found
    (journey,) = journeys(events, StitchOptions())
    (interaction,) = journey.interactions
    segments: list[Segment] = []
    for segment in interaction.segments:
        talk = segment.kind in (Kind.INTERACT, Kind.HOLD)
        if talk and segments and segments[-1].kind == Kind.INTERACT and segments[-1].end == segment.start:
            segments[-1] = Segment(Kind.INTERACT, segments[-1].start, segment.end)
        else:
            segments.append(Segment(Kind.INTERACT if talk else segment.kind, segment.start, segment.end))
    plain = msgspec.structs.replace(interaction, segments=tuple(segments))
    # Detail events do not tell who a web visitor is.
    visitor = journey.customer_id.startswith("visitor:")
    customer = f"interaction:{interaction.interaction_id}" if visitor else journey.customer_id
    return msgspec.structs.replace(journey, customer_id=customer, interactions=(plain,), events=())


@cache
def by_details() -> list[Journey]:
    return [journey_of(details(conversation)) for conversation in conversations()]


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_a_conversation_is_the_same_journey(form: str) -> None:
    for conversation, expected in zip(conversations(), by_details(), strict=True):
        assert journey_of(FORMS[form](conversation)) == expected, conversation.conversation_id


def test_they_have_all_that_a_platform_tells() -> None:
    kinds = {moment.kind for conversation in conversations() for moment in conversation.moments}
    assert {"flow.outcome", "acd.end", "user.end", "contact", "attributes", "acw", "outbound"} <= kinds
    shown = {segment.kind for journey in by_details() for segment in journey.interactions[0].segments}
    assert set(Kind) - {Kind.HOLD} <= shown
    assert any(
        event.type == "hold.end"
        for conversation in conversations()
        for _, message in last_record(conversation)
        for event in decode_frame(json.dumps(message).encode())[0]
    )
    assert {one.channel for one in conversations()} == {"voice", "chat", "email", "message", "callback"}
