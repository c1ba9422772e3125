"""Access tokens by client credentials (OAuth 2.0, RFC 6749 section 4.4), the endpoint from metadata (RFC 8414)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from journeymap.errors import ConfigurationError, RefusedError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.token import Verdict, judge, life_of
from journeymap.source.transport import Answer, HttpClient, check_url

_METADATA: Final = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_FALLBACK: Final = "/oauth/token"
_LONGEST_TOKEN: Final = 16_384


class Token(msgspec.Struct, frozen=True):
    """An access token, how long it lives, and the scopes granted, None where the platform does not say. Never prints what
    it holds."""

    value: str
    life: Millis
    scopes: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Token(***, life={self.life})"


class Endpoint(msgspec.Struct, frozen=True):
    """Where tokens are asked for, and the metadata that names it; None where there is none, and the usual place stands."""

    url: str
    metadata: str | None = None


class TokenClient:
    """Asks one login server for tokens. The endpoint is looked up until a token was granted, then remembered."""

    def __init__(
        self, login_url: str, client_id: str, client_secret: str, scopes: Sequence[str], http: HttpClient
    ) -> None:
        self._login_url = login_url
        self._credentials = (client_id, client_secret)
        self._scope = " ".join(scopes)
        self._http = http
        self._endpoint: str | None = None

    def fetch(self) -> Token:
        """A new token. Raises `RefusedError` if the credentials are refused, `TransientSourceError` for all else."""
        endpoint = self._endpoint or self.discover().url
        self._endpoint = None
        form = {"grant_type": "client_credentials"}
        if self._scope:
            form["scope"] = self._scope
        answer = self._http.request("POST", endpoint, form=form, basic=self._credentials)
        match judge(answer.status):
            case Verdict.GRANTED:
                token = self._read(answer)
                self._endpoint = endpoint
                return token
            case Verdict.REFUSED:
                code = _named(answer)
                raise RefusedError(
                    f"{self._http.where} refuses the client credentials (status {answer.status}"
                    f"{code and f', {code}'}); check CLIENT_ID, CLIENT_SECRET and the client's scopes, then try again",
                    answer.status,
                    code,
                )
            case Verdict.TRANSIENT:
                raise TransientSourceError(
                    f"{self._http.where} answered the token request with status {answer.status}",
                    None if answer.retry_after is None else answer.retry_after / SECOND,
                )

    def discover(self) -> Endpoint:
        """Look the token endpoint up. Raises `TransientSourceError` where there is no answer, or one not to be used."""
        for path in _METADATA:
            answer = self._http.request("GET", self._login_url + path)
            endpoint = answer.fields().get("token_endpoint") if answer.status == 200 else None
            if isinstance(endpoint, str):
                return Endpoint(self._checked(endpoint), self._login_url + path)
        return Endpoint(self._login_url + _FALLBACK)

    def _checked(self, endpoint: str) -> str:
        """A login server reached over TLS may not send the secret over a plain line, not even on this machine."""
        try:
            check_url("the token endpoint in the metadata", endpoint, "https")
        except ConfigurationError as error:
            raise TransientSourceError(f"{self._http.where}: {error}") from None
        if self._login_url.startswith("https:") and not endpoint.startswith("https:"):
            raise TransientSourceError(f"{self._http.where} names a token endpoint without TLS, which is not used")
        return endpoint

    def _read(self, answer: Answer) -> Token:
        fields = answer.fields()
        value = fields.get("access_token")
        # It goes into a header: nothing but visible ASCII.
        if not isinstance(value, str) or not value.isascii() or not 0 < len(value) <= _LONGEST_TOKEN:
            raise TransientSourceError(f"{self._http.where} granted no usable access_token")
        if not value.isprintable() or " " in value:
            raise TransientSourceError(f"{self._http.where} granted no usable access_token")
        scope = fields.get("scope")
        return Token(value, life_of(fields.get("expires_in")), tuple(scope.split()) if isinstance(scope, str) else None)


def _named(answer: Answer) -> str:
    """The error's registered name, if it is one; never the description, which may repeat what was sent."""
    name = answer.fields().get("error")
    known = {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
    return name if isinstance(name, str) and name in known | {"invalid_scope"} else ""
