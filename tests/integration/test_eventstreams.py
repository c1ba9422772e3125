"""The Event Streams source over real sockets: against the simulated platform, and against servers that misbehave."""

import base64
import contextlib
import gc
import hashlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from journeymap.errors import ConfigurationError
from journeymap.model.time import HOUR, MINUTE
from journeymap.protocol.frames import MAX_FRAME
from journeymap.protocol.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
from journeymap.source.steady import monotonic_ms
from journeymap.testing import frame
from tests.running import Running

OPEN = ConnectionState.OPEN
DISCONNECTED = ConnectionState.DISCONNECTED
CONNECTING = ConnectionState.CONNECTING


@pytest.fixture
def platform():
    with SimulatedPlatform() as running:
        yield running


@pytest.fixture(scope="module")
def shared():
    """For tests that leave the platform as they found it."""
    with SimulatedPlatform() as running:
        yield running


def source_for(platform, random=None, steady=monotonic_ms, ledger=None, **changes) -> EventStreamsSource:
    settings = {
        "login_url": platform.login_url,
        "api_url": platform.api_url,
        "stream_url": platform.stream_url,
        "client_id": platform.client_id,
        "client_secret": platform.client_secret,
    }
    config = EventStreamsConfig(**settings | changes)
    return EventStreamsSource(config, SystemClock().now, random or Random(1), steady, ledger)


class Hasty(Random):
    """Waits as little as the backoff allows."""

    def random(self):
        return 0.0


class Misbehaving:
    """A TCP server on loopback that does with each connection what it is told."""

    def __init__(self, behave: Callable[[socket.socket, bytes], None]) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for held in (self._listener, *self._held):
            held.close()

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(connected)
            connected.settimeout(5)
            request = connected.recv(65_536)
            self.requests.append(request)
            self._behave(connected, request)

    def wait_for_requests(self, count: int) -> None:
        until = time.monotonic() + 5
        while len(self.requests) < count:
            assert time.monotonic() < until
            time.sleep(0.002)


def say_nothing(_connected: socket.socket, _request: bytes) -> None:
    pass


def shake_hands(connected: socket.socket, request: bytes) -> None:
    """Answer the handshake as RFC 6455 says, and then nothing any more."""
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connected.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def answer(status: str, *headers: str) -> Callable[[socket.socket, bytes], None]:
    def behave(connected: socket.socket, _request: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers, "", ""]
        connected.sendall("\r\n".join(lines).encode())
        connected.close()

    return behave


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


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


class Ahead:
    """A clock for waits that can be put forward."""

    def __init__(self):
        self._ahead = 0

    def __call__(self):
        return monotonic_ms() + self._ahead

    def advance(self, length):
        self._ahead += length


PATIENT = Limits(proof=2 * HOUR, silence=2 * HOUR, answer=2 * HOUR, token=2 * HOUR)
"""For clocks that are put forward by as much as a token lives."""


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
        threads.append(threading.Thread(target=drip, args=(connected,)))
        threads[-1].start()

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
