"""The Event Streams source over real sockets, against servers that misbehave, and with settings that are wrong."""

import contextlib
import threading
from random import Random

import pytest

from journeymap.errors import ConfigurationError
from journeymap.protocol.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
from tests.eventstreams import (
    DISCONNECTED,
    OPEN,
    Hasty,
    Misbehaving,
    answer,
    closed_port,
    say_nothing,
    shake_hands,
    source_for,
)
from tests.running import Running

# Failures


def test_a_server_that_is_not_there_yet():
    address = closed_port()
    port = int(address.rsplit(":", 1)[1])
    with SimulatedPlatform() as credentials:
        changes = {
            "login_url": f"http://{address}",
            "api_url": f"http://{address}",
            "stream_url": f"ws://{address}/stream",
        }
        source = source_for(credentials, **changes)
    with Running(source) as running:
        status = running.wait(lambda status: status.next_attempt_at is not None)
        assert status.state is DISCONNECTED
        assert "nothing listens" in status.error
        with SimulatedPlatform(port=port):
            status = running.wait(lambda status: status.state is OPEN, 10)
            assert status.error is None
            running.stop(2)


@pytest.mark.parametrize("conversation", ["login", "api"])
def test_an_answer_that_trickles_without_an_end_does_not_hold_up_the_next_request(shared, conversation):
    ending = threading.Event()

    def trickle(connected, _request):
        # Each byte is in time; only all of them never come.
        connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        thread = threading.Thread(target=drip, args=(connected,))
        thread.start()
        threads.append(thread)  # only now: whoever joins it may be quicker

    def drip(connected):
        with contextlib.suppress(OSError):
            while not ending.wait(0.05):
                connected.sendall(b" ")

    threads = []
    with Misbehaving(trickle) as server:
        changes = {f"{conversation}_url": f"http://{server.address}"}
        limits = Limits(token=200, answer=200)
        with Running(source_for(shared, Hasty(), request_timeout=5_000, limits=limits, **changes)) as running:
            running.wait(lambda _: len(server.requests) >= 3)
            assert "answer" in running.source.status().error
        ending.set()
        for thread in threads:
            thread.join()


def test_retry_after_on_the_handshake_is_obeyed(shared):
    with Misbehaving(answer("503 Service Unavailable", "Retry-After: 40")) as stream:
        with Running(source_for(shared, stream_url=f"ws://{stream.address}/stream")) as running:
            status = running.wait(lambda status: status.next_attempt_at is not None)
            assert 38_000 < status.next_attempt_at - SystemClock().now() <= 40_000
            running.source.retry()
            stream.wait_for_requests(2)


def test_a_redirect_does_not_carry_the_token_away(shared):
    with Misbehaving(say_nothing) as thief:
        with Misbehaving(answer("302 Found", f"Location: ws://{thief.address}/")) as stream:
            with Running(source_for(shared, stream_url=f"ws://{stream.address}/stream")) as running:
                running.wait(lambda status: status.error is not None)
        assert thief.requests == []


@pytest.mark.parametrize("what", ["connection", "callback"])
def test_a_mismatched_subscription_is_deleted_and_made_again(platform, caplog, what):
    platform.set_faults(mismatched_subscriptions=f"{what}:1")
    with Running(source_for(platform)) as running:
        status = running.wait(lambda status: status.state is OPEN)
        running.wait(lambda _: platform.stats()["subscriptions"] == 1)
        assert list(platform.platform.subscriptions) == [status.subscription_id]
    assert "does not match the live connection" in caplog.text


def test_a_silent_subscription_is_noticed_and_not_shown_as_live_again():
    with SimulatedPlatform(heartbeat=3_600) as platform:
        with Running(source_for(platform, Hasty(), limits=Limits(proof=150))) as running:
            first = running.wait(lambda status: status.state is OPEN)
            running.wait(lambda status: status.state is not OPEN)
            running.wait(lambda status: status.subscription_id not in {None, first.subscription_id})
            assert running.source.status().state is not OPEN
            platform.send(b"{}")
            running.wait(lambda status: status.state is OPEN)


def test_heartbeats_alone_keep_it_alive():
    with SimulatedPlatform(heartbeat=0.1) as platform:
        with Running(source_for(platform, limits=Limits(proof=600, silence=600, ping=10_000))) as running:
            first = running.wait(lambda status: status.state is OPEN)
            running.wait(lambda status: status.last_frame_at > first.since + 1_500)
            assert running.source.status().subscription_id == first.subscription_id


def test_pongs_keep_a_quiet_socket_alive_and_silence_ends_it(platform):
    with Misbehaving(shake_hands) as stream:
        limits = Limits(greeting=5_000, ping=50, silence=200)
        source = source_for(platform, stream_url=f"ws://{stream.address}/stream", limits=limits)
        with Running(source) as running:
            status = running.wait(lambda status: status.error is not None)
            assert "dead" in status.error
    with SimulatedPlatform(heartbeat=3_600) as quiet:
        with Running(source_for(quiet, limits=Limits(ping=50, silence=200, proof=1_000))) as running:
            first = running.wait(lambda status: status.state is OPEN)
            running.wait(lambda _: SystemClock().now() > first.since + 700)
            status = running.source.status()
            assert status.state is OPEN
            assert status.last_heard_at > status.last_frame_at  # pongs


def test_a_server_that_breaks_the_protocol(shared):
    def behave(connected, request):
        shake_hands(connected, request)
        connected.sendall(b"\x83\x03abc")

    with Misbehaving(behave) as stream:
        with Running(source_for(shared, stream_url=f"ws://{stream.address}/stream")) as running:
            status = running.wait(lambda status: status.error is not None)
            assert "1002" in status.error


# The configuration


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"login_url": "http://login.example"}, "LOGIN_URL"),
        ({"api_url": "http://192.0.2.1"}, "API_URL"),
        ({"stream_url": "ws://stream.example/stream"}, "STREAM_URL"),
        ({"stream_url": "https://stream.example"}, "STREAM_URL"),
        ({"login_url": "https://user:hidden@login.example"}, "LOGIN_URL"),
        ({"login_url": "nonsense"}, "LOGIN_URL"),
        ({"api_url": "https://[::1"}, "API_URL"),
        ({"client_id": ""}, "CLIENT_ID"),
        ({"client_secret": ""}, "CLIENT_SECRET"),
        ({"max_events_per_second": 0}, "MAX_EVENTS_PER_SECOND"),
    ],
)
def test_a_wrong_setting_is_named(changes, words):
    good = {
        "login_url": "https://login.example",
        "api_url": "https://api.example",
        "stream_url": "wss://stream.example/stream",
        "client_id": "id",
        "client_secret": "secret",
    }
    with pytest.raises(ConfigurationError, match=words) as caught:
        EventStreamsSource(EventStreamsConfig(**good | changes), SystemClock().now, Random(1))
    assert "hidden" not in str(caught.value)
    EventStreamsSource(EventStreamsConfig(**good), SystemClock().now, Random(1))
