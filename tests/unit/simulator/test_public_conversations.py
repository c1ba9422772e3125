"""Conversations of the public APIs: the Event Streams side's own, and the same facts in all three of their forms."""

from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from journeymap.simulator.delivery import Delivery
from journeymap.simulator.people import conversation_id, key_and_contact, number_of, unique_key
from journeymap.simulator.publicapi.chronicle import Chronicle, Found
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS, Conversation
from journeymap.simulator.publicapi.details import body
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.snapshots import MEDIA, queues_in, snapshot, whole
from journeymap.simulator.publicapi.stamps import read_stamp, stamp
from journeymap.simulator.story import Story

NOW = 1_795_145_400_000
"""At night, when the load is the same for hours: the cast of one level of load is all that is needed."""
HOUR = 3_600_000
STORY = Story(3, 20.0, Delivery(0.0, 0.0, jitter=False))


@cache
def chronicle() -> Chronicle:
    return Chronicle(STORY)


@cache
def conversations() -> list[tuple[Found, Conversation]]:
    """All that began within a quarter of an hour, of which everything is known."""
    found = [found for found in chronicle().open_between(NOW, NOW + HOUR // 4) if found.start >= NOW]
    return [(known, chronicle().conversation(known)) for known in sorted(found)]


def test_keys_can_be_undone() -> None:
    for number in (0, 1, 77, 123_456_789, (1 << 64) - 1):
        assert number_of(unique_key(number, 99), 99) == number
    known = conversation_id(unique_key(5, 99), 3)
    assert key_and_contact(known) == (unique_key(5, 99), 3)
    assert [len(part) for part in known.split("-")] == [8, 4, 4, 4, 12]
    for wrong in ("", "nonsense", known[:-1] + ("0" if known[-1] != "0" else "1"), known.upper() + "x"):
        assert key_and_contact(wrong) is None


def test_stamps_are_read_as_they_are_written() -> None:
    assert stamp(NOW) == "2026-11-20T03:30:00.000Z"
    assert read_stamp(stamp(NOW + 7)) == NOW + 7
    assert read_stamp("2026-11-20T04:30:00+01:00") == NOW
    with pytest.raises(ValueError, match="no time zone"):
        read_stamp("2026-11-20T04:30:00")


def test_both_sides_tell_of_the_same_conversations() -> None:
    meaning = {
        "interaction.created": {"customer.start"},
        "conversation.started": {"answer"},
        "transfer.initiated": {"user.end", "attributes"},
        "conversation.ended": {"customer.end"},
        "disposition.completed": {"acw", "wrapup"},
    }
    events = [event for _, event in STORY.events(NOW, NOW + 60_000)]
    assert len(events) > 500
    for event in events:
        payload, at = event["payload"], event["timestamp"]
        conversation = chronicle().of_id(payload["conversationId"])
        assert conversation is not None
        there = [moment for moment in conversation.moments if moment.at == at and moment.kind in meaning[event["type"]]]
        assert there, event
        assert conversation.channel == payload["channelType"]
        assert conversation.known_by(at) == ("customerId" in payload)
        assert conversation.customer.contact_id == payload.get("customerId", conversation.customer.contact_id)
        leg = conversation.legs[there[0].leg]
        if event["type"] == "conversation.started":
            assert (leg.user_id, leg.name) == (payload["agentId"], payload["agentName"])


def test_what_happens_is_what_the_conversations_hold() -> None:
    told = chronicle().happenings(NOW, NOW + 60_000)
    assert [happening.at for happening in told] == sorted(happening.at for happening in told)
    expected = Counter(
        (conversation.conversation_id, moment.at, moment.kind)
        for known in chronicle().open_between(NOW, NOW + 60_000)
        for conversation in [chronicle().conversation(known)]
        for moment in conversation.moments
        if NOW <= moment.at < NOW + 60_000
    )
    seen = Counter(
        (chronicle().conversation(one.found).conversation_id, one.at, one.moment.kind) for one in told
    )  # fmt: skip
    assert seen == expected


def test_any_division_of_time_tells_the_same() -> None:
    edges = [NOW, NOW + 1, NOW + 777, NOW + 30_000, NOW + 90_001]
    parts = [one for start, end in pairwise(edges) for one in chronicle().happenings(start, end)]
    assert parts == chronicle().happenings(edges[0], edges[-1])


def test_every_kind_of_detail_event_is_told() -> None:
    kinds = Counter(moment.kind for _, conversation in conversations() for moment in conversation.moments)
    assert set(DETAIL_KINDS) <= set(kinds)


def test_legs_come_and_go_in_order() -> None:
    for found, conversation in conversations():
        assert found.start == conversation.start
        assert found.end == conversation.end
        for leg in conversation.legs:
            assert leg.end is None or leg.end >= leg.start
            assert leg.start >= conversation.start
            for sooner, later in pairwise(leg.stages):
                assert sooner.end == later.start, leg
            assert all(stage.end is None or stage.start <= stage.end for stage in leg.stages)
        assert len({leg.session_id for leg in conversation.legs}) == len(conversation.legs)


def test_details_snapshots_and_records_agree() -> None:
    for _, conversation in conversations()[:250]:
        at = conversation.end or NOW + 4 * HOUR
        said = {
            (moment.kind, body(conversation, moment)["sessionId"]): body(conversation, moment)
            for moment in conversation.moments
            if moment.kind in DETAIL_KINDS and moment.kind != "attributes"
        }
        analysed = {
            session["sessionId"]: (participant, session) for participant, session in sessions(record(conversation, at))
        }
        shown = {
            communication["id"]: (participant, communication)
            for participant in snapshot(conversation, at)["participants"]
            for communication in participant[MEDIA[conversation.channel]]
        }
        assert list(analysed) == list(shown) == [leg.session_id for leg in conversation.legs]
        for (kind, session_id), event in said.items():
            participant, session = analysed[session_id]
            part, communication = shown[session_id]
            assert event["participantId"] == participant["participantId"] == part["id"]
            if kind in ("customer.start", "flow.start", "acd.start", "user.start", "voicemail.start"):
                assert session["segments"][0]["segmentStart"] == stamp(event["eventTime"])
            if kind in ("customer.end", "flow.end", "acd.end", "user.end", "voicemail.end"):
                assert communication["disconnectedTime"] == stamp(event["eventTime"])
                spoken = [segment for segment in session["segments"] if segment["segmentType"] != "wrapup"]
                assert spoken[-1]["segmentEnd"] == stamp(event["eventTime"])
                assert spoken[-1]["disconnectType"].lower() == event["disconnectType"].replace("_", "").lower()
                dotted = "".join(sorted(communication["disconnectType"].replace(".", "")))
                assert dotted == "".join(sorted(event["disconnectType"].replace("_", "").lower()))
            if kind in ("acw", "wrapup"):
                assert (
                    session["segments"][-1].get("wrapUpCode") == event.get("wrapupCode") == part["wrapup"].get("code")
                )
            if kind == "user.end":
                durations = [event[name] for name in event if name.endswith("DurationMs")]
                (leg,) = [leg for leg in conversation.legs if leg.session_id == session_id]
                assert sum(durations) == event["eventTime"] - leg.start


def test_a_snapshot_shows_no_more_than_has_happened() -> None:
    for _, conversation in conversations()[:100]:
        for moment in conversation.moments:
            seen = whole(conversation, moment.at)
            times = [value for value in _strings(seen) if value.startswith("2026-") and value.endswith("Z")]
            assert max(times) <= stamp(moment.at)
            written = record(conversation, moment.at)
            assert max(value for value in _strings(written) if value.startswith("2026-")) <= stamp(moment.at)
            assert ("conversationEnd" in written) == conversation.ended_by(moment.at)


def test_a_conversation_is_shown_to_each_queue_while_it_is_there() -> None:
    moved = [one for _, one in conversations() if len({leg.queue_id for leg in one.legs if leg.queue_id}) > 1]
    assert moved
    for conversation in moved:
        first = next(leg for leg in conversation.legs if leg.queue_id)
        last = conversation.legs[-1]
        assert first.queue_id in queues_in(conversation, first.start)
        if last.queue_id and last.queue_id != first.queue_id:
            assert last.queue_id in queues_in(conversation, last.start)
            assert first.queue_id not in queues_in(conversation, last.start + 6_000)


def sessions(document: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(participant, one) for participant in document["participants"] for one in participant["sessions"]]


def _strings(value: Any) -> list[str]:
    match value:
        case dict():
            return [text for one in value.values() for text in _strings(one)]
        case list():
            return [text for one in value for text in _strings(one)]
        case str():
            return [value]
    return []
