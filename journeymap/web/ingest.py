"""`POST /ingest/v1/eventbridge`: takes what an API destination of EventBridge or a workflow's web hook posts."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from journeymap.errors import InputError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.bucket import Bucket
from journeymap.web.problems import MEDIA_TYPE, ProblemRoute, problem

PATH: Final = "/ingest/v1/eventbridge"

KEY_HEADER: Final = "x-api-key"
TOPIC_HEADER: Final = "x-journeymap-topic"
TOPIC_PARAMETER: Final = "topic"

MAX_BODY: Final = 1024 * 1024
"""Bytes. An event of EventBridge has 256 KiB at most; an array of them may have more."""

BODY_PATIENCE: Final = 10.0
"""Seconds in which a body must have come."""

DELIVERY_PATIENCE: Final = 4.0
"""Seconds. EventBridge waits five for the answer."""

WRONG_KEYS_PER_SECOND: Final = 10
"""Posts without the key are answered 401 so often, and 429 beyond; the limit of those with it is not touched."""

TELL_INTERVAL: Final[Millis] = 60 * SECOND
"""Wrong keys are logged so often at most."""

_OTHER_METHODS: Final = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
_TAKEN: Final = msgspec.json.encode({"status": "taken"})

log = logging.getLogger(__name__)


class Door(Protocol):
    """What takes the frames (`source.door`)."""

    def take(self, read: Callable[[], bytes]) -> Future[None]:
        """Deliver what `read` makes; done once it is safe. Raises `TransientSourceError` where nothing is taken now."""

    def refuse(self, reason: str) -> None:
        """Count a post that was sent away."""


def create_ingest(
    door: Door,
    key: str,
    frame_of: Callable[[bytes, str | None], bytes],
    *,
    posts_per_second: int,
    steady: Callable[[], Millis] = lambda: time.monotonic_ns() // 1_000_000,
) -> APIRouter:
    """The route. `frame_of` makes a frame of a body and its topic, in one of the door's threads; it raises InputError."""
    posting = _Posting(door, key, frame_of, posts_per_second, steady)
    router = APIRouter(route_class=ProblemRoute)
    router.add_api_route(PATH, posting.post, methods=["POST"], include_in_schema=False)
    router.add_api_route(PATH, posting.not_allowed, methods=_OTHER_METHODS, include_in_schema=False)
    return router


def ingest_operation() -> dict[str, Any]:
    """The route as OpenAPI describes it."""
    answers = {
        "400": "The body is not JSON, or the topic is none: posting it again does not help",
        "401": "The key is missing or wrong",
        "408": f"The body did not come within {BODY_PATIENCE:g} s",
        "413": f"The body is larger than {MAX_BODY} bytes",
        "429": "Too many posts a second: again after Retry-After",
        "503": "Nothing is taken now, and nothing was, or it is not known whether it was: again after Retry-After",
    }
    text = {"type": "string"}
    return {
        "operationId": "postEvent",
        "summary": "Takes an event of EventBridge, or of a workflow's web hook; there only where EVENTBRIDGE_KEY is set",
        "description": "An envelope of EventBridge, what is in its `detail`, or an array of these. With a topic, an event's body "
        "alone. Answered 200 as soon as it is in the journal of received events; twice is no harm.",
        "security": [{"ingestKey": []}, {"ingestBearer": []}, {"ingestBasic": []}],
        "parameters": [
            {
                "name": TOPIC_PARAMETER,
                "in": "query",
                "description": f"topic of an event's body that comes without an envelope; may also be the header {TOPIC_HEADER}",
                "schema": text,
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {
            "200": {
                "description": "It was taken",
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "properties": {"status": text}, "required": ["status"]}
                    }
                },
            },
            **{
                status: {
                    "description": description,
                    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status, description in answers.items()
            },
        },
    }


def ingest_security() -> dict[str, Any]:
    """How a post shows that it may be one."""
    return {
        "ingestKey": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
        "ingestBearer": {"type": "http", "scheme": "bearer"},
        "ingestBasic": {"type": "http", "scheme": "basic", "description": "any user name, the key as the password"},
    }


