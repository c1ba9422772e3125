"""A client's stream: frames in order through a bounded buffer, and receipts for what is in them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from journeymap.simulator.ledger import Ledger
from journeymap.simulator.receipts import Receipts
from journeymap.simulator.told import Outgoing

TOO_SLOW = 1013
TOKEN_EXPIRED = 4401

_DRAINED_AT_ONCE = 65_536


class Socket(Protocol):
    """What a connection needs of the socket under it."""

    on_pong: Callable[[bytes], None] | None
    """Hears what each pong of the client holds."""

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""

    @property
    def takes_more(self) -> bool:
        """Whether the client reads as fast as we send."""

    @property
    def writable(self) -> asyncio.Event:
        """Set while the client reads as fast as we send, and when it has gone."""

    def send_frames(self, outgoing: Sequence[Outgoing]) -> None:
        """Send each as one message."""

    def close_with(self, code: int, reason: str) -> None:
        """Close in order."""

    def ping(self, payload: bytes) -> None:
        """Send a ping."""

    def break_off(self, reset: bool) -> None:
        """End without a close frame: with a TCP reset, or in TCP's orderly way."""

    def break_protocol(self) -> None:
        """Send what is not WebSocket, and nothing after it."""

    def fall_silent(self) -> None:
        """From now on neither send nor hear anything, and leave the connection standing."""


class Connection:
    """One client's stream. What it does not take at once waits in a bounded buffer; a full one ends with 1013."""

    def __init__(self, connection_id: str, token: str, socket: Socket, limit: int, ledger: Ledger) -> None:
        self.connection_id = connection_id
        self.token = token
        self._socket = socket
        self._limit = limit
        self._ledger = ledger
        self._receipts = Receipts()
        self._waiting: deque[Outgoing] = deque()
        self._size = 0
        self._drain: asyncio.Task[None] | None = None
        socket.on_pong = self._answered

    @property
    def is_open(self) -> bool:
        """Whether the client can still be reached."""
        return self._socket.is_open

    @property
    def outstanding(self) -> int:
        """How many events were sent and not acknowledged."""
        return self._receipts.outstanding

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send in order; never blocks."""
        if not self._waiting and self._socket.takes_more:
            self._write(outgoing)
            return
        self._waiting.extend(outgoing)
        self._size += sum(len(out.frame) for out in outgoing)
        if self._size > self._limit:
            self.close(TOO_SLOW, f"client is too slow: {self._size} bytes were waiting, {self._limit} are allowed")
        elif self._drain is None or self._drain.done():
            self._drain = asyncio.get_running_loop().create_task(self._drain_waiting())

    async def room(self) -> None:
        """Wait until everything sent so far is on the socket and it takes more, or until it is gone."""
        while self._socket.is_open and (self._waiting or not self._socket.takes_more):
            await self._socket.writable.wait()
            await asyncio.sleep(0)

    def close(self, code: int, reason: str) -> None:
        """Close in order, dropping what still waits."""
        self._forget()
        self._socket.close_with(code, reason)

    def break_off(self, reset: bool = True) -> None:
        """End without a close frame: with a TCP reset, or in TCP's orderly way."""
        self._forget()
        self._socket.break_off(reset)

    def break_protocol(self) -> None:
        """Send what is not WebSocket, and nothing after it."""
        self._receipts.give_up()
        self._socket.break_protocol()

    def fall_silent(self) -> None:
        """From now on nothing is sent, heard or acknowledged, and nobody is told."""
        self._receipts.give_up()
        self._socket.fall_silent()

    def ask_receipt(self) -> None:
        """Ping, if events were sent since the last time."""
        payload = self._receipts.next_ping() if self._socket.is_open else None
        if payload is not None:
            self._socket.ping(payload)

    def _forget(self) -> None:
        self._waiting.clear()
        self._size = 0

    async def _drain_waiting(self) -> None:
        while self._waiting and self._socket.is_open:
            await self._socket.writable.wait()
            batch: list[Outgoing] = []
            size = 0
            while self._waiting and size < _DRAINED_AT_ONCE:
                batch.append(self._waiting.popleft())
                size += len(batch[-1].frame)
            self._size -= size
            self._write(batch)

    def _write(self, outgoing: Sequence[Outgoing]) -> None:
        if not self._socket.is_open:
            return
        self._socket.send_frames(outgoing)
        for out in outgoing:
            if out.events:
                self._ledger.sent(out.events)
                self._receipts.sent(out.events)

    def _answered(self, payload: bytes) -> None:
        self._ledger.acknowledged(self._receipts.answered(payload))
