"""The story is a function of seed, rate and time, whatever spans are asked in whatever order."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.simulator.delivery import LONGEST_DELAY, Delivery
from journeymap.simulator.story import Story
from journeymap.simulator.traffic import CREATED, EVENT_TYPES, STARTED, TRANSFER

MIDNIGHT = 1_760_054_400_000
NOON = MIDNIGHT + 12 * 3_600_000
STORIES = {rate: Story(7, rate) for rate in (1, 20, 800)}
CALM = Story(7, 20, Delivery(late=0, duplicates=0, jitter=False))


@given(
    rate=st.sampled_from(sorted(STORIES)),
    start=st.integers(0, 86_400_000),
    cuts=st.lists(st.integers(1, 30_000), min_size=1, max_size=6),
)
@settings(max_examples=25, deadline=None)
def test_the_parts_of_a_span_make_the_whole(rate: int, start: int, cuts: list[int]) -> None:
    story = STORIES[rate]
    edges = [MIDNIGHT + start]
    for cut in cuts:
        edges.append(edges[-1] + cut)
    parts = [story.events(low, high) for low, high in pairwise(edges)]
    assert [telling for part in parts for telling in part] == story.events(edges[0], edges[-1])


@given(start=st.integers(-10_000, 10_000), length=st.integers(0, 60_000))
@settings(max_examples=20, deadline=None)
def test_overlapping_questions_agree(start: int, length: int) -> None:
    story = STORIES[20]
    low, high = NOON + start, NOON + start + length
    wide = story.events(NOON - 20_000, NOON + 80_000)
    assert story.events(low, high) == [telling for telling in wide if low <= telling[0] < high]


def test_a_story_begun_at_another_moment_tells_the_same_bytes() -> None:
    followed, entered = Story(3, 50), Story(3, 50)
    for at in range(NOON - 600_000, NOON, 60_000):
        followed.events(at, at + 60_000)
    assert json.dumps(followed.events(NOON, NOON + 60_000)) == json.dumps(entered.events(NOON, NOON + 60_000))


def test_another_seed_or_rate_shares_no_id() -> None:
    ids = [
        {event["eventId"] for _, event in Story(seed, rate).events(NOON, NOON + 120_000)}
        for seed, rate in ((1, 20), (2, 20), (1, 21))
    ]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]


@pytest.mark.parametrize(("rate", "minutes"), [(5, 120), (50, 30), (500, 3), (5000, 0.3)])
def test_the_rate_is_the_mean_at_mid_day(rate: int, minutes: float) -> None:
    start = NOON + 60 * 60_000 - round(minutes * 30_000)
    ids = {event["eventId"] for _, event in Story(1, rate).events(start, start + round(minutes * 60_000))}
    assert len(ids) / (minutes * 60) == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize("rate", [0.5, 5001, float("nan")])
def test_a_rate_out_of_bounds_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Story(1, rate)


def test_events_have_the_protocols_form() -> None:
    for sent_at, event in STORIES[20].events(NOON, NOON + 600_000):
        assert set(event) == {"eventId", "type", "timestamp", "payload"}
        assert event["type"] in EVENT_TYPES
        assert 0 < sent_at - event["timestamp"] <= LONGEST_DELAY
        payload = event["payload"]
        assert payload["interactionId"]
        assert payload["conversationId"]
        assert payload["channelType"] in {"voice", "chat", "email", "message", "callback"}
        assert payload["queueName"]
        assert ("agentId" in payload) == ("agentName" in payload)
        assert payload.get("durationSeconds", 0) >= 0
        assert (event["type"] == "disposition.completed") == ("disposition" in payload)
        assert (event["type"] == TRANSFER) == ("transferType" in payload)


def test_an_id_is_one_event_and_an_interaction_one_customer() -> None:
    seen, owners, channels = {}, defaultdict(set), defaultdict(set)
    for _, event in STORIES[20].events(NOON, NOON + 3_600_000):
        assert seen.setdefault(event["eventId"], event) == event
        payload = event["payload"]
        channels[payload["interactionId"]].add(payload["channelType"])
        if "customerId" in payload:
            owners[payload["interactionId"]].add(payload["customerId"])
    assert all(len(names) == 1 for names in channels.values())
    assert all(len(ids) == 1 for ids in owners.values())


def test_imperfections_are_as_many_as_asked_and_change_nothing_else() -> None:
    rough = Story(7, 20, Delivery(late=0.05, duplicates=0.1))
    span = NOON, NOON + 2_400_000
    calm = {event["eventId"]: event for _, event in CALM.events(*span)}
    told = rough.events(*span)
    inner = [e for _, e in told if span[0] + LONGEST_DELAY < e["timestamp"] < span[1] - LONGEST_DELAY]
    distinct = {event["eventId"]: event for event in inner}
    assert all(calm[event_id] == event for event_id, event in distinct.items())
    assert len(inner) / len(distinct) == pytest.approx(1.1, abs=0.025)
    first = {}
    for sent_at, event in told:
        first.setdefault(event["eventId"], sent_at - event["timestamp"])
    assert sum(delay >= 1000 for delay in first.values()) / len(first) == pytest.approx(0.05, abs=0.02)
    assert all(sent_at == event["timestamp"] for sent_at, event in CALM.events(NOON, NOON + 60_000))


def test_a_newcomer_sees_variety_in_half_an_hour() -> None:
    interactions = defaultdict(list)
    customers = defaultdict(set)
    for _, event in CALM.events(NOON, NOON + 3_600_000):
        interactions[event["payload"]["interactionId"]].append(event)
        if "customerId" in event["payload"]:
            customers[event["payload"]["customerId"]].add(event["payload"]["channelType"])
    whole = [events for events in interactions.values() if events[0]["type"] == CREATED]
    lengths = [events[-1]["timestamp"] - events[0]["timestamp"] for events in whole]
    assert sum(60_000 <= length <= 900_000 for length in lengths) > 0.6 * len(lengths)
    assert 0.2 < sum(len(channels) > 1 for channels in customers.values()) / len(customers) < 0.6
    anonymous = [events for events in whole if "customerId" not in events[0]["payload"]]
    assert 0.05 < len(anonymous) / len(whole) < 0.25
    assert any("customerId" in events[-1]["payload"] for events in anonymous)
    unanswered = [events for events in whole if all(event["type"] != STARTED for event in events)]
    assert 0.02 < len(unanswered) / len(whole) < 0.3


def test_a_move_to_another_channel_is_followed_by_its_target_within_seconds() -> None:
    told = CALM.events(NOON, NOON + 3_600_000)
    created = defaultdict(list)
    for _, event in told:
        if event["type"] == CREATED:
            created[event["payload"]["interactionId"].rpartition("-")[0]].append(event)
    moves = [
        event
        for _, event in told
        if event["payload"].get("transferType") == "channel" and event["timestamp"] < NOON + 3_500_000
    ]
    assert moves
    for move in moves:
        targets = created[move["payload"]["interactionId"].rpartition("-")[0]]
        assert any(
            0 < target["timestamp"] - move["timestamp"] < 10_000
            and target["payload"]["channelType"] == move["payload"]["targetChannelType"]
            for target in targets
        )
