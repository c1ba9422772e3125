"""The platform's HTTP and WebSocket face, as an ASGI application: paths, checks and answers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import cast
from urllib.parse import parse_qs, unquote_plus

import msgspec
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from journeymap.simulator import control
from journeymap.simulator.answers import body_of, failing, json_answer, oauth_error, problem, unauthorized
from journeymap.simulator.chance import strike
from journeymap.simulator.front import Front
from journeymap.simulator.platform import SCOPES, STREAM_PATH, SUBSCRIPTIONS_PATH, Platform
from journeymap.simulator.publicapi import oauth
from journeymap.simulator.publicapi.public import Public
from journeymap.simulator.subscriptions import Request, Subscription
from journeymap.simulator.traffic import EVENT_TYPES
from journeymap.simulator.wire import EXTENSION, FAULTS, Wire

_MOST_SUBSCRIPTIONS = 100


def create_app(platform: Platform, failed: Callable[[BaseException], None]) -> ASGIApp:
    """The application; its lifespan tells the story. `failed` hears of a story that broke off."""
    public = platform.public = Public(platform)

    def heard(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failed(error)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
        goings_on = platform.tell(), strike(platform), public.eventbridge.run()
        tasks = [asyncio.create_task(one) for one in goings_on]
        for task in tasks:
            task.add_done_callback(heard)
        try:
            yield {FAULTS: platform.faults}
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    face = _Face(platform)
    one = SUBSCRIPTIONS_PATH + "/{subscription_id}"
    app = Starlette(
        routes=[
            Route("/.well-known/oauth-authorization-server", face.metadata),
            Route("/oauth/token", face.token, methods=["POST"]),
            Route(SUBSCRIPTIONS_PATH, face.subscribe, methods=["POST"]),
            Route(SUBSCRIPTIONS_PATH, face.subscriptions, methods=["GET"]),
            Route(one, face.subscription, methods=["GET"]),
            Route(one, face.unsubscribe, methods=["DELETE"]),
            Route("/stats", face.stats),
            *control.routes(platform),
            *public.routes(),
            WebSocketRoute(STREAM_PATH, face.stream),
        ],
        lifespan=lifespan,
    )
    return Front(app, platform.faults, platform.answers)


class _Face:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def metadata(self, request: HttpRequest) -> Response:
        failure = await failing(self._platform, request, "fail_metadata")
        if failure is not None:
            return failure
        base = str(request.base_url).rstrip("/")
        return json_answer(
            {
                "issuer": base,
                "token_endpoint": base + "/oauth/token",
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "scopes_supported": sorted(SCOPES),
            }
        )

    async def token(self, request: HttpRequest) -> Response:
        """RFC 6749, sections 4.4 and 5: a token for client credentials, or the error by its name.

        Who names no scope asks for the public APIs, which know none.
        """
        form = parse_qs((await request.body()).decode("latin-1"), keep_blank_values=True)
        if form.get("grant_type") == ["client_credentials"] and "scope" not in form:
            failure = await failing(self._platform, request, "fail_tokens")
            return failure or oauth.token(self._platform, _basic(request), form)
        failure = await failing(self._platform, request, "refuse_tokens", "fail_tokens")
        if failure is not None:
            return failure
        manner = self._platform.manner
        if self._platform.faults.refuse_credentials or _basic(request) != (manner.client_id, manner.client_secret):
            return oauth_error(401, "invalid_client", "unknown client id or wrong secret")
        if "grant_type" not in form or any(len(values) > 1 for values in form.values()):
            return oauth_error(400, "invalid_request", "grant_type is missing, or a field is there twice")
        if form["grant_type"] != ["client_credentials"]:
            return oauth_error(400, "unsupported_grant_type", "only client_credentials is supported")
        scopes = form.get("scope", [""])[0].split()
        if not scopes or not SCOPES.issuperset(scopes):
            return oauth_error(400, "invalid_scope", "known scopes are " + " ".join(sorted(SCOPES)))
        withheld = self._platform.faults.take("missing_scope")
        answer = {
            "access_token": self._platform.issue_token(),
            "token_type": "bearer",
            "expires_in": max(1, round(self._platform.token_life)),
            "scope": " ".join(scope for scope in scopes if scope != withheld),
        }
        return json_answer(answer, headers={"Cache-Control": "no-store"})

    async def subscribe(self, request: HttpRequest) -> Response:
        failure = await failing(self._platform, request, "refuse_subscriptions", "fail_subscriptions")
        if failure is not None:
            return failure
        token = self._token(request)
        if token is None:
            return unauthorized()
        try:
            wish = msgspec.json.decode(await body_of(request), type=Request)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, "The body is not a subscription", str(error))
        wrong = _wrong_in(wish)
        if wrong is not None:
            return problem(400, "The subscription cannot be made", wrong)
        connection = self._platform.connection_at(wish.callback_url, token)
        if connection is None:
            return problem(409, "No such connection", "callbackUrl names no live connection; open the stream first")
        limit = self._platform.faults.subscription_limit or _MOST_SUBSCRIPTIONS
        if len(self._platform.subscriptions) >= limit:
            return problem(409, "Too many subscriptions", f"{limit} are allowed; delete some first")
        return json_answer(self._platform.subscribe(wish, connection).document(), 201)

    async def subscriptions(self, request: HttpRequest) -> Response:
        failure = await failing(self._platform, request, "fail_cleanup")
        if failure is not None:
            return failure
        if self._token(request) is None:
            return unauthorized()
        return json_answer({"entities": [known.document() for known in self._platform.subscriptions.values()]})

    async def subscription(self, request: HttpRequest) -> Response:
        found = await self._found(request)
        return found if isinstance(found, Response) else json_answer(found.document())

    async def unsubscribe(self, request: HttpRequest) -> Response:
        found = await self._found(request)
        if isinstance(found, Response):
            return found
        self._platform.unsubscribe(found)
        return Response(status_code=204)

    async def stats(self, _: HttpRequest) -> Response:
        return json_answer(self._platform.stats())

    async def stream(self, socket: WebSocket) -> None:
        refusal = await failing(self._platform, socket, "refuse_handshakes", "fail_handshakes")
        token = self._token(socket)
        if refusal is not None or token is None:
            await socket.send_denial_response(refusal or unauthorized())
            return
        await socket.accept()
        connection = self._platform.connect(token, cast(Wire, socket.scope["extensions"][EXTENSION]))
        try:
            # What clients say on the stream has no meaning in this protocol.
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self._platform.disconnect(connection)

    async def _found(self, request: HttpRequest) -> Subscription | Response:
        failure = await failing(self._platform, request, "fail_cleanup")
        if failure is not None:
            return failure
        if self._token(request) is None:
            return unauthorized()
        found = self._platform.subscriptions.get(request.path_params["subscription_id"])
        return found if found is not None else problem(404, "No such subscription", "it never was, or has ended")

    def _token(self, request: HTTPConnection) -> str | None:
        """The caller's token, None if there is none that is good now."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = request.query_params.get("access_token", "") if self._platform.manner.token_in_query else ""
        return token if self._platform.accepts_token(token.strip()) else None


def _wrong_in(wish: Request) -> str | None:
    if "interaction" not in wish.resource_types:
        return 'resourceTypes must hold "interaction"'
    unknown = [name for name in wish.filters.event_types if name not in EVENT_TYPES]
    if unknown:
        return f"filters.eventTypes: {unknown[0]!r} is unknown; known are {', '.join(EVENT_TYPES)}"
    if not 1 <= wish.max_events_per_second <= 100_000:
        return f"maxEventsPerSecond is {wish.max_events_per_second}, allowed are 1 to 100000"
    return None


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    try:
        name, colon, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (unquote_plus(name), unquote_plus(secret)) if scheme.lower() == "basic" and colon else None
