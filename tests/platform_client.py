"""A client of the platform for tests. It shares no code with the simulated platform or with our source."""

import json
import ssl
import time
from collections.abc import Callable
from typing import Any, Self

import httpx
import websocket

from journeymap.simulator.server import SimulatedPlatform

SUBSCRIPTIONS = "/api/v2/eventstreams/subscriptions"
SCOPE = "eventstream.read interaction.read"
LIMIT = 20.0


class Client:
    """As much of a client as a test needs; it gives up after `LIMIT` seconds."""

    def __init__(self, platform: SimulatedPlatform, trust: ssl.SSLContext | None = None) -> None:
        self.platform = platform
        self.trust = trust
        self.http = httpx.Client(base_url=platform.api_url, timeout=LIMIT, verify=trust or True)
        self.token = ""
        self.streams: list[websocket.WebSocket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        for stream in self.streams:
            stream.shutdown()

    def ask_token(self, secret: str | None = None, **form: str) -> httpx.Response:
        return self.http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials", "scope": SCOPE} | form,
            auth=(self.platform.client_id, secret or self.platform.client_secret),
        )

    def connect(self, token: str | None = None, query: str = "") -> websocket.WebSocket:
        if token is None:
            token = self.token = self.ask_token().json()["access_token"]
        header = [f"Authorization: Bearer {token}"] if token else []
        stream = websocket.WebSocket(skip_utf8_validation=True, sslopt={"context": self.trust} if self.trust else None)
        stream.settimeout(LIMIT)
        self.streams.append(stream)
        stream.connect(self.platform.stream_url + query, header=header)
        return stream

    def call(self, method: str, path: str = SUBSCRIPTIONS, **more: Any) -> httpx.Response:
        return self.http.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def subscribe(self, callback_url: str, **more: Any) -> httpx.Response:
        wish = {
            "resourceTypes": ["interaction"],
            "filters": {"eventTypes": []},
            "callbackUrl": callback_url,
            "maxEventsPerSecond": 10_000,
            "filterByCustomerId": True,
        }
        return self.call("POST", json=wish | more)

    def open(self, **more: Any) -> websocket.WebSocket:
        """A stream with a subscription."""
        stream = self.connect()
        assert self.subscribe(json.loads(stream.recv())["callbackUrl"], **more).status_code == 201
        return stream


def frames(stream: websocket.WebSocket, until: Callable[[list[Any]], bool]) -> list[Any]:
    """Decoded frames up to the first for which `until` holds, heartbeats left out."""
    got: list[Any] = []
    deadline = time.monotonic() + LIMIT
    while not (got and until(got)):
        assert time.monotonic() < deadline, f"not seen in time; {len(got)} frames came"
        frame = json.loads(stream.recv())
        if not (isinstance(frame, dict) and frame.get("type") == "heartbeat"):
            got.append(frame)
    return got


def events_of(frames: list[Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for frame in frames:
        events += frame if isinstance(frame, list) else frame.get("events", [frame])
    return [event for event in events if "eventId" in event]


def closed_with(stream: websocket.WebSocket) -> int:
    """The code of the close frame, however many frames come before it."""
    while True:
        opcode, data = stream.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


def eventually(condition: Callable[[], object]) -> None:
    """Wait until it holds; fails after `LIMIT` seconds."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.01)


def made_event(number: int) -> dict[str, Any]:
    """An event to be sent by hand."""
    payload = {"customerId": f"cust-{number}", "interactionId": f"int-{number}", "channelType": "voice"}
    return {
        "eventId": f"made-{number}",
        "type": "interaction.created",
        "timestamp": time.time_ns() // 1_000_000,
        "payload": payload,
    }
