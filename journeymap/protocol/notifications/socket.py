"""One socket of a topic channel: from its opening to its end, with pings and silence."""

from __future__ import annotations

from journeymap.model.time import SECOND, Millis
from journeymap.protocol.exchange import SendPing
from journeymap.protocol.notifications.exchange import Actions
from journeymap.protocol.notifications.frames import Control, Sign
from journeymap.protocol.notifications.limits import Limits


class Socket:
    """Says when to ping, and why it is dead. `drop_at` is when it is to be closed because another is in its place."""

    def __init__(self, number: int, limits: Limits, now: Millis) -> None:
        self.number = number
        self.is_open = False
        self.drop_at: Millis | None = None
        self._limits = limits
        self._open_until: Millis | None = now + limits.opening
        self._silent_at: Millis | None = None
        self._ping_at: Millis | None = None
        self._pong_until: Millis | None = None
        self._pinged_at: Millis = 0

    def opened(self, now: Millis) -> None:
        """The handshake is done."""
        self.is_open = True
        self._open_until = None
        self._ping_at = now + self._limits.ping
        self.heard(now, None)

    def heard(self, now: Millis, control: Control | None, *, data: bool = False) -> None:
        """Something came."""
        limits = self._limits
        self._silent_at = now + limits.silence
        if control is Sign.PONG:
            self._pong_until = None
        elif data and self._pong_until is not None:
            # The answer may lie behind what piled up while nobody read.
            self._pong_until = max(self._pong_until, min(now + limits.pong, self._pinged_at + limits.silence))

    def tick(self, now: Millis) -> tuple[Actions, str | None]:
        """Time has passed: what to do, or why it is dead."""
        limits = self._limits
        if self._open_until is not None and now >= self._open_until:
            return (), f"no connection within {limits.opening / SECOND:g} s"
        if self._silent_at is not None and now >= self._silent_at:
            return (), f"nothing was heard for {limits.silence / SECOND:g} s: the connection is dead"
        if self._pong_until is not None and now >= self._pong_until:
            return (), f"a ping was not answered within {limits.pong / SECOND:g} s: the connection is dead"
        if self._ping_at is None or now < self._ping_at:
            return (), None
        self._ping_at = now + limits.ping
        if self._pong_until is None:
            self._pinged_at, self._pong_until = now, now + limits.pong
        return (SendPing(self.number),), None

    def next_due(self) -> Millis | None:
        """When to look at the time again."""
        dues = (self._open_until, self._silent_at, self._ping_at, self._pong_until, self.drop_at)
        return min((due for due in dues if due is not None), default=None)
