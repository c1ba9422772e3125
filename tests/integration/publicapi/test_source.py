"""The notifications source over real sockets, against the simulated platform."""

from __future__ import annotations

import gc
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journeymap.model.time import MINUTE
from journeymap.protocol.notifications.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState, SourceStatus
from journeymap.source.notifications.source import NotificationsSource
from tests.notifications import IMPATIENT, QUICK, Observer, source_for, told
from tests.public_client import PublicClient
from tests.running import Running

OPEN, DISCONNECTED = ConnectionState.OPEN, ConnectionState.DISCONNECTED
CHANNELS = "/api/v2/notifications/channels"


def is_open(status: SourceStatus) -> bool:
    return status.state is OPEN


def again(times: int) -> Callable[[SourceStatus], bool]:
    return lambda status: status.state is OPEN and status.reconnects == times


@pytest.fixture
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(rate_limit=100_000, notification_heartbeat=0.2) as running:
        yield running


def topics_of(platform: SimulatedPlatform) -> list[set[str]]:
    """The topics of each channel that has a socket."""
    return platform._call(lambda: [set(channel.topics) for channel in platform.public.channels if channel.is_connected])


def queue_topics(platform: SimulatedPlatform) -> set[str]:
    queues = platform._call(lambda: list(platform.public.organisation.queues.by_id))
    return {f"v2.routing.queues.{queue}.conversations" for queue in queues}


# The usual course


def test_open_with_all_there_is_to_know(platform: SimulatedPlatform) -> None:
    with Running(source_for(platform)) as running:
        status = running.wait(is_open)
        assert topics_of(platform) == [queue_topics(platform)]
        assert (status.topic_channels, status.topics, status.topics_refused, status.notes) == (1, 5, 0, ())
        assert (status.error, status.refused, status.reconnects) == (None, False, 0)
        assert status.token_expires_at is not None
        assert 3_590_000 < status.token_expires_at - SystemClock().now() <= 3_600_000
        heard = running.wait(lambda status: status.last_heard_at).last_heard_at
        running.wait(lambda status: status.last_heard_at != heard)
        assert running.frames == [], "heartbeats and pongs end here"
        topic = next(iter(queue_topics(platform)))
        platform.notify(topic, {"id": "c1", "participants": []})
        (frame,) = running.wait_for_frames(1)
        assert json.loads(frame)["topicName"] == topic
    assert running.source.status().state is DISCONNECTED
    assert platform.public.stats()["topics"] == 0, "topics are given back"
    assert running.error is None


def test_2500_queues_take_three_channels_and_all_are_subscribed() -> None:
    with SimulatedPlatform(queues=2_500) as platform, Running(source_for(platform, limits=Limits())) as running:
        status = running.wait(is_open)
        assert (status.topic_channels, status.topics) == (3, 2_500)
        found = topics_of(platform)
        assert sorted(map(len, found)) == [500, 1_000, 1_000]
        assert set.union(*found) == queue_topics(platform)
        assert platform.public.stats()["channels"] == 3
        for topic in (min(topics) for topics in found):
            platform.notify(topic, {"id": topic, "participants": []})
        assert len(running.wait_for_frames(3)) == 3
        assert not [name for name in platform.stats()["answers"] if name.endswith(" 429")]


def test_a_low_limit_of_requests_slows_and_is_never_met() -> None:
    with SimulatedPlatform(queues=2_500, rate_limit=10) as platform:
        platform.set_faults(rate_window=1)
        with Running(source_for(platform, limits=Limits())) as running:
            running.wait(is_open, 20)
            assert topics_of(platform) != []
            assert not [name for name in platform.stats()["answers"] if name.endswith(" 429")]


def test_queues_that_are_opened_later_are_found(platform: SimulatedPlatform) -> None:
    with Running(source_for(platform)) as running:
        running.wait(is_open)
        platform.add_queue("Another")
        running.wait(lambda status: status.topics == 6)
        assert topics_of(platform) == [queue_topics(platform)]
        assert running.source.status().change_count == 2, "it never left OPEN"


def test_conversations_get_topics_of_their_own_and_lose_them(platform: SimulatedPlatform) -> None:
    conversation, contact = "3c8e2bd4-4f0d-4d7e-9a3a-0e8a4f1c2d3b", "9c8e2bd4-4f0d-4d7e-9a3a-0e8a4f1c2d3b"
    customer = {"purpose": "customer", "externalContactId": contact}
    with Running(source_for(platform)) as running:
        running.wait(is_open)
        topic = next(iter(queue_topics(platform)))
        platform.notify(topic, {"id": conversation, "participants": [customer]})
        running.wait(lambda status: status.topics == 7)
        assert (
            platform.notify(f"v2.detail.events.conversation.{conversation}.acw", {"conversationId": conversation}) == 1
        )
        assert platform.notify(f"v2.externalcontacts.contacts.{contact}", {"id": contact}) == 1
        platform.notify(f"v2.detail.events.conversation.{conversation}.customer.end", {"conversationId": conversation})
        running.wait_for_frames(4)
        running.wait(lambda status: status.topics == 5)
        assert topics_of(platform) == [queue_topics(platform)]


