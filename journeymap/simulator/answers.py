"""What the platform answers over HTTP: documents, problems, and the failures that faults ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.requests import HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.websockets import WebSocket

from journeymap.simulator.platform import Platform

_LARGEST_BODY: Final = 1 << 16
_GARBAGE: Final = b'<!doctype html><title>Welcome</title>{"access_token": '


def json_answer(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A document as JSON."""
    return Response(msgspec.json.encode(document), status, headers, "application/json")


def problem(status: int, title: str, detail: str) -> Response:
    """What went wrong, after RFC 9457."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(msgspec.json.encode(document), status, media_type="application/problem+json")


def unauthorized() -> Response:
    """No valid token came with the request."""
    answer = problem(401, "Not authorized", "a valid access token is needed as Authorization: Bearer")
    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return answer


def oauth_error(status: int, error: str, description: str) -> Response:
    """A refusal of a token by its name, after RFC 6749."""
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": 'Basic realm="simulated"'} if status == 401 else {})
    return json_answer({"error": error, "error_description": description}, status, headers)


async def body_of(request: HttpRequest) -> bytes:
    """The body of a request; of a large one the first 64 KiB."""
    body = bytearray()
    async for part in request.stream():
        body += part[: _LARGEST_BODY - len(body)]
    return bytes(body)


async def failing(
    platform: Platform, connection: HTTPConnection, *faults: str, refusal: Callable[[int], Response] | None = None
) -> Response | None:
    """What the first of these faults that is set answers to this request; None if all is well.

    `refusal` makes the answer of a status, where it is not a problem after RFC 9457.
    """
    for name in faults:
        answer = platform.faults.take(name)
        if answer == "hang":
            await _hang(platform, connection)
            return problem(503, "Going down", "the platform is being stopped")
        if answer == "garbage":
            return Response(_GARBAGE, 200, media_type="text/html")
        if answer and refusal is not None:
            return refusal(int(answer))
        if answer:
            return _failure(platform, int(answer), name)
    return None


def _failure(platform: Platform, status: int, fault: str) -> Response:
    if fault == "refuse_tokens":
        error = {400: "unauthorized_client", 401: "invalid_client", 403: "access_denied"}[status]
        return oauth_error(status, error, f"the fault {fault} is set")
    if status == 401:
        return unauthorized()
    answer = problem(status, HTTPStatus(status).phrase, f"the fault {fault} is set")
    if status in (429, 503) and platform.faults.retry_after:
        answer.headers["Retry-After"] = _retry_after(platform)
    return answer


def _retry_after(platform: Platform) -> str:
    seconds = platform.faults.retry_after
    if platform.faults.retry_after_as_date:
        return formatdate(time.time() + platform.faults.clock_skew + seconds, usegmt=True)
    return str(seconds)


async def _hang(platform: Platform, connection: HTTPConnection) -> None:
    """Wait until the client gives up or the platform stops."""
    waits = [asyncio.create_task(_gone(connection)), asyncio.create_task(platform.ending.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _gone(connection: HTTPConnection) -> None:
    assert isinstance(connection, HttpRequest | WebSocket)
    if isinstance(connection, HttpRequest):
        await body_of(connection)
    while not (await connection.receive())["type"].endswith("disconnect"):
        pass
