"""The token in use, the request for the next one, and when that is due."""

from __future__ import annotations

from collections.abc import Callable

from journeymap.model.time import Millis
from journeymap.protocol.exchange import Action, FetchToken, TokenFailed, TokenObtained
from journeymap.protocol.limits import Limits
from journeymap.protocol.patience import Patience


class Renewal:
    """Knows at most one token and awaits at most one answer; answers to older requests are none."""

    def __init__(self, random: Callable[[], float], limits: Limits) -> None:
        self.token: TokenObtained | None = None
        self.refresh_at: Millis | None = None
        self.awaited: int | None = None
        self._until: Millis | None = None
        self.not_before: Millis = 0
        """The platform does not want to be asked earlier."""
        self._limit = limits.token
        self._requests = 0
        self._patience = Patience(random, limits.health)

    def fetch(self, now: Millis) -> tuple[Action, ...]:
        """Ask for a token, unless that is under way."""
        self.refresh_at = None
        if self.awaited is not None:
            return ()
        self._requests += 1
        self.awaited = self._requests
        self._until = now + self._limit
        return (FetchToken(self._requests),)

    def is_due(self, now: Millis) -> bool:
        """Whether it is time to fetch the next token."""
        return self.refresh_at is not None and self.refresh_at <= now

    def overdue(self, now: Millis) -> TokenFailed | None:
        """What is to be taken for an answer if none has come in time."""
        if self.awaited is None or self._until is None or now < self._until:
            return None
        return TokenFailed(self.awaited, "the token request got no answer")

    def accepts(self, request: int) -> bool:
        """Whether this is the awaited answer; it is then no longer awaited."""
        if request != self.awaited:
            return False
        self.awaited = self._until = None
        return True

    def take(self, token: TokenObtained, now: Millis) -> None:
        """Use this token from now on."""
        self.token = token
        self.refresh_at = max(token.refresh_at, now + 1)
        self.not_before = 0
        self._patience.forgive()

    def fail(self, now: Millis, asked: Millis | None) -> None:
        """No token came, and the platform may have asked for patience."""
        self.not_before = now + (asked or 0)

    def postpone(self, now: Millis, asked: Millis | None) -> None:
        """Try to renew it again after a while, or after the longer one that the platform asked for; if that is later than
        the token at hand lives, once more before its end."""
        last_call = self.token.last_call if self.token is not None else None
        self.refresh_at = self._patience.next_attempt(now, asked, last_call)

    def usable(self, now: Millis) -> TokenObtained | None:
        """The token, if its life has not ended."""
        return self.token if self.token is not None and now < self.token.expires_at else None

    def drop(self) -> None:
        """The token is of no more use."""
        self.token = None
        self.refresh_at = None

    def cancel(self) -> None:
        """Await and plan nothing."""
        self.refresh_at = self.awaited = self._until = None

    def resume(self, now: Millis) -> None:
        """Plan the renewal of the token at hand again, after `cancel`."""
        self.refresh_at = None if self.token is None else max(self.token.refresh_at, now + 1)

    def next_due(self) -> Millis | None:
        """When to look at the time again."""
        return min((due for due in (self.refresh_at, self._until) if due is not None), default=None)
