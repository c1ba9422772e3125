"""What the platform holds for each client: live connections with bounded buffers, and subscriptions."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec

TOO_SLOW = 1013
TOKEN_EXPIRED = 4401

_BURST = 10
"""More events than this at a time share frames."""
_DRAINED_AT_ONCE = 65_536


class Told(NamedTuple):
    """An event ready for the wire."""

    data: bytes
    event_id: str
    type: str


class Outgoing(NamedTuple):
    """A frame, and the events that are in it."""

    frame: bytes
    events: Sequence[Told] = ()


class Socket(Protocol):
    """What a connection needs of the socket under it."""

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""

    @property
    def takes_more(self) -> bool:
        """Whether the client reads as fast as we send."""

    @property
    def writable(self) -> asyncio.Event:
        """Set while the client reads as fast as we send, and when it has gone."""

    def send_frames(self, frames: Iterable[bytes]) -> None:
        """Send each as one text frame."""

    def close_with(self, code: int, reason: str) -> None:
        """Close in order."""

    def break_off(self) -> None:
        """End without a word."""


class Connection:
    """One client's stream. What it does not take at once waits in a bounded buffer; a full one ends with 1013."""

    def __init__(
        self, connection_id: str, token: str, socket: Socket, limit: int, delivered: Callable[[Sequence[Told]], None]
    ) -> None:
        self.connection_id = connection_id
        self.token = token
        self._socket = socket
        self._limit = limit
        self._delivered = delivered
        self._waiting: deque[Outgoing] = deque()
        self._size = 0
        self._drain: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the client can still be reached."""
        return self._socket.is_open

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

    def break_off(self) -> None:
        """End without a word."""
        self._forget()
        self._socket.break_off()

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
        self._socket.send_frames([out.frame for out in outgoing])
        for out in outgoing:
            if out.events:
                self._delivered(out.events)


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """What a client asks of a subscription. `filter_by_customer_id` is echoed: the protocol does not say which ones."""

    resource_types: list[str]
    filters: Filters
    callback_url: str
    max_events_per_second: int = 50
    filter_by_customer_id: bool = False


class Filters(msgspec.Struct, frozen=True, rename="camel"):
    """Which events a subscription brings; no types means all."""

    event_types: list[str] = []


class Subscription:
    """A client's wish for events on one connection: a full copy of the stream, no more a second than it asked for."""

    def __init__(self, subscription_id: str, request: Request, connection: Connection, frame_size: int) -> None:
        self.subscription_id = subscription_id
        self.request = request
        self.connection = connection
        self.is_live = False
        self.ended = False
        self.dropped = 0
        self._types = frozenset(request.filters.event_types)
        self._frame_size = frame_size
        self._second = 0
        self._sent = 0
        self._left_out = 0
        self._wraps = False

    def send_history(self, events: Sequence[Told], size: int) -> list[Outgoing]:
        """Frames of up to `size` events, exempt from the limit a second."""
        wanted = self._wanted(events)
        return [self._packed(wanted[at : at + size]) for at in range(0, len(wanted), size)]

    def send_live(self, events: Sequence[Told], now: int) -> None:
        """Send what has just happened, up to the limit in each second; a throttle frame says how many were dropped."""
        outgoing: list[Outgoing] = []
        if now // 1000 != self._second:
            if self._left_out:
                frame = msgspec.json.encode({"type": "throttle", "retryAfterSeconds": 1, "dropped": self._left_out})
                outgoing.append(Outgoing(frame))
            self._second, self._sent, self._left_out = now // 1000, 0, 0
        wanted = self._wanted(events)
        allowed = wanted[: max(0, self.request.max_events_per_second - self._sent)]
        self._sent += len(allowed)
        self._left_out += len(wanted) - len(allowed)
        self.dropped += len(wanted) - len(allowed)
        if self._frame_size > 1 and len(allowed) > _BURST:
            size = self._frame_size
            outgoing.extend(self._packed(allowed[at : at + size]) for at in range(0, len(allowed), size))
        else:
            outgoing.extend([Outgoing(told.data, (told,)) for told in allowed])
        if outgoing:
            self.connection.send(outgoing)

    def document(self) -> dict[str, object]:
        """The subscription as the API shows it."""
        return {
            "id": self.subscription_id,
            "status": "active",
            "connectionId": self.connection.connection_id,
            **msgspec.to_builtins(self.request),
        }

    def _wanted(self, events: Sequence[Told]) -> Sequence[Told]:
        return [told for told in events if told.type in self._types] if self._types else events

    def _packed(self, events: Sequence[Told]) -> Outgoing:
        """Several events in one frame, in turn in either of the protocol's two forms."""
        self._wraps = not self._wraps
        frame = b"[" + b",".join([told.data for told in events]) + b"]"
        return Outgoing(b'{"events":' + frame + b"}" if self._wraps else frame, events)
