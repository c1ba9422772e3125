"""The life of one socket as a table: from its opening over the greeting and the subscription to its end.

`Connection.TABLE` decides every (phase, signal) pair. The machine above it (`eventstreams`) decides which sockets
there are.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.protocol.exchange import (
    Action,
    CloseSocket,
    HandshakeRefused,
    OpenSocket,
    Report,
    SendPing,
    SocketClosed,
    Subscribe,
    Subscribed,
    SubscribeFailed,
    Unsubscribe,
)
from journeymap.protocol.frames import Opened


class Limits(msgspec.Struct, frozen=True):
    """How long each thing may take, in milliseconds."""

    token: Millis = 30 * SECOND
    opening: Millis = 20 * SECOND
    greeting: Millis = 2 * SECOND
    answer: Millis = 20 * SECOND
    proof: Millis = 35 * SECOND
    """A subscription that brings neither event nor heartbeat for so long has failed."""
    ping: Millis = 10 * SECOND
    silence: Millis = 30 * SECOND
    """A socket that brings neither frame nor pong for so long is dead."""
    drain: Millis = 2 * SECOND
    """How long a replaced socket is still read."""
    health: Millis = MINUTE
    """After so long OPEN the backoff starts anew."""


class Phase(enum.Enum):
    """Where one socket stands."""

    OPENING = "opening"
    GREETING = "waiting for the first frame"
    SUBSCRIBING = "subscribing"
    PROVING = "subscribed, nothing received yet"
    LIVE = "live"
    DRAINING = "replaced, read until it is empty"
    CLOSED = "closed"


class Signal(enum.Enum):
    """What can happen to one socket."""

    OPENED = "handshake done"
    CLOSED = "socket gone"
    DENIED = "handshake refused"
    GREETED = "connection.opened"
    SIGN = "event, heartbeat or throttle"
    HEARD = "pong"
    SUBSCRIBED = "matching subscription"
    MISMATCHED = "subscription for something else"
    UNSUBSCRIBED = "no subscription"
    DUE = "phase took too long"
    SILENT = "nothing heard"
    RETIRE = "replaced"
    DROP = "no longer wanted"


class Failure(msgspec.Struct, frozen=True):
    """Why a socket ended. `unauthorised`: its token was not accepted."""

    message: str
    unauthorised: bool = False
    retry_after: Millis | None = None


_Value: TypeAlias = Opened | SocketClosed | HandshakeRefused | Subscribed | SubscribeFailed | None

_UNAUTHORISED_STATUS: Final = (401, 403)
_UNAUTHORISED_CLOSE: Final = (1008, 4401)
_DEAD_STATUS: Final = frozenset({"failed", "error", "inactive", "disabled", "expired", "deleted", "rejected", "closed"})
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


_Step: TypeAlias = "Callable[[Connection, _Value], tuple[Action, ...]]"


def _rows(**steps: _Step) -> Mapping[Signal, _Step]:
    return {Signal[name]: step for name, step in steps.items()}


class Connection:
    """One socket. `feed` and `tick` answer with what is to be done; once `phase` is CLOSED, `failure` says why."""

    def __init__(
        self, number: int, token: int, callback_url: str, limits: Limits, now: Millis, doubted: bool = False
    ) -> None:
        self.number = number
        self.token = token
        self.phase = Phase.OPENING
        self.failure: Failure | None = None
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

    @property
    def is_open(self) -> bool:
        """Whether it is subscribed and there is no reason to doubt that it is live."""
        return self.phase is Phase.LIVE or (self.phase is Phase.PROVING and not self.doubted)

    def open(self) -> tuple[Action, ...]:
        """The action that begins its life."""
        return (OpenSocket(self.number, self.token),)

    def feed(self, signal: Signal, now: Millis, value: _Value = None) -> tuple[Action, ...]:
        """Something happened."""
        self._now = now
        return self.TABLE[self.phase][signal](self, value)

    def answered(self, answer: Subscribed, now: Millis) -> tuple[Action, ...]:
        """The platform answered the subscription: does the answer speak of this connection?"""
        signal = Signal.MISMATCHED if self._mismatch(answer) else Signal.SUBSCRIBED
        return self.feed(signal, now, answer)

    def next_due(self) -> Millis | None:
        """When `tick` is to be called next."""
        return min(
            (at for at in (self._deadline, self._ping_at, self._silent_at) if at is not None),
            default=None,
        )

    def tick(self, now: Millis) -> tuple[Action, ...]:
        """Time has passed."""
        if self._silent_at is not None and now >= self._silent_at:
            return self.feed(Signal.SILENT, now)
        actions: tuple[Action, ...] = ()
        if self._deadline is not None and now >= self._deadline:
            actions = self.feed(Signal.DUE, now)
        if self._ping_at is not None and now >= self._ping_at:
            self._ping_at = now + self._limits.ping
            actions += (SendPing(self.number),)
        return actions

    # Steps of the table. Each is named for what is decided.

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
        return (Subscribe(self.number, self.token, self._callback_url),)

    def _subscribed(self, value: _Value) -> tuple[Action, ...]:
        assert isinstance(value, Subscribed)
        self.subscription = value
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
        return self._delete()

    def _drop(self, _: _Value) -> tuple[Action, ...]:
        return self._end(None)

    # What the steps are made of.

    def _enter(self, phase: Phase, limit: Millis) -> None:
        self.phase = phase
        self._deadline = self._now + limit

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
        self.failure = failure
        self._deadline = self._ping_at = self._silent_at = None
        return (*self._delete(), CloseSocket(self.number))

    def _learn(self, value: _Value) -> None:
        assert isinstance(value, Opened)
        self.connection_id = value.connection_id or self.connection_id
        self._callback_url = value.callback_url or self._callback_url

    def _mismatch(self, answer: Subscribed) -> str:
        if answer.callback_url is not None and not _same_url(answer.callback_url, self._callback_url):
            return "another callback URL"
        if None not in (answer.connection_id, self.connection_id) and answer.connection_id != self.connection_id:
            return "another connection id"
        if answer.status is not None and answer.status.lower() in _DEAD_STATUS:
            return f"its status is {answer.status}"
        return ""

    TABLE: ClassVar[Mapping[Phase, Mapping[Signal, _Step]]] = {
        Phase.OPENING: _rows(
            OPENED=_opened,
            CLOSED=_gone,
            DENIED=_turned_away,
            GREETED=_ignore,  # no frame can come before the handshake is done
            SIGN=_ignore,
            HEARD=_ignore,
            SUBSCRIBED=_orphan,
            MISMATCHED=_orphan,
            UNSUBSCRIBED=_ignore,
            DUE=_unopened,
            SILENT=_ignore,
            RETIRE=_drop,
            DROP=_drop,
        ),
        Phase.GREETING: _rows(
            OPENED=_ignore,
            CLOSED=_gone,
            DENIED=_ignore,
            GREETED=_greeted,
            SIGN=_first_sign,
            HEARD=_heard,
            SUBSCRIBED=_orphan,
            MISMATCHED=_orphan,
            UNSUBSCRIBED=_ignore,
            DUE=_subscribe,  # no greeting: the configured callback URL stands
            SILENT=_silent,
            RETIRE=_drop,
            DROP=_drop,
        ),
        Phase.SUBSCRIBING: _rows(
            OPENED=_ignore,
            CLOSED=_gone,
            DENIED=_ignore,
            GREETED=_greeted_late,
            SIGN=_heard,  # may belong to an earlier subscription: proves the socket, not this one
            HEARD=_heard,
            SUBSCRIBED=_subscribed,
            MISMATCHED=_mismatched,
            UNSUBSCRIBED=_unsubscribed,
            DUE=_unanswered,
            SILENT=_silent,
            RETIRE=_drop,
            DROP=_drop,
        ),
        Phase.PROVING: _rows(
            OPENED=_ignore,
            CLOSED=_gone,
            DENIED=_ignore,
            GREETED=_greeted_again,
            SIGN=_proven,
            HEARD=_heard,
            SUBSCRIBED=_orphan,
            MISMATCHED=_orphan,
            UNSUBSCRIBED=_ignore,
            DUE=_unproven,
            SILENT=_silent,
            RETIRE=_retire,
            DROP=_drop,
        ),
        Phase.LIVE: _rows(
            OPENED=_ignore,
            CLOSED=_gone,
            DENIED=_ignore,
            GREETED=_greeted_again,
            SIGN=_sign,
            HEARD=_heard,
            SUBSCRIBED=_orphan,
            MISMATCHED=_orphan,
            UNSUBSCRIBED=_ignore,
            DUE=_unproven,  # pongs alone do not make a subscription live
            SILENT=_silent,
            RETIRE=_retire,
            DROP=_drop,
        ),
        Phase.DRAINING: _rows(
            OPENED=_ignore,
            CLOSED=_drop,
            DENIED=_ignore,
            GREETED=_ignore,
            SIGN=_heard,
            HEARD=_heard,
            SUBSCRIBED=_orphan,
            MISMATCHED=_orphan,
            UNSUBSCRIBED=_ignore,
            DUE=_drop,
            SILENT=_drop,
            RETIRE=_ignore,
            DROP=_drop,
        ),
        Phase.CLOSED: _rows(
            OPENED=_ignore,
            CLOSED=_ignore,
            DENIED=_ignore,
            GREETED=_ignore,
            SIGN=_ignore,
            HEARD=_ignore,
            SUBSCRIBED=_orphan,
            MISMATCHED=_orphan,
            UNSUBSCRIBED=_ignore,
            DUE=_ignore,
            SILENT=_ignore,
            RETIRE=_ignore,
            DROP=_ignore,
        ),
    }
    """What is done on every signal in every phase; a test checks that no pair is missing."""


def _same_url(one: str, other: str) -> bool:
    try:
        left, right = urlsplit(one), urlsplit(other)
        return one == other or (
            (left.scheme, left.hostname, left.port, left.query)
            == (right.scheme, right.hostname, right.port, right.query)
            and left.path.rstrip("/") == right.path.rstrip("/")
        )
    except ValueError:
        return False
