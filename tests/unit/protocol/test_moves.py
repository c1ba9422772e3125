"""Moves of the socket to a renewed token, and changes of the rate."""

import pytest

from journeymap.model.time import MINUTE, SECOND
from journeymap.protocol.exchange import (
    CloseSocket,
    FetchToken,
    FrameReceived,
    HandshakeRefused,
    HoldAsked,
    OpenSocket,
    PongReceived,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    Subscribe,
    Subscribed,
    SubscribeFailed,
    TokenFailed,
    TokenRefused,
    Unsubscribe,
    Unsubscribed,
)
from journeymap.protocol.frames import Heartbeat, Opened, Throttle
from journeymap.protocol.states import Phase
from tests.unit.protocol.driving import LIMITS, LIVE_URL, Driver, heartbeats_until


def test_a_renewed_token_moves_the_socket_make_before_break():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    assert driver.said(FetchToken) == [FetchToken(2)]
    assert driver.machine.state == "OPEN"
    assert driver.token(2) == [OpenSocket(2, 2)]
    driver.feed(FrameReceived(1))
    driver.open(2, 2, live=False)
    assert (driver.machine.state, driver.machine.subscription_id) == ("OPEN", "s1")
    assert driver.feed(FrameReceived(2)) == [Unsubscribe(1, "s1")]
    assert (driver.machine.state, driver.machine.subscription_id) == ("OPEN", "s2")
    driver.feed(FrameReceived(1))  # still read
    assert driver.wait(driver.now + 2 * SECOND) == []
    assert driver.feed(Unsubscribed("s1")) == [SendPing(1, last=True)]
    driver.feed(PongReceived(1))  # the answer to an earlier ping says nothing
    assert driver.wait(driver.now + SECOND) == []
    driver.feed(PongReceived(1, last=True))
    driver.wait(driver.now + LIMITS.settle - 1)
    driver.feed(FrameReceived(1))  # what a server sends after its pong is read, too
    assert driver.wait(driver.now + LIMITS.settle - 1) == []
    driver.feed(FrameReceived(1, Heartbeat()))  # this says nothing
    assert driver.wait(driver.now + 1) == [CloseSocket(1)]
    assert driver.machine.reconnects == 0
    assert driver.feed(Unsubscribed("s1")) == []


def test_a_replaced_socket_is_read_no_longer_than_the_limit():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.token(2)
    driver.open(2, 2)
    until = driver.now + LIMITS.drain
    driver.feed(Unsubscribed("s1"))
    driver.feed(PongReceived(1, last=True))
    while driver.now < until:
        assert driver.machine._sockets.find(1)
        driver.feed(FrameReceived(1))  # it goes on and on
        driver.feed(FrameReceived(2))
        driver.wait(driver.now + LIMITS.settle - 1)
    assert driver.machine._sockets.find(1) is None


def test_a_renewal_that_fails_for_now_is_tried_again_while_the_old_token_serves():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.feed(TokenFailed(2, "down"))
    assert driver.machine.state == "OPEN"
    assert "renewed" in driver.machine.error
    driver.wait(driver.now + 2 * SECOND)
    assert driver.said(FetchToken) == [FetchToken(3)]
    driver.token(3)
    assert driver.machine.error is None


def test_a_renewal_is_tried_once_more_before_the_end_however_long_the_platform_asks_to_wait():
    driver = Driver().start()
    end = driver.now + 60 * MINUTE
    heartbeats_until(driver, end - 4 * MINUTE)
    asked_at = driver.now
    driver.feed(TokenFailed(2, "busy", 20 * MINUTE))
    heartbeats_until(driver, end)
    assert driver.said(FetchToken) == [FetchToken(3)]
    assert driver.now == end - 30 * SECOND
    driver.feed(TokenFailed(3, "busy", 20 * MINUTE))
    heartbeats_until(driver, end)
    driver.feed(SocketClosed(1, 4401))
    machine = driver.machine
    assert not driver.said(FetchToken)
    assert (machine.state, machine.retry_at) == ("DISCONNECTED", end - 30 * SECOND + 20 * MINUTE)
    assert "4401" in machine.error
    driver.wait(machine.retry_at - 1)
    assert not driver.said(FetchToken)
    assert driver.wait(machine.retry_at) == [FetchToken(4)]
    assert driver.now > asked_at + 20 * MINUTE


