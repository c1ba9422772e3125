"""The Event Streams conversation as a machine without I/O: tokens, sockets, waits, and what is shown of them.

It is fed with inputs and the time and answers with actions; `next_due` says when it wants a `TimerDue`. What happens to
one socket is decided in `connection`; here it is decided which sockets there are: the one in use (`main`), the one that
is to take over after a token was renewed (`heir`: make before break), and those that are read until they are empty.
`EventStreams.TABLE` decides every (phase, signal) pair.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final, TypeAlias

from journeymap.model.time import Millis
from journeymap.protocol.backoff import backoff
from journeymap.protocol.connection import Connection, Failure, Limits
from journeymap.protocol.connection import Phase as SocketPhase
from journeymap.protocol.connection import Signal as SocketSignal
from journeymap.protocol.exchange import (
    Action,
    FetchToken,
    FrameReceived,
    HandshakeRefused,
    Input,
    PongReceived,
    Report,
    RetryAsked,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
    Subscribed,
    SubscribeFailed,
    TimerDue,
    TokenFailed,
    TokenObtained,
    TokenRefused,
    Unsubscribe,
)
from journeymap.protocol.frames import Opened


class Phase(enum.Enum):
    """Where the whole stands. The value is the connection state that is shown for it."""

    IDLE = "DISCONNECTED, not started"
    FETCHING = "CONNECTING, waiting for a token"
    CONNECTING = "CONNECTING, a socket is on its way to be live"
    OPEN = "OPEN"
    WAITING = "DISCONNECTED until the next attempt"
    REFUSED = "DISCONNECTED until an operator acts"
    STOPPED = "DISCONNECTED, ended"

    @property
    def state(self) -> str:
        """DISCONNECTED, CONNECTING or OPEN."""
        return self.value.split(",", maxsplit=1)[0].split(" ", maxsplit=1)[0]


class Signal(enum.Enum):
    """What can happen to the whole."""

    START = "start"
    TOKEN = "the awaited token came"
    TOKEN_REFUSED = "the credentials are refused"
    TOKEN_FAILED = "no token for now"
    UP = "main is subscribed"
    UNSURE = "main has to prove itself again"
    DOWN = "main is gone"
    DENIED = "main's token was not accepted"
    WAIT_OVER = "time for the next attempt"
    REFRESH_DUE = "the token is to be renewed"
    RETRY = "an operator says try again"
    STOP = "stop"


_Value: TypeAlias = TokenObtained | TokenRefused | TokenFailed | Failure | None
_Actions: TypeAlias = tuple[Action, ...]
_Step: TypeAlias = "Callable[[EventStreams, _Value], _Actions]"

_REFUSED_TWICE: Final = "a fresh token was not accepted either; check the client's roles and scopes, then try again"


def _rows(**steps: _Step) -> Mapping[Signal, _Step]:
    return {Signal[name]: step for name, step in steps.items()}


class EventStreams:
    """The machine. `random` answers numbers in [0, 1). Time that runs backwards outside does not do so inside."""

    def __init__(self, callback_url: str, random: Callable[[], float], limits: Limits) -> None:
        self.phase = Phase.IDLE
        self.since: Millis = 0
        self.error: str | None = None
        self.refused = False
        self.reconnects = 0
        self.token: TokenObtained | None = None
        self.retry_at: Millis | None = None
        self._callback_url = callback_url
        self._random = random
        self._limits = limits
        self._now: Millis = 0
        self._main: Connection | None = None
        self._heir: Connection | None = None
        self._draining: list[Connection] = []
        self._connections = 0  # numbers given to sockets
        self._requests = 0  # numbers given to token requests
        self._request: int | None = None  # the awaited one
        self._request_until: Millis | None = None
        self._refresh_at: Millis | None = None
        self._heir_at: Millis | None = None
        self._open_since: Millis | None = None
        self._was_open = False
        self._doubted = False
        self._fresh_token_tried = False
        self._denied_at: Millis | None = None
        self._delays = self._new_delays()
        self._refresh_delays = self._new_delays()

    # What is shown.

    @property
    def state(self) -> str:
        """DISCONNECTED, CONNECTING or OPEN. OPEN only while a socket is subscribed and there is no reason for doubt."""
        return self.phase.state

    @property
    def subscription_id(self) -> str | None:
        """The live subscription."""
        subscription = self._main.subscription if self._main is not None else None
        return subscription.subscription if subscription is not None else None

    @property
    def connection_id(self) -> str | None:
        """What the platform calls the connection in use."""
        return self._main.connection_id if self._main is not None else None

    def next_due(self) -> Millis | None:
        """When a `TimerDue` is wanted."""
        dues = [self._request_until, self.retry_at, self._refresh_at, self._heir_at]
        dues += [connection.next_due() for connection in self._sockets()]
        return min((due for due in dues if due is not None), default=None)

    # What comes in.

    def feed(self, given: Input, now: Millis) -> _Actions:
        """Something happened; this is to be done, in this order."""
        self._now = max(self._now, now)
        if self.phase is Phase.STOPPED:
            return ()
        match given:
            case FrameReceived() | PongReceived() | SocketOpened() | SocketClosed() | HandshakeRefused():
                return self._to_socket(given)
            case Subscribed() | SubscribeFailed():
                return self._to_socket(given)
            case TokenObtained() | TokenRefused() | TokenFailed():
                return self._token_answer(given)
            case TimerDue():
                return self._tick()
            case Start():
                return self._on(Signal.START)
            case RetryAsked():
                return self._on(Signal.RETRY)
            case StopAsked():
                return self._on(Signal.STOP)

    def _on(self, signal: Signal, value: _Value = None) -> _Actions:
        return self.TABLE[self.phase][signal](self, value)

    def _to_socket(
        self,
        given: FrameReceived
        | PongReceived
        | SocketOpened
        | SocketClosed
        | HandshakeRefused
        | Subscribed
        | SubscribeFailed,
    ) -> _Actions:
        connection = next((one for one in self._sockets() if one.number == given.connection), None)
        if connection is None:
            # Of a socket that is gone; its late subscription must not stay behind.
            if isinstance(given, Subscribed) and self.token is not None:
                return (Unsubscribe(self.token.request, given.subscription),)
            return ()
        now = self._now
        match given:
            case FrameReceived(control=Opened() as opened):
                actions = connection.feed(SocketSignal.GREETED, now, opened)
            case FrameReceived():
                actions = connection.feed(SocketSignal.SIGN, now)
            case PongReceived():
                actions = connection.feed(SocketSignal.HEARD, now)
            case SocketOpened():
                actions = connection.feed(SocketSignal.OPENED, now)
            case SocketClosed():
                actions = connection.feed(SocketSignal.CLOSED, now, given)
            case HandshakeRefused():
                actions = connection.feed(SocketSignal.DENIED, now, given)
            case Subscribed():
                actions = connection.answered(given, now)
            case SubscribeFailed():
                actions = connection.feed(SocketSignal.UNSUBSCRIBED, now, given)
        return self._noted(actions) + self._settle(connection)

    def _token_answer(self, given: TokenObtained | TokenRefused | TokenFailed) -> _Actions:
        if given.request != self._request:
            return ()
        self._request = self._request_until = None
        match given:
            case TokenObtained():
                return self._on(Signal.TOKEN, given)
            case TokenRefused():
                return self._on(Signal.TOKEN_REFUSED, given)
            case TokenFailed():
                return self._on(Signal.TOKEN_FAILED, given)

    def _tick(self) -> _Actions:
        actions: _Actions = ()
        for connection in self._sockets():
            due = connection.next_due()
            if due is not None and due <= self._now:
                actions += self._noted(connection.tick(self._now)) + self._settle(connection)
        if self._request is not None and self._is_due(self._request_until):
            actions += self._token_answer(TokenFailed(self._request, "the token request got no answer"))
        if self._is_due(self.retry_at):
            actions += self._on(Signal.WAIT_OVER)
        if self._is_due(self._refresh_at):
            actions += self._on(Signal.REFRESH_DUE)
        if self._is_due(self._heir_at):
            self._heir_at = None
            actions += self._move_over()
        return actions

    def _is_due(self, at: Millis | None) -> bool:
        return at is not None and at <= self._now

    # Sockets, seen from above.

    def _sockets(self) -> list[Connection]:
        return [one for one in (self._main, self._heir, *self._draining) if one is not None]

    def _settle(self, connection: Connection) -> _Actions:
        """What a change of one socket means for the whole."""
        self._doubted = (self._doubted or connection.doubted) and connection.phase is not SocketPhase.LIVE
        if connection is self._main:
            return self._settle_main(connection)
        if connection is self._heir:
            return self._settle_heir(connection)
        if connection.phase is SocketPhase.CLOSED:
            self._draining.remove(connection)
        return ()

    def _settle_main(self, main: Connection) -> _Actions:
        if main.phase is SocketPhase.CLOSED:
            failure = main.failure or Failure("the connection ended")
            return self._on(Signal.DENIED if failure.unauthorised else Signal.DOWN, failure)
        if main.phase is SocketPhase.LIVE:
            self._fresh_token_tried = False
        if main.is_open is not (self.phase is Phase.OPEN):
            return self._on(Signal.UP if main.is_open else Signal.UNSURE)
        return ()

    def _settle_heir(self, heir: Connection) -> _Actions:
        if heir.phase is SocketPhase.LIVE and self._main is not None:
            # Make before break: the new socket has brought something, only now the old one is let go.
            old, self._main, self._heir = self._main, heir, None
            self._fresh_token_tried = False
            if not self.refused:
                self.error = None
            self._draining.append(old)
            actions = self._without_shared(old.feed(SocketSignal.RETIRE, self._now))
            return actions + self._settle(old)
        if heir.phase is not SocketPhase.CLOSED:
            return ()
        self._heir = None
        failure = heir.failure or Failure("the connection ended")
        if failure.unauthorised:
            return self._deny(failure.message, heir.token)
        self._heir_at = self._after(self._refresh_delays, failure.retry_after)
        return self._report(f"the connection with the renewed token failed, the old one stays: {failure.message}")

    def _without_shared(self, actions: _Actions) -> _Actions:
        """A platform may answer both sockets with one subscription: then it is not to be deleted."""
        shared = self.subscription_id
        return tuple(one for one in actions if not (isinstance(one, Unsubscribe) and one.subscription == shared))

    def _noted(self, actions: _Actions) -> _Actions:
        for action in actions:
            if isinstance(action, Report) and not self.refused:
                self.error = action.message
        return actions

    # Steps of the table.

    def _ignore(self, _: _Value) -> _Actions:
        return ()

    def _begin(self, _: _Value) -> _Actions:
        """Connect with the token at hand, if it is still good; else fetch one first."""
        self.retry_at = None
        if self.token is None or self._now >= self.token.expires_at:
            self.token = None
            self._refresh_at = None
            self._enter(Phase.FETCHING)
            return self._fetch()
        return self._connect()

    def _got_first(self, value: _Value) -> _Actions:
        self._take(value)
        return self._connect()

    def _got_next(self, value: _Value) -> _Actions:
        self._take(value)
        return self._move_over()

    def _no_first(self, value: _Value) -> _Actions:
        assert isinstance(value, TokenFailed)
        return self._wait(value.message, value.retry_after)

    def _no_next(self, value: _Value) -> _Actions:
        assert isinstance(value, TokenFailed)
        self._refresh_at = self._after(self._refresh_delays, value.retry_after)
        return self._report(f"the token could not be renewed yet, the old one stays in use: {value.message}")

    def _up(self, _: _Value) -> _Actions:
        assert self._main is not None
        self._enter(Phase.OPEN)
        self._open_since = self._now
        if not self.refused:
            self.error = None
        self.reconnects += self._was_open
        self._was_open = True
        return self._move_over()

    def _unsure(self, _: _Value) -> _Actions:
        self._leave_open()
        self._enter(Phase.CONNECTING)
        return ()

    def _down(self, value: _Value) -> _Actions:
        assert isinstance(value, Failure)
        self._main = None
        self._leave_open()
        if self._heir is not None:
            return self._down_to_heir(value)
        if self.refused:
            self._enter(Phase.REFUSED)
            return ()
        return self._wait(value.message, value.retry_after)

    def _denied(self, value: _Value) -> _Actions:
        assert isinstance(value, Failure)
        assert self._main is not None
        token = self._main.token
        self._main = None
        self._leave_open()
        if self._heir is not None:
            return self._down_to_heir(value)
        if self.refused:
            self._enter(Phase.REFUSED)
            return ()
        return self._deny(value.message, token)

    def _down_to_heir(self, failure: Failure) -> _Actions:
        """The one that was to take over is further than a new attempt would be."""
        assert self._heir is not None
        self._main, self._heir = self._heir, None
        self._enter(Phase.CONNECTING)
        return self._report(failure.message) + self._settle_main(self._main)

    def _refresh(self, _: _Value) -> _Actions:
        self._refresh_at = None
        return self._fetch()

    def _refuse(self, value: _Value) -> _Actions:
        assert isinstance(value, TokenRefused)
        return self._hard_error(value.message)

    def _try_refresh(self, _: _Value) -> _Actions:
        """Try again while a socket is up: there is something to do only after a renewal was refused."""
        if not self.refused:
            return ()
        self._forgive()
        return self._fetch()

    def _try_anew(self, _: _Value) -> _Actions:
        self._forgive()
        self.token = None
        return self._begin(None)

    def _stop(self, _: _Value) -> _Actions:
        actions: _Actions = ()
        for connection in self._sockets():
            actions += connection.feed(SocketSignal.DROP, self._now)
        self._main = self._heir = None
        self._draining = []
        self._request = self._request_until = self.retry_at = self._refresh_at = self._heir_at = None
        self._enter(Phase.STOPPED)
        return actions

    # What the steps are made of.

    def _enter(self, phase: Phase) -> None:
        if phase.state != self.phase.state:
            self.since = self._now
        self.phase = phase

    def _leave_open(self) -> None:
        opened, self._open_since = self._open_since, None
        if opened is not None and self._now - opened >= self._limits.health:
            self._delays = self._new_delays()

    def _new_delays(self) -> Iterator[Millis]:
        return backoff(self._random)

    def _after(self, delays: Iterator[Millis], asked: Millis | None) -> Millis:
        return self._now + max(1, next(delays), asked or 0)

    def _report(self, message: str, refused: bool = False) -> _Actions:
        if not self.refused or refused:
            self.error = message
        return (Report(message, refused),)

    def _wait(self, message: str, asked: Millis | None) -> _Actions:
        self.retry_at = self._after(self._delays, asked)
        self._enter(Phase.WAITING)
        return self._report(message)

    def _fetch(self) -> _Actions:
        if self._request is not None:
            return ()
        self._requests += 1
        self._request = self._requests
        self._request_until = self._now + self._limits.token
        return (FetchToken(self._request),)

    def _take(self, value: _Value) -> None:
        assert isinstance(value, TokenObtained)
        if self.token is not None and not self.refused and self.phase is Phase.OPEN:
            self.error = None
        self.token = value
        self._refresh_at = max(value.refresh_at, self._now + 1)
        self._refresh_delays = self._new_delays()

    def _connect(self) -> _Actions:
        self._main = self._new_connection()
        self._enter(Phase.CONNECTING)
        return self._main.open()

    def _new_connection(self) -> Connection:
        assert self.token is not None
        self._connections += 1
        return Connection(
            self._connections, self.token.request, self._callback_url, self._limits, self._now, self._doubted
        )

    def _move_over(self) -> _Actions:
        """Begin a socket with the renewed token beside the one in use."""
        if self.phase is not Phase.OPEN or self._main is None or self._heir is not None or self.token is None:
            return ()
        if self._main.token == self.token.request or self._now >= self.token.expires_at:
            return ()
        self._heir_at = None
        self._heir = self._new_connection()
        return self._heir.open()

    def _deny(self, message: str, token: int) -> _Actions:
        """A socket's token was not accepted: one fresh token, one try, then a hard error."""
        if self.token is not None and self.token.request == token:
            self.token = None
            self._refresh_at = None
        elif self.token is not None and self._main is None:
            return self._report(message) + self._begin(None)  # it was renewed meanwhile: that is the fresh one
        if self._fresh_token_tried:
            return self._hard_error(f"{message}; {_REFUSED_TWICE}")
        self._fresh_token_tried = True
        before, self._denied_at = self._denied_at, self._now
        if self._main is not None:
            return self._report(message) + self._fetch()
        if before is not None and self._now - before < self._limits.health:
            return self._wait(message, None)  # fresh tokens that do not last are no reason for a storm of requests
        return self._report(message) + self._begin(None)

    def _hard_error(self, message: str) -> _Actions:
        self.refused = True
        self.retry_at = self._refresh_at = self._heir_at = None
        self._request = self._request_until = None
        actions: _Actions = ()
        if self._heir is not None:
            heir, self._heir = self._heir, None
            actions = heir.feed(SocketSignal.DROP, self._now)
        if self._main is None:
            self._enter(Phase.REFUSED)
        return actions + self._report(message, refused=True)

    def _forgive(self) -> None:
        self.refused = False
        self._fresh_token_tried = False
        self._denied_at = None
        self._delays = self._new_delays()

    TABLE: ClassVar[Mapping[Phase, Mapping[Signal, _Step]]] = {
        Phase.IDLE: _rows(
            START=_begin,
            TOKEN=_ignore,  # nothing was asked for, no socket is there, no timer runs
            TOKEN_REFUSED=_ignore,
            TOKEN_FAILED=_ignore,
            UP=_ignore,
            UNSURE=_ignore,
            DOWN=_ignore,
            DENIED=_ignore,
            WAIT_OVER=_ignore,
            REFRESH_DUE=_ignore,
            RETRY=_ignore,
            STOP=_stop,
        ),
        Phase.FETCHING: _rows(
            START=_ignore,
            TOKEN=_got_first,
            TOKEN_REFUSED=_refuse,
            TOKEN_FAILED=_no_first,
            UP=_ignore,  # there is no main
            UNSURE=_ignore,
            DOWN=_ignore,
            DENIED=_ignore,
            WAIT_OVER=_ignore,
            REFRESH_DUE=_ignore,
            RETRY=_ignore,  # it is being tried
            STOP=_stop,
        ),
        Phase.CONNECTING: _rows(
            START=_ignore,
            TOKEN=_got_next,
            TOKEN_REFUSED=_refuse,  # the socket under way is kept: its own token may be good
            TOKEN_FAILED=_no_next,
            UP=_up,
            UNSURE=_ignore,
            DOWN=_down,
            DENIED=_denied,
            WAIT_OVER=_ignore,
            REFRESH_DUE=_refresh,
            RETRY=_try_refresh,
            STOP=_stop,
        ),
        Phase.OPEN: _rows(
            START=_ignore,
            TOKEN=_got_next,
            TOKEN_REFUSED=_refuse,  # the socket in use goes on until its token ends: no event is thrown away
            TOKEN_FAILED=_no_next,
            UP=_ignore,
            UNSURE=_unsure,
            DOWN=_down,
            DENIED=_denied,
            WAIT_OVER=_ignore,
            REFRESH_DUE=_refresh,
            RETRY=_try_refresh,
            STOP=_stop,
        ),
        Phase.WAITING: _rows(
            START=_ignore,
            TOKEN=_got_next,
            TOKEN_REFUSED=_refuse,
            TOKEN_FAILED=_no_next,
            UP=_ignore,
            UNSURE=_ignore,
            DOWN=_ignore,
            DENIED=_ignore,
            WAIT_OVER=_begin,
            REFRESH_DUE=_refresh,
            RETRY=_begin,
            STOP=_stop,
        ),
        Phase.REFUSED: _rows(
            START=_ignore,
            TOKEN=_ignore,
            TOKEN_REFUSED=_ignore,
            TOKEN_FAILED=_ignore,
            UP=_ignore,
            UNSURE=_ignore,
            DOWN=_ignore,
            DENIED=_ignore,
            WAIT_OVER=_ignore,
            REFRESH_DUE=_ignore,
            RETRY=_try_anew,
            STOP=_stop,
        ),
        Phase.STOPPED: _rows(
            START=_ignore,
            TOKEN=_ignore,
            TOKEN_REFUSED=_ignore,
            TOKEN_FAILED=_ignore,
            UP=_ignore,
            UNSURE=_ignore,
            DOWN=_ignore,
            DENIED=_ignore,
            WAIT_OVER=_ignore,
            REFRESH_DUE=_ignore,
            RETRY=_ignore,
            STOP=_ignore,
        ),
    }
    """What is done on every signal in every phase; a test checks that no pair is missing."""
