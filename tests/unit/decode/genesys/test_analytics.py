"""Analytics records: segments become the events that detail events are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from journeymap.decode.event import decode_frame
from journeymap.model.event import Event
from tests.unit.decode.genesys.samples import AGENTS, ANALYTICS, BEGIN, CALL, DETAIL, QUEUES, decoded, messages, sample


def at(seconds: float) -> str:
    return f"2026-11-20T09:00:{seconds:06.3f}Z"


def segment(kind: str, start: float, end: float | None = None, **fields: Any) -> dict[str, Any]:
    ends = {} if end is None else {"segmentEnd": at(end)}
    return {"segmentType": kind, "segmentStart": at(start), **ends, **fields}


def session(purpose: str, *segments: dict[str, Any], of: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A participant of one session, named after its purpose."""
    own = {"sessionId": purpose, "mediaType": "voice", "direction": "inbound", "segments": list(segments), **fields}
    return {"participantId": f"p-{purpose}", "purpose": purpose, "sessions": [own], **(of or {})}


def record(*participants: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"conversationId": "c", "conversationStart": at(0), "participants": list(participants), **fields}


def kinds(*participants: dict[str, Any], **fields: Any) -> list[tuple[str, int]]:
    return [(event.type, event.timestamp - BEGIN) for event in decoded([record(*participants, **fields)])]


def payload(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.raw)["payload"]
    return found


def test_the_sampled_call_has_the_ids_and_times_of_its_detail_events() -> None:
    kept = {event.event_id: (event.type, event.timestamp) for event in decoded(messages(DETAIL)) if event.standing == 1}
    found = {
        event.event_id: (event.type, event.timestamp)
        for event in decoded(messages(ANALYTICS))
        if event.interaction_id == CALL
    }
    told_only_by_events = {name for name in kept if name.startswith(("attributes", "flow.outcome"))}
    assert {name: found.get(name) for name in kept if name not in told_only_by_events} == {
        name: value for name, value in kept.items() if name not in told_only_by_events
    }
    more = {name.split(":")[0] for name in found.keys() - kept.keys()}
    assert more == {"user.answer", "hold.start", "hold.end"}


def test_the_record_of_one_conversation_says_the_same_as_a_page_of_them() -> None:
    page = sample(ANALYTICS)["response"]
    assert decoded([page]) == decoded(page["conversations"]) == decoded([{"conversations": page["conversations"]}])


def test_a_conversation_in_progress() -> None:
    found = [event for event in decoded(messages(ANALYTICS)) if event.interaction_id != CALL]
    assert [(event.type, event.timestamp - BEGIN) for event in found] == [("customer.start", 0), ("acd.start", 42_100)]
    assert found[1].queue == QUEUES[0]


# When a session has ended


@pytest.mark.parametrize(
    ("segments", "over", "ended"),
    [
        ([segment("alert", 1, 5)], {}, False),  # the next segment may not be written yet
        ([segment("alert", 1, 5, disconnectType="client")], {}, True),
        ([segment("alert", 1, 5)], {"conversationEnd": at(9)}, True),
        ([segment("alert", 1, 5), segment("interact", 5)], {"conversationEnd": at(9)}, False),
        ([segment("alert", 1, 5), segment("interact", 5, 8), segment("wrapup", 8)], {}, True),
    ],
)
def test_a_session_has_ended_only_where_that_is_sure(
    segments: list[dict[str, Any]], over: dict[str, Any], ended: bool
) -> None:
    found = {name for name, _ in kinds(session("agent", *segments), **over)}
    assert bool(found & {"user.end", "user.missed"}) == ended


# Agents


def test_a_missed_alert() -> None:
    assert kinds(session("agent", segment("alert", 1, 16, disconnectType="client"))) == [
        ("user.start", 1_000), ("user.missed", 16_000),
    ]  # fmt: skip


def test_holds_that_touch_are_one_and_the_last_one_ends_with_the_session() -> None:
    talk = [
        segment("interact", 1, 3), segment("hold", 3, 4), segment("hold", 4, 6), segment("hold", 6, 6),
        segment("interact", 6, 8), segment("hold", 8, 9, disconnectType="peer"),
    ]  # fmt: skip
    assert kinds(session("agent", *talk)) == [
        ("user.start", 1_000), ("user.answer", 1_000), ("hold.start", 3_000), ("hold.end", 6_000),
        ("hold.start", 8_000), ("user.end", 9_000),
    ]  # fmt: skip


def test_on_hold_right_now() -> None:
    assert kinds(session("agent", segment("interact", 1, 3), segment("hold", 3))) == [
        ("user.start", 1_000), ("user.answer", 1_000), ("hold.start", 3_000),
    ]  # fmt: skip


def test_segments_in_any_order() -> None:
    talk = [segment("alert", 1, 3), segment("interact", 3, 8, disconnectType="transfer"), segment("wrapup", 8, 9)]
    assert kinds(session("agent", *talk)) == kinds(session("agent", *talk[::-1]))


def test_wrap_ups_of_a_message_have_ids_of_their_own() -> None:
    twice = [segment("interact", 1, 3), segment("wrapup", 3, 4), segment("interact", 5, 7), segment("wrapup", 7, 9)]
    voice, message = (
        {event.event_id for event in decoded([record(session("agent", *twice, mediaType=media))])}
        for media in ("voice", "message")
    )
    assert "acw:agent" in voice
    assert {f"acw:agent:{BEGIN + 4_000}", f"acw:agent:{BEGIN + 9_000}"} < message


