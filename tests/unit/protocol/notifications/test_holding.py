"""The machine of the Notification Service: holding, releasing, the end."""

from __future__ import annotations

from journeymap.model.time import HOUR, SECOND
from journeymap.protocol.exchange import (
    HoldAsked,
    ReleaseAsked,
    RetryAsked,
    SocketClosed,
    Start,
    StopAsked,
)
from journeymap.protocol.notifications.exchange import (
    Discover,
    Discovered,
    LetGo,
    Prepare,
    Prepared,
)
from tests.unit.protocol.notifications.driving import PLAIN, Driver, queues

ONE = queues(1)


def test_held_it_does_nothing_and_takes_the_channel_again() -> None:
    driver = Driver().open(ONE)
    driver.feed(HoldAsked("no room"))
    assert (driver.machine.state, driver.machine.error, driver.sockets) == ("DISCONNECTED", "no room", set())
    assert driver.wait(HOUR) == []
    driver.feed(RetryAsked())
    assert driver.actions == []
    driver.feed(ReleaseAsked())
    (asked,) = driver.said(Prepare, driver.discover(ONE))
    assert asked.channel_id == "channel-1"
    driver.connect(driver.prepare(asked))
    assert (driver.machine.state, driver.machine.error) == ("OPEN", None)


def test_held_before_the_start_it_waits_for_the_release() -> None:
    driver = Driver()
    driver.feed(HoldAsked("no room"))
    assert driver.feed(Start()) == []
    assert driver.said(Discover, driver.feed(ReleaseAsked()))


def test_a_channel_that_was_taken_again_is_not_let_go_by_a_late_answer() -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(SocketClosed(socket, 1006))
    (late,) = driver.said(Prepare, driver.wait(SECOND))
    driver.feed(HoldAsked("no room"))
    driver.feed(ReleaseAsked())
    (asked,) = driver.said(Prepare, driver.discover(ONE))
    assert asked.channel_id == late.channel_id == "channel-1"
    assert driver.feed(Prepared(late.request, "channel-1")) == []
    driver.connect(driver.prepare(asked))
    assert driver.feed(Prepared(99, "channel-1")) == []


def test_a_refusal_outlasts_holding() -> None:
    driver = Driver()
    (asked,) = driver.feed(Start())
    assert isinstance(asked, Discover)
    driver.fail(asked.request, "wrong secret", refused=True)
    driver.feed(HoldAsked("no room"))
    assert driver.machine.error == "wrong secret"
    assert driver.feed(ReleaseAsked()) == []
    assert driver.machine.refused
    assert driver.said(Discover, driver.feed(RetryAsked()))


def test_stopped_it_gives_everything_back() -> None:
    driver = Driver().open(queues(1_500))
    actions = driver.feed(StopAsked())
    assert driver.sockets == set()
    assert {action.channel_id for action in driver.said(LetGo, actions)} == {"channel-1", "channel-2"}
    assert driver.machine.next_due() is None
    assert driver.feed(RetryAsked()) == []


def test_an_answer_that_comes_too_late_leaves_nothing_behind() -> None:
    driver = Driver()
    driver.feed(Start())
    (asked,) = driver.said(Prepare, driver.discover(ONE))
    driver.feed(HoldAsked("no room"))
    assert driver.feed(Prepared(asked.request, "late", "wss://x/late")) == [LetGo(0, "late")]
    assert driver.feed(Discovered(99, ONE, PLAIN)) == []
