"""Subscriptions: what a client asks for, and which events it gets of all that happens."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from journeymap.simulator.connections import Connection
from journeymap.simulator.faults import Faults
from journeymap.simulator.told import Outgoing, Told

_BURST = 10
"""More events than this at a time share frames."""


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

    def __init__(
        self, subscription_id: str, request: Request, connection: Connection, frame_size: int, faults: Faults
    ) -> None:
        self.subscription_id = subscription_id
        self.request = request
        self.connection = connection
        self.is_live = False
        self.ended = False
        self.dropped = 0
        """Events above what the subscription asked for."""
        self.throttled = 0
        """Events above what the platform manages (the fault `throttle`)."""
        self._mismatch = faults.take("mismatched_subscriptions")
        self.brings_nothing = faults.silent_subscriptions or bool(self._mismatch)
        """Whether it is one that was answered, and then neither event nor heartbeat comes."""
        self._types = frozenset(request.filters.event_types)
        self._frame_size = frame_size
        self._faults = faults
        self._second = 0
        self._sent = 0
        self._left_out = 0
        self._overloaded = False
        self._wraps = False

    def fall_silent(self) -> None:
        """Bring nothing any more, for good."""
        self.is_live = False
        self.brings_nothing = True

    def send_at_once(self, events: Sequence[Told]) -> None:
        """Send events beyond any limit a second."""
        self.connection.send(self.frames_of(events, self._most_in_a_frame()))

    def frames_of(self, events: Sequence[Told], size: int) -> list[Outgoing]:
        """Frames of up to `size` of those events that are wanted."""
        wanted = self._wanted(events)
        return [self._packed(wanted[at : at + size]) for at in range(0, len(wanted), size)]

    def send_live(self, events: Sequence[Told], now: int) -> None:
        """Send what has just happened, up to the limit in each second; a throttle frame says how many were left out."""
        outgoing: list[Outgoing] = []
        if now // 1000 != self._second:
            if self._left_out:
                outgoing.append(self._throttle_frame())
            self._second, self._sent, self._left_out = now // 1000, 0, 0
        asked, capacity = self.request.max_events_per_second, self._faults.throttle
        self._overloaded = 0 < capacity < asked
        wanted = self._wanted(events)
        allowed = wanted[: max(0, (capacity if self._overloaded else asked) - self._sent)]
        left_out = len(wanted) - len(allowed)
        self._sent += len(allowed)
        self._left_out += left_out
        if self._overloaded:
            self.throttled += left_out
        else:
            self.dropped += left_out
        size = self._most_in_a_frame()
        if size > 1 and len(allowed) > _BURST:
            outgoing.extend(self._packed(allowed[at : at + size]) for at in range(0, len(allowed), size))
        else:
            outgoing.extend([Outgoing(told.data, (told,)) for told in allowed])
        if outgoing:
            self.connection.send(outgoing)

    def document(self) -> dict[str, object]:
        """The subscription as the API shows it."""
        document = {
            "id": self.subscription_id,
            "status": "active",
            "connectionId": self.connection.connection_id,
            **msgspec.to_builtins(self.request),
        }
        if self._mismatch == "connection":
            document["connectionId"] = self.connection.connection_id[::-1] + "0"
        elif self._mismatch == "callback":
            document["callbackUrl"] = self.request.callback_url.rstrip("/") + "0"
        return document

    def _most_in_a_frame(self) -> int:
        return self._faults.frame_size or self._frame_size

    def _throttle_frame(self) -> Outgoing:
        wait = max(1, self._faults.retry_after) if self._overloaded else 1
        frame = {"type": "throttle", "retryAfterSeconds": wait, "dropped": self._left_out}
        return Outgoing(msgspec.json.encode(frame))

    def _wanted(self, events: Sequence[Told]) -> Sequence[Told]:
        return [told for told in events if told.type in self._types] if self._types else events

    def _packed(self, events: Sequence[Told]) -> Outgoing:
        """Several events in one frame, in turn in either of the protocol's two forms."""
        self._wraps = not self._wraps
        frame = b"[" + b",".join([told.data for told in events]) + b"]"
        return Outgoing(b'{"events":' + frame + b"}" if self._wraps else frame, events)
