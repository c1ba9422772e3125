"""From the simulated platform's conversations over its Notification Service to stitched journeys: the same facts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from journeymap.decode.event import decode_frame
from journeymap.model.journey import Interaction, Journey, Kind
from journeymap.protocol.notifications.limits import Limits
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS, Conversation
from journeymap.simulator.publicapi.details import body, topic_of
from journeymap.simulator.server import SimulatedPlatform
from journeymap.stitch.definition import journeys
from tests.integration.ingest import CLOCK, OPTIONS, Running, Store
from tests.notifications import source_for
from tests.stored import journeys_in

WATCHED = 8.0
"""Seconds."""
ON_ITS_WAY = 1_000
FACTS = ("channel", "direction", "queue", "agent", "disposition", "ended_at", "state")


def script(conversation: Conversation) -> Iterable[bytes]:
    """All that happens in a conversation, as detail events."""
    for moment in conversation.moments:
        if moment.kind in DETAIL_KINDS:
            said = {
                "topicName": topic_of(conversation, moment),
                "version": "2",
                "eventBody": body(conversation, moment),
            }
            yield json.dumps(said).encode()


def interactions(found: Iterable[Journey]) -> dict[str, tuple[str, Interaction]]:
    """By id, with the customer's."""
    return {one.interaction_id: (journey.customer_id, one) for journey in found for one in journey.interactions}


def facts(one: Interaction) -> dict[str, Any]:
    talks = [(segment.start, segment.end) for segment in one.segments if segment.kind == Kind.INTERACT]
    # Where the customer is called, nobody tells later how long it rang.
    began = {"started_at": one.started_at} if one.direction == "inbound" else {}
    return {name: getattr(one, name) for name in FACTS} | began | {"talks": talks}


def test_journeys_are_what_the_script_says(tmp_path: Path) -> None:
    store = Store()
    with SimulatedPlatform(rate=60.0, rate_limit=100_000) as platform:
        with Running(tmp_path, store, source_for(platform, limits=Limits())) as running:  # type: ignore[arg-type]  # of any kind
            running.until_told(lambda status: status.state == "OPEN")
            begin = CLOCK.now() + ON_ITS_WAY
            time.sleep(WATCHED)
            end = CLOCK.now() - ON_ITS_WAY
        chronicle = platform.public.chronicle
        assert chronicle is not None
        ended = platform._call(
            lambda: [
                chronicle.conversation(found)
                for found in chronicle.open_between(begin, end)
                if found.end is not None and begin < found.end < end
            ]
        )
    assert len(ended) > 20
    assert len({one.channel for one in ended}) > 2
    seen = interactions(journeys_in(store, OPTIONS))
    for conversation in ended:
        events = [event for data in script(conversation) for event in decode_frame(data)[0]]
        ((name, (customer, told)),) = interactions(journeys(events, OPTIONS)).items()
        assert facts(seen[name][1]) == facts(told)
        if conversation.identified_at is not None:
            assert seen[name][0] == customer
