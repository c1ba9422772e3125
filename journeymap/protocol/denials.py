"""What to do when a socket's token is not accepted: one fresh token, one try, then a hard error."""

from __future__ import annotations

import enum

from journeymap.model.time import Millis


class Answer(enum.Enum):
    """What a denial is answered with."""

    FRESH_TOKEN = "fetch a fresh token now"
    FRESH_TOKEN_LATER = "fetch one after a wait: fresh tokens that do not last are no reason for a storm of requests"
    HARD_ERROR = "a fresh token was not accepted either"


class Denials:
    """Remembers whether a fresh token was tried, and when it was that one was needed."""

    def __init__(self, health: Millis) -> None:
        self._health = health
        self._tried = False
        self._last_at: Millis | None = None

    def accepted(self) -> None:
        """A token has brought a live subscription."""
        self._tried = False

    def forgive(self) -> None:
        """Start anew."""
        self._tried = False
        self._last_at = None

    def deny(self, now: Millis) -> Answer:
        """A token was not accepted."""
        if self._tried:
            return Answer.HARD_ERROR
        self._tried = True
        before, self._last_at = self._last_at, now
        return Answer.FRESH_TOKEN if before is None or now - before >= self._health else Answer.FRESH_TOKEN_LATER
