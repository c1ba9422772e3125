"""Lasting faults of the simulated platform, seen by a real client: each does what its help says."""

import json
import socket
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
import websocket

from journeymap.simulator.garbage import FORMS
from journeymap.simulator.server import SimulatedPlatform
from tests.platform_client import LIMIT, SUBSCRIPTIONS, Client, closed_with, eventually, frames, made_event

BRIEF = 0.3
"""So many seconds without a sign are silence, beside a heartbeat each 50 ms."""


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(heartbeat=0.05) as running:
        yield running


@pytest.fixture
def platform(shared: SimulatedPlatform) -> Iterator[SimulatedPlatform]:
    yield shared
    shared.reset_faults()


@pytest.fixture
def client(platform: SimulatedPlatform) -> Iterator[Client]:
    with Client(platform) as client:
        yield client


def hangs(client: Client, method: str, path: str, **more: Any) -> bool:
    with pytest.raises(httpx.ReadTimeout):
        client.call(method, path, timeout=BRIEF, **more)
    return True


def refused(client: Client) -> tuple[int, dict[str, str]]:
    """How a handshake is refused: the status and the headers."""
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        client.connect()
    return refusal.value.status_code, dict(refusal.value.resp_headers)


def falls_silent(stream: websocket.WebSocket) -> bool:
    """Whether nothing comes for a while, though heartbeats are due, once what was on its way has come."""
    stream.settimeout(BRIEF)
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            assert json.loads(stream.recv()) == {"type": "heartbeat"}
        except websocket.WebSocketTimeoutException:
            return True
    return False


def test_token_life(client: Client) -> None:
    client.platform.set_faults(token_life=1)
    started = time.monotonic()
    stream = client.open()
    assert closed_with(stream) == 4401
    assert time.monotonic() - started > 0.9
    assert client.ask_token().json()["expires_in"] == 1
    client.platform.reset_faults()
    assert client.ask_token().json()["expires_in"] == 3600


def test_missing_scope(client: Client) -> None:
    client.platform.set_faults(missing_scope="interaction.read")
    assert client.ask_token(scope="eventstream.read interaction.read").json()["scope"] == "eventstream.read"


@pytest.mark.parametrize(
    ("status", "error"), [(400, "unauthorized_client"), (401, "invalid_client"), (403, "access_denied")]
)
def test_refuse_tokens(client: Client, status: int, error: str) -> None:
    client.platform.set_faults(refuse_tokens=status)
    answer = client.ask_token()
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_fail_tokens(client: Client, status: int) -> None:
    client.platform.set_faults(fail_tokens=f"{status}:2", retry_after=7)
    for answer in (client.ask_token(), client.ask_token()):
        assert answer.status_code == status
        assert answer.headers.get("retry-after") == (None if status == 500 else "7")
    assert client.ask_token().status_code == 200


def test_retry_after_as_a_date_and_left_out(client: Client) -> None:
    client.platform.set_faults(fail_tokens=503, retry_after=90, retry_after_as_date=True)
    answer = client.ask_token()
    wait = parsedate_to_datetime(answer.headers["retry-after"]) - parsedate_to_datetime(answer.headers["date"])
    assert 88 <= wait.total_seconds() <= 92
    client.platform.set_faults(retry_after=0)
    assert "retry-after" not in client.ask_token().headers


def test_hanging_answers(client: Client) -> None:
    client.connect()
    client.platform.set_faults(fail_tokens="hang", fail_subscriptions="hang", fail_cleanup="hang", fail_metadata="hang")
    assert hangs(client, "POST", "/oauth/token")
    assert hangs(client, "POST", SUBSCRIPTIONS, json={})
    assert hangs(client, "GET", SUBSCRIPTIONS)
    assert hangs(client, "DELETE", SUBSCRIPTIONS + "/some")
    assert hangs(client, "GET", "/.well-known/oauth-authorization-server")


def test_garbage_answers(client: Client) -> None:
    client.connect()
    client.platform.set_faults(fail_tokens="garbage", fail_subscriptions="garbage", fail_metadata="garbage")
    for method, path in (
        ("POST", "/oauth/token"),
        ("POST", SUBSCRIPTIONS),
        ("GET", "/.well-known/oauth-authorization-server"),
    ):
        answer = client.call(method, path)
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_fail_metadata(client: Client) -> None:
    client.platform.set_faults(fail_metadata=404)
    assert client.http.get("/.well-known/oauth-authorization-server").status_code == 404
    assert client.ask_token().status_code == 200


@pytest.mark.parametrize("status", [401, 403])
def test_refuse_handshakes(client: Client, status: int) -> None:
    client.platform.set_faults(refuse_handshakes=status)
    assert refused(client)[0] == status


@pytest.mark.parametrize("status", [429, 500, 503])
def test_fail_handshakes(client: Client, status: int) -> None:
    client.platform.set_faults(fail_handshakes=status, retry_after=9)
    seen, headers = refused(client)
    assert seen == status
    assert headers.get("retry-after") == (None if status == 500 else "9")