def test_without_detail_topics_on_sockets_it_says_so(platform: SimulatedPlatform) -> None:
    platform.set_faults(no_detail_topics=True)
    with Running(source_for(platform)) as running:
        status = running.wait(is_open)
        assert status.notes == (
            "detail events are not offered over a socket: conversations are seen as snapshots of queues",
        )
        assert status.error is None


def test_detail_topics_that_turn_out_not_to_be_there_are_given_up(platform: SimulatedPlatform) -> None:
    with Running(source_for(platform)) as running:
        running.wait(is_open)
        platform.set_faults(no_detail_topics=True)
        for number in range(4):
            body = {"id": f"3c8e2bd4-4f0d-4d7e-9a3a-00000000000{number}", "participants": []}
            platform.notify(next(iter(queue_topics(platform))), body)
        status = running.wait(lambda status: status.notes and status.topics_refused == 1)
        assert "v2.detail.events.conversation.{id} refused" in status.notes[0]
        assert "not available over this transport" in status.notes[0]
        assert status.state is OPEN
        running.wait(lambda _: topics_of(platform) == [queue_topics(platform)])


# Renewal and moves, make before break


def test_a_renewal_loses_no_event() -> None:
    with SimulatedPlatform(rate=50.0, rate_limit=100_000) as platform:
        queues = platform._call(lambda: list(platform.public.organisation.queues.by_id))
        with Observer(platform, queues) as observer:
            platform.set_faults(channel_life=4.5)  # a machine that is busy needs time to renew, too
            with Running(source_for(platform)) as running:
                running.wait(is_open)
                # What lies behind this on the observer's socket happened while the source was OPEN.
                platform.notify(f"v2.routing.queues.{queues[0]}.conversations", {"id": "marker", "participants": []})
                before = observer.wait_for(b'"marker"')
                until = time.monotonic() + 15
                made: set[str] = set()
                while len(made) < 4:
                    made |= platform._call(lambda: {channel.channel_id for channel in platform.public.channels})
                    assert time.monotonic() < until
                    time.sleep(0.02)
                status = running.source.status()
                assert (status.state, status.change_count, status.reconnects) == (OPEN, 2, 0)
                observer.stop()
                seen = told(observer.frames[before:])
                running.wait(lambda _: seen <= told(running.frames))
                assert len(seen) > 50


def test_a_token_that_ends_is_renewed_before_with_its_channels(platform: SimulatedPlatform) -> None:
    platform.set_faults(token_life=2)
    with Running(source_for(platform)) as running:
        first = running.wait(is_open).token_obtained_at
        running.wait(lambda status: status.token_obtained_at != first, 8)
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            assert running.source.status().state is OPEN
            time.sleep(0.01)
        assert running.source.status().change_count == 2


def test_a_socket_that_is_about_to_close_is_replaced(platform: SimulatedPlatform) -> None:
    topic = next(iter(queue_topics(platform)))
    with Running(source_for(platform)) as running:
        running.wait(is_open)
        (channel,) = platform._call(lambda: [channel.connection for channel in platform.public.channels])
        assert platform.act("socket_closing", grace=2) == 1
        running.wait(lambda _: platform._call(lambda: len(platform.public.connections())) == 2)
        platform.notify(topic, {"id": "during", "participants": []})
        running.wait(lambda _: platform._call(lambda: len(platform.public.connections())) == 1)
        assert platform._call(lambda: not channel.is_open)
        platform.notify(topic, {"id": "after", "participants": []})
        running.wait_for_frames(2)
        assert running.source.status().change_count == 2


# Losses


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_a_closed_socket_is_connected_to_the_same_channel_again(platform: SimulatedPlatform, code: int) -> None:
    with Running(source_for(platform)) as running:
        running.wait(is_open)
        platform.close_connections(code)
        status = running.wait(again(1))
        assert str(code) in (next(change.reason for change in status.changes if change.state is DISCONNECTED) or "")
        assert platform.public.stats()["channels"] == 1


@pytest.mark.parametrize("action", ["half_open", "drop", "break_protocol"])
def test_a_dead_socket_is_noticed(platform: SimulatedPlatform, action: str) -> None:
    with Running(source_for(platform, limits=IMPATIENT)) as running:
        running.wait(is_open)
        platform.act(action)
        running.wait(again(1))


def test_pings_that_nobody_answers_are_a_dead_socket(platform: SimulatedPlatform) -> None:
    platform.set_faults(pong_loss=True)
    with Running(source_for(platform, limits=IMPATIENT)) as running:
        running.wait(lambda status: status.reconnects == 1)
        assert any("a ping was not answered" in (change.reason or "") for change in running.source.status().changes)


def test_a_channel_that_is_gone_is_made_anew(platform: SimulatedPlatform) -> None:
    with Running(source_for(platform)) as running:
        running.wait(is_open)
        platform._call(lambda: [platform.public.channels.remove(one, "gone") for one in platform.public.channels])
        running.wait(again(1))
        assert topics_of(platform) == [queue_topics(platform)]


