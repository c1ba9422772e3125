"""The machine of the Notification Service: sockets and channels that are lost, or say that they soon will be."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.protocol.exchange import (
    CloseSocket,
    HandshakeRefused,
    SendPing,
    SocketClosed,
    SocketOpened,
)
from journeymap.protocol.notifications.exchange import (
    Heard,
    OpenSocket,
    Prepare,
)
from journeymap.protocol.notifications.frames import Sign, System
from tests.unit.protocol.notifications.driving import Driver, queues

ONE = queues(1)
SUBSCRIBED = System("no_longer_subscribed", "another_channel_subscribed")


def moving(driver: Driver) -> tuple[int, int]:
    """A socket that was told to go, and the one that is being opened."""
    (old,) = driver.sockets
    (opened,) = driver.said(OpenSocket, driver.feed(Heard(old, Sign.CLOSING)))
    return old, opened.connection


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 4000])
def test_a_lost_socket_takes_the_same_channel_again(code: int) -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(SocketClosed(socket, code))
    assert driver.machine.state == "DISCONNECTED"
    assert str(code) in (driver.machine.error or "")
    assert driver.machine.retry_at is not None
    (asked,) = driver.said(Prepare, driver.wait(SECOND))
    assert asked.channel_id == "channel-1"
    driver.connect(driver.prepare(asked))
    assert (driver.machine.state, driver.machine.error, driver.machine.reconnects) == ("OPEN", None, 1)


def test_one_lost_channel_of_three_is_named_and_the_others_go_on() -> None:
    driver = Driver().open(queues(2_500))
    sockets = sorted(driver.sockets)
    driver.feed(SocketClosed(sockets[1], 1006))
    assert driver.machine.state == "CONNECTING"
    assert (driver.machine.error or "").startswith("topic channel 2 of 3: ")
    assert driver.reports()[0].startswith("topic channel 2 of 3: ")
    assert driver.sockets == {sockets[0], sockets[2]}


def test_what_was_lost_was_heard_last_when_its_own_channel_was() -> None:
    driver = Driver().open(queues(2_500))
    opened_at, dead = driver.now, min(driver.sockets)
    for ping in driver.said(SendPing, driver.wait(20 * SECOND)):
        if ping.connection != dead:
            driver.feed(Heard(ping.connection, Sign.PONG))
    driver.wait(10 * SECOND)
    assert (driver.machine.state, driver.machine.since) == ("CONNECTING", driver.now)
    assert driver.machine.heard_at == opened_at, "others were heard since"


def test_what_a_next_socket_that_did_not_come_has_missed_begins_with_the_end_of_the_one_before() -> None:
    driver = Driver().open(queues(2_500))
    one, *others = sorted(driver.sockets)
    (opened,) = driver.said(OpenSocket, driver.feed(Heard(one, Sign.CLOSING)))
    closed_at = driver.now
    driver.feed(SocketClosed(one, 1001))
    driver.wait(SECOND)
    for other in others:
        driver.feed(Heard(other, data=True))
    driver.wait(SECOND)
    assert driver.sockets == {*others, opened.connection}
    assert (driver.machine.state, driver.machine.heard_at) == ("CONNECTING", closed_at)


@pytest.mark.parametrize("status", [404, 403])
def test_a_channel_that_is_gone_is_made_anew(status: int) -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(SocketClosed(socket, 1001))
    (asked,) = driver.said(Prepare, driver.wait(SECOND))
    (opened,) = driver.said(OpenSocket, driver.prepare(asked))
    driver.feed(HandshakeRefused(opened.connection, status))
    (asked,) = driver.said(Prepare, driver.wait(MINUTE))
    assert asked.channel_id is None


def test_silence_is_death_and_so_is_a_ping_without_answer() -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    assert driver.wait(20 * SECOND) == [SendPing(socket)]
    actions = driver.wait(10 * SECOND)
    assert actions[0] == CloseSocket(socket)
    assert "ping was not answered within 10 s" in (driver.machine.error or "")

    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    for _ in range(40):
        driver.wait(5 * SECOND)
        driver.feed(Heard(socket, Sign.HEARTBEAT))
        if driver.machine.state != "OPEN":
            break
    assert driver.machine.state == "DISCONNECTED", "heartbeats are no answer to a ping"


def test_an_answer_may_lie_behind_data_for_a_while() -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.wait(29 * SECOND)
    for _ in range(20):
        driver.feed(Heard(socket, data=True))
        driver.wait(4 * SECOND)
        if driver.machine.state != "OPEN":
            break
    assert driver.machine.state == "OPEN"
    for _ in range(5):
        driver.feed(Heard(socket, data=True))
        driver.wait(4 * SECOND)
    assert "ping was not answered" in (driver.machine.error or "")


def test_a_socket_that_answers_lives() -> None:
    driver = Driver().open(ONE)
    driver.wait_live(HOUR)
    assert driver.machine.state == "OPEN"
    assert len(driver.said(SendPing)) == 180


def test_a_revoked_token_needs_a_newer_one() -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(Heard(socket, System("token_revoked", "user_tokens_revoked")))
    assert driver.machine.error == "the token of the channel was revoked (user_tokens_revoked)"
    assert driver.sockets == set()
    (asked,) = driver.said(Prepare, driver.wait(MINUTE))
    assert (asked.channel_id, asked.older) == (None, 1)


def test_a_channel_that_the_platform_gave_up_says_why() -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(Heard(socket, SUBSCRIBED))
    assert "more than 20 are in use" in (driver.machine.error or "")
    (asked,) = driver.said(Prepare, driver.wait(MINUTE))
    assert (asked.channel_id, asked.older) == (None, 0)


def test_a_replaced_socket_that_is_told_so_is_no_loss() -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.feed(SocketOpened(new))
    driver.feed(Heard(old, SUBSCRIBED))
    assert (driver.machine.state, driver.machine.error, driver.actions) == ("OPEN", None, [])
    assert driver.sockets == {old, new}
    driver.feed(Heard(new, SUBSCRIBED))
    assert "more than 20 are in use" in (driver.machine.error or "")


def test_a_token_that_was_revoked_is_so_on_whatever_socket_it_is_said() -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.feed(SocketOpened(new))
    driver.feed(Heard(old, System("token_revoked", "user_tokens_revoked")))
    assert driver.machine.error == "the token of the channel was revoked (user_tokens_revoked)"
    assert driver.sockets == set()


@pytest.mark.parametrize(("kind", "reports"), [("subscription_changed", 0), ("something_new", 1)])
def test_other_news_of_a_channel_is_no_loss(kind: str, reports: int) -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(Heard(socket, System(kind, "why")))
    assert (driver.machine.state, driver.machine.error) == ("OPEN", None)
    assert driver.reports() == ["the platform says something_new of the channel (why)"] * reports


def test_waits_double_up_to_a_minute_and_start_anew_after_health() -> None:
    driver = Driver(chance=0.999_999)
    driver.open(ONE)
    waits = []
    for _ in range(9):
        (socket,) = driver.sockets
        driver.feed(SocketClosed(socket, 1006))
        waits.append((driver.machine.retry_at or 0) - driver.now)
        (asked,) = driver.said(Prepare, driver.wait(MINUTE))
        driver.connect(driver.prepare(asked))
    assert [round(wait / SECOND) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    driver.wait_live(2 * MINUTE)
    (socket,) = driver.sockets
    driver.feed(SocketClosed(socket, 1006))
    assert (driver.machine.retry_at or 0) - driver.now <= SECOND


def test_a_platform_that_asks_for_patience_gets_it() -> None:
    driver = Driver().open(ONE)
    (socket,) = driver.sockets
    driver.feed(SocketClosed(socket, 1013, "retry after 40"))
    assert driver.machine.retry_at == driver.now + 40 * SECOND


def test_a_socket_that_is_about_to_close_is_replaced_before() -> None:
    driver = Driver().open(ONE)
    (old,) = driver.sockets
    (opened,) = driver.feed(Heard(old, Sign.CLOSING))
    assert isinstance(opened, OpenSocket)
    assert opened.uri == "wss://x/channel-1"
    driver.feed(SocketOpened(opened.connection))
    assert driver.sockets == {old, opened.connection}
    driver.wait(5 * SECOND)
    assert driver.sockets == {opened.connection}
    assert (driver.machine.state, driver.machine.reconnects) == ("OPEN", 0)


@pytest.mark.parametrize(
    "said",
    [[SocketClosed(0, 1001)], [Heard(0, SUBSCRIBED), SocketClosed(0, 1000)], [Heard(0, SUBSCRIBED)]],
    ids=["close", "word and close", "word"],
)
def test_what_the_next_socket_ends_is_no_gap_though_word_of_that_comes_first(said: list[SocketClosed | Heard]) -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.wait(SECOND)
    for given in said:
        driver.feed(replace(given, connection=old))
        assert (driver.machine.state, driver.machine.error, driver.machine.channels) == ("OPEN", None, 1)
    driver.wait(2 * SECOND - 1)
    driver.feed(SocketOpened(new))
    driver.wait_live(HOUR)
    assert driver.sockets == {new}
    assert (driver.machine.state, driver.machine.error, driver.machine.reconnects) == ("OPEN", None, 0)


def test_a_next_socket_that_is_not_there_in_time_is_a_gap_and_no_new_attempt() -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.feed(SocketClosed(old, 1001))
    assert driver.said(OpenSocket, driver.wait(2 * SECOND)) == []
    assert (driver.machine.state, driver.sockets) == ("CONNECTING", {new})
    driver.feed(SocketOpened(new))
    assert (driver.machine.state, driver.machine.reconnects) == ("OPEN", 1)
    (opened,) = driver.said(OpenSocket, driver.feed(Heard(new, Sign.CLOSING)))
    driver.feed(SocketClosed(new, 1001))
    driver.feed(SocketOpened(opened.connection))
    assert (driver.machine.state, driver.machine.reconnects) == ("OPEN", 1), "the next move is as good as the first"


@pytest.mark.parametrize("failed", [SocketClosed(0, None, "refused"), HandshakeRefused(0, 404)], ids=["lost", "gone"])
def test_a_next_socket_that_fails_where_it_is_the_only_one_ends_the_channel(
    failed: SocketClosed | HandshakeRefused,
) -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.feed(SocketClosed(old, 1001))
    driver.feed(replace(failed, connection=new))
    assert (driver.machine.state, driver.sockets) == ("DISCONNECTED", set())
    (asked,) = driver.said(Prepare, driver.wait(SECOND))
    assert asked.channel_id == (None if isinstance(failed, HandshakeRefused) else "channel-1")


@pytest.mark.parametrize("ends", [True, False], ids=["fails", "hangs"])
def test_a_channel_that_was_given_up_while_its_next_socket_was_opened_says_why(ends: bool) -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.feed(Heard(old, SUBSCRIBED))
    if ends:
        driver.feed(HandshakeRefused(new, 404))
    else:
        driver.wait(2 * SECOND)
    assert (driver.machine.state, driver.sockets) == ("DISCONNECTED", set())
    assert "more than 20 are in use" in (driver.machine.error or "")
    (asked,) = driver.said(Prepare, driver.wait(SECOND))
    assert asked.channel_id is None


@pytest.mark.parametrize("code", [1006, None])
def test_a_socket_that_is_lost_while_the_next_one_is_opened_is_a_gap(code: int | None) -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    driver.feed(SocketClosed(old, code))
    assert (driver.machine.state, driver.sockets) == ("CONNECTING", {new})
    driver.feed(SocketOpened(new))
    assert driver.machine.state == "OPEN"


def test_the_announced_end_of_a_socket_is_a_gap_where_no_next_one_has_come_about() -> None:
    driver = Driver().open(ONE)
    old, new = moving(driver)
    for _ in range(2):
        driver.wait_live(19 * SECOND)
        driver.feed(SocketClosed(new, None, "refused"))
        driver.sockets.discard(new)
        (opened,) = driver.said(OpenSocket, driver.wait_live(5 * SECOND))
        new = opened.connection
    driver.wait_live(2 * SECOND)
    driver.feed(SocketClosed(old, 1001))
    assert driver.machine.state == "CONNECTING", "the platform sends nothing to where nobody is"
    driver.feed(SocketOpened(new))
    assert driver.machine.state == "OPEN"


def test_a_new_socket_that_fails_is_tried_again_while_the_old_one_lives() -> None:
    driver = Driver().open(ONE)
    (old,) = driver.sockets
    (opened,) = driver.feed(Heard(old, Sign.CLOSING))
    assert isinstance(opened, OpenSocket)
    driver.feed(SocketClosed(opened.connection, None, "refused"))
    driver.sockets.discard(opened.connection)
    (again,) = driver.said(OpenSocket, driver.wait(5 * SECOND))
    driver.feed(SocketOpened(again.connection))
    assert driver.machine.state == "OPEN"
