"""The document of docs/http.md."""

from __future__ import annotations

import json

import msgspec
import pytest

from journeymap.decode.event import decode_raw
from journeymap.model.event import Event
from journeymap.model.journey import Journey
from journeymap.model.time import MINUTE
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.testing import event
from journeymap.view.document import document

START = 1_700_000_000_000
OPTIONS = StitchOptions()


def journey_of(*events: Event) -> Journey:
    (found,) = journeys(events, OPTIONS)
    return found


def at(now: int) -> ClockReading:
    return ClockReading(now, Timeouts())


def test_a_whole_journey_word_for_word() -> None:
    journey = journey_of(
        event(
            "interaction.created", START, "i1", event_id="e1", customerId="c-1", channelType="Voice", queueName="Süd"
        ),
        event(
            "conversation.started",
            START + 1_000,
            "i1",
            event_id="e2",
            extra={"b": [1.50, {"z": 1, "a": None}], "a": "ö"},
        ),
        event("transfer.initiated", START + 2_000, "i1", event_id="e3", transferType="blind"),
        event("conversation.started", START + 3_000, "i2", event_id="e4", customerId="c-1", channelType="chat"),
    )
    expected = (
        '{"journey_id":"ID","customer_id":"c-1","state":"ACTIVE","as_of":1700000004000,"started_at":1700000000000,'
        '"last_event_at":1700000003000,"channels":["voice","chat"],'
        '"interactions":[{"interaction_id":"i1","channel":"voice","state":"WRAPUP","started_at":1700000000000,'
        '"ended_at":null,"disposition":null,"timed_out":false,"segments":['
        '{"kind":"wait","start":1700000000000,"end":1700000001000},'
        '{"kind":"interact","start":1700000001000,"end":1700000002000},'
        '{"kind":"transfer","start":1700000002000,"end":1700000003000},'
        '{"kind":"wrapup","start":1700000003000,"end":null}]},'
        '{"interaction_id":"i2","channel":"chat","state":"ACTIVE","started_at":1700000003000,"ended_at":null,'
        '"disposition":null,"timed_out":false,"segments":[{"kind":"interact","start":1700000003000,"end":null}]}],'
        '"transfers":[{"at":1700000002000,"from_interaction":"i1","to_interaction":"i2"}],'
        '"events":[{"event_id":"e1","type":"interaction.created","timestamp":1700000000000,"interaction_id":"i1",'
        '"channel":"voice","customerId":"c-1","queueName":"Süd"},'
        '{"event_id":"e2","type":"conversation.started","timestamp":1700000001000,"interaction_id":"i1","channel":"voice",'
        '"extra":{"a":"ö","b":[1.5,{"a":null,"z":1}]}},'
        '{"event_id":"e3","type":"transfer.initiated","timestamp":1700000002000,"interaction_id":"i1","channel":"voice",'
        '"transferType":"blind"},'
        '{"event_id":"e4","type":"conversation.started","timestamp":1700000003000,"interaction_id":"i2","channel":"chat",'
        '"customerId":"c-1"}]}'
    ).replace("ID", journey.journey_id)
    assert document(journey, at(START + 4_000)).decode() == expected


def test_a_timed_out_interaction_ends_at_its_last_event() -> None:
    journey = journey_of(
        event("interaction.created", START, "i1", event_id="e1", customerId="c"),
        event("conversation.started", START + 5_000, "i1", event_id="e2"),
        event("note.added", START + 9_000, "i1", event_id="e3"),
    )
    (shown,) = json.loads(document(journey, at(START + 9_000 + 30 * MINUTE)))["interactions"]
    assert (shown["state"], shown["timed_out"], shown["ended_at"]) == ("CLOSED", True, START + 9_000)
    assert shown["segments"][-1] == {"kind": "interact", "start": START + 5_000, "end": START + 9_000}


def test_an_open_segment_without_length_is_dropped_at_time_out() -> None:
    journey = journey_of(event("interaction.created", START, "i1", event_id="e1", customerId="c"))
    open_, closed = (json.loads(document(journey, at(now))) for now in (START, START + 30 * MINUTE))
    assert open_["interactions"][0]["segments"] == [{"kind": "wait", "start": START, "end": None}]
    assert closed["interactions"][0]["segments"] == []
    assert closed["state"] == "CLOSED"


def test_a_wrap_up_that_began_after_the_last_event_is_dropped_at_time_out() -> None:
    journey = journey_of(
        event("transfer.initiated", START, "i1", event_id="e1", customerId="c"),
        event("interaction.created", START + MINUTE, "i2", event_id="e2", customerId="c"),
    )
    before, after = (
        json.loads(document(journey, at(now)))["interactions"][0]["segments"] for now in (START, START + 30 * MINUTE)
    )
    assert [each["kind"] for each in before] == ["transfer", "wrapup"]
    assert [each["kind"] for each in after] == ["transfer"]


def test_an_idle_interaction_keeps_its_open_segment() -> None:
    journey = journey_of(event("conversation.started", START, "i1", event_id="e1", customerId="c"))
    shown = json.loads(document(journey, at(START + 5 * MINUTE)))
    assert shown["state"] == "IDLE"
    assert shown["interactions"][0]["segments"] == [{"kind": "interact", "start": START, "end": None}]


def test_payload_fields_never_take_the_place_of_the_events_own() -> None:
    raw = (
        b'{"type":"interaction.created","timestamp":1700000000000,"eventId":"e1","payload":{"interactionId":"i1",'
        b'"channelType":"chat","timestamp":"evil","type":1,"event_id":2,"channel":"x","interaction_id":null,"ok":true}}'
    )
    (shown,) = json.loads(document(journey_of(decode_raw(raw)), at(START)))["events"]
    assert shown == {
        "event_id": "e1",
        "type": "interaction.created",
        "timestamp": START,
        "interaction_id": "i1",
        "channel": "chat",
        "ok": True,
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"b":1,"a":2}', b'{ "a" : 2 , "b" : 1 }'),
        (b'{"a":"\\u00e9\\/"}', '{"a":"é/"}'.encode()),
        (b'{"a":1E2,"b":-0}', b'{"a":100.0,"b":0}'),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a":0.1000000000000000055}', b'{"a":0.1}'),
        (b'{"a":123456789012345678901234567890}', b'{"a" :123456789012345678901234567890}'),
        ('{"\uffff":1,"\U0001f600":2}'.encode(), b'{"\\ud83d\\ude00":2,"\\uffff":1}'),
    ],
)
def test_equal_events_give_equal_bytes_however_they_are_spelled(one: bytes, other: bytes) -> None:
    frame = b'{"type":"note","timestamp":1700000000000,"eventId":"e","payload":{"interactionId":"i","more":%s}}'
    texts = {document(journey_of(decode_raw(frame % each)), at(START)) for each in (one, other)}
    assert len(texts) == 1
    json.loads(texts.pop())


def test_damaged_events_are_an_error() -> None:
    journey = journey_of(event("note", START, "i"))
    broken = msgspec.structs.replace(journey, events=(msgspec.structs.replace(journey.events[0], raw=b'{"payload":'),))
    with pytest.raises(msgspec.DecodeError):
        document(broken, at(START))
