"""Snapshots: what one says by itself, and what only the next one shows."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys import memory
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.event import Event
from tests.unit.decode.genesys.samples import (
    AGENTS,
    BEGIN,
    CALL,
    CONTACT,
    QUEUES,
    decoded,
    messages,
    sampled_snapshots,
    told,
    whole_call,
)

NOW = BEGIN + 60_000


def kinds(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.type, event.timestamp - BEGIN) for event in events]


def communication(**fields: Any) -> dict[str, Any]:
    given = {"id": "s", "state": "connected", "connectedTime": "2026-11-20T09:00:01Z", **fields}
    return {name: value for name, value in given.items() if value is not None}


def snapshot(purpose: str, media: str = "calls", *, of: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    participant = {"id": "p", "purpose": purpose, media: [communication(**fields)], **(of or {})}
    return {
        "topicName": "v2.routing.queues.q.conversations", "eventBody": {"id": "c", "participants": [participant]},
    }  # fmt: skip


def test_each_tells_what_is_new() -> None:
    memory = Snapshots()
    found = [kinds(told([each], memory)) for each in sampled_snapshots()]
    assert found == [
        [
            ("customer.start", 0), ("flow.start", 60), ("flow.end", 42_000), ("acd.start", 42_100),
            ("attributes", 42_100),
        ],
        [("user.start", 61_000)],
        [("acd.answered", 65_500), ("user.answer", 65_500)],
        [("hold.start", 120_000)],
        [("user.transferred", 180_000)],
    ]  # fmt: skip
    assert len(memory) == 1


def test_the_same_again_tells_nothing() -> None:
    memory = Snapshots()
    calls = sampled_snapshots()
    told(calls, memory)
    assert [told([(at + 5_000, each)], memory) for at, each in calls[-1:] * 3] == [[], [], []]


def test_without_a_memory_each_is_read_by_itself_under_the_same_ids() -> None:
    remembered = {event.event_id for event in told(sampled_snapshots())}
    alone = {event.event_id for at, each in sampled_snapshots() for event in decoded([each], BEGIN + at)}
    assert alone == remembered


def test_the_end_of_a_hold_shows_in_the_next_snapshot_only() -> None:
    events = told(whole_call())
    assert [each for each in kinds(events) if each[0].startswith("hold")] == [
        ("hold.start", 120_000), ("hold.end", 134_500),
    ]  # fmt: skip
    (end,) = [event for event in events if event.type == "hold.end"]
    assert (end.agent, end.standing) == (AGENTS[0], 4)


def test_a_late_copy_of_an_earlier_snapshot_holds_nobody_again() -> None:
    calls = whole_call()
    held, resumed = calls[3], calls[4]
    events = told([*calls[:5], (135_000, held[1]), (135_100, resumed[1])])
    assert [event.type for event in events].count("hold.end") == 1


HELD, RESUMED = 3, 4


def ends_of_holds(calls: list[tuple[int, Any]]) -> list[int]:
    return [at for kind, at in kinds(told(calls)) if kind == "hold.end"]


def replayed(first: int, last: int, at: int, calls: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """The call in which the snapshots `first` to `last` come again after `at`, and then every ms."""
    again = [(at + place, each) for place, (_, each) in enumerate(calls[first : last + 1])]
    return sorted([*calls, *again], key=lambda each: each[0])


@pytest.mark.parametrize("last", [2, HELD])
def test_a_late_copy_of_what_was_before_a_hold_does_not_end_it(last: int) -> None:
    calls = whole_call()
    assert calls[2][1]["eventBody"] == calls[RESUMED][1]["eventBody"]  # content does not tell the one from the other
    assert ends_of_holds(replayed(2, last, calls[HELD][0] + 300, calls)) == [134_500]


def test_a_short_hold_ends_when_it_did_as_soon_as_that_is_sure() -> None:
    calls = whole_call()
    calls[RESUMED] = (calls[HELD][0] + 900, calls[RESUMED][1])
    assert ends_of_holds(calls[: RESUMED + 1]) == []
    assert ends_of_holds(calls[: RESUMED + 2]) == ends_of_holds(calls) == [121_100]


def test_a_short_hold_ends_with_the_next_one_at_the_latest() -> None:
    calls = whole_call()[: RESUMED + 1]
    calls[RESUMED] = (calls[HELD][0] + 900, calls[RESUMED][1])
    once_more = copy.deepcopy(calls[HELD][1])
    once_more["eventBody"]["participants"][3]["calls"][0]["startHoldTime"] = "2026-11-20T09:02:02.000Z"
    events = told([*calls, (122_100, once_more), (122_300, calls[HELD][1]), (140_000, calls[RESUMED][1])])
    assert [each for each in kinds(events) if each[0].startswith("hold")] == [
        ("hold.start", 120_000), ("hold.start", 122_000), ("hold.end", 121_100), ("hold.end", 140_000),
    ]  # fmt: skip


def test_an_earlier_snapshot_that_was_not_taken_does_not_end_a_hold() -> None:
    calls = whole_call()
    late = (calls[HELD][0] + 300, calls.pop(1)[1])  # it rang then
    assert ends_of_holds(sorted([*calls, late], key=lambda each: each[0])) == [134_500]


def test_a_late_copy_links_no_contact_again() -> None:
    held = Snapshots()
    before, after = (snapshot("customer", of={"externalContactId": name}) for name in ("ann", "bob"))
    first, second, copy_of_first = (decoded([each], NOW + at, held) for at, each in enumerate((before, after, before)))
    assert [event.type for event in first] == ["customer.start"]
    assert [(event.type, event.customer_id) for event in second] == [("customer.start", "bob"), ("contact", "bob")]
    assert copy_of_first == []


def test_the_whole_call_ends_when_the_last_paperwork_is_done() -> None:
    events = told(whole_call())
    assert kinds(events)[-1] == ("acw", 431_000)
    assert {event.interaction_id for event in events} == {CALL}
    assert {event.customer_id for event in events} == {CONTACT, None}
    assert [event.queue for event in events if event.type == "acd.start"] == list(QUEUES)


@pytest.mark.parametrize(
    ("media", "channel"),
    [
        ("calls", "voice"), ("callbacks", "callback"), ("chats", "chat"), ("emails", "email"), ("messages", "message"),
        ("internalMessages", "internalmessage"), ("videos", "video"), ("socialExpressions", "socialexpression"),
    ],
)  # fmt: skip
def test_every_medium(media: str, channel: str) -> None:
    (event,) = decoded([snapshot("customer", media)], NOW)
    assert (event.type, event.channel, event.leg) == ("customer.start", channel, "s")


def test_a_message_and_a_callback() -> None:
    (written, waits), (called,) = (
        decoded(messages(f"sdk-ws-queue-conversation-snapshot-{name}.json"), NOW) for name in ("message", "callback")
    )
    assert (written.channel, waits.type) == ("message", "acd.start")
    payload = json.loads(written.raw)["payload"]
    assert payload["addressFrom"] == "7e44ae09-2ea7-50b8-a393-083f703f3f55"
    assert payload["messageType"] == "WEBMESSAGING"
    assert payload["journeyContext"]["customer"]["idType"] == "cookie"
    assert json.loads(called.raw)["payload"]["callbackNumbers"] == ["+15555550123"]
    assert called.timestamp == BEGIN + 4 * 3_600_000


# Times


def test_what_has_no_time_is_dated_by_our_clock_and_says_so() -> None:
    ringing = snapshot("agent", state="alerting", connectedTime=None)
    (event,) = decoded([ringing], NOW)
    assert (event.type, event.timestamp, event.standing) == ("user.start", NOW, 4)
    known = snapshot("agent", state="alerting", connectedTime=None, startAlertingTime="2026-11-20T09:00:00.5Z")
    (event,) = decoded([known], NOW)
    assert (event.type, event.timestamp, event.standing) == ("user.start", BEGIN + 500, 3)


def test_without_a_clock_it_is_left_out() -> None:
    ringing = snapshot("agent", state="alerting", connectedTime=None)
    events, (rejected,) = decode_frame(json.dumps(ringing).encode())
    assert (events, rejected.reason) == ([], "nothing-told")


def test_an_agent_who_never_answered_missed_it() -> None:
    memory = Snapshots()
    decoded([snapshot("agent", state="alerting", connectedTime=None)], NOW, memory)
    over = snapshot(
        "agent",
        state="terminated",
        connectedTime=None,
        disconnectedTime="2026-11-20T09:01:15Z",
        disconnectType="client",
    )
    (event,) = decoded([over], NOW + 15_000, memory)
    assert (event.type, event.event_id, event.timestamp) == ("user.missed", "user.end:s", BEGIN + 75_000)


def test_an_answer_by_request_tells_segments_too() -> None:
    """In the shape of `GET /api/v2/conversations/{id}`: no envelope, times of the conversation, segments."""

    def segment(kind: str, start: str, end: str) -> dict[str, str]:
        return {"type": kind, "startTime": f"2026-11-20T09:00:{start}Z", "endTime": f"2026-11-20T09:00:{end}Z"}

    agent = communication(
        state="terminated", connectedTime="2026-11-20T09:00:05Z", disconnectedTime="2026-11-20T09:00:20Z",
        afterCallWork={"state": "skipped", "startTime": "2026-11-20T09:00:20Z", "endTime": "2026-11-20T09:00:20Z"},
        segments=[
            segment("Alert", "01", "05"), segment("Interact", "05", "10"), segment("Hold", "10", "14"),
            segment("Interact", "14", "20"),
        ],
    )  # fmt: skip
    answer = {
        "id": "c", "startTime": "2026-11-20T09:00:00Z", "endTime": "2026-11-20T09:00:21Z", "selfUri": "/c",
        "participants": [{"id": "p", "purpose": "agent", "userId": "ada", "calls": [agent], "emails": []}],
    }  # fmt: skip
    assert kinds(decoded([answer], NOW)) == [
        ("user.start", 1_000), ("user.answer", 5_000), ("hold.start", 10_000), ("hold.end", 14_000),
        ("user.end", 20_000), ("acw", 20_000),
    ]  # fmt: skip


# Late arrivals


def test_a_contact_that_is_linked_later_is_told() -> None:
    memory = Snapshots()
    (before,) = decoded([snapshot("customer")], NOW, memory)
    events = decoded([snapshot("customer", of={"externalContactId": "ann"})], NOW + 5, memory)
    assert before.customer_id is None
    assert [(event.type, event.customer_id) for event in events] == [("customer.start", "ann"), ("contact", "ann")]
    assert events[0].event_id == before.event_id
    assert decoded([snapshot("customer", of={"externalContactId": "ann"})], NOW + 9, memory) == []


def test_attributes_are_told_when_they_change() -> None:
    memory = Snapshots()
    found = [
        [event.type for event in decoded([snapshot("customer", of={"attributes": given})], NOW + at, memory)]
        for at, given in enumerate([{}, {"tier": "gold"}, {"tier": "gold"}, {"tier": "silver"}])
    ]
    assert found == [["customer.start"], ["attributes"], [], ["attributes"]]


def test_a_supervisor_who_listens_in_moves_nothing() -> None:
    (event,) = decoded([snapshot("user", of={"monitoredParticipantId": "x"})], NOW)
    assert (event.type, event.channel, event.rank) == ("monitoring.user.answer", None, 9)


# Bounds


def test_no_more_conversations_are_remembered_than_agreed() -> None:
    held = Snapshots(max_conversations=3)
    for number in range(10):
        one = copy.deepcopy(snapshot("customer"))
        one["eventBody"]["id"] = f"c{number}"
        decoded([one], NOW, held)
    assert len(held) == 3


def test_no_more_facts_are_remembered_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_TOLD", 5)
    held = Snapshots()
    for number in range(20):
        decoded([snapshot("customer", of={"attributes": {"n": str(number)}})], NOW, held)
    (known,) = held._known.values()
    assert len(known.told) == 5
    assert len(known.taken) == memory.MAX_TAKEN


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "no-conversation"),
        ({"id": "c"}, "nothing-told"),
        ({"id": "c", "participants": [5, {"calls": [None, {"state": "connected"}]}]}, "nothing-told"),
        (None, "no-conversation"),
    ],
)
def test_what_cannot_be_used_says_why(body: Any, reason: str) -> None:
    frame = {"topicName": "v2.users.u.conversations", "eventBody": body}
    events, (rejected,) = decode_frame(json.dumps(frame).encode(), NOW)
    assert (events, rejected.reason) == ([], reason)


def test_the_address_of_whom_we_call_is_what_was_dialled() -> None:
    """A participant's address is the customer's, whoever called whom; `self` is ours where we called."""
    call = {"id": "s", "state": "connected", "connectedTime": "2026-11-20T09:00:00Z"}
    own = {"self": {"addressNormalized": "tel:+15555550000"}}
    for direction, ani, dnis in (
        ("inbound", "tel:+15555550123", "tel:+15555550000"),
        ("outbound", None, "tel:+15555550123"),
    ):
        customer = {"id": "p", "purpose": "customer", "address": "tel:+15555550123"}
        body = {"id": "c", "participants": [{**customer, "calls": [{**call, "direction": direction, **own}]}]}
        (start,) = decoded([body])
        said = json.loads(start.raw)["payload"]
        assert (said.get("ani"), said.get("dnis")) == (ani, dnis)
        assert start.keys == ("phone:+15555550123",)
