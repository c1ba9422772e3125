"""The access token of the public APIs: fetched when it is first needed, renewed in time, one for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import msgspec

from journeymap.errors import RefusedError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.token import schedule
from journeymap.source.oauth import Token, TokenClient
from journeymap.source.transport import HttpClient

_PAUSE: Final = 30 * SECOND
"""After a renewal that failed while the old token is still good."""

_WHOSE_FAULT: Final = {
    400: "CLIENT_ID is unknown there; check it, and REGION",
    401: "CLIENT_SECRET is wrong, or the OAuth client is switched off",
    403: "the OAuth client may not use the grant 'client credentials'",
}


class Grant(msgspec.Struct, frozen=True):
    """A token without its secret: the how manieth it is, and its times by the steady clock."""

    number: int
    obtained_at: Millis
    refresh_at: Millis
    expires_at: Millis


class Tokens:
    """Keeps one token. Safe to use from several threads: while one fetches, the others wait for what it gets."""

    def __init__(
        self,
        login_url: str,
        credentials: tuple[str, str],
        http: HttpClient,
        random: Callable[[], float],
        steady: Callable[[], Millis],
    ) -> None:
        # No scope: what such a client may do is up to its roles.
        self._oauth = TokenClient(login_url, *credentials, (), http)
        self._where = http.where
        self._random = random
        self._steady = steady
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._grant = Grant(0, 0, 0, 0)
        self._not_before: Millis = 0

    @property
    def grant(self) -> Grant | None:
        """The token in use, None before the first."""
        return self._grant if self._grant.number else None

    def current(self) -> tuple[Grant, str]:
        """A token that is good now, with its secret. Raises as `TokenClient.fetch` does, if none is at hand."""
        with self._lock:
            now = self._steady()
            if self._token is None or now >= self._grant.expires_at:
                return self._fetch(now)
            if now >= max(self._grant.refresh_at, self._not_before):
                try:
                    return self._fetch(now)
                except TransientSourceError:
                    self._not_before = now + _PAUSE
            return self._grant, self._token.value

    def newer(self, than: int) -> Grant:
        """A token with a higher number than this, fetched if there is none. Raises as `TokenClient.fetch` does."""
        with self._lock:
            now = self._steady()
            if self._token is None or self._grant.number <= than or now >= self._grant.expires_at:
                self._fetch(now)
            return self._grant

    def _fetch(self, now: Millis) -> tuple[Grant, str]:
        try:
            token = self._oauth.fetch()
        except RefusedError as error:
            why = _WHOSE_FAULT.get(error.status or 0, "check CLIENT_ID and CLIENT_SECRET")
            code = error.code and f", {error.code}"
            raise RefusedError(
                f"{self._where} refuses the client credentials (status {error.status}{code}): {why}; then try again",
                error.status,
                error.code,
            ) from None
        times = schedule(now, token.life, self._random())
        self._token = token
        self._grant = Grant(self._grant.number + 1, now, times.refresh_at, times.expires_at)
        self._not_before = 0
        return self._grant, token.value
