"""The socket under a simulated stream: uvicorn's WebSocket protocol, opened up for what ASGI cannot do.

ASGI sends only text that is text, waits without a limit for a client that does not read, cannot ping, and cannot break
a connection off. A simulated platform must send any bytes, know what arrived, give up on slow clients and hang up, so
the application finds this protocol object in its scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from journeymap.simulator.faults import Faults
from journeymap.simulator.line import Line
from journeymap.simulator.told import Outgoing

EXTENSION = "journeymap.wire"
FAULTS = "faults"
"""Under this name the application's lifespan state holds the `Faults`."""
_NOT_A_FRAME = b"\x83\x03abc"
_BETWEEN = b"between fragments"
_LAST_WORDS = 1.0
"""Seconds that a closed socket has to take what was sent to it before it is broken off."""


class Wire(WebSocketsSansIOProtocol):
    """One client's socket."""

    on_pong: Callable[[bytes], None] | None = None
    """Hears what each pong holds."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Put a line that can have faults between this and the transport."""
        self.faults: Faults = self.app_state[FAULTS]
        self.line = Line(cast(asyncio.Transport, transport), self.faults, self.writable)
        super().connection_made(self.line)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self.line.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hear the client, unless the line is dead."""
        if not self.line.is_dead:
            super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        """Accept the request as uvicorn does, and put this object into the application's scope."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]  # typed for ASGI's own

    def handle_ping(self) -> None:
        """Answer the client's ping, unless pongs get lost."""
        if self.faults.pong_loss:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Hand on what it holds; uvicorn's keepalive looks for its own."""
        super().handle_pong(event)
        if self.on_pong is not None:
            self.on_pong(bytes(event.data))

    def pause_writing(self) -> None:
        """The client does not read as fast as we send."""
        self.line.hold(full=True)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.line.hold(full=False)

    def shutdown(self) -> None:
        """Say goodbye to the client, if it can hear it soon."""
        if self.line.is_stuck:
            self.line.abort()
        else:
            super().shutdown()

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""
        return self.handshake_complete and not (self.disconnected or self.close_sent or self.transport.is_closing())

    @property
    def takes_more(self) -> bool:
        """Whether the client reads as fast as we send."""
        return self.writable.is_set()

    def send_frames(self, outgoing: Sequence[Outgoing]) -> None:
        """Send each as one message, exactly as it is, text even if it is not text. A gone socket takes nothing."""
        if not self.is_open:
            return
        try:
            for out in outgoing:
                self._send(out, self.faults.fragments if out.fragments == 1 else out.fragments)
        except InvalidState:
            return
        self.line.trickles = True
        self.transport.write(b"".join(self.conn.data_to_send()))

    def _send(self, out: Outgoing, fragments: int) -> None:
        begin = self.conn.send_binary if out.binary else self.conn.send_text
        size = max(1, -(-len(out.frame) // max(1, fragments)))
        first, rest = out.frame[:size], range(size, len(out.frame), size)
        begin(first, fin=not rest)
        if rest:
            self.conn.send_ping(_BETWEEN)
        for at in rest:
            self.conn.send_continuation(out.frame[at : at + size], fin=at == rest[-1])

    def ping(self, payload: bytes) -> None:
        """Send a ping."""
        if self.is_open:
            self.conn.send_ping(payload)
            self.transport.write(b"".join(self.conn.data_to_send()))

    def close_with(self, code: int, reason: str) -> None:
        """Close without waiting for the client to read; broken off where it does not answer within a second or so.

        On a dead line nothing of this can be seen from outside.
        """
        if not self.is_open:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.close_sent = True
        if self.line.is_dead:
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        patience = _LAST_WORDS + self.faults.latency + 2 * self.faults.slow_frames
        self.close_timer = asyncio.get_running_loop().call_later(patience, self.transport.abort)

    def break_off(self, reset: bool) -> None:
        """End the connection without a close frame: with a TCP reset, or in TCP's orderly way."""
        if reset:
            self.line.reset()
        else:
            self.line.close()

    def break_protocol(self) -> None:
        """Send a frame with a reserved opcode, and nothing after it, not even a close frame."""
        self.fall_silent(_NOT_A_FRAME)

    def fall_silent(self, last_words: bytes = b"") -> None:
        """From now on neither send nor hear anything, and leave the connection standing."""
        self.stop_keepalive()
        self.line.die(last_words)
        if self.read_paused:  # the client must not notice that nobody listens
            self.read_paused = False
            self.transport.resume_reading()