def test_an_operator_does_not_have_to_wait_for_the_token_endpoint():
    driver = Driver()
    driver.feed(Start())
    driver.feed(TokenFailed(1, "busy", 20 * MINUTE))
    assert driver.feed(RetryAsked()) == [FetchToken(2)]


def test_a_move_is_tried_once_more_before_the_old_token_ends_however_long_the_platform_asks_to_wait():
    driver = Driver().start()
    end = driver.now + 60 * MINUTE
    heartbeats_until(driver, end - 4 * MINUTE)
    driver.token(2)
    driver.feed(HandshakeRefused(2, 429, 20 * MINUTE))
    heartbeats_until(driver, end)
    assert driver.said(OpenSocket) == [OpenSocket(3, 2)]
    assert driver.now == end - 30 * SECOND


def test_a_renewal_that_is_refused_is_a_hard_error_but_the_live_socket_goes_on():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.feed(TokenRefused(2, "revoked"))
    assert (driver.machine.state, driver.machine.refused, driver.machine.error) == ("OPEN", True, "revoked")
    driver.feed(SocketClosed(1, 4401))
    assert (driver.machine.phase, driver.machine.error) == (Phase.REFUSED, "revoked")
    assert driver.machine.next_due() is None


def test_the_heir_takes_over_when_the_old_socket_dies_during_the_move():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.token(2)
    driver.feed(SocketOpened(2))
    driver.feed(SocketClosed(1, 1006))
    assert not driver.said(OpenSocket)
    assert driver.machine.state == "CONNECTING"
    driver.open(2, 2)
    assert driver.machine.state == "OPEN"


def test_the_heir_opens_the_stream_again_when_the_old_socket_is_in_doubt():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    for _ in range(3):
        driver.wait(driver.now + 7 * SECOND)
        driver.feed(PongReceived(1))
    assert driver.token(2) == [OpenSocket(2, 2)]
    driver.wait(driver.now + 15 * SECOND)
    assert driver.machine.state == "CONNECTING"  # the old subscription has brought nothing for too long
    driver.open(2, 2)
    assert (driver.machine.state, driver.machine.connection_id) == ("OPEN", "c2")


def test_a_shared_subscription_is_not_deleted_in_the_move():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.token(2)
    driver.feed(SocketOpened(2))
    driver.feed(FrameReceived(2, Opened("c2", LIVE_URL)))
    driver.feed(Subscribed(2, "s1", LIVE_URL))
    assert driver.feed(FrameReceived(2)) == [SendPing(1, last=True)]
    assert driver.feed(Subscribed(1, "s1", LIVE_URL)) == []  # not even if it is answered late


# Throttling


def throttled(driver, number=1):
    return driver.feed(FrameReceived(number, Throttle(SECOND, 5)))


def test_throttling_lowers_the_rate_by_a_new_subscription_before_the_old_one_is_deleted():
    driver = Driver().start()
    driver.feed(FrameReceived(1, events=10))
    assert throttled(driver) == [Subscribe(1, 1, LIVE_URL, 37)]
    assert (driver.machine.state, driver.machine.max_events_per_second) == ("OPEN", 50)
    assert throttled(driver) == []  # one change at a time
    assert driver.feed(Subscribed(1, "s9", LIVE_URL, "c1", "active", asked=37)) == [Unsubscribe(1, "s1")]
    machine = driver.machine
    assert (machine.state, machine.subscription_id, machine.max_events_per_second) == ("OPEN", "s9", 37)
    assert machine.error is None


def test_throttling_by_our_own_maximum_changes_nothing():
    driver = Driver().start()
    driver.feed(FrameReceived(1, events=48))
    assert throttled(driver) == []


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (SubscribeFailed(1, "throttled", 429, 25 * SECOND), 25 * SECOND),
        (SubscribeFailed(1, "refused", 403), 10 * SECOND),
        (SubscribeFailed(1, "no answer"), 10 * SECOND),
    ],
)
def test_the_old_subscription_stays_if_the_change_fails(answer, wait):
    driver = Driver().start()
    throttled(driver)
    assert driver.feed(answer) == [Report(f"the subscription in use stays as it is: {answer.message}", harmless=True)]
    machine = driver.machine
    assert (machine.state, machine.subscription_id, machine.max_events_per_second) == ("OPEN", "s1", 50)
    assert machine.error is None
    until = driver.now + wait
    while driver.now < until:
        assert throttled(driver) == []
        driver.wait(driver.now + SECOND)
    assert throttled(driver) == [Subscribe(1, 1, LIVE_URL, 37)]


