"""A client of the public APIs for tests. It shares no code with the simulated platform or with our sources."""

import json
import ssl
import time
from collections.abc import Callable
from typing import Any, Self

import httpx
import websocket

from journeymap.simulator.server import SimulatedPlatform

LIMIT = 20.0
CHANNELS = "/api/v2/notifications/channels"


class PublicClient:
    """As much of a client as a test needs; it gives up after `LIMIT` seconds."""

    def __init__(self, platform: SimulatedPlatform, trust: ssl.SSLContext | None = None) -> None:
        self.platform = platform
        self.http = httpx.Client(base_url=platform.api_url, timeout=LIMIT, verify=trust or True)
        self.token = self.ask_token().json()["access_token"]
        self.sockets: list[websocket.WebSocket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        for socket in self.sockets:
            socket.shutdown()

    def ask_token(self, client_id: str | None = None, secret: str | None = None) -> httpx.Response:
        credentials = client_id or self.platform.client_id, secret or self.platform.client_secret
        return self.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.call("GET", path, params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **params: Any) -> Any:
        answer = self.call("POST", path, json=body, params=params or None)
        assert answer.is_success, answer.text
        return answer.json()

    def queues(self) -> dict[str, str]:
        """All queues' ids by their names."""
        page = self.get("/api/v2/routing/queues", pageSize=500)
        found = page["entities"]
        while "nextUri" in page:
            page = self.get(page["nextUri"])
            found += page["entities"]
        return {queue["name"]: queue["id"] for queue in found}

    def channel(self, *topics: str) -> dict[str, Any]:
        """A new channel with these topics."""
        channel: dict[str, Any] = self.post(CHANNELS)
        if topics:
            self.post(f"{CHANNELS}/{channel['id']}/subscriptions", [{"id": topic} for topic in topics])
        return channel

    def connect(self, channel: dict[str, Any]) -> websocket.WebSocket:
        socket = websocket.create_connection(channel["connectUri"], timeout=LIMIT)
        self.sockets.append(socket)
        return socket


def frames(socket: websocket.WebSocket, until: Callable[[list[Any]], bool]) -> list[Any]:
    """Decoded frames up to the first for which `until` holds."""
    got: list[Any] = []
    deadline = time.monotonic() + LIMIT
    while not (got and until(got)):
        assert time.monotonic() < deadline, f"not seen in time; {len(got)} frames came"
        got.append(json.loads(socket.recv()))
    return got


def next_frame(socket: websocket.WebSocket) -> Any:
    return json.loads(socket.recv())
