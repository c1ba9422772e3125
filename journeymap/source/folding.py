"""Keeps a log readable through an outage: an error that repeats is said once and then counted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from journeymap.model.time import MINUTE, Millis

_SILENCE: Final = 5 * MINUTE


class FoldedLog:
    """Logs messages, the same one again only after five minutes, with the number of times it was left out."""

    def __init__(self, log: logging.Logger, steady: Callable[[], Millis]) -> None:
        self._log = log
        self._steady = steady
        self._last = ""
        self._said_at: Millis = 0
        self._folded = 0

    def say(self, level: int, message: str) -> None:
        """Log this, or count it."""
        now = self._steady()
        if message == self._last and now - self._said_at < _SILENCE:
            self._folded += 1
            return
        self.flush()
        self._last, self._said_at = message, now
        self._log.log(level, "%s", message)

    def flush(self) -> None:
        """Say how often the last one was left out; the next is logged whatever it is."""
        if self._folded:
            self._log.warning("(%d more times: %s)", self._folded, self._last)
        self._last, self._folded = "", 0
