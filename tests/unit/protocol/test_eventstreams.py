"""The machine of an event stream: from the token to the subscription, silence, failures, the end."""

import pytest

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
    OpenSocket,
    PongReceived,
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
    TokenFailed,
    TokenRefused,
    Unsubscribe,
)
from journeymap.protocol.frames import Heartbeat, Opened
from journeymap.protocol.states import Phase
from tests.unit.protocol.driving import CALLBACK, LIVE_URL, RATE, Driver, heartbeats_until


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
