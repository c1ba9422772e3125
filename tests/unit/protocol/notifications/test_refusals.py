"""The machine of the Notification Service: topics that the client's roles do not allow."""

from __future__ import annotations

from journeymap.model.time import HOUR, MINUTE
from journeymap.protocol.exchange import (
    RetryAsked,
    SocketClosed,
    Start,
)
from journeymap.protocol.notifications.exchange import (
    Discover,
    Prepare,
    SetTopics,
)
from journeymap.protocol.notifications.topics import Offer, Refusal, queue_topic
from tests.unit.protocol.notifications.driving import Driver, queues, topics

ONE = queues(1)


def refused(found: tuple[str, ...]) -> tuple[Refusal, ...]:
    return tuple(Refusal(topic, "Missing", ("conversation:communication:view",)) for topic in map(queue_topic, found))


def test_all_topics_refused_is_a_hard_error_that_names_the_permission() -> None:
    driver = Driver()
    driver.feed(Start())
    (asked,) = driver.said(Prepare, driver.discover(queues(3)))
    driver.prepare(asked, refused(queues(3)))
    assert driver.machine.refused
    assert "conversation:communication:view" in (driver.machine.error or "")
    assert (driver.machine.state, driver.sockets) == ("DISCONNECTED", set())
    assert driver.wait(HOUR) == []
    driver.feed(RetryAsked())
    (asked,) = driver.said(Prepare, driver.discover(queues(3)) + driver.wait(0))
    driver.connect(driver.prepare(asked))
    assert (driver.machine.state, driver.machine.refused, driver.machine.error) == ("OPEN", False, None)


def test_a_refusal_that_gives_no_reason_names_what_the_platform_said_is_needed() -> None:
    offer = Offer(permissions={"v2.routing.queues.{id}.conversations": ("conversation:communication:view",)})
    driver = Driver()
    driver.feed(Start())
    (asked,) = driver.said(Prepare, driver.discover(queues(2), offer))
    bare = tuple(Refusal(topic) for topic in map(queue_topic, queues(2)))
    driver.connect(driver.prepare(asked, bare[:1]))
    assert driver.machine.notes()[0].endswith("no reason given; such topics need conversation:communication:view")
    driver.wait_live(5 * MINUTE)
    driver.discover(queues(2), offer)
    (again,) = driver.said(SetTopics)
    driver.change(again, bare)
    assert driver.machine.refused
    assert "conversation:communication:view" in (driver.machine.error or "")


def test_some_topics_refused_are_named_and_asked_for_again() -> None:
    driver = Driver()
    driver.feed(Start())
    (asked,) = driver.said(Prepare, driver.discover(queues(3)))
    driver.connect(driver.prepare(asked, refused(queues(2))))
    assert (driver.machine.state, driver.machine.topics, len(driver.machine.refusals)) == ("OPEN", 1, 2)
    note = driver.machine.notes()[0]
    assert note.startswith("2 topics v2.routing.queues.{id}.conversations refused")
    assert "lack conversation:communication:view" in note
    driver.wait_live(5 * MINUTE)
    driver.discover(queues(3))
    (again,) = driver.said(SetTopics)
    assert set(again.topics) == topics(queues(2))
    driver.change(again)
    assert driver.machine.refusals == []


def test_a_refused_renewal_keeps_what_is_live() -> None:
    driver = Driver().open(ONE)
    (asked,) = driver.said(Prepare, driver.wait_live(20 * HOUR))
    driver.fail(asked.request, "the client is gone", refused=True)
    assert (driver.machine.state, driver.machine.refused, driver.machine.error) == ("OPEN", True, "the client is gone")
    assert driver.said(Prepare, driver.wait_live(HOUR)) == []
    (socket,) = driver.sockets
    driver.feed(SocketClosed(socket, 1001))
    assert driver.machine.state == "DISCONNECTED"
    assert driver.wait(HOUR) == []
    assert driver.said(Discover, driver.feed(RetryAsked()))
