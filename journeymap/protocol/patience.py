"""How long to wait before the next attempt to connect, given what became of those before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from journeymap.model.time import Millis
from journeymap.protocol.backoff import backoff


class Patience:
    """Backoff that starts anew after some time of health, and no other way but by forgiving."""

    def __init__(self, random: Callable[[], float], health: Millis) -> None:
        self._random = random
        self._health = health
        self._delays: Iterator[Millis] = backoff(random)
        self._open_since: Millis | None = None

    def opened(self, now: Millis) -> None:
        """It is OPEN now."""
        self._open_since = now

    def left(self, now: Millis) -> None:
        """It is OPEN no more."""
        opened, self._open_since = self._open_since, None
        if opened is not None and now - opened >= self._health:
            self.forgive()

    def forgive(self) -> None:
        """Start anew."""
        self._delays = backoff(self._random)

    def next_attempt(self, now: Millis, asked: Millis | None, last_call: Millis | None = None) -> Millis:
        """When to try again: after the next wait, or the longer one that the platform asked for, but once at `last_call`."""
        at = now + max(1, next(self._delays), asked or 0)
        return at if last_call is None else last_call if now < last_call < at else at