def test_a_token_that_was_revoked_is_replaced(platform: SimulatedPlatform) -> None:
    with Running(source_for(platform)) as running:
        first = running.wait(is_open).token_obtained_at
        platform.expire_tokens()
        status = running.wait(again(1))
        assert status.token_obtained_at != first
        assert any("the token of the channel was revoked" in (change.reason or "") for change in status.changes)


def test_a_client_that_uses_too_many_channels_is_said_to(platform: SimulatedPlatform) -> None:
    # Pings are use, and the channel goes that was unused longest.
    with Running(source_for(platform, limits=Limits())) as running, PublicClient(platform) as other:
        running.wait(is_open)
        for _ in range(19):
            other.connect(other.channel())
        other.channel()
        status = running.wait(again(1))
        assert any("more than 20 are in use" in (change.reason or "") for change in status.changes)


def test_a_platform_that_dies_and_comes_back() -> None:
    with SimulatedPlatform() as platform:
        running = Running(source_for(platform))
        running.__enter__()
        running.wait(is_open)
    try:
        status = running.wait(lambda status: status.state is DISCONNECTED and status.next_attempt_at)
        assert status.error
        with SimulatedPlatform(port=platform.port):
            running.wait(again(1), 10)
    finally:
        running.stop(5)


# Refusals


def test_a_wrong_secret_is_a_hard_error_until_retry(platform: SimulatedPlatform) -> None:
    platform.refuse_credentials()
    with Running(source_for(platform)) as running:
        status = running.wait(lambda status: status.refused)
        assert (status.state, status.next_attempt_at) == (DISCONNECTED, None)
        assert "CLIENT_SECRET" in (status.error or "")
        platform.refuse_credentials(False)
        time.sleep(0.05)
        assert running.source.status().refused
        running.source.retry()
        status = running.wait(is_open)
        assert (status.refused, status.error) == (False, None)


@pytest.mark.parametrize("permission", ["routing:queue:view", "conversation:communication:view"])
def test_a_role_without_which_nothing_is_seen_is_named(platform: SimulatedPlatform, permission: str) -> None:
    platform.set_faults(missing_permissions=permission)
    with Running(source_for(platform)) as running:
        status = running.wait(lambda status: status.refused)
        assert permission in (status.error or "")
        running.wait(lambda _: platform.public.stats()["sockets"] == 0)
        platform.reset_faults()
        running.source.retry()
        running.wait(is_open)


def test_a_role_without_which_less_is_seen_is_named(
    platform: SimulatedPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    platform.set_faults(missing_permissions="analytics:conversationDetail:view")
    with caplog.at_level(logging.WARNING), Running(source_for(platform)) as running:
        running.wait(is_open)
        platform.notify(next(iter(queue_topics(platform))), {"id": "c1", "participants": []})
        status = running.wait(lambda status: status.topics_refused)
        (note,) = status.notes
        assert "v2.detail.events.conversation" in note
        assert "lack analytics:conversationDetail:view" in note
        assert status.error is None
    assert any(note in record.message for record in caplog.records)


def test_a_socket_at_another_host_is_not_connected_to(platform: SimulatedPlatform) -> None:
    source = source_for(platform, stream_url=f"ws://localhost:{platform.port}")
    with Running(source) as running:
        status = running.wait(lambda status: status.refused)
        assert "127.0.0.1" in (status.error or "")
        assert "STREAM_URL" in (status.error or "")
        assert platform.public.stats()["sockets"] == 0


def test_secrets_are_not_logged(platform: SimulatedPlatform, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "journeymap"), Running(source_for(platform)) as running:
        running.wait(is_open)
        platform.drop_connections()
        running.wait(again(1))
    token = platform._call(lambda: next(iter(platform.platform.tokens)))
    assert token not in caplog.text
    assert platform.client_secret not in caplog.text


# The end


def held() -> tuple[int, int]:
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_after_many_starts_and_stops(platform: SimulatedPlatform) -> None:
    def once(wait: bool) -> None:
        with Running(source_for(platform)) as running:
            if wait:
                running.wait(is_open)

    once(True)
    time.sleep(0.2)
    threads, descriptors = held()
    for number in range(12):
        once(number % 3 > 0)
    until = time.monotonic() + 5
    while held()[0] > threads or held()[1] > descriptors:
        assert time.monotonic() < until, (held(), threads, descriptors)
        time.sleep(0.05)


@pytest.mark.parametrize("fault", ["", "hang"])
def test_it_stops_at_once(platform: SimulatedPlatform, fault: str) -> None:
    platform.set_faults(fail_api=fault)
    with Running(source_for(platform)) as running:
        running.wait(lambda status: status.state is not DISCONNECTED)
        time.sleep(0.1)
        assert running.stop(2) < 1.2


def test_limits_are_those_of_the_platform() -> None:
    limits = Limits()
    assert (limits.silence, limits.pong, limits.ping) == (95_000, 10_000, 20_000)
    assert limits.rediscovery == 5 * MINUTE
    assert NotificationsSource.live
    assert QUICK.silence == limits.silence
