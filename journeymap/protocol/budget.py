"""How many requests a platform allows in a window of time, as it says with each answer, and when the next one may go."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.time import MINUTE, SECOND, Millis

ALLOWED: Final = 300
"""A minute, with each token: what the platform allows where it says nothing else."""

KEPT_FREE: Final = 5
"""One part in so many is left to requests that are urgent."""

_SAME: Final = 1_500
"""Milliseconds: the platform names the end of a window to the second."""


class Told(msgspec.Struct, frozen=True):
    """What the platform says of its limit: requests counted so far, allowed in all, and the window's rest in milliseconds."""

    count: int
    allowed: int
    reset: Millis


class Budget:
    """Counts requests. Up to half of what is allowed they go at once; from there on they are spread over the rest of the
    window, so that the limit slows and never refuses. Requests that are not urgent leave a share to those that are.

    Before the platform has said anything, and after it has refused, one request goes alone, to learn of its answer.
    """

    def __init__(self, allowed: int = ALLOWED, window: Millis = MINUTE) -> None:
        self._allowed = allowed
        self._window = window
        self._used = 0
        self._flying = 0
        self._ends: Millis | None = None
        self._last: Millis = 0
        self._known = False
        self._refused_until: Millis = 0

    def next_at(self, now: Millis, urgent: bool) -> Millis:
        """When a request may go: at `now`, or later if nothing is answered meanwhile."""
        if self._ends is not None and now >= self._ends:
            self._ends = None
            self._used = self._flying
        if now < self._refused_until:
            return self._refused_until
        if not self._known and self._flying:
            return now + self._window
        if self._ends is None:
            return now
        most = self._allowed if urgent else max(1, self._allowed - self._allowed // KEPT_FREE)
        if self._used >= most:
            return self._ends
        if 2 * self._used < most:
            return now
        return max(now, self._last + (self._ends - self._last) // (most - self._used + 1))

    def take(self, now: Millis) -> None:
        """A request goes."""
        self._used += 1
        self._flying += 1
        self._last = now
        if self._ends is None:
            self._ends = now + self._window

    def answered(self, now: Millis, told: Told | None) -> None:
        """A request has come to its end, with what the platform says of its limit, if it said something."""
        self._flying -= 1
        self._known = True
        if told is None:
            return
        self._allowed = max(1, told.allowed)
        counted, ends = told.count + self._flying, now + told.reset
        another = self._ends is None or ends > self._ends + _SAME
        self._used = counted if another else max(self._used, counted)
        self._ends = ends

    def lost(self) -> None:
        """A request has come to its end, and nobody knows whether it was counted."""
        self._flying -= 1

    def refused(self, now: Millis, wait: Millis) -> None:
        """A request was one too many; the platform wants to be left alone for so long."""
        self._flying -= 1
        self._known = False
        self._refused_until = max(self._refused_until, now + max(wait, SECOND))
        self._ends = self._refused_until
