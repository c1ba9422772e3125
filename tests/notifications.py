"""Notifications sources over real sockets, and an observer that sees what they should see."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Any, Self

import websocket
from msgspec.structs import replace

from journeymap.protocol.notifications.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.notifications.source import NotificationsSource
from journeymap.source.publicapi.client import PublicApi, PublicApiConfig
from journeymap.source.steady import monotonic_ms
from tests.eventstreams import Hasty
from tests.public_client import PublicClient

QUICK = Limits(ping=200, overlap=500, rediscovery=300, pace=100, linger=500)
"""Like the usual ones, in less time; but a machine that is busy may be late with a pong."""
IMPATIENT = replace(QUICK, pong=300, silence=2_000)
"""For lines that are dead for certain."""


def source_for(
    platform: SimulatedPlatform,
    random: Random | None = None,
    steady: Callable[[], int] = monotonic_ms,
    limits: Limits = QUICK,
    **changes: str,
) -> NotificationsSource:
    """A source for this platform; without `random` one that waits as little as backoff allows."""
    access = {
        "login_url": platform.login_url,
        "api_url": platform.api_url,
        "stream_url": platform.stream_url,
        "client_id": platform.client_id,
        "client_secret": platform.client_secret,
    }
    config = PublicApiConfig(**access | changes, attempts=2)  # type: ignore[arg-type]  # no numbers among them
    clock = SystemClock().now
    api = PublicApi(config, clock, random or Hasty(), steady)
    return NotificationsSource(api, config.stream_url, clock, random or Hasty(), steady, limits)


class Observer:
    """Listens to the conversations of these queues on a channel of its own, undisturbed; `frames` are what came on it."""

    def __init__(self, platform: SimulatedPlatform, queues: list[str]) -> None:
        self.frames: list[bytes] = []
        self._client = PublicClient(platform)
        channel = self._client.channel(*(f"v2.routing.queues.{queue}.conversations" for queue in queues))
        self._socket = self._client.connect(channel)
        self._thread = threading.Thread(target=self._listen, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_for(self, part: bytes) -> int:
        """Wait for a frame with this in it; how many there are with it."""
        until = time.monotonic() + 5
        while not any(part in frame for frame in self.frames):
            assert time.monotonic() < until
            time.sleep(0.002)
        return next(place for place, frame in enumerate(self.frames, 1) if part in frame)

    def stop(self) -> None:
        """Listen no more."""
        self._socket.close()
        self._thread.join(5)
        self._client.http.close()

    def _listen(self) -> None:
        try:
            while data := self._socket.recv():
                frame = data.encode() if isinstance(data, str) else data
                if b"channel.metadata" not in frame:
                    self.frames.append(frame)
        except (websocket.WebSocketException, OSError):
            return


def told(frames: list[bytes], only: str = "v2.routing.queues.") -> set[tuple[str, str]]:
    """What frames tell: their topics, and what the platform calls what has happened."""
    found: list[dict[str, Any]] = list(map(json.loads, frames))
    return {
        (frame["topicName"], frame["metadata"]["CorrelationId"])
        for frame in found
        if frame["topicName"].startswith(only)
    }
