"""The socket under a simulated stream: uvicorn's WebSocket protocol, opened up for what ASGI cannot do.

ASGI sends only text that is text, waits without a limit for a client that does not read, and cannot break a connection
off. A simulated platform must send any bytes, give up on slow clients and hang up, so the application finds this
protocol object in its scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.http11 import Request

EXTENSION = "journeymap.wire"
_LAST_WORDS = 1.0
"""Seconds that a closed socket has to take what was sent to it before it is broken off."""


class Wire(WebSocketsSansIOProtocol):
    """One client's socket."""

    def handle_connect(self, event: Request) -> None:
        """Accept the request as uvicorn does, and put this object into the application's scope."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]  # typed for ASGI's own

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""
        return self.handshake_complete and not (self.disconnected or self.close_sent or self.transport.is_closing())

    @property
    def takes_more(self) -> bool:
        """Whether the client reads as fast as we send."""
        return self.writable.is_set()

    def send_frames(self, frames: Iterable[bytes]) -> None:
        """Send each as one text frame, exactly as it is, even if it is not text. A gone socket takes nothing."""
        if not self.is_open:
            return
        try:
            for frame in frames:
                self.conn.send_text(frame)
        except InvalidState:
            return
        self.transport.write(b"".join(self.conn.data_to_send()))

    def close_with(self, code: int, reason: str) -> None:
        """Close without waiting for the client to read; broken off where it does not answer within a second."""
        if not self.is_open:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = asyncio.get_running_loop().call_later(_LAST_WORDS, self.transport.abort)

    def break_off(self) -> None:
        """End the connection without a word, as a network does."""
        self.transport.abort()