def test_the_old_subscription_stays_if_the_change_is_not_answered():
    driver = Driver().start()
    throttled(driver)
    driver.wait(driver.now + LIMITS.answer)
    assert driver.said(Report) == [Report("the subscription in use stays as it is: no answer in time", harmless=True)]
    assert driver.machine.state == "OPEN"
    late = driver.feed(Subscribed(1, "s9", LIVE_URL, "c1", "active", asked=37))
    assert late == [Unsubscribe(1, "s9")]
    assert driver.machine.subscription_id == "s1"


def test_a_change_that_does_not_match_is_deleted_and_the_old_subscription_stays():
    driver = Driver().start()
    throttled(driver)
    driver.feed(Subscribed(1, "s9", LIVE_URL, "of-somebody-else", "active", asked=37))
    assert driver.said(Unsubscribe) == [Unsubscribe(1, "s9")]
    assert (driver.machine.state, driver.machine.subscription_id) == ("OPEN", "s1")


def test_a_platform_that_changes_the_subscription_in_use():
    driver = Driver().start()
    throttled(driver)
    assert driver.feed(Subscribed(1, "s1", LIVE_URL, "c1", "active", asked=37)) == []
    assert driver.machine.max_events_per_second == 37


def test_a_platform_that_spoils_the_subscription_in_use():
    driver = Driver().start()
    throttled(driver)
    driver.feed(Subscribed(1, "s1", LIVE_URL, "of-somebody-else", "active", asked=37))
    assert driver.said(Unsubscribe) == [Unsubscribe(1, "s1")]
    assert driver.said(Subscribe) == [Subscribe(1, 1, LIVE_URL, 50)]
    assert driver.machine.state == "CONNECTING"


def test_after_a_change_the_new_subscription_has_to_bring_something():
    driver = Driver().start()
    throttled(driver)
    driver.feed(Subscribed(1, "s9", LIVE_URL, "c1", "active", asked=37))
    for _ in range(4):
        driver.wait(driver.now + 8 * SECOND)
        driver.feed(PongReceived(1))
    driver.wait(driver.now + 3 * SECOND)
    assert driver.said(Unsubscribe) == [Unsubscribe(1, "s9")]
    assert driver.machine.state == "CONNECTING"


def test_the_lowered_rate_outlives_the_socket_and_is_raised_again_in_quiet():
    driver = Driver().start()
    throttled(driver)
    driver.feed(SocketClosed(1, 1006))
    driver.wait(driver.machine.retry_at)
    driver.open(2)
    assert driver.machine.max_events_per_second == 37
    rates = []
    until = driver.now + 10 * MINUTE
    while driver.now < until:
        driver.wait(driver.now + 5 * SECOND)
        for asked in driver.said(Subscribe):
            rates.append(asked.max_events_per_second)
            driver.feed(Subscribed(2, f"s{driver.now}", asked.callback_url, "c2", asked=asked.max_events_per_second))
        driver.feed(FrameReceived(2, Heartbeat()))
        assert driver.machine.state == "OPEN"
    assert rates == [49, 50]


def test_the_heir_takes_the_rate_along():
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.token(2)
    throttled(driver)
    driver.open(2, 2)
    # It was under way already.
    assert driver.machine.max_events_per_second == 50
    assert [asked.max_events_per_second for asked in driver.said(Subscribe)] == [37]
    assert driver.feed(Subscribed(1, "s9", LIVE_URL, "c1", "active", asked=37)) == [Unsubscribe(1, "s9")]


def test_a_hold_during_a_change_leaves_no_subscription_behind():
    driver = Driver().start()
    throttled(driver)
    assert driver.feed(HoldAsked("full")) == [Unsubscribe(1, "s1"), CloseSocket(1)]
    assert driver.feed(Subscribed(1, "s9", LIVE_URL, "c1", "active", asked=37)) == [Unsubscribe(1, "s9")]