def test_a_hanging_handshake_leaves_nothing_behind(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.platform.set_faults(fail_handshakes="hang")
    token = client.ask_token().json()["access_token"]
    stream = websocket.WebSocket()
    stream.settimeout(BRIEF)
    with pytest.raises(websocket.WebSocketTimeoutException):
        stream.connect(client.platform.stream_url, header=[f"Authorization: Bearer {token}"])
    stream.shutdown()
    client.platform.reset_faults()
    client.open()
    eventually(lambda: client.platform.stats()["connections"] == 1)
    assert capfd.readouterr().err == ""


def test_a_platform_stops_in_spite_of_those_who_hang(capfd: pytest.CaptureFixture[str]) -> None:
    with SimulatedPlatform() as platform, Client(platform) as client:
        client.open()
        platform.act("half_open")
        platform.set_faults(fail_tokens="hang", fail_handshakes="hang:1")
        with pytest.raises(websocket.WebSocketTimeoutException):
            websocket.create_connection(platform.stream_url, timeout=BRIEF)
        host, _, port = platform.api_url.removeprefix("http://").partition(":")
        waiting = socket.create_connection((host, int(port)))
        waiting.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n")
        eventually(lambda: platform.platform.faults.fail_handshakes == "")
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert b"503" in waiting.recv(4096)
    waiting.close()
    assert capfd.readouterr().err == ""


def test_no_greeting(client: Client) -> None:
    client.platform.set_faults(no_greeting=True)
    stream = client.connect()
    assert json.loads(stream.recv()) == {"type": "heartbeat"}
    answer = client.subscribe(client.platform.stream_url + "/api/v2/eventstreams/callbacks")
    assert answer.status_code == 201


@pytest.mark.parametrize("status", [401, 403, 409])
def test_refuse_subscriptions(client: Client, status: int) -> None:
    url = json.loads(client.connect().recv())["callbackUrl"]
    client.platform.set_faults(refuse_subscriptions=f"{status}:1")
    assert client.subscribe(url).status_code == status
    assert client.subscribe(url).status_code == 201


@pytest.mark.parametrize("status", [429, 500, 503])
def test_fail_subscriptions(client: Client, status: int) -> None:
    url = json.loads(client.connect().recv())["callbackUrl"]
    client.platform.set_faults(fail_subscriptions=f"{status}:1", retry_after=3)
    answer = client.subscribe(url)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == (None if status == 500 else "3")
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.subscribe(url).status_code == 201


def test_fail_cleanup(client: Client) -> None:
    client.open()
    [known] = client.call("GET").json()["entities"]
    client.platform.set_faults(fail_cleanup="503:2")
    assert client.call("GET").status_code == client.call("DELETE", f"{SUBSCRIPTIONS}/{known['id']}").status_code == 503
    assert client.call("DELETE", f"{SUBSCRIPTIONS}/{known['id']}").status_code == 204


@pytest.mark.parametrize("what", ["connection", "callback"])
def test_mismatched_subscriptions(client: Client, what: str) -> None:
    stream = client.connect()
    opened = json.loads(stream.recv())
    client.platform.set_faults(mismatched_subscriptions=what)
    answer = client.subscribe(opened["callbackUrl"]).json()
    same = {name: answer[name] == opened[name] for name in ("connectionId", "callbackUrl")}
    assert same == {"connectionId": what != "connection", "callbackUrl": what != "callback"}
    client.platform.send_events(made_event(1))
    assert falls_silent(stream)


def test_silent_subscriptions_stay_silent_until_they_are_deleted(client: Client) -> None:
    client.platform.set_faults(silent_subscriptions=True)
    stream = client.connect()
    url = json.loads(stream.recv())["callbackUrl"]
    dead = client.subscribe(url).json()
    client.platform.reset_faults()
    client.platform.send_events(made_event(1))
    assert falls_silent(stream)
    assert client.call("DELETE", f"{SUBSCRIPTIONS}/{dead['id']}").status_code == 204
    assert client.subscribe(url).status_code == 201
    client.platform.wait_for_subscriptions()
    client.platform.send_events(made_event(2))
    assert frames(stream, lambda got: True)[0]["eventId"] == "made-2"


def test_heartbeat_loss(client: Client) -> None:
    client.platform.set_faults(heartbeat_loss=True)
    stream = client.open()
    client.platform.wait_for_subscriptions()
    assert falls_silent(stream)
    client.platform.send_events(made_event(1))
    assert json.loads(stream.recv())["eventId"] == "made-1"
    client.platform.reset_faults()
    assert json.loads(stream.recv()) == {"type": "heartbeat"}


def test_lingering_subscriptions_count_until_they_are_deleted(client: Client) -> None:
    platform = client.platform
    platform.set_faults(lingering_subscriptions=True, subscription_limit=2)
    for _ in range(2):
        client.open()
        platform.act("drop")
    entities = client.call("GET").json()["entities"]
    assert len(entities) == platform.stats()["subscriptions"] == 2
    stream = client.connect()
    url = json.loads(stream.recv())["callbackUrl"]
    full = client.subscribe(url)
    assert full.status_code == 409
    assert "2 are allowed" in full.json()["detail"]
    assert client.call("DELETE", f"{SUBSCRIPTIONS}/{entities[0]['id']}").status_code == 204
    fresh = client.subscribe(url)
    assert fresh.status_code == 201
    platform.send_events(made_event(1))
    assert frames(stream, lambda got: True)[0]["eventId"] == "made-1"
    platform.reset_faults()
    eventually(lambda: [one["id"] for one in client.call("GET").json()["entities"]] == [fresh.json()["id"]])


def test_pong_loss(client: Client) -> None:
    stream = client.connect()

    def received_after_a_ping(frames: int) -> Iterator[tuple[int, bytes]]:
        stream.ping(b"hello")
        return (stream.recv_data(control_frame=True) for _ in range(frames))

    pong = (websocket.ABNF.OPCODE_PONG, b"hello")
    assert pong in received_after_a_ping(200)
    client.platform.set_faults(pong_loss=True)
    assert pong not in received_after_a_ping(6)
    client.platform.reset_faults()
    assert pong in received_after_a_ping(200)


def test_latency(client: Client) -> None:
    client.platform.set_faults(latency=0.4)
    started = time.monotonic()
    assert client.ask_token().status_code == 200
    assert time.monotonic() - started >= 0.4
    stream = client.open()
    client.platform.wait_for_subscriptions()
    started = time.monotonic()
    client.platform.send_events(*map(made_event, range(5)))
    got = frames(stream, lambda got: len(got) == 5)
    assert time.monotonic() - started >= 0.4
    assert [event["eventId"] for event in got] == [f"made-{number}" for number in range(5)]


def test_a_slow_line_takes_close_frames_too(client: Client) -> None:
    stream = client.open()
    client.platform.set_faults(latency=1.2, slow_frames=0.2)
    client.platform.act("close", code=1013)
    assert closed_with(stream) == 1013


def test_a_platform_stops_in_spite_of_slow_lines(capfd: pytest.CaptureFixture[str]) -> None:
    with SimulatedPlatform() as platform, Client(platform) as client:
        client.open()
        platform.wait_for_subscriptions()
        platform.set_faults(latency=30, slow_frames=30)
        platform.send_events(made_event(1))
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert capfd.readouterr().err == ""


def test_slow_frames_come_whole_in_the_end(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.set_faults(slow_frames=0.8, heartbeat_loss=True)
    client.platform.send_events(*map(made_event, range(3)))
    pieces: list[bytes] = []
    started = time.monotonic()
    while len(pieces) < 4:
        pieces.append(stream.sock.recv(65_536))
    assert time.monotonic() - started >= 0.2
    assert b"made-2" not in b"".join(pieces)
    while b"made-2" not in b"".join(pieces):
        pieces.append(stream.sock.recv(65_536))
    assert b'"made-0"' in b"".join(pieces)


def test_answers_are_counted(client: Client) -> None:
    before = client.platform.stats()["answers"]
    client.platform.set_faults(fail_tokens="503:1")
    client.ask_token()
    client.open()
    client.call("GET")
    after = client.platform.stats()["answers"]
    for counted, times in {
        "POST /oauth/token 503": 1,
        "POST /oauth/token 200": 1,
        "GET /stream 101": 1,
        f"POST {SUBSCRIPTIONS} 201": 1,
        f"GET {SUBSCRIPTIONS} 200": 1,
    }.items():
        assert after[counted] - before.get(counted, 0) == times, counted


@pytest.mark.parametrize(
    ("fault", "sign"),
    [
        ("drop_every", {"reset", "fin"}),
        ("close_every", {1000, 1001, 1008, 1011, 1012, 1013, 4401}),
        ("half_open_every", {"silence"}),
        ("break_protocol_every", {"protocol"}),
        ("expire_tokens_every", {4401}),
        ("silence_subscriptions_every", {"silence"}),
    ],
)
def test_chance_ends_a_stream(client: Client, fault: str, sign: set[object]) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.set_faults(**{fault: 0.1})
    stream.settimeout(BRIEF if sign == {"silence"} else LIMIT)
    assert how_it_ends(stream) in sign


def how_it_ends(stream: websocket.WebSocket) -> object:
    try:
        return closed_with(stream)
    except websocket.WebSocketTimeoutException:
        return "silence"
    except websocket.WebSocketProtocolException:
        return "protocol"
    except ConnectionResetError:
        return "reset"
    except websocket.WebSocketConnectionClosedException:
        return "fin"


def test_chance_sends_garbage_and_bursts(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.set_faults(garbage_every=0.1)
    while stream.recv_data()[1] != FORMS["null_bytes"].frame:
        pass
    client.platform.reset_faults()
    client.platform.set_faults(burst_every=0.1)
    eventually(lambda: client.platform.stats()["sent"] >= 1_000)
