"""What the Event Streams source asks of the platform, in the background; each answer comes back as an input of the machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from journeymap.errors import RefusedError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.exchange import (
    HandshakeRefused,
    Input,
    SocketClosed,
    SocketOpened,
    Subscribed,
    SubscribeFailed,
    TokenFailed,
    TokenObtained,
    TokenRefused,
    Unsubscribed,
)
from journeymap.protocol.token import schedule
from journeymap.source.background import Background
from journeymap.source.config import EventStreamsConfig
from journeymap.source.ledger import Ledger
from journeymap.source.oauth import Token, TokenClient
from journeymap.source.subscriptions import SubscriptionClient
from journeymap.source.transport import HttpClient, tls_context
from journeymap.source.websocket import HandshakeRefusal, StreamSocket

_log = logging.getLogger(__name__)

_TOKENS_KEPT: Final = 4

_CLEARED_AT_ONCE: Final = 10
"""So many subscriptions that were left behind are deleted before other requests get their turn."""

_GONE: Final = (404, 410)
_MAY_WORK_LATER: Final = (401, 408, 425, 429)
"""Answers to a deletion after which it is tried again, with a newer token or another time; beside those from 500 up."""


class Calls:
    """Hands every answer to `answer`, from threads of its own; a defect too, as the exception that it is.

    Tokens stay in here: outside they are known by the number of the request that fetched them. `clock` is wall time,
    `steady` is that of the machine.
    """

    def __init__(
        self,
        config: EventStreamsConfig,
        clock: Callable[[], Millis],
        steady: Callable[[], Millis],
        random: Callable[[], float],
        answer: Callable[[Input | BaseException], None],
        ledger: Ledger,
    ) -> None:
        self._config = config
        self._clock = clock
        self._steady = steady
        self._random = random
        self._answer = answer
        self._tls = tls = tls_context()
        self._background = Background("eventstreams")
        self._login_http = HttpClient(config.login_url, config.request_timeout, tls, clock, "REGION or LOGIN_URL")
        self._api_http = HttpClient(config.api_url, config.request_timeout, tls, clock, "REGION or API_URL")
        self._oauth = TokenClient(
            config.login_url, config.client_id, config.client_secret, config.scopes, self._login_http
        )
        self._subscriptions = SubscriptionClient(
            config.api_url, config.event_types, config.max_events_per_second, self._api_http
        )
        self._ledger = ledger
        self._tokens: dict[int, Token] = {}
        self._fetching: set[int] = set()
        self._subscribing: set[int] = set()
        self._unwanted: set[str] = set()  # subscriptions that are being deleted

    # From the thread of `run`

    def fetch(self, request: int) -> None:
        """Ask for a token. An older request is not waited for any more."""
        if self._fetching:
            self._login_http.give_up()
        self._fetching.add(request)
        self._submit("token", lambda: self._fetch(request))

    def open(self, number: int, token: int) -> StreamSocket:
        """Connect and shake hands. The socket is in use here until `SocketOpened` or another answer has come."""
        stream = StreamSocket(self._config.stream_url, self._config.request_timeout, self._tls, self._clock)
        secret = self._known(token)
        self._submit(f"socket-{number}", lambda: self._open(number, stream, secret))
        return stream

    def subscribe(self, number: int, token: int, callback_url: str, max_events_per_second: int) -> None:
        """Ask for a subscription. An older request is not waited for any more."""
        secret = self._known(token)
        if self._subscribing:
            self._api_http.give_up()
        self._subscribing.add(number)
        self._submit("api", lambda: self._subscribe(number, secret, callback_url, max_events_per_second))

    def unsubscribe(self, token: int, subscription: str) -> None:
        """Delete a subscription."""
        secret = self._known(token)
        self._unwanted.add(subscription)
        self._submit("api", lambda: self._unsubscribe(secret, subscription))

    def stop_fetching(self) -> None:
        """Nobody waits for a token any more."""
        self._login_http.abort()

    def end(self, goodbye: float, patience: float) -> bool:
        """Grant deletions `goodbye` seconds, then break everything off; whether it has ended `patience` seconds later.

        If not, a connect hangs that nothing can interrupt; it ends by its time limit and closes what it has opened.
        """
        if self._unwanted:
            self._background.join(goodbye)
        self._api_http.abort()
        ended = self._background.join(patience)
        if ended:
            self._login_http.close()
            self._api_http.close()
        self._tokens.clear()
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

    def _fetch(self, request: int) -> Input:
        asked_at = self._steady()  # its life may have begun at any time since
        try:
            token = self._oauth.fetch()
        except RefusedError as error:
            return TokenRefused(request, str(error))
        except TransientSourceError as error:
            asked = None if error.retry_after is None else int(error.retry_after * SECOND)
            return TokenFailed(request, str(error), asked)
        finally:
            self._fetching.discard(request)
        self._tokens[request] = token
        self._submit("api", self._clear_up)
        for old in sorted(self._tokens)[:-_TOKENS_KEPT]:
            del self._tokens[old]
        times = schedule(asked_at, token.life, self._random())
        return TokenObtained(request, times.refresh_at, times.expires_at, asked_at)

    def _open(self, number: int, stream: StreamSocket, token: Token) -> Input:
        try:
            stream.open(token.value, self._config.token_in_query)
        except HandshakeRefusal as refusal:
            return HandshakeRefused(number, refusal.status, refusal.retry_after)
        except TransientSourceError as error:
            return SocketClosed(number, None, str(error))
        return SocketOpened(number)

    def _subscribe(self, number: int, token: Token, callback_url: str, max_events_per_second: int) -> Input:
        _log.info("asking for at most %d events a second", max_events_per_second)
        try:
            answer = self._subscriptions.subscribe(number, token.value, callback_url, max_events_per_second)
        except TransientSourceError as error:
            return SubscribeFailed(number, f"no subscription: {error}")
        finally:
            self._subscribing.discard(number)
        if isinstance(answer, Subscribed):
            self._ledger.make(answer.subscription)
            if self._ledger.left:
                self._submit("api", self._clear_up)
        return answer

    def _unsubscribe(self, token: Token, subscription: str) -> Input:
        self._ledger.leave(subscription)
        self._delete(token, subscription)
        self._unwanted.discard(subscription)
        return Unsubscribed(subscription)

    def _clear_up(self) -> None:
        """Delete what an earlier process, or an earlier attempt, has left behind; the rest later if that does not work."""
        for subscription in self._ledger.left[:_CLEARED_AT_ONCE]:
            if not (self._tokens and self._delete(self._known(max(self._tokens)), subscription)):
                return
            _log.info("cleared up a subscription that was left behind")

    def _delete(self, token: Token, subscription: str) -> bool:
        """Delete a subscription; False if that may work later."""
        try:
            status = self._subscriptions.unsubscribe(token.value, subscription)
        except TransientSourceError as error:
            _log.info("a subscription could not be deleted: %s", error)
            return False
        if status in _MAY_WORK_LATER or status >= 500:
            _log.info("deleting a subscription was answered with status %d; it is tried again", status)
            return False
        if status >= 300 and status not in _GONE:
            _log.warning("the platform does not let us delete a subscription (status %d); it may stay behind", status)
        self._ledger.delete(subscription)
        return True

    def _known(self, request: int) -> Token:
        """The token of that request, or the newest if it is from so long ago that it was let go of."""
        return self._tokens.get(request) or self._tokens[max(self._tokens)]
