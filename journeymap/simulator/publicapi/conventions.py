"""What all public APIs have in common: tokens, permissions, rate limits, error bodies, ids to ask support with."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from journeymap.simulator.answers import failing, json_answer
from journeymap.simulator.people import uuid_of
from journeymap.simulator.platform import Platform
from journeymap.simulator.publicapi.rates import Rates

Handler = Callable[[Request, str], Awaitable[Response]]
"""Answers a request that came with this token. Raises RefusedError."""

_MINUTE: Final = 60.0

_CODES: Final = {
    401: ("bad.credentials", "Invalid login credentials."),
    404: ("not.found", "The requested resource was not found."),
    429: ("too.many.requests", ""),
    500: ("internal.server.error", "The server encountered an unexpected condition which prevented it from answering."),
    503: ("service.unavailable", "Service Unavailable - The server is currently unavailable."),
    504: ("request.timeout", "The request timed out."),
}
_TOO_MANY: Final = "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"


class RefusedError(Exception):
    """A request that is not granted: what the error body says."""

    def __init__(self, status: int, code: str, message: str, **params: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.params = params

    def body(self, context_id: str) -> dict[str, Any]:
        """The error body."""
        said: dict[str, Any] = {"message": self.message, "code": self.code, "status": self.status}
        if self.params:
            for name, value in self.params.items():
                said["message"] = said["message"].replace("{" + name + "}", value)
            said |= {"messageWithParams": self.message, "messageParams": self.params}
        return said | {"contextId": context_id, "details": [], "errors": []}


def bad_request(message: str, code: str = "bad.request") -> RefusedError:
    """The request itself is wrong."""
    return RefusedError(400, code, message)


def not_found(what: str, name: str) -> RefusedError:
    """There is no such thing."""
    return RefusedError(404, "not.found", f"Unable to find {what} {{id}}", id=name)


def missing(platform: Platform, permissions: Sequence[str]) -> list[str]:
    """Those of the permissions that the roles of the client do not bring."""
    lacking = platform.faults.missing_permissions.split("+")
    return [permission for permission in permissions if permission in lacking]


class Conventions:
    """Makes routes of handlers that know nothing of tokens, limits and headers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._rates = Rates(platform.now, lambda: round((platform.faults.rate_window or _MINUTE) * 1000))

    def route(self, method: str, path: str, handler: Handler, *permissions: str) -> Route:
        """A route that needs a token, and all these permissions."""

        async def answer(request: Request) -> Response:
            context_id = uuid_of(secrets.token_hex(16))
            limits: dict[str, str] = {}
            try:
                token = self._token(request)
                limits |= self._counted(token)
                failure = await failing(self._platform, request, "fail_api", refusal=_failed)
                if failure is None:
                    self._require(permissions)
                    failure = await handler(request, token)
                found = failure
            except RefusedError as refusal:
                found = json_answer(refusal.body(context_id), refusal.status)
                if refusal.status == 429:
                    found.headers["Retry-After"] = refusal.params["seconds"]
            found.headers.update({"ININ-Correlation-Id": context_id} | limits)
            self._platform.answers[f"{method} {path} {found.status_code}"] += 1
            return found

        return Route(path, answer, methods=[method])

    def _token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            said = "No authentication bearer token specified in authorization header."
            raise RefusedError(401, "authentication.required", said)
        if not self._platform.accepts_token(token.strip()):
            raise RefusedError(401, *_CODES[401])
        return token.strip()

    def _counted(self, token: str) -> Mapping[str, str]:
        """Count a request; what the headers say of the limit."""
        allowed = self._platform.faults.rate_limit or self._platform.manner.rate_limit
        count, seconds = self._rates.count(token)
        if count > allowed:
            raise RefusedError(429, "too.many.requests", _TOO_MANY, seconds=str(seconds))
        return {
            "inin-ratelimit-count": str(count),
            "inin-ratelimit-allowed": str(allowed),
            "inin-ratelimit-reset": str(seconds),
        }

    def _require(self, permissions: Sequence[str]) -> None:
        lacking = missing(self._platform, permissions)
        if lacking:
            said = "Unable to perform the requested action. You are missing the following permission(s): {permissions}"
            raise RefusedError(403, "missing.permissions", said, permissions=", ".join(lacking))


def _failed(status: int) -> Response:
    """What the fault `fail_api` answers."""
    if status == 429:
        raise RefusedError(429, "too.many.requests", _TOO_MANY, seconds="2")
    raise RefusedError(status, *_CODES[status])


def body_of(document: bytes) -> Any:
    """The JSON in a body. Raises RefusedError."""
    try:
        return msgspec.json.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"The request could not be understood by the server: {error}", "invalid.value") from None