@pytest.mark.parametrize("later", [-20, -3, 0, 3, 20])
@pytest.mark.parametrize("media", ["email", "message", "voice"])
def test_a_wrap_up_is_one_event_where_times_differ_by_milliseconds(media: str, later: int) -> None:
    work = session("agent", segment("interact", 1, 3), segment("wrapup", 3, 4), mediaType=media)
    said = {
        "eventTime": BEGIN + 4_000 + later, "conversationId": "c", "participantId": "p", "sessionId": "agent",
        "mediaType": media.upper(), "wrapupCode": "w",
    }  # fmt: skip
    frame = {"topicName": "v2.detail.events.conversation.c.acw", "eventBody": said}
    names = [event.event_id for event in decoded([record(work), frame]) if event.type == "acw"]
    assert len(names) == 2
    assert len(set(names)) == 1


def test_a_supervisor_who_listens_in_moves_nothing() -> None:
    (event, _) = decoded([record(session("user", segment("monitoring", 1, 3, disconnectType="client")))])
    assert (event.type, event.channel) == ("monitoring.user.start", None)


# Queues


@pytest.mark.parametrize(
    ("how", "answer", "named"),
    [
        ("transfer", 9.002, "acd.answered"),
        ("transfer", 8.98, "acd.answered"),
        ("transfer", 20, "acd.end"),
        ("peer", 9, "acd.end"),
    ],
)
def test_who_took_the_customer_out_of_the_queue(how: str, answer: float, named: str) -> None:
    events = decoded(
        [
            record(
                session("acd", segment("delay", 1, 2), segment("interact", 2, 9, queueId="q", disconnectType=how)),
                session("agent", segment("alert", 5, answer), segment("interact", answer), of={"userId": "ada"}),
            )
        ]
    )
    begins, ends = [event for event in events if event.leg == "acd"]
    assert (begins.type, begins.timestamp, begins.queue) == ("acd.start", BEGIN + 2_000, "q")
    assert (ends.type, ends.event_id, ends.agent) == (named, "acd.end:acd", "ada" if named == "acd.answered" else None)


def test_an_abandoned_queue_says_so() -> None:
    waited = session(
        "acd", segment("interact", 2, 9, disconnectType="peer"), metrics=[{"name": "tAbandon", "value": 7_000}]
    )
    assert payload(decoded([record(waited)])[-1])["acdOutcome"] == "ABANDON"


# Others


def test_flows_voicemail_campaigns_and_who_is_not_known() -> None:
    flow = session(
        "workflow",
        segment("system", 1, 2),
        segment("ivr", 2, 5, disconnectType="transfer"),
        flow={
            "flowType": "inboundcall", "exitReason": "flowErrorExit",
            "outcomes": [{"flowOutcomeId": "o", "flowOutcomeEndTimestamp": at(4), "flowOutcomeValue": "success"}, {}],
        },
    )  # fmt: skip
    assert kinds(flow) == [("flow.start", 2_000), ("flow.end", 5_000), ("flow.outcome", 4_000)]
    *_, ends, outcome = decoded([record(flow)])
    assert (payload(ends)["flowType"], payload(ends)["exitReason"]) == ("INBOUNDCALL", "FLOW_ERROR_EXIT")
    assert outcome.event_id == f"flow.outcome:workflow:o:{BEGIN + 4_000}"
    assert kinds(session("voicemail", segment("voicemail", 1, 3, disconnectType="peer"))) == [
        ("voicemail.start", 1_000), ("voicemail.end", 3_000),
    ]  # fmt: skip
    assert kinds(session("dialer", segment("dialing", 1, 3), segment("wrapup", 3, 3.5, wrapUpCode="no answer"))) == [
        ("outbound", 1_000), ("wrapup", 3_500),
    ]  # fmt: skip
    assert kinds(session("martian", segment("interact", 1, 3, disconnectType="peer"))) == [
        ("martian.start", 1_000), ("martian.end", 3_000),
    ]  # fmt: skip


def test_dates_of_one_digit_as_published_records_have_them() -> None:
    short = {"segmentType": "interact", "segmentStart": "2021-04-2T15:30:51.418Z"}
    (event,) = decoded([record(session("customer", short))])
    assert event.timestamp == 1_617_377_451_418


def test_the_customer_is_the_external_contact() -> None:
    who = session("customer", segment("interact", 1), of={"externalContactId": "ann", "participantName": "Ann"})
    assert [event.customer_id for event in decoded([record(who)])] == ["ann"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"conversationId": None, "participants": []}, "no-conversation"),
        (record(), "nothing-told"),
        (record(session("customer", {"segmentType": "interact", "segmentStart": "soon"})), "nothing-told"),
        (record({"purpose": "agent", "sessions": [{"segments": [segment("alert", 1)]}, 5, None]}), "nothing-told"),
        ({"conversationId": "c", "participants": 5}, "nothing-told"),
        ({"conversations": 5}, "nothing-told"),
        ({"conversations": []}, "nothing-told"),
    ],
)
def test_what_cannot_be_used_says_why(value: dict[str, Any], reason: str) -> None:
    events, (rejected,) = decode_frame(json.dumps(value).encode())
    assert (events, rejected.reason) == ([], reason)


def test_one_unusable_record_does_not_spoil_the_page() -> None:
    page = {"conversations": [record(), record(session("customer", segment("interact", 1))), None]}
    events, rejected = decode_frame(json.dumps(page).encode())
    assert [event.type for event in events] == ["customer.start"]
    assert [item.reason for item in rejected] == ["nothing-told", "nothing-told"]


def test_the_agents_of_the_call() -> None:
    named = [event.agent for event in decoded(messages(ANALYTICS)) if event.type == "user.answer"]
    assert named == list(AGENTS)
