"""What can be made to happen once to the simulated platform, its receipts, and the control endpoint."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websocket

from journeymap.errors import InputError
from journeymap.simulator.actions import ACTIONS
from journeymap.simulator.app import create_app
from journeymap.simulator.faults import TABLE
from journeymap.simulator.garbage import FORMS
from journeymap.simulator.platform import Manner, Platform
from journeymap.simulator.server import SimulatedPlatform
from tests.platform_client import LIMIT, Client, closed_with, events_of, eventually, frames, made_event

ROOT = Path(__file__).parents[2]
BRIEF = 0.3


@pytest.fixture
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(heartbeat=0.05) as running:
        yield running


@pytest.fixture
def client(platform: SimulatedPlatform) -> Iterator[Client]:
    with Client(platform) as client:
        yield client


def ids_of(platform: SimulatedPlatform) -> list[str]:
    return [event["eventId"] for event in platform.acknowledged()]


def test_an_event_is_acknowledged_once_the_client_has_read_on(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.send_events(made_event(1), made_event(2))
    eventually(lambda: client.platform.stats()["outstanding"] == 2)
    assert client.platform.stats()["sent"] == 2
    assert ids_of(client.platform) == [], "it has read nothing yet"
    seen = 0

    def acknowledged() -> bool:
        nonlocal seen
        seen += "eventId" in json.loads(stream.recv())
        return bool(ids_of(client.platform))

    eventually(acknowledged)
    assert seen == 2
    assert ids_of(client.platform) == ["made-1", "made-2"]
    stats = client.platform.stats()
    assert (stats["acknowledged"], stats["outstanding"]) == (2, 0)


def test_the_log_of_the_acknowledged_is_what_the_client_has(tmp_path: Path) -> None:
    sent, acknowledged = tmp_path / "sent.jsonl", tmp_path / "acknowledged.jsonl"
    with (
        SimulatedPlatform(rate=400, history=10, log=sent, acknowledged_log=acknowledged) as platform,
        Client(platform) as client,
    ):
        stream = client.open()
        got = frames(stream, lambda _: platform.stats()["acknowledged"] > 1_000)
        client.streams.remove(stream)
        stream.shutdown()  # without having read what is on its way
        eventually(lambda: platform.stats()["connections"] == 0)
        kept = platform.acknowledged()
    logged = [json.loads(line) for line in acknowledged.read_bytes().splitlines()]
    received = [
        event for frame in got for event in (frame if isinstance(frame, list) else frame.get("events", [frame]))
    ]
    assert logged == kept
    assert logged == received[: len(logged)]
    assert acknowledged.read_bytes() == sent.read_bytes()[: acknowledged.stat().st_size]


@pytest.mark.parametrize(("how", "expected"), [("reset", ConnectionResetError), ("fin", None)])
def test_drop(client: Client, how: str, expected: type[Exception] | None) -> None:
    stream = client.open()
    sock: socket.socket = stream.sock
    assert client.platform.act("drop", how=how) == 1
    received = b""
    try:
        while part := sock.recv(65_536):
            received += part
        ended = None
    except OSError as error:
        ended = type(error)
    assert ended is expected
    assert b"\x88" not in received, "no close frame"
    assert client.platform.stats()["subscriptions"] == 0


@pytest.mark.parametrize(("code", "reason"), [(1013, "retry after 5"), (1008, ""), (4401, "token expired"), (1012, "")])
def test_close(client: Client, code: int, reason: str) -> None:
    stream = client.open()
    client.platform.act("close", code=code, reason=reason)
    while True:
        opcode, data = stream.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
    assert (int.from_bytes(data[:2], "big"), data[2:].decode()) == (code, reason)


@pytest.mark.parametrize("body", [{"code": 1006}, {"code": 999}, {"reason": "é" * 100}])
def test_what_no_close_frame_can_hold_is_refused(client: Client, body: dict[str, object]) -> None:
    client.open()
    with pytest.raises(InputError, match=next(iter(body))):
        client.platform.act("close", **body)


def test_half_open_streams_say_nothing_and_stay(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.send_events(made_event(1))
    frames(stream, lambda got: True)
    assert client.platform.act("half_open") == 1
    time.sleep(0.1)  # what was on its way before
    stream.sock.setblocking(False)
    try:
        while stream.sock.recv(65_536):
            pass
    except BlockingIOError:
        pass
    before = client.platform.stats()
    client.platform.send_events(made_event(2))
    stream.sock.settimeout(BRIEF)
    stream.ping(b"are you there")
    with pytest.raises(TimeoutError):
        stream.sock.recv(1)
    stream.send_close(1000)
    with pytest.raises(TimeoutError):
        stream.sock.recv(1)
    after = client.platform.stats()
    assert after["sent"] == before["sent"] + 1, "the platform does not notice"
    assert after["acknowledged"] == before["acknowledged"]
    assert after["connections"] == after["subscriptions"] == 1
    stream.shutdown()
    eventually(lambda: client.platform.stats()["connections"] == 0)


def test_half_open_streams_stay_even_where_the_platform_ends_them(client: Client) -> None:
    stream = client.open()
    client.platform.act("half_open")
    client.platform.act("expire_tokens")
    eventually(lambda: client.platform.stats()["connections"] == 0)
    stream.sock.settimeout(BRIEF)
    received = True
    with contextlib.suppress(TimeoutError):
        while received := bool(stream.sock.recv(65_536)):
            pass
    assert received, "the end was to be seen"


def test_expire_tokens(client: Client) -> None:
    stream = client.open()
    assert client.platform.act("expire_tokens") == 1
    assert closed_with(stream) == 4401
    assert client.call("GET").status_code == 401


def test_break_protocol(client: Client) -> None:
    stream = client.open()
    client.platform.act("break_protocol")
    with pytest.raises(websocket.WebSocketProtocolException):
        closed_with(stream)


def test_silenced_subscriptions_stand_but_bring_nothing(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    assert client.platform.act("silence_subscriptions") == 1
    client.platform.send_events(made_event(1))
    assert client.platform.stats()["sent"] == 0
    stream.settimeout(BRIEF)
    with contextlib.suppress(websocket.WebSocketTimeoutException):
        for _ in range(100):
            assert json.loads(stream.recv()) == {"type": "heartbeat"}, "on its way before"
        pytest.fail("heartbeats went on")
    assert len(client.call("GET").json()["entities"]) == 1


def test_forgotten_subscriptions_are_gone_while_heartbeats_go_on(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    assert client.platform.act("forget_subscriptions") == 1
    client.platform.send_events(made_event(1))
    assert client.platform.stats()["sent"] == 0
    assert [json.loads(stream.recv()) for _ in range(5)] == [{"type": "heartbeat"}] * 5
    assert client.call("GET").json() == {"entities": []}


def test_garbage_comes_as_it_is(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    assert client.platform.act("garbage") == len(FORMS)
    assert client.platform.act("garbage", form="nan") == 1
    received: list[tuple[int, bytes]] = []
    while len(received) <= len(FORMS):
        opcode, data = stream.recv_data()
        if data != b'{"type":"heartbeat"}':
            received.append((opcode, data))
    expected = [*FORMS.values(), FORMS["nan"]]
    text, binary = websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY
    assert received == [(binary if out.binary else text, out.frame) for out in expected]
    assert client.platform.stats()["sent"] == 0
    with pytest.raises(InputError, match="form is 'lies'"):
        client.platform.act("garbage", form="lies")


@pytest.mark.parametrize("fragments", [1, 40])
def test_huge_frame(client: Client, fragments: int) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.act("huge_frame", size=2_000_000, fragments=fragments)
    [event] = frames(stream, lambda got: True)
    assert len(json.dumps(event, separators=(",", ":"))) == 2_000_000
    assert client.platform.stats()["sent"] == 0


def test_burst() -> None:
    with SimulatedPlatform(seed=7) as platform, Client(platform) as client:
        stream = client.open(maxEventsPerSecond=10)
        platform.wait_for_subscriptions()
        assert platform.act("burst", events=3_000) == 3_000
        first = events_of(frames(stream, lambda got: len(events_of(got)) == 3_000))
        now = time.time_ns() // 1_000_000
        assert all(now - 60_000 < event["timestamp"] <= now for event in first)
        times = [event["timestamp"] for event in first]
        assert times == sorted(times)
        assert times[-1] - times[0] < 2_000
        platform.act("burst", events=50)
        second = events_of(frames(stream, lambda got: len(events_of(got)) == 50))
        assert len({event["eventId"] for event in first + second}) == 3_050
        platform.act("throttle_frame")
        frames(stream, lambda got: got[-1].get("type") == "throttle")
        eventually(lambda: platform.stats()["sent"] == 3_050)


def test_repeat() -> None:
    with SimulatedPlatform(heartbeat=0.05) as platform, Client(platform) as client:
        stream = client.open()
        platform.wait_for_subscriptions()
        events = [made_event(number) for number in range(20)]
        platform.send_events(*events)
        assert platform.act("repeat", events=15) == 15
        assert platform.act("repeat", events=20, shuffled=True) == 20
        got = events_of(frames(stream, lambda got: len(events_of(got)) == 55))
        assert got[:35] == events + events[5:]
        assert got[35:] != events
        assert all(event in got[35:] for event in events)
        assert platform.stats()["sent"] == 55


def test_throttle_frame_and_raw_frame(client: Client) -> None:
    stream = client.open()
    client.platform.wait_for_subscriptions()
    client.platform.act("throttle_frame", dropped=7, retry_after=2)
    client.platform.act("raw_frame", text='{"type":"new.thing"}')
    got = frames(stream, lambda got: len(got) == 2)
    assert got == [{"type": "throttle", "retryAfterSeconds": 2, "dropped": 7}, {"type": "new.thing"}]


@pytest.mark.parametrize(("only", "struck"), [("oldest", 0), ("newest", 1)])
def test_one_stream_of_several(client: Client, only: str, struck: int) -> None:
    streams = [client.open(), client.open()]
    assert client.platform.act("close", code=1012, only=only) == 1
    assert closed_with(streams[struck]) == 1012
    assert json.loads(streams[1 - struck].recv()) == {"type": "heartbeat"}


def test_faults_over_the_control_endpoint(client: Client) -> None:
    control = "/control/faults"
    listed = client.http.get(control).json()["faults"]
    assert [row["name"] for row in listed] == list(TABLE)
    assert all(row["value"] == row["default"] and row["help"] and row["allowed"] for row in listed)
    changed = client.http.put(control, json={"fail_tokens": "503:1", "retry_after": 4})
    assert changed.status_code == 200
    assert {row["name"]: row["value"] for row in changed.json()["faults"]}["fail_tokens"] == "503:1"
    assert client.ask_token().headers["retry-after"] == "4"
    assert client.ask_token().status_code == 200
    reset = client.http.delete(control).json()["faults"]
    assert reset == listed


def test_actions_over_the_control_endpoint(client: Client) -> None:
    stream = client.open()
    listed = client.http.get("/control/actions").json()["actions"]
    assert [row["name"] for row in listed] == list(ACTIONS)
    assert client.http.post("/control/actions/expire_tokens").json() == {"action": "expire_tokens", "concerned": 1}
    assert closed_with(stream) == 4401
    stream = client.open()
    answer = client.http.post("/control/actions/close", json={"code": 1013, "reason": "retry after 2"})
    assert answer.json() == {"action": "close", "concerned": 1}
    assert closed_with(stream) == 1013


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("PUT", "faults", b'{"throttle": -1}', "throttle is -1, allowed are whole numbers"),
        ("PUT", "faults", b'{"throtle": 1}', "no fault is named 'throtle'"),
        ("PUT", "faults", b"[]", "the body is not a JSON object"),
        ("PUT", "faults", b"{", "the body is not a JSON object"),
        ("PUT", "faults", b'"\xff"', "the body is not a JSON object"),
        ("PUT", "faults", b"[" * 60_000, "the body is not a JSON object"),
        ("PUT", "faults", b'{"throttle": ' + b"[" * 60_000, "the body is not a JSON object"),
        ("PUT", "faults", b'{"token_life": 1' + b"0" * 400 + b"}", "token_life is 1"),
        ("PUT", "faults", b'{"throttle": 1' + b"0" * 400 + b"}", "throttle is 1"),
        ("POST", "actions/drop", b'{"how": "softly"}', "Invalid enum value 'softly'"),
        ("POST", "actions/close", b'{"code": 1006}', "code is 1006"),
        ("POST", "actions/explode", b"", "no action is named 'explode'"),
    ],
)
def test_what_is_wrong_is_said(client: Client, method: str, path: str, body: bytes, said: str) -> None:
    answer = client.http.request(method, "/control/" + path, content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def simulate(*options: str) -> list[str]:
    return [sys.executable, "-m", "journeymap", "simulate", "--port", "0", *options]


def test_the_command_begins_with_faults() -> None:
    command = simulate("--json", "--exit-with-parent", "--fault", "refuse_tokens=403", "--fault", "no_greeting")
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        ready = json.loads(process.stdout.readline())
        faults = httpx.get(ready["api_url"] + "/control/faults", timeout=LIMIT).json()["faults"]
        set_ones = {row["name"]: row["value"] for row in faults if row["value"] != row["default"]}
        assert set_ones == {"refuse_tokens": "403", "no_greeting": True}
        assert httpx.post(ready["login_url"] + "/oauth/token", timeout=LIMIT).status_code == 403
        process.stdin.close()
        assert process.wait(LIMIT) == 0


def test_the_command_lists_and_checks_faults() -> None:
    listed = subprocess.run(simulate("--list-faults"), cwd=ROOT, capture_output=True, text=True, check=True)
    for name in (*TABLE, *ACTIONS):
        assert f"\n{name}" in listed.stdout
    wrong = subprocess.run(simulate("--fault", "throttle=much"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "--fault: throttle is 'much', allowed are whole numbers" in wrong.stderr


@pytest.mark.parametrize(
    ("address", "allowed", "status"),
    [
        ("127.0.0.1", False, 200),
        ("::1", False, 200),
        ("::ffff:127.0.0.1", False, 200),
        ("192.0.2.7", False, 403),
        ("2001:db8::7", False, 403),
        ("192.0.2.7", True, 200),
    ],
)
def test_other_machines_have_no_control(address: str, allowed: bool, status: int) -> None:
    async def ask() -> httpx.Response:
        app = create_app(Platform(Manner(remote_control=allowed)), lambda _: None)
        transport = httpx.ASGITransport(app, client=(address, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
            return await client.put("/control/faults", json={"throttle": 1}, headers={"X-Forwarded-For": "127.0.0.1"})

    assert asyncio.run(ask()).status_code == status
