"""Counts requests in windows of a minute, as the platform's limits on tokens do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

WINDOW: Final = 60_000


class Rates:
    """How many requests each token has made in its present window."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._windows: dict[str, tuple[int, int]] = {}

    def count(self, token: str) -> tuple[int, int]:
        """Count one; answers the count, and how many seconds the window still lasts, rounded up."""
        now = self._now()
        began, count = self._windows.get(token, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
            self._windows = {known: window for known, window in self._windows.items() if now - window[0] < WINDOW}
        self._windows[token] = began, count + 1
        return count + 1, -(-(began + WINDOW - now) // 1000)
