"""The Event Streams source: the thin shell that does what the machine in `protocol.eventstreams` says.

One thread, the one that calls `run`, reads the sockets, feeds the machine and delivers. Whatever may block (a token
request, a connect, a subscription) runs in the background and comes back through the inbox, so that the thread always
answers `stop` and `retry` at once and goes on reading while a token is renewed.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from journeymap.errors import RefusedError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import retry_after_in
from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.exchange import (
    Action,
    CloseSocket,
    FetchToken,
    FrameReceived,
    HandshakeRefused,
    Input,
    OpenSocket,
    PongReceived,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
    Subscribe,
    SubscribeFailed,
    TimerDue,
    TokenFailed,
    TokenObtained,
    TokenRefused,
    Unsubscribe,
)
from journeymap.protocol.frames import Control, Throttle, classify
from journeymap.protocol.token import schedule
from journeymap.protocol.websocket import CLOSE, LOST, PING, PONG, read_close
from journeymap.source.background import Background
from journeymap.source.base import ConnectionState, Deliver, SourceStatus
from journeymap.source.config import EventStreamsConfig
from journeymap.source.folding import FoldedLog
from journeymap.source.oauth import Token, TokenClient
from journeymap.source.steady import monotonic_ms
from journeymap.source.subscriptions import SubscriptionClient
from journeymap.source.transport import HttpClient, tls_context
from journeymap.source.websocket import HandshakeRefusal, StreamSocket

__all__ = ["EventStreamsConfig", "EventStreamsSource"]

_log = logging.getLogger(__name__)

CALLBACK_PATH: Final = "/api/v2/eventstreams/callbacks"
_TRY_AGAIN_LATER: Final = 1013
_LONGEST_WAIT: Final = 1.0
"""Seconds after which the time is looked at again, should an injected clock have jumped."""

_GOODBYE: Final = 0.5
"""Seconds that the end of `run` grants the deletion of a subscription."""

_TOKENS_KEPT: Final = 4


class EventStreamsSource:
    """Delivers what the platform's event stream sends. Raises `ConfigurationError` where the configuration cannot work.

    A frame over 1 MiB is read to its end and delivered as its first 1 MiB + 1 bytes, as the file source does with
    lines: decode rejects everything of that length as too large before it looks inside, so that it is counted and can
    be seen in the quarantine, and no second way for rejected frames is needed. `clock` is wall time, for arrivals and
    what is shown; `steady` measures waits and is never set.
    """

    name = "eventstreams"

    def __init__(
        self,
        config: EventStreamsConfig,
        clock: Callable[[], Millis],
        random: Random,
        steady: Callable[[], Millis] = monotonic_ms,
    ) -> None:
        self._config = config = config.checked()
        self._clock = clock
        self._steady = steady
        self._random = random.random
        self._machine = EventStreams(config.stream_url + CALLBACK_PATH, random.random, config.limits)
        self._status = SourceStatus(since=clock())
        self._shown: tuple[Any, ...] = ()
        self._received = self._throttled = self._dropped = 0
        self._last_frame_at: Millis | None = None
        self._errors = FoldedLog(_log, steady)
        self._lock = threading.RLock()  # `stop` may come in a signal handler of the thread that holds it
        self._stopping = False
        self._waker: socket.socket | None = None
        self._inbox: deque[tuple[Input, Token | None] | BaseException] = deque()
        self._tokens: dict[int, Token] = {}
        self._sockets: dict[int, StreamSocket] = {}
        self._registered: set[int] = set()
        self._given_up: dict[int, StreamSocket] = {}  # while they were being opened

    def run(self, deliver: Deliver) -> None:
        """Connect and deliver until `stop`."""
        if self._stopping:
            return
        config, timeout = self._config, self._config.request_timeout
        self._tls = tls = tls_context()
        self._background = Background("eventstreams")
        self._login_http = HttpClient(config.login_url, timeout, tls, self._clock)
        self._api_http = HttpClient(config.api_url, timeout, tls, self._clock)
        self._oauth = TokenClient(
            config.login_url, config.client_id, config.client_secret, config.scopes, self._login_http
        )
        self._subscriptions = SubscriptionClient(
            config.api_url, config.event_types, config.max_events_per_second, self._api_http
        )
        self._deliver = deliver
        ear, mouth = socket.socketpair()
        with selectors.DefaultSelector() as self._selector, ear, mouth:
            ear.setblocking(False)
            mouth.setblocking(False)
            self._selector.register(ear, selectors.EVENT_READ)
            with self._lock:
                self._waker = mouth
            try:
                self._feed(Start())
                while not self._stopping:
                    self._turn(ear)
            finally:
                self._end()

    def _turn(self, ear: socket.socket) -> None:
        """One round: wait, read what came, take in what the background brought, look at the time."""
        due = self._machine.next_due()
        wait = _LONGEST_WAIT if due is None else min(max(due - self._steady(), 0) / SECOND, _LONGEST_WAIT)
        for key, _ in self._selector.select(wait):
            if key.data is None:
                with suppress(BlockingIOError):
                    while ear.recv(1024):
                        pass
            else:
                self._receive(key.data)
        while self._inbox:
            self._take_in(self._inbox.popleft())
        # Only after reading: what lay unread while `deliver` blocked is a sign of life.
        if (due := self._machine.next_due()) is not None and self._steady() >= due:
            self._feed(TimerDue())

    def _receive(self, number: int) -> None:
        stream = self._sockets.get(number)
        if stream is None:
            return
        messages = stream.receive()
        if messages is None:
            self._feed(SocketClosed(number, LOST))
            return
        now = self._clock()
        deliver = self._deliver
        data = False
        for opcode, payload in messages:
            if opcode < CLOSE:
                self._last_frame_at = now
                control = classify(payload)
                if control is not None:
                    self._control(number, control)
                    continue
                deliver(payload, now)
                self._received += 1
                data = True
            elif opcode == PING:
                stream.pong(payload)
                self._feed(PongReceived(number))
            elif opcode == PONG:
                self._feed(PongReceived(number))
            else:
                code, reason = read_close(payload)
                asked = retry_after_in(reason) if code == _TRY_AGAIN_LATER else None
                self._feed(SocketClosed(number, code, retry_after=asked))
                return
        if data:
            self._feed(FrameReceived(number))

    def _control(self, number: int, control: Control) -> None:
        if isinstance(control, Throttle):
            self._throttled += 1
            self._dropped += control.dropped
        self._feed(FrameReceived(number, control))

    def _take_in(self, item: tuple[Input, Token | None] | BaseException) -> None:
        if isinstance(item, BaseException):
            raise item
        given, token = item
        if isinstance(given, TokenObtained) and token is not None:
            self._tokens[given.request] = token
            for old in sorted(self._tokens)[:-_TOKENS_KEPT]:
                del self._tokens[old]
        if isinstance(given, SocketOpened | SocketClosed | HandshakeRefused):
            late = self._given_up.pop(given.connection, None)
            if late is not None:
                late.close()
                return
        if isinstance(given, SocketOpened):
            self._selector.register(self._sockets[given.connection], selectors.EVENT_READ, given.connection)
            self._registered.add(given.connection)
        self._feed(given)

    # What the machine says

    def _feed(self, given: Input) -> None:
        for action in self._machine.feed(given, self._steady()):
            self._perform(action)
        self._show()

    def _perform(self, action: Action) -> None:
        match action:
            case FetchToken(request):
                self._submit("token", lambda: self._fetch(request))
            case OpenSocket(number, token):
                stream = StreamSocket(self._config.stream_url, self._config.request_timeout, self._tls, self._clock)
                self._sockets[number] = stream
                secret = self._tokens[token]
                self._submit(f"socket-{number}", lambda: self._open(number, stream, secret))
            case CloseSocket(number):
                self._close(number)
            case Subscribe(number, token, callback_url):
                secret = self._tokens[token]
                self._submit("api", lambda: self._subscribe(number, secret, callback_url))
            case Unsubscribe(token, subscription):
                if (known := self._tokens.get(token)) is not None:
                    self._submit("api", lambda: self._unsubscribe(known, subscription))
            case SendPing(number):
                self._sockets[number].ping()
            case Report(message, refused):
                self._errors.say(logging.ERROR if refused else logging.WARNING, message)

    def _close(self, number: int) -> None:
        stream = self._sockets.pop(number, None)
        if stream is None:
            return
        if number in self._registered:
            self._registered.remove(number)
            self._selector.unregister(stream)
            stream.close()
        else:
            self._given_up[number] = stream
            stream.abort()

    # What runs in the background

    def _submit(self, lane: str, work: Callable[[], tuple[Input, Token | None] | None]) -> None:
        def job() -> None:
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - a defect; it comes out of `run`, not of a thread nobody sees
                self._inbox.append(error)
            else:
                self._inbox.extend([] if result is None else [result])
            self._wake()

        self._background.submit(lane, job)

    def _fetch(self, request: int) -> tuple[Input, Token | None]:
        try:
            token = self._oauth.fetch()
        except RefusedError as error:
            return TokenRefused(request, str(error)), None
        except TransientSourceError as error:
            asked = None if error.retry_after is None else int(error.retry_after * SECOND)
            return TokenFailed(request, str(error), asked), None
        times = schedule(self._steady(), token.life, self._random())
        return TokenObtained(request, times.refresh_at, times.expires_at), token

    def _open(self, number: int, stream: StreamSocket, token: Token) -> tuple[Input, None]:
        try:
            stream.open(token.value, self._config.token_in_query)
        except HandshakeRefusal as refusal:
            return HandshakeRefused(number, refusal.status, refusal.retry_after), None
        except TransientSourceError as error:
            return SocketClosed(number, None, str(error)), None
        return SocketOpened(number), None

    def _subscribe(self, number: int, token: Token, callback_url: str) -> tuple[Input, None]:
        try:
            return self._subscriptions.subscribe(number, token.value, callback_url), None
        except TransientSourceError as error:
            return SubscribeFailed(number, f"no subscription: {error}"), None

    def _unsubscribe(self, token: Token, subscription: str) -> None:
        try:
            status = self._subscriptions.unsubscribe(token.value, subscription)
        except TransientSourceError as error:
            _log.info("a subscription could not be deleted: %s", error)
        else:
            # A platform that ends a subscription with its socket, or with its token, has none to delete any more.
            _log.debug("deleting a subscription was answered with status %d", status)

    # The end, and what other threads ask

    def _end(self) -> None:
        """Give everything back: at once what only we wait for, after a moment the deletion of a live subscription."""
        subscribed = self._machine.subscription_id is not None
        self._login_http.abort()
        with suppress(Exception):
            # `run` may be ending with an error; nothing that goes wrong with saying goodbye may hide that one.
            self._feed(StopAsked())
        if subscribed:
            self._background.join(_GOODBYE)
        self._api_http.abort()
        if self._background.join(_GOODBYE / 2):
            self._login_http.close()
            self._api_http.close()
            for stream in (*self._sockets.values(), *self._given_up.values()):
                stream.close()
        # Else a connect hangs that nothing can interrupt; it ends by its time limit and closes what it has opened.
        self._sockets.clear()
        self._tokens.clear()
        self._errors.flush()
        with self._lock:
            self._waker = None

    def _wake(self) -> None:
        with self._lock:
            if self._waker is not None:
                with suppress(BlockingIOError):  # full of calls to wake up: that will do
                    self._waker.send(b"\0")

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopping = True
        self._wake()

    def retry(self) -> None:
        """Try again now, also after a refusal."""
        self._inbox.append((RetryAsked(), None))
        self._wake()

    # What is shown

    def status(self) -> SourceStatus:
        """How it stands now."""
        return replace(
            self._status,
            received=self._received,
            throttled=self._throttled,
            dropped=self._dropped,
            last_frame_at=self._last_frame_at,
        )

    def _show(self) -> None:
        """Make the status anew if the machine has changed. Its times are steady ones; wall time is what is shown."""
        machine = self._machine
        shown = (
            machine.state,
            machine.since,
            machine.error,
            machine.refused,
            machine.token,
            machine.subscription_id,
            machine.connection_id,
            machine.retry_at,
            machine.reconnects,
        )
        if shown == self._shown:
            return
        before, self._shown = self._status, shown
        offset = self._clock() - self._steady()

        def wall(at: Millis | None) -> Millis | None:
            return None if at is None else at + offset

        state = ConnectionState(machine.state)
        self._status = SourceStatus(
            state=state,
            since=before.since if state is before.state else machine.since + offset,
            error=machine.error,
            refused=machine.refused,
            token_expires_at=wall(machine.token.expires_at if machine.token is not None else None),
            subscription_id=machine.subscription_id,
            connection_id=machine.connection_id,
            next_attempt_at=wall(machine.retry_at),
            reconnects=machine.reconnects,
        )
        if state is not before.state:
            if state is ConnectionState.OPEN:
                self._errors.flush()
            _log.info("event stream: %s -> %s", before.state, state)
