"""The machine of the Notification Service: channels are renewed before they end."""

from __future__ import annotations

from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.protocol.exchange import (
    CloseSocket,
    Report,
    SocketClosed,
    SocketOpened,
)
from journeymap.protocol.notifications.exchange import (
    LetGo,
    OpenSocket,
    Prepare,
)
from journeymap.protocol.notifications.limits import USED_CHANNELS
from tests.unit.protocol.notifications.driving import Driver, queues

ONE = queues(1)


def test_renewal_makes_before_it_breaks() -> None:
    driver = Driver().open(ONE)
    (old,) = driver.sockets
    actions = driver.wait_live(20 * HOUR)
    (asked,) = driver.said(Prepare, actions)
    assert (asked.channel_id, asked.older) == (None, 1)
    driver.token = 2
    (opened,) = driver.said(OpenSocket, driver.prepare(asked))
    assert old in driver.sockets
    driver.feed(SocketOpened(opened.connection))
    assert driver.sockets == {old, opened.connection}
    driver.wait(5 * SECOND)
    assert driver.actions == [CloseSocket(old), LetGo(asked.lane, "channel-1")]
    assert (driver.machine.state, driver.machine.reconnects) == ("OPEN", 0)
    assert driver.said(Prepare, driver.wait_live(21 * HOUR))[0].older == 2


def test_renewals_wait_for_each_other_where_channels_are_scarce() -> None:
    driver = Driver().open(queues(USED_CHANNELS * 1_000), life=HOUR)
    actions = driver.wait_live(50 * MINUTE)
    lanes = set()
    for _ in range(USED_CHANNELS):
        (asked,) = driver.said(Prepare, actions)
        assert asked.lane not in lanes
        lanes.add(asked.lane)
        driver.connect(driver.prepare(asked))
        assert driver.said(Prepare) == []
        actions = driver.wait_live(5 * SECOND)
    assert driver.said(Prepare, actions) == []
    assert driver.machine.state == "OPEN"


def test_a_renewal_that_fails_is_tried_again_and_the_old_channel_stays() -> None:
    driver = Driver().open(ONE)
    (asked,) = driver.said(Prepare, driver.wait_live(20 * HOUR))
    driver.fail(asked.request, "503")
    (report,) = driver.said(Report)
    assert report.harmless
    assert (driver.machine.state, driver.machine.error) == ("OPEN", None)
    assert driver.said(Prepare, driver.wait_live(MINUTE))


def test_an_heir_is_in_use_at_once_where_the_old_one_goes() -> None:
    driver = Driver().open(ONE)
    (old,) = driver.sockets
    (asked,) = driver.said(Prepare, driver.wait_live(20 * HOUR))
    driver.feed(SocketClosed(old, 1006))
    assert driver.machine.state == "CONNECTING"
    driver.connect(driver.prepare(asked))
    assert driver.machine.state == "OPEN"
    assert driver.wait(5 * SECOND) == []
