"""The machine of the Notification Service: discovery, topic channels, losses, renewals, refusals, holding, the end."""

from __future__ import annotations

import pytest

from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.protocol.exchange import (
    CloseSocket,
    HandshakeRefused,
    HoldAsked,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
)
from journeymap.protocol.notifications.exchange import (
    Discover,
    Discovered,
    Heard,
    LetGo,
    OpenSocket,
    Prepare,
    Prepared,
    SetTopics,
)
from journeymap.protocol.notifications.frames import Seen, Sign, System
from journeymap.protocol.notifications.limits import USED_CHANNELS
from journeymap.protocol.notifications.topics import Refusal, contact_topic, detail_topic, queue_topic
from tests.unit.protocol.notifications.driving import FULL, PLAIN, Driver, queues, topics

ONE = queues(1)


# Discovery and channels


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


# Losses


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
    driver.feed(Heard(socket, System("no_longer_subscribed", "another_channel_subscribed")))
    assert "more than 20 are in use" in (driver.machine.error or "")
    (asked,) = driver.said(Prepare, driver.wait(MINUTE))
    assert (asked.channel_id, asked.older) == (None, 0)


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


# A socket that is about to be closed


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


def test_one_that_closes_before_the_new_one_is_there_is_a_gap_and_no_new_attempt() -> None:
    driver = Driver().open(ONE)
    (old,) = driver.sockets
    (opened,) = driver.feed(Heard(old, Sign.CLOSING))
    assert isinstance(opened, OpenSocket)
    driver.feed(SocketClosed(old, 1001))
    assert driver.machine.state == "CONNECTING"
    driver.feed(SocketOpened(opened.connection))
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


# Renewal


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


# Refusals


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


# Conversations' own topics


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


# Holding and the end


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
