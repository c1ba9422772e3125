"""Counts requests in windows of time, as the platform's limits on tokens do."""

from __future__ import annotations

from collections.abc import Callable


class Rates:
    """How many requests each token has made in its present window. `window` says how long that is, in milliseconds."""

    def __init__(self, now: Callable[[], int], window: Callable[[], int]) -> None:
        self._now = now
        self._window = window
        self._windows: dict[str, tuple[int, int]] = {}

    def count(self, token: str) -> tuple[int, int]:
        """Count one; answers the count, and how many seconds the window still lasts, rounded up."""
        now, lasts = self._now(), self._window()
        began, count = self._windows.get(token, (now, 0))
        if now - began >= lasts:
            began, count = now, 0
            self._windows = {known: window for known, window in self._windows.items() if now - window[0] < lasts}
        self._windows[token] = began, count + 1
        return count + 1, -(-(began + lasts - now) // 1000)
