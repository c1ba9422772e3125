"""The Notification Service: routes of channels and subscriptions, and the socket of a channel."""

from __future__ import annotations

import secrets
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from journeymap.simulator.answers import json_answer
from journeymap.simulator.connections import Connection
from journeymap.simulator.ledger import Ledger
from journeymap.simulator.people import uuid_of
from journeymap.simulator.platform import Platform
from journeymap.simulator.publicapi.channels import MOST_TOPICS, Channel, Channels
from journeymap.simulator.publicapi.conventions import Conventions, RefusedError, bad_request, body_of, not_found
from journeymap.simulator.publicapi.stamps import stamp
from journeymap.simulator.publicapi.topics import Catalogue, Wish
from journeymap.simulator.told import Outgoing
from journeymap.simulator.wire import EXTENSION, Wire

CHANNELS_PATH: Final = "/api/v2/notifications/channels"
SOCKETS_PATH: Final = "/channels"
_PONG: Final = Outgoing(b'{"topicName":"channel.metadata","eventBody":{"message":"pong"}}')


class Notifications:
    """Answers what concerns channels."""

    def __init__(self, platform: Platform, channels: Channels, catalogue: Catalogue, ledger: Ledger) -> None:
        self._platform = platform
        self._channels = channels
        self._catalogue = catalogue
        self._ledger = ledger

    def routes(self, conventions: Conventions) -> list[BaseRoute]:
        """The routes, and the socket's."""
        one = CHANNELS_PATH + "/{channel_id}"
        topics = one + "/subscriptions"
        route = conventions.route
        return [
            route("POST", CHANNELS_PATH, self.create),
            route("GET", CHANNELS_PATH, self.existing),
            # Before GET, which Starlette would let answer HEAD too.
            route("HEAD", one, self.is_alive),
            route("GET", topics, self.subscriptions),
            route("POST", topics, self.add),
            route("PUT", topics, self.replace),
            route("DELETE", topics, self.remove),
            route("GET", "/api/v2/notifications/availabletopics", self.available_topics),
            WebSocketRoute(SOCKETS_PATH + "/{channel_id}", self.socket),
        ]

    async def create(self, _: Request, token: str) -> Response:
        """POST of a channel."""
        return json_answer(self._document(self._channels.create(token)))

    async def existing(self, request: Request, token: str) -> Response:
        """GET of the channels: of this token, or of the whole client."""
        whole = request.query_params.get("includechannels", "token").lower() == "oauthclient"
        found = [channel for channel in self._channels if whole or channel.token == token]
        return json_answer({"entities": [self._document(channel) for channel in found]})

    async def is_alive(self, request: Request, _: str) -> Response:
        """HEAD of a channel: 200 or 404."""
        self._channel(request)
        return Response(status_code=200)

    async def subscriptions(self, request: Request, _: str) -> Response:
        """GET of a channel's topics."""
        channel = self._channel(request)
        return json_answer({"entities": [self._granted(channel, asked) for asked in channel.topics]})

    async def add(self, request: Request, _: str) -> Response:
        """POST of topics: they are added."""
        return await self._subscribe(request, replace=False)

    async def replace(self, request: Request, _: str) -> Response:
        """PUT of topics: they are all there is then, and the channel lives another 24 hours."""
        return await self._subscribe(request, replace=True)

    async def remove(self, request: Request, _: str) -> Response:
        """DELETE of all topics."""
        channel = self._channel(request)
        self._channels.subscribe(channel, [], replace=True)
        return Response(status_code=204)

    async def available_topics(self, request: Request, _: str) -> Response:
        """GET of the topics there are."""
        wanted = [name for text in request.query_params.getlist("expand") for name in text.split(",")]
        return json_answer({"entities": self._catalogue.document(wanted)})

    async def socket(self, socket: WebSocket) -> None:
        """The socket of a channel; whoever knows the address may connect."""
        channel = self._channels.find(socket.path_params["channel_id"])
        if channel is None:
            refusal = not_found("channel", socket.path_params["channel_id"])
            await socket.send_denial_response(json_answer(refusal.body(uuid_of(secrets.token_hex(8))), 404))
            return
        await socket.accept()
        wire = cast(Wire, socket.scope["extensions"][EXTENSION])
        connection = Connection(channel.channel_id, channel.token, wire, self._platform.manner.buffer, self._ledger)
        self._channels.connect(channel, connection)
        try:
            while (message := await socket.receive())["type"] != "websocket.disconnect":
                self._hear(channel, connection, message.get("text") or message.get("bytes") or b"")
        finally:
            self._channels.disconnect(channel, connection)

    def _hear(self, channel: Channel, connection: Connection, frame: str | bytes) -> None:
        """What a client says on its socket: a ping, or topics to subscribe to."""
        try:
            said = msgspec.json.decode(frame, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            said = {}
        self._channels.use(channel)
        match said:
            case {"message": "ping"}:
                if not self._platform.faults.pong_loss:
                    connection.send([_PONG])
            case {"message": "subscribe", "topics": [*topics]}:
                result = self._subscribe_by_socket(channel, [str(topic) for topic in topics])
                connection.send([Outgoing(msgspec.json.encode(result))])
            case _:
                answer = {"result": "400", "status": "error", "message": "The message could not be understood"}
                connection.send([Outgoing(msgspec.json.encode(answer))])

    def _subscribe_by_socket(self, channel: Channel, topics: list[str]) -> dict[str, str]:
        if self._channels.find(channel.channel_id) is not channel:
            return {"result": "404", "status": "error", "message": "channel expired or replaced"}
        wishes = [self._catalogue.judge(topic) for topic in topics]
        refused = [wish for wish in wishes if wish.reason]
        if refused:
            return {"result": "400", "status": "failure", "message": f"{refused[0].asked}: {refused[0].reason}"}
        if self._channels.would_hold(channel, wishes, replace=True) > MOST_TOPICS:
            return {"result": "400", "status": "failure", "message": f"More than {MOST_TOPICS} topics"}
        self._channels.subscribe(channel, wishes, replace=True)
        self._channels.renew(channel)
        return {"result": "200", "status": "subscribed"}

    async def _subscribe(self, request: Request, replace: bool) -> Response:
        channel = self._channel(request)
        topics = body_of(await request.body())
        if not isinstance(topics, list) or not all(isinstance(topic, dict) and topic.get("id") for topic in topics):
            raise bad_request("The body must be a list of topics, each with its id", "invalid.value")
        wishes = [self._catalogue.judge(str(topic["id"])) for topic in topics]
        refused = [wish for wish in wishes if wish.reason]
        if refused and request.query_params.get("ignoreErrors", "").lower() != "true":
            raise _refusal(refused)
        if self._channels.would_hold(channel, wishes, replace) > MOST_TOPICS:
            raise bad_request(f"A channel may have no more than {MOST_TOPICS} topics")
        self._channels.subscribe(channel, wishes, replace)
        self._channels.use(channel)
        if replace:
            self._channels.renew(channel)
        return json_answer({"entities": [self._judged(channel, wish) for wish in wishes]})

    def _channel(self, request: Request) -> Channel:
        channel_id = request.path_params["channel_id"]
        channel = self._channels.find(channel_id)
        if channel is None:
            raise not_found("channel", channel_id)
        return channel

    def _document(self, channel: Channel) -> dict[str, str]:
        base = self._platform.base_url.replace("http", "ws", 1)
        address = f"{base}{SOCKETS_PATH}/{channel.channel_id}"
        return {"connectUri": address, "id": channel.channel_id, "expires": stamp(channel.expires)}

    def _judged(self, channel: Channel, wish: Wish) -> dict[str, Any]:
        if wish.names:
            return self._granted(channel, wish.asked)
        said: dict[str, Any] = {"id": wish.asked, "state": "Rejected", "rejectionReason": wish.reason}
        return said | ({"missingPermissions": list(wish.lacking)} if wish.lacking else {})

    def _granted(self, channel: Channel, asked: str) -> dict[str, Any]:
        address = f"{self._platform.base_url}{CHANNELS_PATH}/{channel.channel_id}/subscriptions/{quote(asked)}"
        return {"id": asked, "state": "Permitted", "selfUri": address}


def _refusal(refused: list[Wish]) -> RefusedError:
    """One refused topic refuses them all."""
    lacking = list(dict.fromkeys(permission for wish in refused for permission in wish.lacking))
    topics = ", ".join(wish.asked for wish in refused)
    if lacking:
        said = "You are missing the following permission(s): {permissions} for the topic(s): {topics}"
        return RefusedError(403, "missing.permissions", said, permissions=", ".join(lacking), topics=topics)
    return RefusedError(403, "not.authorized", refused[0].reason + ": {topics}", topics=topics)
