"""How many events a second to ask for, given what the platform says it leaves out.

A throttle frame while fewer events come than were asked for says that the platform cannot give as much: less is asked
for, step by step, so that it is not pressed for what it will not send. One that comes while about as many events arrive
as were asked for says that our own maximum was hit: to lower it would only lose more.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.protocol.frames import Throttle

STEP_APART: Final = 10 * SECOND
"""Steps follow one another no faster, or no faster than the platform asks for."""

QUIET: Final = MINUTE
"""So long after the last step and the last complaint more is asked for again."""

_LOWEST_SHARE: Final = 10
"""The floor is a tenth of what is configured."""

_REMEMBERED: Final = 3 * SECOND
_OWN_SHARE: Final = 0.8
"""Of what was asked for, in the busiest of the last seconds: then it is our own maximum."""


class Throttling:
    """`wanted` is what to ask for; `asked`, which is handed in, is what the subscription in use asks for."""

    def __init__(self, configured: int) -> None:
        self.wanted = configured
        self._configured = configured
        self._floor = max(1, configured // _LOWEST_SHARE)
        self._lower_at: Millis = 0  # not before
        self._raise_at: Millis = 0
        self._received: deque[tuple[Millis, int]] = deque()

    def receive(self, now: Millis, events: int) -> None:
        """So many events came."""
        self._received.append((now, events))
        while self._received[0][0] <= now - _REMEMBERED:
            self._received.popleft()

    def throttle(self, now: Millis, said: Throttle, asked: int) -> None:
        """The platform says that it left events out."""
        if self._busiest(now) >= asked * _OWN_SHARE:
            return
        apart = max(STEP_APART, said.retry_after or 0)
        self._raise_at = max(self._raise_at, now + max(QUIET, apart))
        if self.wanted == asked and now >= self._lower_at:
            self.wanted = max(self._floor, asked * 3 // 4)
            self._lower_at = now + apart

    def look(self, now: Millis, asked: int) -> None:
        """Time has passed."""
        if self.wanted == asked < self._configured and now >= self._raise_at:
            self.wanted = min(self._configured, asked + max(1, asked // 3))
            self._lower_at = now + STEP_APART
            self._raise_at = now + QUIET

    def stay(self, now: Millis, asked: int, retry_after: Millis | None) -> None:
        """The platform did not change what is asked for; it may be asked again after a while."""
        self.wanted = asked
        self._lower_at = now + max(STEP_APART, retry_after or 0)
        self._raise_at = max(self._raise_at, self._lower_at)

    def next_due(self, asked: int) -> Millis | None:
        """When to look."""
        return self._raise_at if self.wanted == asked < self._configured else None

    def _busiest(self, now: Millis) -> int:
        """Most events within a second, of the last few."""
        most = within = 0
        window: deque[tuple[Millis, int]] = deque()
        for at, events in self._received:
            if at <= now - _REMEMBERED:
                continue
            window.append((at, events))
            within += events
            while window[0][0] <= at - SECOND:
                within -= window.popleft()[1]
            most = max(most, within)
        return most
