"""The Event Streams conversation as a machine without I/O: tokens, sockets, waits, and what is shown of them.

It is fed with inputs and the time and answers with actions; `next_due` says when it wants a `TimerDue`. What happens to
one socket is decided in `connection`; here it is decided which sockets there are to be (`sockets`).
`states.TABLE` decides every (phase, signal) pair; here is what the steps do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from journeymap.model.time import Millis
from journeymap.protocol.connection import Connection, Failure
from journeymap.protocol.denials import Answer, Denials
from journeymap.protocol.exchange import (
    Action,
    HoldAsked,
    Input,
    ReleaseAsked,
    Report,
    RetryAsked,
    SocketInput,
    Start,
    StopAsked,
    Subscribed,
    TimerDue,
    TokenFailed,
    TokenInput,
    TokenObtained,
    TokenRefused,
    Unsubscribe,
    Unsubscribed,
)
from journeymap.protocol.limits import Limits
from journeymap.protocol.patience import Patience
from journeymap.protocol.renewal import Renewal
from journeymap.protocol.socket_states import Phase as SocketPhase
from journeymap.protocol.sockets import Sockets
from journeymap.protocol.states import TABLE, Phase, Signal

_Value: TypeAlias = TokenInput | Failure | HoldAsked | None
_Actions: TypeAlias = tuple[Action, ...]

_SIGNALS: Final[Mapping[type, Signal]] = {
    Start: Signal.START,
    TokenObtained: Signal.TOKEN,
    TokenRefused: Signal.TOKEN_REFUSED,
    TokenFailed: Signal.TOKEN_FAILED,
    RetryAsked: Signal.RETRY,
    HoldAsked: Signal.HOLD,
    ReleaseAsked: Signal.RELEASE,
    StopAsked: Signal.STOP,
}

_REFUSED_TWICE: Final = "a fresh token was not accepted either; check the client's roles and scopes, then try again"


class EventStreams:
    """The machine. `random` answers numbers in [0, 1). Time that runs backwards outside does not do so inside."""

    def __init__(
        self, callback_url: str, max_events_per_second: int, random: Callable[[], float], limits: Limits
    ) -> None:
        self.phase = Phase.IDLE
        self.since: Millis = 0
        self.error: str | None = None
        self.refused = False
        self.reconnects = 0
        self.retry_at: Millis | None = None
        self._now: Millis = 0
        self._sockets = Sockets(callback_url, max_events_per_second, random, limits)
        self._renewal = Renewal(random, limits)
        self._was_open = False
        self._denials = Denials(limits.health)
        self._held: str | None = None
        self._patience = Patience(random, limits.health)

    # What is shown.

    @property
    def state(self) -> str:
        """DISCONNECTED, CONNECTING or OPEN. OPEN only while a socket is subscribed and there is no reason for doubt."""
        return self.phase.state

    @property
    def token(self) -> TokenObtained | None:
        """The newest token, whether or not a socket uses it yet."""
        return self._renewal.token

    @property
    def subscription_id(self) -> str | None:
        """The live subscription."""
        return self._sockets.subscription_id

    @property
    def connection_id(self) -> str | None:
        """What the platform calls the connection in use."""
        return self._sockets.connection_id

    @property
    def max_events_per_second(self) -> int | None:
        """What the live subscription asks for."""
        return self._sockets.rate

    def next_due(self) -> Millis | None:
        """When a `TimerDue` is wanted."""
        dues = (self._renewal.next_due(), self.retry_at, self._sockets.next_due())
        return min((due for due in dues if due is not None), default=None)

    # What comes in.

    def feed(self, given: Input, now: Millis) -> _Actions:
        """Something happened; this is to be done, in this order."""
        self._now = max(self._now, now)
        if self.phase is Phase.STOPPED:
            return ()
        if isinstance(given, SocketInput):
            return self._sockets.spare(self._to_socket(given))
        if isinstance(given, Unsubscribed):
            return self._sockets.deleted(given, self._now)
        if isinstance(given, TokenInput):
            return self._on(_SIGNALS[type(given)], given) if self._renewal.accepts(given.request) else ()
        value = given if isinstance(given, HoldAsked) else None
        return self._tick() if isinstance(given, TimerDue) else self._on(_SIGNALS[type(given)], value)

    def _on(self, signal: Signal, value: _Value = None) -> _Actions:
        step: Callable[[_Value], _Actions] = getattr(self, TABLE[self.phase][signal])
        return step(value)

    def _to_socket(self, given: SocketInput) -> _Actions:
        connection = self._sockets.find(given.connection)
        if connection is not None:
            self._sockets.hear(connection, given, self._now)
            return self._noted(connection.take(given, self._now)) + self._settle(connection)
        if isinstance(given, Subscribed) and self.token is not None:
            # Of a socket that is gone: its late subscription must not stay behind.
            return (Unsubscribe(self.token.request, given.subscription),)
        return ()

    def _tick(self) -> _Actions:
        actions: _Actions = ()
        for connection in self._sockets.all():
            due = connection.next_due()
            if due is not None and due <= self._now:
                actions += self._noted(connection.tick(self._now)) + self._settle(connection)
        if (overdue := self._renewal.overdue(self._now)) is not None:
            actions += self.feed(overdue, self._now)
        if self.retry_at is not None and self.retry_at <= self._now:
            actions += self._on(Signal.WAIT_OVER)
        if self._renewal.is_due(self._now):
            actions += self._on(Signal.REFRESH_DUE)
        if self._sockets.is_move_due(self._now):
            actions += self._move_over()
        return self._sockets.spare(actions + self._sockets.tune(self._now))

    # Sockets, seen from above.

    def _settle(self, connection: Connection) -> _Actions:
        """What a change of one socket means for the whole."""
        self._sockets.note(connection, self._now)
        if connection is self._sockets.main:
            return self._settle_main(connection)
        return self._settle_heir(connection) if connection is self._sockets.heir else ()

    def _settle_main(self, main: Connection) -> _Actions:
        if main.phase is SocketPhase.CLOSED:
            return self._on(Signal.DENIED if main.failure.unauthorised else Signal.DOWN, main.failure)
        if main.phase is SocketPhase.LIVE:
            self._denials.accepted()
        if main.is_open is not (self.phase is Phase.OPEN):
            return self._on(Signal.UP if main.is_open else Signal.UNSURE)
        return self._sockets.tune(self._now)

    def _settle_heir(self, heir: Connection) -> _Actions:
        if heir.phase is SocketPhase.LIVE and (old := self._sockets.take_over()) is not None:
            # Make before break: the new socket has brought something, only now the old one is let go.
            if not self.refused:
                self.error = None
            return self._sockets.retire(old, self._now) + self._settle(old) + self._settle_main(heir)
        if heir.phase is not SocketPhase.CLOSED:
            return ()
        failure = heir.failure
        if failure.unauthorised:
            self._sockets.heir = None
            return self._deny(failure.message, heir.token)
        self._sockets.lose_heir(self._now, failure.retry_after)
        return self._report(f"the connection with the renewed token failed, the old one stays: {failure.message}")

    def _noted(self, actions: _Actions) -> _Actions:
        for action in actions:
            if isinstance(action, Report) and not action.harmless and not self.refused:
                self.error = action.message
        return actions

    # Steps of the table.

    def _ignore(self, _: _Value) -> _Actions:
        return ()

    def _begin(self, _: _Value) -> _Actions:
        """Connect with the token at hand, if it is still good; else fetch one first."""
        self.retry_at = None
        if self._renewal.usable(self._now) is not None:
            return self._connect()
        self._renewal.drop()
        if self._now < self._renewal.not_before:
            self.retry_at = self._renewal.not_before
            self._enter(Phase.WAITING)
            return ()
        self._enter(Phase.FETCHING)
        return self._renewal.fetch(self._now)

    def _begin_now(self, _: _Value) -> _Actions:
        self._renewal.not_before = 0
        return self._begin(None)

    def _got_first(self, value: _Value) -> _Actions:
        self._take(value)
        return self._connect()

    def _got_next(self, value: _Value) -> _Actions:
        self._take(value)
        return self._move_over()

    def _no_first(self, value: _Value) -> _Actions:
        assert isinstance(value, TokenFailed)
        self._renewal.fail(self._now, value.retry_after)
        return self._wait(value.message, value.retry_after)

    def _no_next(self, value: _Value) -> _Actions:
        assert isinstance(value, TokenFailed)
        self._renewal.fail(self._now, value.retry_after)
        self._renewal.postpone(self._now, value.retry_after)
        return self._report(f"the token could not be renewed yet, the old one stays in use: {value.message}")

    def _up(self, _: _Value) -> _Actions:
        self._enter(Phase.OPEN)
        self._patience.opened(self._now)
        if not self.refused:
            self.error = None
        self.reconnects += self._was_open
        self._was_open = True
        return self._move_over()

    def _unsure(self, _: _Value) -> _Actions:
        self._patience.left(self._now)
        self._enter(Phase.CONNECTING)
        return ()

    def _down(self, value: _Value) -> _Actions:
        assert isinstance(value, Failure)
        return self._without_main(value) or self._wait(value.message, value.retry_after)

    def _denied(self, value: _Value) -> _Actions:
        assert isinstance(value, Failure)
        assert self._sockets.main is not None
        token = self._sockets.main.token
        return self._without_main(value) or self._deny(value.message, token)

    def _without_main(self, failure: Failure) -> _Actions:
        """Let go of main; nothing is left to be decided if it has an heir or if nothing may be tried."""
        self._sockets.take_over()
        self._patience.left(self._now)
        if self._sockets.main is not None:
            # The heir is further than a new attempt would be.
            self._enter(Phase.CONNECTING)
            return self._report(failure.message) + self._settle_main(self._sockets.main)
        if self.refused:
            self._enter(Phase.REFUSED)
            return (Report(failure.message),)
        return ()

    def _refresh(self, _: _Value) -> _Actions:
        return self._renewal.fetch(self._now)

    def _refuse(self, value: _Value) -> _Actions:
        assert isinstance(value, TokenRefused)
        return self._hard_error(value.message)

    def _try_refresh(self, _: _Value) -> _Actions:
        """Try again while a socket is up: there is something to do only after a renewal was refused."""
        if not self.refused:
            return ()
        self._forgive()
        return self._renewal.fetch(self._now)

    def _try_anew(self, _: _Value) -> _Actions:
        self._forgive()
        self._renewal.drop()
        return self._begin_now(None)

    def _hold(self, value: _Value) -> _Actions:
        actions = self._let_go()
        self._patience.left(self._now)
        self._enter(Phase.HELD)
        self._hold_on(value)
        return actions

    def _hold_on(self, value: _Value) -> _Actions:
        assert isinstance(value, HoldAsked)
        self._held = value.reason
        if not self.refused:
            self.error = value.reason
        return ()

    def _forgive_held(self, _: _Value) -> _Actions:
        if self.refused:
            self._forgive()
            self._renewal.drop()
            self.error = self._held
        return ()

    def _release(self, _: _Value) -> _Actions:
        """Go on with the token at hand, if it is still good; after a refusal only an operator makes it go on."""
        self._held = None
        if self.refused:
            self._enter(Phase.REFUSED)
            return ()
        self.error = None
        self._renewal.resume(self._now)
        return self._begin(None)

    def _stop(self, _: _Value) -> _Actions:
        actions = self._let_go()
        self._enter(Phase.STOPPED)
        return actions

    # What the steps are made of.

    def _let_go(self) -> _Actions:
        """End every socket, await and plan nothing."""
        self._renewal.cancel()
        self.retry_at = None
        return self._sockets.drop_all(self._now)

    def _enter(self, phase: Phase) -> None:
        if phase.state != self.phase.state:
            self.since = self._now
        self.phase = phase

    def _report(self, message: str, refused: bool = False) -> _Actions:
        if not self.refused or refused:
            self.error = message
        return (Report(message, refused),)

    def _wait(self, message: str, asked: Millis | None) -> _Actions:
        self.retry_at = self._patience.next_attempt(self._now, asked)
        self._enter(Phase.WAITING)
        return self._report(message)

    def _take(self, value: _Value) -> None:
        assert isinstance(value, TokenObtained)
        if self.token is not None and not self.refused and self.phase is Phase.OPEN:
            self.error = None
        self._renewal.take(value, self._now)
        self._sockets.forgive()

    def _connect(self) -> _Actions:
        assert self.token is not None
        self._enter(Phase.CONNECTING)
        return self._sockets.begin(self.token, self._now)

    def _move_over(self) -> _Actions:
        """Begin a socket with the renewed token beside the one in use."""
        return self._sockets.move(self._renewal.usable(self._now), self._now) if self.phase is Phase.OPEN else ()

    def _deny(self, message: str, token: int) -> _Actions:
        """A socket's token was not accepted: one fresh token, one try, then a hard error."""
        if self.token is not None and self.token.request == token:
            self._renewal.drop()
        elif self._sockets.main is None and (self.token is not None or self._renewal.awaited is not None):
            # It was renewed meanwhile, or is being renewed because another socket was turned away: that is the fresh one.
            return self._report(message) + self._begin(None)
        answer = self._denials.deny(self._now)
        if answer is Answer.HARD_ERROR:
            return self._hard_error(f"{message}; {_REFUSED_TWICE}")
        if self._sockets.main is not None:
            return self._report(message) + self._renewal.fetch(self._now)
        if answer is Answer.FRESH_TOKEN_LATER:
            return self._wait(message, None)
        return self._report(message) + self._begin(None)

    def _hard_error(self, message: str) -> _Actions:
        self.refused = True
        self._renewal.cancel()
        self.retry_at = None
        actions = self._sockets.drop_heir(self._now)
        if self._sockets.main is None:
            self._enter(Phase.REFUSED)
        return actions + self._report(message, refused=True)

    def _forgive(self) -> None:
        self.refused = False
        self._denials.forgive()
        self._patience.forgive()
