"""The simulated platform over real sockets, asked by clients that share no code with it or with our source."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websocket

from journeymap.simulator.platform import Manner, Platform
from journeymap.simulator.server import Server, SimulatedPlatform
from journeymap.simulator.story import Story
from tests.platform_client import LIMIT, SCOPE, SUBSCRIPTIONS, Client, closed_with, events_of, frames

ROOT = Path(__file__).parents[2]


@pytest.fixture
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(heartbeat=0.1) as running:
        yield running


@pytest.fixture
def client(platform: SimulatedPlatform) -> Iterator[Client]:
    with Client(platform) as client:
        yield client


def test_metadata_leads_to_a_token(client: Client) -> None:
    metadata = client.http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["token_endpoint"] == client.platform.login_url + "/oauth/token"
    answer = client.ask_token()
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["scope"] == SCOPE


def test_token_errors_have_their_names(client: Client) -> None:
    def error(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["error"]

    assert error(client.ask_token(secret="wrong")) == (401, "invalid_client")
    assert error(client.ask_token(grant_type="password")) == (400, "unsupported_grant_type")
    assert error(client.ask_token(scope="admin")) == (400, "invalid_scope")
    assert error(client.ask_token(grant_type="")) == (400, "unsupported_grant_type")
    assert error(client.http.post("/oauth/token")) == (401, "invalid_client")
    client.platform.refuse_credentials()
    assert error(client.ask_token()) == (401, "invalid_client")
    client.platform.refuse_credentials(False)
    assert client.ask_token().status_code == 200


@pytest.mark.parametrize("token", ["", "unknown"])
def test_a_stream_needs_a_token_at_the_handshake(client: Client, token: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        client.connect(token, f"?access_token={client.ask_token().json()['access_token']}")
    assert refused.value.status_code == 401


def test_a_token_in_the_query_is_taken_where_that_is_switched_on() -> None:
    with SimulatedPlatform(token_in_query=True) as platform, Client(platform) as client:
        stream = client.connect("", "?access_token=" + client.ask_token().json()["access_token"])
        assert json.loads(stream.recv())["type"] == "connection.opened"


def test_nothing_but_heartbeats_before_a_subscription(client: Client) -> None:
    stream = client.connect()
    opened = json.loads(stream.recv())
    assert opened["type"] == "connection.opened"
    assert opened["callbackUrl"].startswith(client.platform.stream_url)
    client.platform.send(b"lost")
    assert [json.loads(stream.recv()) for _ in range(3)] == [{"type": "heartbeat"}] * 3
    answer = client.subscribe(opened["callbackUrl"])
    assert answer.status_code == 201
    assert answer.json().items() >= {"connectionId": opened["connectionId"], "status": "active"}.items()
    assert answer.json()["callbackUrl"] == opened["callbackUrl"]
    client.platform.wait_for_subscriptions()
    client.platform.send(b'{"exact":  1}')
    client.platform.send(b"not utf-8: \xff")
    seen: list[bytes] = []
    while len(seen) < 2:
        _, data = stream.recv_data()
        if b"heartbeat" not in data:
            seen.append(data)
    assert seen == [b'{"exact":  1}', b"not utf-8: \xff"]


def test_the_configured_callback_stands_for_the_tokens_newest_connection(client: Client) -> None:
    stream = client.connect()
    answer = client.subscribe(client.platform.stream_url + "/api/v2/eventstreams/callbacks")
    assert answer.json()["connectionId"] == json.loads(stream.recv())["connectionId"]


def test_subscriptions_can_be_read_and_deleted(client: Client) -> None:
    client.open(maxEventsPerSecond=7)
    [known] = client.call("GET").json()["entities"]
    assert known["maxEventsPerSecond"] == 7
    one = f"{SUBSCRIPTIONS}/{known['id']}"
    assert client.call("GET", one).json() == known
    assert client.call("DELETE", one).status_code == 204
    assert client.call("GET", one).status_code == client.call("DELETE", one).status_code == 404


def test_what_is_wrong_with_a_subscription_is_said(client: Client) -> None:
    stream = client.connect()
    url = json.loads(stream.recv())["callbackUrl"]
    for wrong in (
        {"resourceTypes": []},
        {"filters": {"eventTypes": ["no.such"]}},
        {"maxEventsPerSecond": 0},
        {"maxEventsPerSecond": "many"},
    ):
        answer = client.subscribe(url, **wrong)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert next(iter(wrong)) in answer.json()["detail"]
    assert client.call("POST", content=b"{").status_code == 400
    assert client.subscribe(url + "0").status_code == 409
    client.token = "other"
    assert client.subscribe(url).status_code == 401
    assert client.call("GET").status_code == 401


def test_a_closed_connection_takes_its_subscription_with_it(client: Client) -> None:
    client.open().close()
    deadline = time.monotonic() + LIMIT
    while client.platform.stats()["subscriptions"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.platform.stats()["subscriptions"] == client.platform.stats()["connections"] == 0


def test_an_expired_token_closes_the_stream_with_4401(client: Client) -> None:
    stream = client.open()
    client.platform.expire_tokens()
    assert closed_with(stream) == 4401
    assert client.call("GET").status_code == 401


def test_a_token_lives_as_long_as_it_says() -> None:
    with SimulatedPlatform(token_life=1.0) as platform, Client(platform) as client:
        assert client.ask_token().json()["expires_in"] == 1
        started = time.monotonic()
        assert closed_with(client.connect()) == 4401
        assert 0.9 < time.monotonic() - started < 2.5


def test_dropped_connections_end_without_a_close_frame(client: Client) -> None:
    stream = client.open()
    client.platform.drop_connections()
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        closed_with(stream)


def test_history_and_live_meet_without_gap_or_overlap(tmp_path: Path) -> None:
    log = tmp_path / "sent.jsonl"
    with (
        SimulatedPlatform(rate=400, seed=5, history=20, late=0.02, duplicates=0.02, log=log) as platform,
        Client(platform) as client,
    ):
        stream = client.open()
        platform.wait_for_subscriptions()
        after_history = platform.stats()["toldUntil"] + 300
        got = frames(stream, lambda _: platform.stats()["toldUntil"] > after_history)
    stats = platform.platform.stats()
    events = events_of(got)
    assert any(isinstance(frame, list) for frame in got)
    assert any(isinstance(frame, dict) and "events" in frame for frame in got)
    assert max(len(events_of([frame])) for frame in got) <= 200
    end = stats["toldUntil"]
    told = [event for _, event in Story(5, 400, platform.platform.manner.delivery).events(end - 30_000, end)]
    assert any(told[first : first + len(events)] == events for first in range(len(told)) if told[first] == events[0])
    logged = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert logged[: len(events)] == events
    assert stats["sent"] == len(logged)
    assert stats["distinctEventIds"] == len({event["eventId"] for event in logged})


def test_two_subscriptions_each_get_all_and_types_are_filtered() -> None:
    with SimulatedPlatform(rate=300, history=5) as platform, Client(platform) as client:
        everything = client.open()
        ends = client.open(filters={"eventTypes": ["conversation.ended"]})
        platform.wait_for_subscriptions(2)
        some = events_of(frames(ends, lambda got: len(events_of(got)) >= 100))
        assert {event["type"] for event in some} == {"conversation.ended"}
        wanted = {event["eventId"] for event in some[10:90]}
        got = frames(everything, lambda got: wanted <= {event["eventId"] for event in events_of(got)})
        assert len({event["type"] for event in events_of(got)}) == 5


def test_events_above_the_limit_are_dropped_and_said() -> None:
    with SimulatedPlatform(rate=500) as platform, Client(platform) as client:
        stream = client.open(maxEventsPerSecond=20)

        def throttles(got: list[Any]) -> list[Any]:
            return [frame for frame in got if isinstance(frame, dict) and frame.get("type") == "throttle"]

        got = frames(stream, lambda got: len(throttles(got)) == 2)
        between = got[got.index(throttles(got)[0]) : -1]
        assert len(events_of(between)) == 20
        assert throttles(got)[1]["dropped"] > 100
        assert throttles(got)[1]["retryAfterSeconds"] == 1


def test_one_event_a_frame_where_asked() -> None:
    with SimulatedPlatform(rate=2000, frame_size=1) as platform, Client(platform) as client:
        stream = client.open()
        got = frames(stream, lambda got: len(got) >= 500)
        assert all(isinstance(frame, dict) and "eventId" in frame for frame in got)


def test_a_client_that_does_not_read_is_given_up() -> None:
    with SimulatedPlatform(buffer=1 << 20) as platform, Client(platform) as client:
        client.open()
        platform.wait_for_subscriptions()
        deadline = time.monotonic() + LIMIT
        while platform.stats()["subscriptions"] and time.monotonic() < deadline:
            platform.send(b"x" * 500_000)
        assert platform.stats()["connections"] == 0
        reader = client.open()
        platform.wait_for_subscriptions()
        for _ in range(30):
            platform.send(b'"%s"' % (b"y" * 200_000))
        assert closed_with(reader) == 1013


def test_a_platform_that_breaks_down_stops_serving(tmp_path: Path) -> None:
    server = Server(Platform(Manner(log=tmp_path)), "127.0.0.1", 0, lambda _: None)
    with pytest.raises(IsADirectoryError):
        server.run_until_stopped()


def simulate(*options: str) -> list[str]:
    return [sys.executable, "-c", "from journeymap.cli.simulate import simulate; simulate()", "--port", "0", *options]


def test_the_command_prints_what_to_paste_and_stops_on_sigterm() -> None:
    with subprocess.Popen(simulate("--rate", "20"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert process.wait(LIMIT) == 0
        assert time.monotonic() - started < 2
    exports = dict(
        line.strip().removeprefix("export ").split("=") for line in lines if "=http" in line or "=sim" in line
    )
    assert httpx.URL(exports["JOURNEYMAP_LOGIN_URL"]).host == "127.0.0.1"
    assert exports["JOURNEYMAP_CLIENT_SECRET"].startswith("simulated-secret-")


def test_the_command_ends_with_a_parent_that_was_killed() -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
        "child.wait()\n"
    )
    command = [sys.executable, "-c", program, *simulate("--json", "--exit-with-parent")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        ready = json.loads(parent.stdout.readline())
        assert set(ready) >= {"login_url", "api_url", "stream_url", "client_id", "client_secret"}
        assert httpx.get(ready["api_url"] + "/stats", timeout=LIMIT).json()["connections"] == 0
        parent.kill()
        parent.wait(LIMIT)
    deadline = time.monotonic() + 3
    while is_running(ready["pid"]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(ready["pid"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "--allow-remote"),
        (["--log", "no/such/folder/log"], "--log is no/such/folder/log"),
        (["--rate", "5001"], "--rate"),
        (["--history", "soon"], "30m"),
    ],
)
def test_wrong_options_are_named(options: list[str], said: str) -> None:
    done = subprocess.run(simulate(*options), cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_port_in_use_is_said(platform: SimulatedPlatform) -> None:
    port = platform.api_url.rpartition(":")[2]
    command = simulate("--port", port)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert f"cannot listen on 127.0.0.1:{port}: it is in use" in done.stderr


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
