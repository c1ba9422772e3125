"""What Event Streams and the public APIs tell of a simulated conversation are the same facts of one journey."""

import json
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.event import Event
from journeymap.model.journey import Journey, Kind
from journeymap.simulator.delivery import Delivery
from journeymap.simulator.publicapi.chronicle import Chronicle
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS, Conversation
from journeymap.simulator.publicapi.details import body, topic_of
from journeymap.simulator.publicapi.organisation import Organisation
from journeymap.simulator.story import Story
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions
from tests.holds import without_holds

NOW = 1_795_145_400_000
"""At night, when the load is the same for hours: the cast of one level of load is all that is needed."""
STORY = Story(3, 5.0, Delivery(0.0, 0.0, jitter=False))
LASTS = 2 * 3_600_000

Frame = tuple[int, dict[str, Any]]


@cache
def conversations() -> list[Conversation]:
    """150 that began one after the other."""
    chronicle = Chronicle(STORY)
    found = [found for found in sorted(chronicle.open_between(NOW, NOW + 240_000)) if found.start >= NOW]
    return [chronicle.conversation(one) for one in found[:150]]


@cache
def streamed() -> dict[str, list[Frame]]:
    """What Event Streams tells, by conversation."""
    told = defaultdict(list)
    for _, event in STORY.events(NOW, NOW + LASTS):
        told[event["payload"]["conversationId"]].append((event["timestamp"], event))
    return told


def frame(topic: str, said: dict[str, Any]) -> dict[str, Any]:
    return {"topicName": topic, "version": "2", "eventBody": said, "metadata": {}}


def details(conversation: Conversation) -> list[Frame]:
    told = [moment for moment in conversation.moments if moment.kind in DETAIL_KINDS]
    return [(moment.at, frame(topic_of(conversation, moment), body(conversation, moment))) for moment in told]


def journey_of(frames: Iterable[Frame]) -> Journey:
    memory, events = Snapshots(), list[Event]()
    for at, said in frames:
        found, rejected = decode_frame(json.dumps(said).encode(), at, memory)
        assert rejected == []
        events += found
    (journey,) = journeys(events, StitchOptions())
    shown = tuple(map(without_holds, journey.interactions))
    return msgspec.structs.replace(journey, events=(), interactions=shown)


def test_they_are_of_every_sort() -> None:
    assert {one.channel for one in conversations()} == {"voice", "chat", "email", "message", "callback"}
    kinds = {moment.kind for one in conversations() for moment in one.moments}
    assert {"acw", "contact", "hold", "attributes"} <= kinds
    disconnects = {leg.disconnect for one in conversations() for leg in one.legs}
    assert {"transfer", "consultTransfer", "peer", "client", "endpoint"} <= disconnects


def test_event_streams_tells_the_same_facts() -> None:
    organisation = Organisation(STORY.rosters, 5)
    names = {**organisation.queues.by_id, **organisation.wrapup_codes.by_id}

    def facts(journey: Journey) -> dict[str, Any]:
        (one,) = journey.interactions
        named = {name: names.get(value, {"name": value})["name"] for name in NAMED if (value := getattr(one, name))}
        talk = [(segment.start, segment.end) for segment in one.segments if segment.kind == Kind.INTERACT]
        return named | {name: getattr(one, name) for name in AS_THEY_ARE} | {"talk": talk}

    for conversation in conversations():
        public = journey_of(details(conversation))
        stream = journey_of(streamed()[conversation.conversation_id])
        assert facts(public) == facts(stream)
        if conversation.identified_at is not None:
            assert public.customer_id == stream.customer_id


NAMED = ("queue", "disposition")
AS_THEY_ARE = ("channel", "direction", "agent", "started_at", "ended_at")
