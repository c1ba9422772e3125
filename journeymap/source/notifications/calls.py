"""What the notifications source asks of the platform, in the background; each answer comes back as an input of the machine."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from journeymap.errors import ConfigurationError, RefusedError, RequestError, SourceError, TransientSourceError
from journeymap.model.time import DAY, HOUR, SECOND, Millis
from journeymap.protocol.exchange import HandshakeRefused, SocketClosed, SocketOpened
from journeymap.protocol.notifications.exchange import (
    Discovered,
    Input,
    LetGo,
    Prepare,
    Prepared,
    RequestFailed,
    SetTopics,
    TopicsSet,
)
from journeymap.protocol.notifications.limits import renewal_of
from journeymap.protocol.notifications.topics import Offer, Refusal, read_offer, read_refusals
from journeymap.source.background import Background
from journeymap.source.publicapi.client import PublicApi
from journeymap.source.transport import check_url, tls_context
from journeymap.source.websocket import HandshakeRefusal, StreamSocket

_log = logging.getLogger(__name__)

CHANNELS: Final = "/api/v2/notifications/channels"
TOPICS: Final = "/api/v2/notifications/availabletopics"
QUEUES: Final = "/api/v2/routing/queues"
_EXPAND: Final = "description,transports,requiresPermissions,visibility"
_PAGE: Final = 500
_OFFER_LASTS: Final[Millis] = HOUR
_LENIENT: Final = {"ignoreErrors": "true"}
_OPENING: Final[Millis] = 10 * SECOND
_NOT_FOUND: Final = 404


class Calls:
    """Hands every answer to `answer`, from threads of its own; a defect too, as the exception that it is. `clock` is wall
    time, `steady` that of the machine."""

    def __init__(
        self,
        api: PublicApi,
        stream_url: str,
        clock: Callable[[], Millis],
        steady: Callable[[], Millis],
        answer: Callable[[Input | BaseException], None],
    ) -> None:
        self._api = api
        self._host = urlsplit(stream_url).hostname
        self._clock = clock
        self._steady = steady
        self._answer = answer
        self._tls: ssl.SSLContext = tls_context()
        self._background = Background("notifications")
        self._offer: tuple[Millis, Offer] | None = None

    # From the thread of `run`

    def discover(self, request: int) -> None:
        """Ask for topics and queues."""
        self._submit("discovery", lambda: self._tried(request, lambda: self._discover(request)))

    def prepare(self, asked: Prepare) -> None:
        """Make a channel or take one, and give it its topics."""
        self._submit(f"channel-{asked.lane}", lambda: self._tried(asked.request, lambda: self._prepare(asked)))

    def set_topics(self, asked: SetTopics) -> None:
        """Change a channel's topics."""
        self._submit(f"channel-{asked.lane}", lambda: self._tried(asked.request, lambda: self._set_topics(asked)))

    def let_go(self, asked: LetGo) -> None:
        """Take a channel's topics away, after what is still being said about it."""
        self._submit(f"channel-{asked.lane}", lambda: self._let_go(asked))

    def open(self, number: int, uri: str) -> StreamSocket:
        """Connect. The socket is in use here until `SocketOpened` or another answer has come."""
        stream = StreamSocket(uri, _OPENING, self._tls, self._clock)
        self._submit(f"socket-{number}", lambda: self._open(number, stream))
        return stream

    def end(self, goodbye: float, patience: float) -> bool:
        """Grant what is under way `goodbye` seconds, then break it off; whether it has ended `patience` seconds later."""
        self._background.join(goodbye)
        self._api.abort()
        ended = self._background.join(patience)
        if ended:
            self._api.close()
        return ended

    # In the background

    def _submit(self, lane: str, work: Callable[[], Input | None]) -> None:
        def job() -> None:
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - a defect; it comes out of `run`, not of a thread nobody sees
                self._answer(error)
            else:
                if result is not None:
                    self._answer(result)

        self._background.submit(lane, job)

    def _tried(self, request: int, work: Callable[[], Input]) -> Input:
        try:
            return work()
        except RefusedError as error:
            return RequestFailed(request, str(error), refused=True)
        except TransientSourceError as error:
            asked = None if error.retry_after is None else int(error.retry_after * SECOND)
            return RequestFailed(request, str(error), retry_after=asked)
        except RequestError as error:
            return RequestFailed(request, str(error), gone=error.status == _NOT_FOUND)

    def _discover(self, request: int) -> Input:
        now = self._steady()
        if self._offer is None or now - self._offer[0] > _OFFER_LASTS:
            self._offer = now, self._offered()
        queues = self._api.pages(QUEUES, page_size=_PAGE, urgent=True)
        found = dict.fromkeys(queue["id"] for queue in queues if isinstance(queue.get("id"), str))
        return Discovered(request, tuple(found), self._offer[1])

    def _offered(self) -> Offer:
        try:
            return read_offer(self._api.get(TOPICS, {"expand": _EXPAND, "includePreview": "true"}, urgent=True))
        except TransientSourceError:
            raise
        except SourceError as error:
            if isinstance(error, RefusedError) and error.status == 401:
                raise
            # It only tells what else could be had.
            _log.warning("which topics there are cannot be had: %s", error)
            return Offer()

    def _prepare(self, asked: Prepare) -> Input:
        if asked.older:
            self._api.renew(asked.older)
        if asked.channel_id is not None and self._api.head(self._path(asked.channel_id), urgent=True) != _NOT_FOUND:
            try:
                return Prepared(asked.request, asked.channel_id, refusals=self._put(asked.channel_id, asked.topics))
            except RequestError as error:
                if error.status != _NOT_FOUND:
                    raise
        channel = self._api.post(CHANNELS, urgent=True)
        now = self._steady()
        channel_id, uri, life = self._read(channel)
        grant = self._api.grant
        renew_at = renewal_of(now, now + life) if grant is None else min(renewal_of(now, now + life), grant.refresh_at)
        number = 0 if grant is None else grant.number
        refusals = self._put(channel_id, asked.topics)
        return Prepared(asked.request, channel_id, uri, number, max(renew_at, now + SECOND), refusals)

    def _read(self, channel: Any) -> tuple[str, str, Millis]:
        """Id, address of the socket, and life of a new channel."""
        fields = channel if isinstance(channel, dict) else {}
        channel_id, uri = fields.get("id"), fields.get("connectUri")
        if not isinstance(channel_id, str) or not channel_id or not isinstance(uri, str):
            raise TransientSourceError("the platform made a channel without an id or a connectUri")
        try:
            check_url("connectUri", uri, "wss")
        except ConfigurationError as error:
            raise RefusedError(f"the address of a channel cannot be used: {error}") from None
        host = urlsplit(uri).hostname
        if host != self._host:
            raise RefusedError(
                f"the platform's channel is at {host}, STREAM_URL names {self._host}; it is not connected to: check REGION or "
                "STREAM_URL, then try again"
            )
        return channel_id, uri, self._life(fields.get("expires"))

    def _life(self, expires: object) -> Millis:
        """How long a channel lives that was made just now: a day, where our clock and the platform's make nonsense of it."""
        try:
            at = round(datetime.fromisoformat(str(expires)).timestamp() * SECOND)
        except (ValueError, OverflowError):
            return DAY
        life = at - self._clock()
        return life if 0 < life < DAY else DAY

    def _put(self, channel_id: str, topics: tuple[str, ...]) -> tuple[Refusal, ...]:
        path = f"{self._path(channel_id)}/subscriptions"
        return read_refusals(self._api.put(path, [{"id": topic} for topic in topics], _LENIENT, urgent=True))

    def _set_topics(self, asked: SetTopics) -> Input:
        if asked.replace:
            return TopicsSet(asked.request, self._put(asked.channel_id, asked.topics))
        path = f"{self._path(asked.channel_id)}/subscriptions"
        document = [{"id": topic} for topic in asked.topics]
        return TopicsSet(asked.request, read_refusals(self._api.post(path, document, _LENIENT, urgent=True)))

    def _let_go(self, asked: LetGo) -> None:
        try:
            self._api.delete(f"{self._path(asked.channel_id)}/subscriptions", urgent=True)
        except SourceError as error:
            # Without a socket the platform sends nothing on it, and it is the first to be removed.
            _log.info("a channel keeps its topics: %s", error)

    def _open(self, number: int, stream: StreamSocket) -> Input:
        try:
            stream.open()
        except HandshakeRefusal as refusal:
            return HandshakeRefused(number, refusal.status, refusal.retry_after)
        except TransientSourceError as error:
            return SocketClosed(number, None, str(error))
        return SocketOpened(number)

    def _path(self, channel_id: str) -> str:
        return f"{CHANNELS}/{quote(channel_id, safe='')}"
