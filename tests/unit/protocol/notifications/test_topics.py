"""Topics: their names, what the platform offers and refuses, and where they are put."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journeymap.protocol.notifications.distribution import Topics, distribute
from journeymap.protocol.notifications.followed import Followed
from journeymap.protocol.notifications.frames import Seen
from journeymap.protocol.notifications.topics import (
    KINDS,
    Offer,
    Refusal,
    contact_topic,
    detail_topic,
    explained,
    pattern_of,
    queue_topic,
    read_offer,
    read_refusals,
)

CONVERSATION = "3c8e2bd4-4f0d-4d7e-9a3a-0e8a4f1c2d3b"


def test_details_are_combined_in_one_topic_of_200_characters() -> None:
    topic = detail_topic(CONVERSATION, KINDS) or ""
    prefix, _, kinds = topic.partition("?")
    assert prefix == f"v2.detail.events.conversation.{CONVERSATION}"
    assert len(topic) <= 200
    assert kinds.split("&")[:6] == list(KINDS[:6])
    assert len(kinds.split("&")) >= 13
    assert detail_topic(CONVERSATION, ("acw",)) == f"{prefix}.acw"
    assert detail_topic(CONVERSATION, ()) is None
    assert detail_topic("c" * 190, KINDS) is None


def available(topic: str, *transports: str, **more: object) -> dict[str, object]:
    return {"id": topic, "transports": list(transports), "requiresPermissions": ["a:b:c"], **more}


def test_what_is_offered_over_a_socket() -> None:
    detail = "v2.detail.events.conversation.{id}"
    offer = read_offer(
        {
            "entities": [
                available("v2.routing.queues.{id}.conversations", "Websocket"),
                available(f"{detail}.acd.start", "All"),
                available(f"{detail}.acd.end", "websocket", "EventBridge"),
                available(f"{detail}.acw", "EventBridge", "ProcessAutomation"),
                available(f"{detail}.contact", "Websocket", requiresCurrentUser=True),
                available("v2.externalcontacts.contacts.{id}", "Websocket"),
                "nonsense",
                {"id": 4},
            ]
        }
    )
    assert offer.queues
    assert offer.kinds == ("acd.start", "acd.end")
    assert offer.contacts
    assert read_offer({}) == Offer(queues=True)
    assert not read_offer({"entities": [available("v2.routing.queues.{id}.conversations", "EventBridge")]}).queues


def test_refusals_are_read_and_told_in_few_lines() -> None:
    queue = queue_topic(CONVERSATION)
    refusals = read_refusals(
        {
            "entities": [
                {"id": queue, "state": "Rejected", "rejectionReason": "no", "missingPermissions": ["x:y:view"]},
                {"id": queue + ".calls", "state": "Permitted"},
                {"id": "odd", "state": "rejected"},
                {"id": 4, "state": "Rejected"},
                None,
            ]
        }
    )
    assert refusals == (Refusal(queue, "no", ("x:y:view",)), Refusal("odd"))
    assert read_refusals(None) == read_refusals({"entities": None}) == ()
    assert explained(refusals) == (
        f"1 topic v2.routing.queues.{{id}}.conversations refused, e.g. of {CONVERSATION}: the OAuth client's roles lack x:y:view",
        "topics odd refused: no reason given",
    )
    many = [Refusal(f"topic {number}", "no") for number in range(20)]
    assert len(explained(many)) == 9
    assert explained(many)[-1] == "12 more sorts of refusals"
    assert pattern_of(detail_topic(CONVERSATION, KINDS) or "") == "v2.detail.events.conversation.{id}"


def test_a_refusal_without_a_reason_names_what_such_topics_need() -> None:
    detail, contact = "v2.detail.events.conversation.{id}", "v2.externalcontacts.contacts.{id}"
    names = ("v2.routing.queues.{id}.conversations", f"{detail}.{KINDS[0]}", f"{detail}.acw", contact)
    offer = read_offer({"entities": [available(name, "All", requiresPermissions=[f"x:{name[3]}:y"]) for name in names]})
    topics = (queue_topic(CONVERSATION), detail_topic(CONVERSATION, KINDS) or "", detail, contact_topic(CONVERSATION))
    refusals = read_refusals({"entities": [{"id": topic, "state": "Rejected"} for topic in topics]})
    assert [line.rpartition(": ")[2] for line in explained(refusals, offer)] == [
        "no reason given; such topics need x:r:y",
        "no reason given; such topics need x:d:y",
        "no reason given; such topics need x:e:y",
    ]
    assert explained([Refusal(topics[0], "not now")], offer)[0].endswith(": not now"), (
        "what the platform says goes first"
    )


@given(st.lists(st.lists(st.integers(0, 60), max_size=60), max_size=6), st.integers(1, 20), st.integers(0, 4))
def test_topics_stay_where_they_are(wishes: list[list[int]], most: int, limit: int) -> None:
    places: list[Topics] = []

    def add() -> Topics | None:
        if len(places) >= limit:
            return None
        places.append({})
        return places[-1]

    for wish in wishes:
        wanted = [str(number) for number in wish]
        before = {topic: place for place, topics in enumerate(places) for topic in topics}
        distribute(wanted, places, most, add)
        after = [(topic, place) for place, topics in enumerate(places) for topic in topics]
        assert len(dict(after)) == len(after)
        assert dict(after).keys() <= set(wanted)
        assert len(after) == min(len(set(wanted)), limit * most) or len(after) >= limit * most
        assert all(len(topics) <= most for topics in places)
        assert all(place == before[topic] for topic, place in after if topic in before)


def test_conversations_are_followed_until_some_time_after_their_end() -> None:
    followed = Followed(linger=1_000, most=3)
    followed.note(Seen("c1"), 0)
    assert not followed.wanted(), "nothing is offered"
    followed.offer(Offer(kinds=("acw",), contacts=True))
    followed.note(Seen("c1", ("p1",)), 0)
    followed.note(Seen("c2", detail=True), 0)
    assert followed.wanted() == ["v2.detail.events.conversation.c1.acw", "v2.externalcontacts.contacts.p1"]
    followed.note(Seen("c1", (), True), 10)
    assert followed.next_due() == 1_010
    followed.note(Seen("c1"), 20)
    assert followed.next_due() is None, "it was opened again"
    followed.note(Seen("c1", (), True), 30)
    followed.tick(1_030)
    assert followed.is_changed
    assert followed.wanted() == []
    followed.note(Seen("c1", (), True), 2_000)
    assert followed.wanted() == [], "what has ended is not followed"
    for number in range(5):
        followed.note(Seen(f"d{number}"), 3_000)
    assert [topic[30:32] for topic in followed.wanted()] == ["d2", "d3", "d4"]
    followed.offer(Offer())
    assert followed.wanted() == []
