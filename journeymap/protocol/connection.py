"""One socket: from its opening over the greeting and the subscription to its end.

`socket_states.TABLE` decides every (phase, signal) pair; here is what the steps do. The machine above it
(`eventstreams`) decides which sockets there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from journeymap.model.time import SECOND, Millis
from journeymap.protocol.exchange import (
    Action,
    CloseSocket,
    FrameReceived,
    HandshakeRefused,
    OpenSocket,
    PongReceived,
    Report,
    SendPing,
    SocketClosed,
    SocketInput,
    SocketOpened,
    Subscribe,
    Subscribed,
    SubscribeFailed,
    TokenObtained,
    Unsubscribe,
)
from journeymap.protocol.frames import Opened
from journeymap.protocol.limits import Limits
from journeymap.protocol.matching import mismatch
from journeymap.protocol.socket_states import TABLE, Phase, Signal


class Failure(msgspec.Struct, frozen=True):
    """Why a socket ended. `unauthorised`: its token was not accepted."""

    message: str
    unauthorised: bool = False
    retry_after: Millis | None = None


_Value: TypeAlias = Opened | FrameReceived | SocketClosed | HandshakeRefused | Subscribed | SubscribeFailed | int | None

_UNAUTHORISED_STATUS: Final = (401, 403)
_UNAUTHORISED_CLOSE: Final = (1008, 4401)
_ATTEMPTS: Final = 2
"""Subscriptions tried on one socket before it is given up."""

_CLOSE_NAMES: Final = {
    1000: "closed normally",
    1001: "going away",
    1002: "protocol error",
    1005: "no code given",
    1006: "connection lost",
    1008: "policy violation",
    1009: "message too big",
    1011: "server error",
    1012: "restarting",
    1013: "try again later",
    4401: "token no longer accepted",
}


class Connection:
    """One socket. `feed` and `tick` answer with what is to be done; once `phase` is CLOSED, `failure` says why.

    `rate` is the number of events a second that its subscription asks for. After a change of it that came to nothing,
    `unchanged` says why.
    """

    def __init__(
        self,
        number: int,
        token: TokenObtained,
        rate: int,
        callback_url: str,
        limits: Limits,
        now: Millis,
        doubted: bool = False,
    ) -> None:
        self.number = number
        self.token = token.request
        self.last_call = token.last_call
        self.rate = rate
        self.unchanged: Failure | None = None
        self.phase = Phase.OPENING
        self.failure = Failure("the connection ended")
        self.connection_id: str | None = None
        self.subscription: Subscribed | None = None
        self.doubted = doubted
        """Whether a subscription failed silently before: then it must prove itself before the state reads OPEN."""
        self._callback_url = callback_url
        self._limits = limits
        self._now = now
        self._attempts = 0
        self._deadline: Millis | None = now + limits.opening
        self._ping_at: Millis | None = None
        self._silent_at: Millis | None = None
        self._change_until: Millis | None = None
        self._drain_until: Millis = 0
        self._is_last = False  # the last ping has been answered

    @property
    def is_open(self) -> bool:
        """Whether it is subscribed and there is no reason to doubt that it is live."""
        return self.phase in (Phase.LIVE, Phase.CHANGING) or (self.phase is Phase.PROVING and not self.doubted)

    def open(self) -> tuple[Action, ...]:
        """The action that begins its life."""
        return (OpenSocket(self.number, self.token),)

    def feed(self, signal: Signal, now: Millis, value: _Value = None) -> tuple[Action, ...]:
        """Something happened."""
        self._now = now
        step: Callable[[_Value], tuple[Action, ...]] = getattr(self, TABLE[self.phase][signal])
        return step(value)

    def take(self, given: SocketInput, now: Millis) -> tuple[Action, ...]:
        """Something was said about this socket."""
        match given:
            case FrameReceived(control=Opened() as opened):
                return self.feed(Signal.GREETED, now, opened)
            case FrameReceived():
                return self.feed(Signal.SIGN, now, given)
            case PongReceived(last=last):
                return self.feed(Signal.EMPTY if last else Signal.HEARD, now)
            case SocketOpened():
                return self.feed(Signal.OPENED, now)
            case SocketClosed():
                return self.feed(Signal.CLOSED, now, given)
            case HandshakeRefused():
                return self.feed(Signal.DENIED, now, given)
            case Subscribed():
                return self.feed(Signal.MISMATCHED if self._mismatch(given) else Signal.SUBSCRIBED, now, given)
            case SubscribeFailed():
                return self.feed(Signal.UNSUBSCRIBED, now, given)

    def next_due(self) -> Millis | None:
        """When `tick` is to be called next."""
        return min(
            (at for at in (self._deadline, self._ping_at, self._silent_at, self._change_until) if at is not None),
            default=None,
        )

    def tick(self, now: Millis) -> tuple[Action, ...]:
        """Time has passed."""
        if self._silent_at is not None and now >= self._silent_at:
            return self.feed(Signal.SILENT, now)
        actions: tuple[Action, ...] = ()
        if self._deadline is not None and now >= self._deadline:
            actions = self.feed(Signal.DUE, now)
        elif self._change_until is not None and now >= self._change_until:
            actions = self.feed(Signal.UNSUBSCRIBED, now, SubscribeFailed(self.number, "no answer in time"))
        if self._ping_at is not None and now >= self._ping_at:
            self._ping_at = now + self._limits.ping
            actions += (SendPing(self.number),)
        return actions

    # Steps of the table.

    def _ignore(self, _: _Value) -> tuple[Action, ...]:
        return ()

    def _heard(self, _: _Value) -> tuple[Action, ...]:
        self._silent_at = self._now + self._limits.silence
        return ()

    def _opened(self, _: _Value) -> tuple[Action, ...]:
        self._enter(Phase.GREETING, self._limits.greeting)
        self._ping_at = self._now + self._limits.ping
        return self._heard(None)

    def _greeted(self, value: _Value) -> tuple[Action, ...]:
        self._learn(value)
        return self._heard(None) + self._subscribe(None)

    def _greeted_late(self, value: _Value) -> tuple[Action, ...]:
        # The subscription in flight was asked for without it; its answer is compared with what is known by then.
        self._learn(value)
        return self._heard(None)

    def _greeted_again(self, value: _Value) -> tuple[Action, ...]:
        self._learn(value)
        self._heard(None)
        why = self._mismatch(self.subscription) if self.subscription is not None else ""
        return self._failed(f"the connection was renamed: {why}") if why else ()

    def _first_sign(self, _: _Value) -> tuple[Action, ...]:
        # The first frame is no greeting, so none will come.
        return self._heard(None) + self._subscribe(None)

    def _subscribe(self, _: _Value) -> tuple[Action, ...]:
        self._enter(Phase.SUBSCRIBING, self._limits.answer)
        self._attempts += 1
        return (Subscribe(self.number, self.token, self._callback_url, self.rate),)

    def _subscribed(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, Subscribed)
        self._use(value)
        self._enter(Phase.PROVING, self._limits.proof)
        return ()

    def _proven(self, _: _Value) -> tuple[Action, ...]:
        self.doubted = False
        self._attempts = 0
        self._enter(Phase.LIVE, self._limits.proof)
        return self._heard(None)

    def _sign(self, _: _Value) -> tuple[Action, ...]:
        self._deadline = self._now + self._limits.proof
        self._silent_at = self._now + self._limits.silence
        return ()

    def _mismatched(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, Subscribed)
        self.subscription = value
        return self._failed(f"the subscription does not match the live connection: {self._mismatch(value)}")

    def _change(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, int)
        self.phase = Phase.CHANGING
        self._change_until = self._now + self._limits.answer
        return (Subscribe(self.number, self.token, self._callback_url, value),)

    def _changed(self, value: _Value) -> tuple[Action, ...]:
        # Make before break, on one socket: what both bring is known by its event ids.
        assert isinstance(value, Subscribed)
        assert self.subscription is not None
        old = self.subscription.subscription
        self._use(value)
        self._enter(Phase.LIVE, self._limits.proof)
        return () if old == value.subscription else (Unsubscribe(self.token, old),)

    def _changed_wrongly(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, Subscribed)
        assert self.subscription is not None
        message = f"the subscription does not match the live connection: {self._mismatch(value)}"
        if self.subscription.subscription == value.subscription:
            return self._failed(message)  # the platform has changed the one in use
        return (*self._stay(Failure(message)), Unsubscribe(self.token, value.subscription))

    def _unchanged(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, SubscribeFailed)
        return self._stay(Failure(value.message, retry_after=value.retry_after))

    def _orphan(self, value: _Value) -> tuple[Action, ...]:
        # An answer that nobody waits for any more: it must not stay behind on the platform.
        assert isinstance(value, Subscribed)
        if self.subscription is not None and self.subscription.subscription == value.subscription:
            return ()
        return (Unsubscribe(self.token, value.subscription),)

    def _unproven(self, _: _Value) -> tuple[Action, ...]:
        self.doubted = True
        return self._failed(
            f"the subscription brought neither event nor heartbeat for {self._limits.proof / SECOND:g} s; "
            "check the event types and the callback URL"
        )

    def _unanswered(self, _: _Value) -> tuple[Action, ...]:
        return self._end(Failure("no answer to the subscription request"))

    def _unopened(self, _: _Value) -> tuple[Action, ...]:
        return self._end(Failure(f"no connection within {self._limits.opening / SECOND:g} s"))

    def _silent(self, _: _Value) -> tuple[Action, ...]:
        return self._end(Failure(f"nothing was heard for {self._limits.silence / SECOND:g} s: the connection is dead"))

    def _gone(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, SocketClosed)
        if value.code is None:
            failure = Failure(value.message or "the connection failed", retry_after=value.retry_after)
        else:
            name = value.message or _CLOSE_NAMES.get(value.code, "no name known")
            failure = Failure(
                f"the platform closed the connection ({value.code}: {name})",
                unauthorised=value.code in _UNAUTHORISED_CLOSE,
                retry_after=value.retry_after,
            )
        return self._end(failure)

    def _turned_away(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, HandshakeRefused)
        denied = value.status in _UNAUTHORISED_STATUS
        hint = "the token was not accepted" if denied else "check the stream URL if it stays so"
        message = f"the stream answered the handshake with status {value.status}; {hint}"
        return self._end(Failure(message, denied, value.retry_after))

    def _unsubscribed(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, SubscribeFailed)
        return self._end(Failure(value.message, value.status in _UNAUTHORISED_STATUS, value.retry_after))

    def _retire(self, _: _Value) -> tuple[Action, ...]:
        self._enter(Phase.DRAINING, self._limits.drain)
        self._drain_until = self._now + self._limits.drain
        return self._delete()

    def _last_ping(self, _: _Value) -> tuple[Action, ...]:
        # The platform sends nothing new on it, and what it has sent lies before the answer to this.
        return (SendPing(self.number, last=True),)

    def _last_pong(self, _: _Value) -> tuple[Action, ...]:
        self._is_last = True
        return self._settle()

    def _last_sign(self, value: _Value) -> tuple[Action, ...]:
        # Some servers answer pings ahead of what they have still to send. Heartbeats may go on as long as the socket.
        data = isinstance(value, FrameReceived) and value.control is None
        return self._settle() if self._is_last and data else self._heard(None)

    def _settle(self) -> tuple[Action, ...]:
        self._deadline = min(self._now + self._limits.settle, self._drain_until)
        return self._heard(None)

    def _drop(self, _: _Value) -> tuple[Action, ...]:
        return self._end(None)

    # What the steps are made of.

    def _enter(self, phase: Phase, limit: Millis) -> None:
        self.phase = phase
        self._deadline = self._now + limit
        self._change_until = None

    def _use(self, subscription: Subscribed) -> None:
        self.subscription = subscription
        self.rate = subscription.asked or self.rate

    def _stay(self, failure: Failure) -> tuple[Action, ...]:
        """The subscription in use stays as it is."""
        self.phase = Phase.LIVE
        self._change_until = None
        self.unchanged = failure
        return (Report(f"the subscription in use stays as it is: {failure.message}", harmless=True),)

    def _failed(self, message: str) -> tuple[Action, ...]:
        """A failed subscription: said loudly, deleted, made again; on a second one the socket is given up."""
        if self._attempts >= _ATTEMPTS:
            return self._end(Failure(message))
        return (Report(f"{message}; it is deleted and made again"), *self._delete(), *self._subscribe(None))

    def _delete(self) -> tuple[Action, ...]:
        gone, self.subscription = self.subscription, None
        return () if gone is None else (Unsubscribe(self.token, gone.subscription),)

    def _end(self, failure: Failure | None) -> tuple[Action, ...]:
        self.phase = Phase.CLOSED
        self.failure = failure or self.failure
        self._deadline = self._ping_at = self._silent_at = self._change_until = None
        return (*self._delete(), CloseSocket(self.number))

    def _learn(self, value: _Value) -> None:
        assert isinstance(value, Opened)
        self.connection_id = value.connection_id or self.connection_id
        self._callback_url = value.callback_url or self._callback_url

    def _mismatch(self, answer: Subscribed) -> str:
        return mismatch(answer, self._callback_url, self.connection_id)
