"""The connection machine: by scenario, and as random input against what must always hold."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.time import MINUTE, SECOND
from journeymap.protocol import socket_states as states_of_a_socket
from journeymap.protocol import states as states_of_all
from journeymap.protocol.connection import Connection
from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.exchange import (
    CloseSocket,
    FetchToken,
    FrameReceived,
    HandshakeRefused,
    HoldAsked,
    OpenSocket,
    PongReceived,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
    Subscribe,
    Subscribed,
    SubscribeFailed,
    TimerDue,
    TokenFailed,
    TokenObtained,
    TokenRefused,
    Unsubscribe,
    Unsubscribed,
)
from journeymap.protocol.frames import Heartbeat, Opened, Throttle
from journeymap.protocol.limits import Limits
from journeymap.protocol.states import Phase

CALLBACK = "wss://stream.example/api/v2/eventstreams/callbacks"
LIVE_URL = "wss://stream.example/live/c1"
LIMITS = Limits()
RATE = 50


class Driver:
    """Feeds a machine, keeps the time, and remembers what it said."""

    def __init__(self, random=lambda: 0.5):
        self.machine = EventStreams(CALLBACK, RATE, random, LIMITS)
        self.now = 1_000_000
        self.actions = []

    def feed(self, given):
        self.actions = list(self.machine.feed(given, self.now))
        return self.actions

    def said(self, kind):
        return [action for action in self.actions if isinstance(action, kind)]

    def wait(self, until):
        """Let time pass up to a moment, with a `TimerDue` whenever one is due; all that was said meanwhile."""
        actions = []
        while (due := self.machine.next_due()) is not None and due <= until:
            assert due > self.now or not actions or due == self.now
            self.now = max(self.now, due)
            actions += self.feed(TimerDue())
        self.now = until
        self.actions = actions
        return actions

    def token(self, request, life=60 * MINUTE):
        return self.feed(TokenObtained(request, self.now + life - 5 * MINUTE, self.now + life))

    def open(self, number=1, token=1, live=True):
        """From OpenSocket to a live subscription."""
        self.feed(SocketOpened(number))
        name, url = f"c{number}", f"wss://stream.example/live/c{number}"
        (asked,) = self.feed(FrameReceived(number, Opened(name, url)))
        assert asked == Subscribe(number, token, url, asked.max_events_per_second)
        self.feed(Subscribed(number, f"s{number}", url, name, "active", asked=asked.max_events_per_second))
        if live:
            self.feed(FrameReceived(number, Heartbeat()))

    def start(self, live=True):
        assert self.feed(Start()) == [FetchToken(1)]
        assert self.token(1) == [OpenSocket(1, 1)]
        self.open(live=live)
        return self


def test_every_pair_is_decided():
    for machine, states in ((EventStreams, states_of_all), (Connection, states_of_a_socket)):
        assert set(states.TABLE) == set(states.Phase)
        for row in states.TABLE.values():
            assert set(row) == set(states.Signal)
        used = {step for row in states.TABLE.values() for step in row.values()}
        assert used == set(states.Step)
        assert all(callable(getattr(machine, step)) for step in used)


def test_open_only_when_subscribed():
    driver = Driver()
    machine = driver.machine
    assert machine.state == "DISCONNECTED"
    driver.feed(Start())
    assert machine.state == "CONNECTING"
    driver.token(1)
    driver.feed(SocketOpened(1))
    driver.feed(FrameReceived(1, Opened("c1", LIVE_URL)))
    assert machine.state == "CONNECTING"
    driver.feed(Subscribed(1, "s1", LIVE_URL, "c1", "active"))
    assert (machine.state, machine.subscription_id, machine.connection_id) == ("OPEN", "s1", "c1")
    assert machine.since == driver.now


def test_without_greeting_the_configured_callback_url_stands_after_two_seconds():
    driver = Driver()
    driver.feed(Start())
    driver.token(1)
    driver.feed(SocketOpened(1))
    assert driver.wait(driver.now + 1_999) == []
    assert driver.wait(driver.now + 1) == [Subscribe(1, 1, CALLBACK, RATE)]


def test_another_first_frame_means_no_greeting():
    driver = Driver()
    driver.feed(Start())
    driver.token(1)
    driver.feed(SocketOpened(1))
    assert driver.feed(FrameReceived(1)) == [Subscribe(1, 1, CALLBACK, RATE)]


@pytest.mark.parametrize(
    "answer",
    [
        Subscribed(1, "s1", "wss://elsewhere.example/c1"),
        Subscribed(1, "s1", LIVE_URL, "c0"),
        Subscribed(1, "s1", LIVE_URL, "c1", "FAILED"),
    ],
)
def test_a_subscription_for_something_else_is_deleted_and_made_again(answer):
    driver = Driver()
    driver.feed(Start())
    driver.token(1)
    driver.feed(SocketOpened(1))
    driver.feed(FrameReceived(1, Opened("c1", LIVE_URL)))
    actions = driver.feed(answer)
    assert actions[1:] == [Unsubscribe(1, "s1"), Subscribe(1, 1, LIVE_URL, RATE)]
    assert isinstance(actions[0], Report)
    assert "does not match" in actions[0].message
    assert driver.machine.state == "CONNECTING"
    driver.feed(answer)
    assert driver.said(Unsubscribe) == [Unsubscribe(1, "s1")]
    assert driver.said(CloseSocket) == [CloseSocket(1)]
    assert driver.machine.phase is Phase.WAITING


def test_the_same_url_in_another_spelling_matches():
    driver = Driver()
    driver.feed(Start())
    driver.token(1)
    driver.feed(SocketOpened(1))
    driver.feed(FrameReceived(1, Opened("c1", LIVE_URL)))
    driver.feed(Subscribed(1, "s1", "WSS://Stream.example/live/c1/"))
    assert driver.machine.state == "OPEN"


def test_a_subscription_that_brings_nothing_is_made_again_and_then_doubted():
    driver = Driver().start(live=False)
    for _ in range(4):
        driver.wait(driver.now + 8 * SECOND)
        driver.feed(PongReceived(1))  # pongs alone prove nothing
    assert driver.machine.state == "OPEN"
    driver.wait(driver.now + 3 * SECOND)
    assert driver.said(Unsubscribe) == [Unsubscribe(1, "s1")]
    assert driver.said(Subscribe) == [Subscribe(1, 1, LIVE_URL, RATE)]
    driver.feed(Subscribed(1, "s2", LIVE_URL, "c1"))
    assert driver.machine.state == "CONNECTING"
    driver.feed(FrameReceived(1, Heartbeat()))
    assert driver.machine.state == "OPEN"


def test_doubt_lasts_over_a_new_connection():
    driver = Driver().start(live=False)
    for subscription in ("s2", "s3"):
        for _ in range(4):
            driver.wait(driver.now + 8 * SECOND)
            driver.feed(PongReceived(1))
        driver.wait(driver.now + 3 * SECOND)
        driver.feed(Subscribed(1, subscription, LIVE_URL, "c1"))
    driver.wait(driver.machine.retry_at)
    assert driver.said(OpenSocket) == [OpenSocket(2, 1)]
    driver.open(2, live=False)
    assert driver.machine.state == "CONNECTING"
    driver.feed(FrameReceived(2))
    assert driver.machine.state == "OPEN"


def test_a_live_subscription_that_falls_silent_is_noticed():
    driver = Driver().start()
    for _ in range(4):
        driver.wait(driver.now + 8 * SECOND)
        driver.feed(PongReceived(1))
    driver.wait(driver.now + 3 * SECOND)
    assert driver.said(Unsubscribe) == [Unsubscribe(1, "s1")]
    assert driver.machine.state == "CONNECTING"


def test_heartbeats_only_keep_it_alive():
    driver = Driver().start()
    for _ in range(100):
        driver.wait(driver.now + 25 * SECOND)
        assert {type(action) for action in driver.actions} <= {SendPing}
        driver.feed(FrameReceived(1, Heartbeat()))
    assert driver.machine.state == "OPEN"


def test_a_silent_socket_is_dead_after_thirty_seconds():
    driver = Driver().start()
    began = driver.now
    assert driver.wait(began + 29_999) == [SendPing(1), SendPing(1)]
    driver.wait(began + 30_000)
    assert driver.said(CloseSocket) == [CloseSocket(1)]
    assert driver.machine.state == "DISCONNECTED"
    assert "dead" in driver.machine.error


def test_a_refused_secret_ends_all_requests_until_an_operator_acts():
    driver = Driver()
    driver.feed(Start())
    assert driver.feed(TokenRefused(1, "wrong secret")) == [Report("wrong secret", refused=True)]
    assert driver.machine.refused
    assert driver.machine.next_due() is None
    assert driver.feed(RetryAsked()) == [FetchToken(2)]
    assert not driver.machine.refused


@pytest.mark.parametrize("end", [HandshakeRefused(2, 401), SocketClosed(2, 4401), SocketClosed(2, 1008)])
def test_one_fresh_token_one_try_then_a_hard_error(end):
    driver = Driver().start()
    assert driver.feed(SocketClosed(1, 4401))[-1] == FetchToken(2)
    assert driver.machine.state == "CONNECTING"
    assert driver.token(2) == [OpenSocket(2, 2)]
    if isinstance(end, SocketClosed):
        driver.feed(SocketOpened(2))
    driver.feed(end)
    assert driver.said(Report)[-1].refused
    assert driver.machine.phase is Phase.REFUSED
    assert driver.machine.next_due() is None


@pytest.mark.parametrize("first", [1, 2])
def test_both_sockets_turned_away_during_a_move_have_one_fresh_token_and_its_try(first):
    driver = Driver().start()
    heartbeats_until(driver, driver.now + 56 * MINUTE)
    driver.token(2)
    driver.open(2, 2, live=False)
    for number in (first, 3 - first):
        driver.feed(SocketClosed(number, 1008))
        assert not driver.machine.refused
    assert driver.machine.phase is Phase.FETCHING
    assert driver.token(3) == [OpenSocket(3, 3)]
    driver.feed(SocketOpened(3))
    driver.feed(SocketClosed(3, 1008))
    assert driver.machine.phase is Phase.REFUSED


def test_a_token_that_worked_earns_another_try_but_no_storm():
    driver = Driver().start()
    number = 1
    for request in range(2, 6):
        driver.feed(SocketClosed(number, 4401))
        if driver.machine.phase is Phase.WAITING:
            driver.wait(driver.machine.retry_at)
        assert driver.said(FetchToken) == [FetchToken(request)]
        number = driver.token(request)[0].connection
        driver.open(number, request)
        assert driver.machine.state == "OPEN"
    driver.feed(SocketClosed(number, 4401))
    assert driver.machine.phase is Phase.WAITING


@pytest.mark.parametrize(
    "failure",
    [
        HandshakeRefused(1, 429, 17 * SECOND),
        HandshakeRefused(1, 503, 17 * SECOND),
        SocketClosed(1, 1013, "", 17 * SECOND),
        SubscribeFailed(1, "too many", 429, 17 * SECOND),
    ],
)
def test_retry_after_is_obeyed(failure):
    driver = Driver()
    driver.feed(Start())
    driver.token(1)
    if not isinstance(failure, HandshakeRefused):
        driver.feed(SocketOpened(1))
        driver.feed(FrameReceived(1, Opened("c1", LIVE_URL)))
    driver.feed(failure)
    assert driver.machine.retry_at == driver.now + 17 * SECOND


def test_token_failures_back_off_and_retry_at_once_when_asked():
    driver = Driver(lambda: 0.999)
    driver.feed(Start())
    waits = []
    for request in range(1, 9):
        driver.feed(TokenFailed(request, "down"))
        waits.append(driver.machine.retry_at - driver.now)
        assert driver.wait(driver.machine.retry_at) == [FetchToken(request + 1)]
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(60 * SECOND, rel=0.01)
    driver.feed(TokenFailed(9, "down"))
    assert driver.feed(RetryAsked()) == [FetchToken(10)]


def test_backoff_starts_anew_after_a_minute_of_health():
    driver = Driver(lambda: 0.999)
    driver.start()
    waits = []
    for number in range(1, 5):
        driver.feed(SocketClosed(number, 1006))
        waits.append(driver.machine.retry_at - driver.now)
        driver.wait(driver.machine.retry_at)
        driver.open(number + 1)
    assert [round(wait / SECOND) for wait in waits] == [1, 2, 4, 8]
    for _ in range(4):
        driver.wait(driver.now + 15 * SECOND)
        driver.feed(FrameReceived(5))
    driver.feed(SocketClosed(5, 1006))
    assert driver.machine.retry_at - driver.now < SECOND
    assert driver.machine.reconnects == 4


def heartbeats_until(driver, until, number=1):
    while driver.now < until:
        driver.wait(min(driver.now + 10 * SECOND, until))
        if driver.said(FetchToken) or driver.said(OpenSocket):
            return
        driver.feed(FrameReceived(number, Heartbeat()))


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


def test_stop_deletes_the_subscription_and_ends_everything():
    driver = Driver().start()
    assert driver.feed(StopAsked()) == [Unsubscribe(1, "s1"), CloseSocket(1)]
    assert (driver.machine.state, driver.machine.next_due()) == ("DISCONNECTED", None)
    assert driver.feed(RetryAsked()) == []


def test_a_late_subscription_does_not_stay_behind():
    driver = Driver()
    driver.feed(Start())
    driver.token(1)
    driver.feed(SocketOpened(1))
    driver.feed(FrameReceived(1, Opened("c1", LIVE_URL)))
    driver.feed(SocketClosed(1, 1006))
    assert driver.feed(Subscribed(1, "s1", LIVE_URL)) == [Unsubscribe(1, "s1")]


def test_time_does_not_run_backwards():
    driver = Driver().start()
    due = driver.machine.next_due()
    driver.now -= 60 * MINUTE
    driver.feed(FrameReceived(1))
    assert driver.machine.next_due() >= due


NUMBERS = st.integers(0, 6)
WAITS = st.none() | st.integers(0, 100_000)
INPUTS = st.one_of(
    st.just(Start()),
    st.builds(TokenRefused, NUMBERS, st.just("refused")),
    st.builds(TokenFailed, NUMBERS, st.just("failed"), WAITS),
    st.builds(SocketOpened, NUMBERS),
    st.builds(SocketClosed, NUMBERS, st.sampled_from([None, 1000, 1006, 1008, 1013, 4401]), st.just(""), WAITS),
    st.builds(HandshakeRefused, NUMBERS, st.sampled_from([401, 403, 429, 500, 503]), WAITS),
    st.builds(
        FrameReceived,
        NUMBERS,
        st.sampled_from([None, Heartbeat(), Throttle(), Opened(), Opened("c1", LIVE_URL), Opened("c2", LIVE_URL)]),
        st.sampled_from([0, 1, 60]),
    ),
    st.builds(PongReceived, NUMBERS, st.booleans()),
    st.builds(Unsubscribed, st.sampled_from(["s1", "s2", "s3"])),
    st.builds(
        Subscribed,
        NUMBERS,
        st.sampled_from(["s1", "s2", "s3"]),
        st.sampled_from([None, LIVE_URL, CALLBACK]),
        st.sampled_from([None, "c1", "c2"]),
        st.sampled_from([None, "active", "failed"]),
        st.none() | st.integers(0, 100),
        st.sampled_from([0, 37, 50]),
    ),
    st.builds(SubscribeFailed, NUMBERS, st.just("no"), st.sampled_from([None, 401, 409, 429]), WAITS),
    st.just(TimerDue()),
    st.just(RetryAsked()),
    st.just(HoldAsked("held")),
    st.just(ReleaseAsked()),
)
HAPPY = st.sampled_from(["token", "opened", "greeted", "subscribed", "sign", "due", "due"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(INPUTS | HAPPY, st.integers(-5_000, 40_000)), max_size=60), st.floats(0, 1, exclude_max=True))
def test_whatever_comes(steps, chance):
    driver = Driver(lambda: chance)
    shell = Shell()
    shell.do(driver.feed(Start()), driver.machine)
    for step, passed in steps:
        driver.now += passed
        given = shell.happy(step, driver) if isinstance(step, str) else step
        was_refused = driver.machine.refused
        actions = driver.feed(given)
        if (was_refused and not isinstance(given, RetryAsked)) or driver.machine.phase is Phase.HELD:
            assert not [one for one in actions if isinstance(one, OpenSocket | FetchToken)]
        shell.do(actions, driver.machine)
        if isinstance(given, TimerDue):
            due = driver.machine.next_due()
            assert due is None or due > driver.machine._now
    shell.do(driver.feed(StopAsked()), driver.machine)
    assert shell.sockets == set()
    assert driver.machine.next_due() is None


class Shell:
    """Checks that what the machine asks for makes sense to a shell that does it."""

    def __init__(self):
        self.sockets = set()
        self.seen = set()
        self.requests = []
        self.tokens = set()

    def do(self, actions: Iterable[object], machine: EventStreams) -> None:
        for action in actions:
            match action:
                case FetchToken(request):
                    assert request not in self.requests
                    self.requests.append(request)
                case OpenSocket(number, token):
                    assert token in self.tokens
                    assert number not in self.seen
                    self.sockets.add(number)
                    self.seen.add(number)
                case CloseSocket(number):
                    self.sockets.discard(number)
                case Subscribe(number, token, _, rate):
                    assert number in self.sockets
                    assert 1 <= rate <= RATE
                    assert token in self.tokens
                case SendPing(number, _):
                    assert number in self.sockets
                case Unsubscribe(token, _):
                    assert token in self.tokens
                case Report(message):
                    assert message
                    assert "\n" not in message
        main, everyone = machine._sockets.main, machine._sockets.all()
        assert len({one.number for one in everyone}) == len(everyone)
        assert {one.number for one in everyone} == self.sockets
        assert (machine.state == "OPEN") == (main is not None and main.is_open)
        if machine.refused:
            assert machine.error
            assert machine._sockets.heir is None
            assert machine._renewal.awaited is None

    def happy(self, step, driver):
        number = max(self.sockets, default=0)
        match step:
            case "token" if self.requests:
                request = self.requests[-1]
                self.tokens.add(request)
                return TokenObtained(request, driver.now + 60_000, driver.now + 90_000)
            case "opened":
                return SocketOpened(number)
            case "greeted":
                return FrameReceived(number, Opened(f"c{number}", LIVE_URL))
            case "subscribed":
                return Subscribed(number, f"s{number}", LIVE_URL, f"c{number}")
            case "sign":
                return FrameReceived(number)
        due = driver.machine.next_due()
        driver.now = max(driver.now, due or 0)
        return TimerDue()
