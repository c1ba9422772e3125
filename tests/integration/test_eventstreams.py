"""The Event Streams source over real sockets, against the simulated platform: the usual course, tokens, the end."""

import gc
import logging
import threading
import time
from pathlib import Path

import pytest

from journeymap.model.time import MINUTE
from journeymap.protocol.frames import MAX_FRAME
from journeymap.protocol.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState
from journeymap.testing import frame
from tests.eventstreams import (
    DISCONNECTED,
    OPEN,
    PATIENT,
    Ahead,
    Hasty,
    Misbehaving,
    answer,
    closed_port,
    say_nothing,
    shake_hands,
    source_for,
)
from tests.running import Running

CONNECTING = ConnectionState.CONNECTING


# The usual course


def test_open_with_all_there_is_to_know(platform):
    with Running(source_for(platform)) as running:
        status = running.wait(lambda status: status.state is OPEN)
        platform.wait_for_subscriptions()
        (subscription,) = platform.platform.subscriptions.values()
        assert status.subscription_id == subscription.subscription_id
        assert status.connection_id == subscription.connection.connection_id
        assert 3_590_000 < status.token_expires_at - SystemClock().now() <= 3_600_000
        assert 3_590_000 < status.token_expires_at - status.token_obtained_at <= 3_600_000
        assert status.max_events_per_second == 50
        assert (status.error, status.refused, status.reconnects) == (None, False, 0)
        assert subscription.request.max_events_per_second == 50
        assert len(subscription.request.filters.event_types) == 5
    assert platform.stats()["subscriptions"] == 0


def test_connects_again_after_a_drop_and_misses_nothing_later(platform):
    with Running(source_for(platform, Hasty())) as running:
        for round_ in range(5):
            running.wait(lambda status, times=round_: status.state is OPEN and status.reconnects == times)
            platform.wait_for_subscriptions()
            platform.send(b"%d" % round_)
            running.wait_for_frames(round_ + 1)
            platform.drop_connections()
        assert running.frames == [b"0", b"1", b"2", b"3", b"4"]
        running.wait(lambda status: status.reconnects == 5)


def test_control_frames_end_here_and_throttles_are_counted(platform):
    with Running(source_for(platform, max_events_per_second=1)) as running:  # there is nothing to lower
        platform.wait_for_subscriptions()
        for data in (
            b'{"type":"heartbeat"}',
            b'{"type":"throttle","retryAfterSeconds":1,"dropped":4}',
            b'{"type":"throttle","dropped":"many"}',
            b'{"type":"last"}',
        ):
            platform.send(data)
        assert running.wait_for_frames(1) == [b'{"type":"last"}']
        status = running.wait(lambda status: status.received == 1)
    assert (status.throttled, status.dropped) == (2, 4)


def test_garbage_is_delivered_and_a_huge_frame_does_not_stop_the_stream(platform):
    with Running(source_for(platform)) as running:
        platform.wait_for_subscriptions()
        huge = b'{"a":"' + b"x" * (3 * MAX_FRAME) + b'"}'
        for data in (b"", b"\xff\x00garbage", huge, b"[" * 5_000, frame("interaction.created", 1, "i")):
            platform.send(data)
        frames = running.wait_for_frames(5)
        assert frames[:2] == [b"", b"\xff\x00garbage"]
        assert len(frames[2]) == MAX_FRAME + 1
        assert frames[3:] == [b"[" * 5_000, frame("interaction.created", 1, "i")]
        assert running.source.status().state is OPEN


def test_the_token_goes_into_the_query_only_if_that_is_set():
    with SimulatedPlatform(token_in_query=True) as platform:
        with Running(source_for(platform, token_in_query=True)) as running:
            running.wait(lambda status: status.state is OPEN)


# Tokens


def test_a_wrong_secret_is_refused_and_no_further_request_is_made(platform, caplog):
    calls = []
    issue = platform.platform.issue_token
    platform.platform.issue_token = lambda: calls.append(1) or issue()
    source = source_for(platform, client_secret="a-wrong-secret", limits=Limits(ping=50))
    with caplog.at_level(logging.DEBUG), Running(source) as running:
        status = running.wait(lambda status: status.refused)
        assert status.state is DISCONNECTED
        assert status.next_attempt_at is None
        assert "CLIENT_SECRET" in status.error
        assert running.source._machine.next_due() is None
        assert running.stop(1) < 1
    assert calls == []
    assert "a-wrong-secret" not in caplog.text
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_an_operator_can_try_again_after_a_refusal(platform):
    platform.refuse_credentials()
    with Running(source_for(platform)) as running:
        running.wait(lambda status: status.refused)
        platform.refuse_credentials(False)
        running.source.retry()
        status = running.wait(lambda status: status.state is OPEN)
        assert not status.refused
        assert status.error is None