class _Posting:
    def __init__(
        self,
        door: Door,
        key: str,
        frame_of: Callable[[bytes, str | None], bytes],
        posts_per_second: int,
        steady: Callable[[], Millis],
    ) -> None:
        self._door = door
        self._key = _digest(key)
        self._frame_of = frame_of
        self._steady = steady
        self._allowed = Bucket(posts_per_second, posts_per_second)
        self._strangers = Bucket(WRONG_KEYS_PER_SECOND, 5 * WRONG_KEYS_PER_SECOND)
        self._wrong_keys = 0
        self._told_at: Millis | None = None

    async def post(self, request: Request) -> Response:
        """200 once the journal has it; every other answer says that nothing was taken, or that it may not have been."""
        knows_key = any(hmac.compare_digest(_digest(given), self._key) for given in _keys(request))
        wait = (self._allowed if knows_key else self._strangers).take(self._steady())
        if not knows_key:
            self._note_stranger()
        if wait:
            return self._refuse(429, "too-many", "too many posts a second", wait / SECOND)
        if not knows_key:
            answer = self._refuse(401, "wrong-key", f"the key is missing or wrong; send it as {KEY_HEADER}: KEY")
            answer.headers["www-authenticate"] = "Bearer"
            return answer
        try:
            async with asyncio.timeout(BODY_PATIENCE):
                body = await _read(request)
        except TimeoutError:
            return self._refuse(408, "slow", f"the body did not come within {BODY_PATIENCE:g} s")
        except ClientDisconnect:
            return self._refuse(400, "cut-off", "the body did not come to its end")
        if body is None:
            return self._too_large()
        topic = request.headers.get(TOPIC_HEADER) or request.query_params.get(TOPIC_PARAMETER)
        try:
            future = self._door.take(partial(self._frame_of, body, topic))
            await asyncio.wait_for(asyncio.wrap_future(future), DELIVERY_PATIENCE)
        except InputError as error:
            return self._refuse(400, "unusable", str(error))
        except TransientSourceError as error:  # counted by the door
            return _later(str(error), error.retry_after or 1)
        except TimeoutError:
            self._door.refuse("slow-disk")
            return _later("it takes too long to write what was posted", 1)
        return Response(_TAKEN, media_type="application/json")

    async def not_allowed(self, request: Request) -> Response:
        """Any other method."""
        return problem(405, f"{request.method} is not possible here", {"allow": "POST"})

    def _too_large(self) -> Response:
        return self._refuse(413, "too-large", f"the body is larger than {MAX_BODY} bytes")

    def _refuse(self, status: int, reason: str, detail: str, wait: float | None = None) -> Response:
        self._door.refuse(reason)
        headers = {} if wait is None else {"retry-after": _seconds(wait)}
        if status in (408, 413):
            headers["connection"] = "close"  # what is left of the body is not read
        return problem(status, detail, headers)

    def _note_stranger(self) -> None:
        self._wrong_keys += 1
        now = self._steady()
        if self._told_at is None or now - self._told_at >= TELL_INTERVAL:
            log.warning("posts to %s with no key or a wrong one: %d since this was last said", PATH, self._wrong_keys)
            self._told_at, self._wrong_keys = now, 0


def _later(why: str, wait: float) -> Response:
    return problem(503, f"nothing is taken now: {why}", {"retry-after": _seconds(wait)})


def _seconds(wait: float) -> str:
    return str(max(1, round(wait + 0.499)))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _keys(request: Request) -> list[str]:
    """All that the request may mean as its key: an own header, a bearer token, the password of basic authorisation."""
    keys = [value for value in (request.headers.get(KEY_HEADER),) if value]
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            keys.append(value.strip())
        case "basic":
            with contextlib.suppress(binascii.Error, ValueError):
                keys.append(base64.b64decode(value, validate=True).decode("latin-1").partition(":")[2])
    return keys


async def _read(request: Request) -> bytes | None:
    """The body; None as soon as it is too large."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
