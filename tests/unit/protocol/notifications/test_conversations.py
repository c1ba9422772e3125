"""The machine of the Notification Service: topics of single conversations come and go."""

from __future__ import annotations

from journeymap.model.time import MINUTE, SECOND
from journeymap.protocol.notifications.exchange import (
    Heard,
    Prepare,
    SetTopics,
)
from journeymap.protocol.notifications.frames import Seen
from journeymap.protocol.notifications.topics import Refusal, contact_topic, detail_topic
from tests.unit.protocol.notifications.driving import FULL, PLAIN, Driver, queues, topics

ONE = queues(1)


SEEN = Seen("11111111-0000-4000-8000-000000000000", ("22222222-0000-4000-8000-000000000000",))


def test_conversations_get_topics_of_their_own_until_they_have_ended() -> None:
    driver = Driver().open(ONE, FULL)
    (socket,) = driver.sockets
    driver.wait_live(10 * SECOND)
    (asked,) = driver.said(SetTopics, driver.feed(Heard(socket, seen=(SEEN,))))
    assert asked.topics == (detail_topic(SEEN.conversation, FULL.kinds), contact_topic(SEEN.contacts[0]))
    assert not asked.replace
    driver.change(asked)
    assert driver.machine.topics == 3
    driver.feed(Heard(socket, seen=(Seen(SEEN.conversation, (), ended=True, detail=True),)))
    assert driver.said(SetTopics, driver.wait_live(MINUTE)) == []
    (asked,) = driver.said(SetTopics, driver.wait_live(2 * MINUTE))
    assert (set(asked.topics), asked.replace) == (topics(ONE), True)


def test_changes_are_passed_on_every_other_second() -> None:
    driver = Driver().open(ONE, FULL)
    (socket,) = driver.sockets
    asked = []
    for number in range(60):
        actions = driver.wait_live(250)
        seen = Seen(f"{number:08x}-1111-4000-8000-000000000000")
        for action in driver.said(SetTopics, actions + driver.feed(Heard(socket, seen=(seen,)))):
            asked.append(action)
            driver.change(action)
    assert 6 <= len(asked) <= 8
    assert driver.machine.channels == 1


def test_room_is_short_where_there_are_many() -> None:
    driver = Driver().open(queues(1_500), FULL)
    socket = min(driver.sockets)
    driver.wait_live(10 * SECOND)
    many = tuple(Seen(f"{number:08x}-1111-4000-8000-000000000000", (f"p{number}",)) for number in range(3_000))
    actions = driver.feed(Heard(socket, seen=many))
    for asked in driver.said(Prepare, actions):
        driver.connect(driver.prepare(asked))
    for change in driver.said(SetTopics, actions):
        driver.change(change)
    assert (driver.machine.channels, driver.machine.topics) == (5, 5_000)
    assert driver.machine.notes() == ("topics of their own are there for the 1,750 newest conversations only",)
    coming = set.union(*driver.channels.values())
    assert topics(queues(1_500)) <= coming
    assert detail_topic(many[-1].conversation, FULL.kinds) in coming
    assert detail_topic(many[0].conversation, FULL.kinds) not in coming
    assert driver.machine.state == "OPEN"


def test_without_a_role_for_details_it_goes_on_with_snapshots() -> None:
    driver = Driver().open(ONE, FULL)
    (socket,) = driver.sockets
    driver.wait_live(10 * SECOND)
    (asked,) = driver.said(SetTopics, driver.feed(Heard(socket, seen=(SEEN,))))
    detail = asked.topics[0]
    driver.change(asked, (Refusal(detail, "Missing", ("analytics:conversationDetail:view",)),))
    for change in driver.said(SetTopics, driver.wait_live(MINUTE)):
        driver.change(change)
    assert any("lack analytics:conversationDetail:view" in note for note in driver.machine.notes())
    another = Seen("33333333-0000-4000-8000-000000000000", ("44444444-0000-4000-8000-000000000000",))
    (asked,) = driver.said(SetTopics, driver.feed(Heard(socket, seen=(another,))) + driver.wait_live(2 * SECOND))
    assert contact_topic(another.contacts[0]) in asked.topics
    assert not [topic for topic in asked.topics if topic.startswith("v2.detail.")]
    driver.change(asked)
    for _ in range(13):
        driver.wait_live(5 * MINUTE)
        driver.discover(ONE, FULL)
        asked = next(iter(driver.said(SetTopics)), asked)
    assert detail_topic(another.conversation, FULL.kinds) in asked.topics, "it is tried again after an hour"


def test_where_there_are_none_it_says_so() -> None:
    driver = Driver().open(ONE, PLAIN)
    assert not driver.machine.follows
    assert [note.partition(":")[0] for note in driver.machine.notes()] == [
        "detail events are not offered over a socket",
        "events of external contacts are not offered over a socket",
    ]


def test_a_change_that_fails_is_no_loss() -> None:
    driver = Driver().open(ONE, FULL)
    (socket,) = driver.sockets
    driver.wait_live(10 * SECOND)
    (asked,) = driver.said(SetTopics, driver.feed(Heard(socket, seen=(SEEN,))))
    driver.fail(asked.request, "503")
    assert driver.machine.state == "OPEN"
    (again,) = driver.said(SetTopics, driver.wait_live(MINUTE))
    assert again.topics == asked.topics


def test_a_change_that_finds_the_channel_gone_makes_another() -> None:
    driver = Driver().open(ONE, FULL)
    (socket,) = driver.sockets
    driver.wait_live(10 * SECOND)
    (asked,) = driver.said(SetTopics, driver.feed(Heard(socket, seen=(SEEN,))))
    driver.fail(asked.request, "404", gone=True)
    assert driver.sockets == set()
    assert driver.said(Prepare, driver.wait(MINUTE))[0].channel_id is None