def test_an_expired_token_is_replaced_once(platform):
    with Running(source_for(platform)) as running:
        running.wait(lambda status: status.state is OPEN)
        platform.wait_for_subscriptions()
        platform.send(b"1")
        running.wait_for_frames(1)
        platform.expire_tokens()
        running.wait(lambda status: status.state is OPEN and status.reconnects == 1)
        assert not running.source.status().refused


def test_refused_again_after_the_fresh_token_is_a_hard_error(shared):
    with Misbehaving(answer("401 Unauthorized")) as stream:
        source = source_for(shared, stream_url=f"ws://{stream.address}/stream")
        with Running(source) as running:
            status = running.wait(lambda status: status.refused)
            assert status.state is DISCONNECTED
            assert "roles and scopes" in status.error
            assert len(stream.requests) == 2
            assert (
                len({line for request in stream.requests for line in request.split(b"\r\n") if b"Bearer" in line}) == 2
            )


def test_the_socket_moves_to_the_renewed_token_before_the_old_one_is_let_go():
    with SimulatedPlatform(heartbeat=0.1) as platform:
        states, steady = set(), Ahead()
        with Running(source_for(platform, steady=steady, limits=PATIENT)) as running:
            first = running.wait(lambda status: status.state is OPEN)
            running.wait(lambda _: platform.stats()["connections"] == 1)
            steady.advance(55 * MINUTE)

            def moved(status):
                states.add(status.state)
                return status.subscription_id not in {first.subscription_id, None}

            second = running.wait(moved)
            assert second.token_expires_at > first.token_expires_at
            # Not the limit, which would take half a minute, but the platform's answers say that the old one is empty.
            running.wait(lambda _: platform.stats()["connections"] == 1)
            assert running.source.status().reconnects == 0
        assert states == {OPEN}


def test_a_backlog_on_the_old_socket_is_read_to_its_end():
    with SimulatedPlatform(heartbeat=0.1) as platform:
        steady, taken, go_on = Ahead(), [], threading.Event()

        def deliver(data, _arrived_at):
            taken.append(data)
            if data == b"first":
                go_on.wait(10)

        with Running(source_for(platform, steady=steady, limits=PATIENT), deliver) as running:
            first = running.wait(lambda status: status.state is OPEN)
            platform.wait_for_subscriptions()
            platform.send(b"first")
            running.wait(lambda _: taken)
            for number in range(20):
                platform.send(b"%d" % number + b"x" * 500_000)
            steady.advance(55 * MINUTE)  # it comes to nobody's notice before the first frame is taken
            go_on.set()
            running.wait(lambda status: status.subscription_id not in {first.subscription_id, None}, 15)
            platform.send(b"end")
            running.wait(lambda _: platform.stats()["connections"] == 1, 15)
            running.wait(lambda _: taken.count(b"end") >= 1)
        numbers = [int(data.split(b"x")[0]) for data in taken if data.endswith(b"x")]
        assert numbers == list(range(20))


# The end


@pytest.mark.parametrize("phase", ["token", "handshake", "greeting", "subscription", "backoff", "refused", "open"])
def test_stop_is_quick_in_every_phase(shared, phase):
    behave = shake_hands if phase == "greeting" else say_nothing
    with Misbehaving(behave) as stuck:
        changes = {
            "token": {"login_url": f"http://{stuck.address}"},
            "handshake": {"stream_url": f"ws://{stuck.address}/stream"},
            "greeting": {"stream_url": f"ws://{stuck.address}/stream"},
            "subscription": {"api_url": f"http://{stuck.address}"},
            "backoff": {"stream_url": f"ws://{closed_port()}/stream"},
            "refused": {"client_secret": "wrong"},
            "open": {},
        }[phase]
        with Running(source_for(shared, **changes)) as running:
            match phase:
                case "backoff":
                    running.wait(lambda status: status.next_attempt_at is not None)
                case "refused":
                    running.wait(lambda status: status.refused)
                case "open":
                    running.wait(lambda status: status.state is OPEN)
                case _:
                    stuck.wait_for_requests(1)
                    assert running.source.status().state is CONNECTING
            assert running.stop(1) < 0.5
        assert running.error is None
        assert running.source.status().state is DISCONNECTED
    ours = [thread.name for thread in threading.enumerate() if thread.name.startswith("eventstreams")]
    assert ours == []


def test_nothing_is_left_after_thirty_runs(platform):
    def held() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    with Running(source_for(platform)) as running:
        running.wait(lambda status: status.state is OPEN)
    platform_settled(platform)
    before = held()
    for _ in range(30):
        with Running(source_for(platform)) as running:
            running.wait(lambda status: status.state is OPEN)
        platform_settled(platform)
    threads, descriptors = held()
    assert threads <= before[0]
    assert descriptors <= before[1]


def platform_settled(platform) -> None:
    until = time.monotonic() + 5
    while platform.stats()["connections"]:
        assert time.monotonic() < until
        time.sleep(0.002)
