"""The machine of the Notification Service: from discovery to channels that are open."""

from __future__ import annotations

from journeymap.model.time import HOUR, MINUTE
from journeymap.protocol.exchange import (
    RetryAsked,
    Start,
)
from journeymap.protocol.notifications.exchange import (
    Discover,
    Prepare,
    SetTopics,
)
from journeymap.protocol.notifications.limits import USED_CHANNELS
from journeymap.protocol.notifications.topics import queue_topic
from tests.unit.protocol.notifications.driving import Driver, queues, topics

ONE = queues(1)


def test_open_only_when_every_channel_is_subscribed_and_connected() -> None:
    driver = Driver()
    machine = driver.machine
    assert machine.state == "DISCONNECTED"
    driver.feed(Start())
    assert machine.state == "CONNECTING"
    found = queues(2_500)
    asked = driver.said(Prepare, driver.discover(found))
    assert [len(one.topics) for one in asked] == [1_000, 1_000, 500]
    assert {topic for one in asked for topic in one.topics} == topics(found)
    opens = [driver.prepare(one) for one in asked]
    for action in opens[:2]:
        driver.connect(action)
    assert (machine.state, machine.channels) == ("CONNECTING", 2)
    driver.connect(opens[2])
    assert (machine.state, machine.channels, machine.topics) == ("OPEN", 3, 2_500)


def test_more_queues_than_fit_are_said_loudly() -> None:
    driver = Driver()
    driver.open(queues(USED_CHANNELS * 1_000 + 1_000))
    assert driver.machine.channels == USED_CHANNELS
    assert driver.machine.notes()[0].startswith("only 19,000 of 20,000 queues (95%) fit into 19 topic channels")


def test_no_queue_is_asked_for_again() -> None:
    driver = Driver()
    driver.feed(Start())
    driver.discover(())
    assert driver.machine.state == "DISCONNECTED"
    assert "routing:queue:view" in (driver.machine.error or "")
    assert driver.machine.retry_at is not None
    assert driver.said(Discover, driver.wait(MINUTE))
    assert driver.machine.state == "CONNECTING"


def test_discovery_that_fails_is_tried_again_and_refused_is_not() -> None:
    driver = Driver()
    (asked,) = driver.feed(Start())
    assert isinstance(asked, Discover)
    driver.fail(asked.request, "503")
    assert (driver.machine.state, driver.machine.error) == ("DISCONNECTED", "503")
    (asked,) = driver.said(Discover, driver.wait(MINUTE))
    driver.fail(asked.request, "lack routing:queue:view", refused=True)
    assert driver.machine.refused
    assert driver.wait(HOUR) == []
    assert driver.said(Discover, driver.feed(RetryAsked()))
    driver.discover(ONE)
    assert not driver.machine.refused


def test_new_queues_come_and_old_ones_go_after_two_listings() -> None:
    driver = Driver().open(queues(3))
    driver.wait_live(5 * MINUTE)
    driver.discover(queues(3, first=1))
    (added,) = driver.said(SetTopics)
    assert (set(added.topics), added.replace) == (topics(queues(1, first=3)), False)
    driver.change(added)
    driver.wait_live(5 * MINUTE)
    driver.discover(queues(3, first=1))
    (replaced,) = driver.said(SetTopics)
    assert (set(replaced.topics), replaced.replace) == (topics(queues(3, first=1)), True)
    assert driver.machine.state == "OPEN"


def test_a_queue_beyond_what_fits_gets_a_channel_that_is_no_gap() -> None:
    driver = Driver().open(queues(1_000))
    driver.wait_live(5 * MINUTE)
    (asked,) = driver.said(Prepare, driver.discover(queues(1_001)))
    assert asked.topics == (queue_topic(queues(1_001)[-1]),)
    assert driver.machine.state == "OPEN"
    driver.connect(driver.prepare(asked))
    assert driver.machine.channels == 2


def test_looking_for_queues_may_fail() -> None:
    driver = Driver().open(ONE)
    driver.wait_live(5 * MINUTE)
    (asked,) = driver.said(Discover)
    driver.fail(asked.request, "503")
    assert (driver.machine.state, driver.machine.error) == ("OPEN", None)
    assert driver.said(Discover, driver.wait_live(5 * MINUTE))
