"""The line between the platform and one client: a network that delivers late, in pieces, or nothing any more."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import deque
from typing import Any, Final

from journeymap.simulator.faults import Faults

_FULL: Final = 65_536
"""More bytes than this on their way, and the platform is asked to wait."""
_PIECES: Final = 8


class Line(asyncio.Transport):
    """A transport over another one. Without a fault it hands everything on at once.

    `writable` is cleared while the line is full, in the same way as the transport below does it through `hold`.
    """

    def __init__(self, transport: asyncio.Transport, faults: Faults, writable: asyncio.Event) -> None:
        super().__init__()
        self.trickles = False
        """Whether what is written now is frames, which `slow_frames` slows down."""
        self._transport = transport
        self._faults = faults
        self._writable = writable
        self._room = asyncio.Event()
        self._room.set()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._pump: asyncio.Task[None] | None = None
        self._dead = False
        self._closing = False

    @property
    def is_dead(self) -> bool:
        """Whether nothing goes through any more, though the connection stands."""
        return self._dead

    @property
    def is_stuck(self) -> bool:
        """Whether it could not end in order at once."""
        return self._dead or self._pump is not None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, now or when the faults of the line let it through."""
        if self._dead or self._closing or not data:
            return
        slow = self._faults.slow_frames if self.trickles else 0
        if self._pump is None and not self._faults.latency and not slow:
            self._transport.write(data)
            return
        now = asyncio.get_running_loop().time()
        due = now + self._faults.latency
        self._waiting.append((max(due, self._waiting[-1][0]) if self._waiting else due, bytes(data)))
        self._size += len(data)
        if self._size > _FULL:
            self._writable.clear()
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._deliver())

    def hold(self, full: bool) -> None:
        """The transport below takes no more, or takes more again."""
        if full:
            self._room.clear()
            self._writable.clear()
        else:
            self._room.set()
            if self._size <= _FULL:
                self._writable.set()

    def die(self, last_words: bytes = b"") -> None:
        """From now on nothing goes through and nothing ends, not even this connection; only the client can end it."""
        self._dead = True
        self._transport.write(last_words)
        self._drop()

    def lost(self) -> None:
        """The connection below is gone."""
        self._closing = True
        self._drop()

    def close(self) -> None:
        """End in order, after what is on its way."""
        if self._dead:
            return
        self._closing = True
        if self._pump is None:
            self._transport.close()

    def abort(self) -> None:
        """End at once, even if dead, without a word."""
        self._closing = True
        self._drop()
        self._transport.abort()

    def reset(self) -> None:
        """End at once with a TCP reset."""
        below = self._transport.get_extra_info("socket")
        # The option belongs to the connection and not to the descriptor; uvloop's own object cannot set it.
        with socket.socket(fileno=os.dup(below.fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def is_closing(self) -> bool:
        """Whether the end has begun."""
        return self._closing or self._transport.is_closing()

    def pause_reading(self) -> None:
        """Hear nothing for a while."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Hear again."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the transport below."""
        return self._transport.get_extra_info(name, default)

    async def _deliver(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(max(0.0, self._waiting[0][0] - loop.time()))
            lot = bytearray()
            while self._waiting and self._waiting[0][0] <= loop.time():
                lot += self._waiting.popleft()[1]
            slow = self._faults.slow_frames if self.trickles else 0
            step = -(-len(lot) // _PIECES) if slow else len(lot)
            for at in range(0, len(lot), step or 1):
                await self._room.wait()
                self._transport.write(bytes(lot[at : at + step]))
                if slow:
                    await asyncio.sleep(slow / _PIECES)
            self._size -= len(lot)
            if self._size <= _FULL and self._room.is_set():
                self._writable.set()
        self._pump = None
        if self._closing:
            self._transport.close()

    def _drop(self) -> None:
        self._waiting.clear()
        self._size = 0
        self._room.set()
        self._writable.set()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
