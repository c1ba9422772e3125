"""What every answer goes through on its way out: the platform's own clock, its latency, and a count of answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from email.utils import formatdate
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journeymap.simulator.faults import Faults
from journeymap.simulator.platform import STREAM_PATH, SUBSCRIPTIONS_PATH

CONTROL: Final = "/control/"
_COUNTED: Final = ("/.well-known/oauth-authorization-server", "/oauth/token", SUBSCRIPTIONS_PATH, STREAM_PATH)
_ONE_SUBSCRIPTION: Final = SUBSCRIPTIONS_PATH + "/"


class Front:
    """ASGI around the application. The control endpoint is never late and not counted."""

    def __init__(self, app: ASGIApp, faults: Faults, answers: Counter[str]) -> None:
        self._app = app
        self._faults = faults
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_out(message: Message) -> None:
            begins = message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start")
            if begins:
                date = formatdate(time.time() + self._faults.clock_skew, usegmt=True)
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date.encode())]}
                self._count(scope, message.get("status", 101))
            if scope["type"] == "http" and begins and not scope["path"].startswith(CONTROL):
                await asyncio.sleep(self._faults.latency)  # a stream is late on its line, handshake and all
            await send(message)

        await self._app(scope, receive, send_out)

    def _count(self, scope: Scope, status: int) -> None:
        path = scope["path"]
        if path.startswith(_ONE_SUBSCRIPTION):
            path = _ONE_SUBSCRIPTION + "{id}"
        elif path not in _COUNTED:
            return
        self._answers[f"{scope.get('method', 'GET')} {path} {status}"] += 1
