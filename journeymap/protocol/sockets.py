"""Which sockets there are: the one in use, the one that is to take over from it, and those that are read until empty."""

from __future__ import annotations

from collections.abc import Callable

from journeymap.model.time import Millis
from journeymap.protocol.connection import Connection
from journeymap.protocol.exchange import (
    Action,
    FrameReceived,
    SocketInput,
    TokenObtained,
    Unsubscribe,
    Unsubscribed,
)
from journeymap.protocol.frames import Throttle
from journeymap.protocol.limits import Limits
from journeymap.protocol.patience import Patience
from journeymap.protocol.socket_states import Phase, Signal
from journeymap.protocol.throttling import Throttling


class Sockets:
    """`main` is in use, `heir` takes over after a token was renewed (make before break)."""

    def __init__(
        self, callback_url: str, max_events_per_second: int, random: Callable[[], float], limits: Limits
    ) -> None:
        self.main: Connection | None = None
        self.heir: Connection | None = None
        self._draining: list[Connection] = []
        self._deleting: dict[str, Connection] = {}  # by subscription, the draining ones that wait for its deletion
        self._callback_url = callback_url
        self._limits = limits
        self._made = 0  # they are numbered
        self._doubted = False
        self._throttling = Throttling(max_events_per_second)
        self._patience = Patience(random, limits.health)
        self._move_at: Millis | None = None

    @property
    def subscription_id(self) -> str | None:
        """The subscription of the one in use."""
        subscription = self.main.subscription if self.main is not None else None
        return subscription.subscription if subscription is not None else None

    @property
    def connection_id(self) -> str | None:
        """What the platform calls the one in use."""
        return self.main.connection_id if self.main is not None else None

    @property
    def rate(self) -> int | None:
        """Events a second that the subscription of the one in use asks for."""
        return self.main.rate if self.main is not None and self.main.subscription is not None else None

    def all(self) -> list[Connection]:
        """Every one that is not closed, or was not until a moment ago."""
        return [one for one in (self.main, self.heir, *self._draining) if one is not None]

    def find(self, number: int) -> Connection | None:
        """The one with this number, if it is not closed."""
        return next((one for one in self.all() if one.number == number), None)

    def next_due(self) -> Millis | None:
        """When to look at the time again."""
        dues = [self._move_at, *(connection.next_due() for connection in self.all())]
        if self.main is not None and self.main.phase is Phase.LIVE:
            dues.append(self._throttling.next_due(self.main.rate))
        return min((due for due in dues if due is not None), default=None)

    def begin(self, token: TokenObtained, now: Millis) -> tuple[Action, ...]:
        """Open the one to be used."""
        self.main = self._make(token, now)
        return self.main.open()

    def move(self, token: TokenObtained | None, now: Millis) -> tuple[Action, ...]:
        """Open the heir, if there is a token that the one in use does not have yet and no heir is under way."""
        if self.main is None or self.heir is not None or token is None or self.main.token == token.request:
            return ()
        self._move_at = None
        self.heir = self._make(token, now)
        return self.heir.open()

    def is_move_due(self, now: Millis) -> bool:
        """Whether it is time to try the move again; asked once."""
        due = self._move_at is not None and self._move_at <= now
        if due:
            self._move_at = None
        return due

    def lose_heir(self, now: Millis, retry_after: Millis | None) -> None:
        """The move has failed and is to be tried again after a while, in time for the end of the token in use."""
        self.heir = None
        last_call = self.main.last_call if self.main is not None else None
        self._move_at = self._patience.next_attempt(now, retry_after, last_call)

    def forgive(self) -> None:
        """There is another token: earlier moves say nothing about it."""
        self._patience.forgive()

    def _make(self, token: TokenObtained, now: Millis) -> Connection:
        self._made += 1
        return Connection(
            self._made, token, self._throttling.wanted, self._callback_url, self._limits, now, self._doubted
        )

    def note(self, connection: Connection, now: Millis) -> None:
        """Something has happened to this one. Doubt outlives sockets, until one is live."""
        if connection.phase is Phase.CLOSED and connection in self._draining:
            self._draining.remove(connection)
            self._deleting = {name: old for name, old in self._deleting.items() if old is not connection}
        self._doubted = (self._doubted or connection.doubted) and connection.phase is not Phase.LIVE
        if connection.unchanged is not None:
            self._throttling.stay(now, connection.rate, connection.unchanged.retry_after)
            connection.unchanged = None

    def hear(self, connection: Connection, given: SocketInput, now: Millis) -> None:
        """What comes on the one in use says how much the platform can send."""
        if connection is not self.main or not isinstance(given, FrameReceived):
            return
        if isinstance(given.control, Throttle):
            self._throttling.throttle(now, given.control, connection.rate)
        elif given.events:
            self._throttling.receive(now, given.events)

    def tune(self, now: Millis) -> tuple[Action, ...]:
        """Let the one in use ask for as many events a second as the platform's throttling suggests."""
        if self.main is None or self.main.phase is not Phase.LIVE:
            return ()
        self._throttling.look(now, self.main.rate)
        wanted = self._throttling.wanted
        return () if wanted == self.main.rate else self.main.feed(Signal.RATE, now, wanted)

    def take_over(self) -> Connection | None:
        """The heir is in use from now on; answers with the one that was."""
        old, self.main, self.heir = self.main, self.heir, None
        return old

    def retire(self, old: Connection, now: Millis) -> tuple[Action, ...]:
        """Read an old one only until it is empty."""
        self._draining.append(old)
        subscription = old.subscription
        actions = old.feed(Signal.RETIRE, now)
        kept = self.spare(actions)
        if old.phase is not Phase.DRAINING:
            return kept
        if kept != actions or subscription is None:
            return kept + old.feed(Signal.DELETED, now)
        self._deleting[subscription.subscription] = old
        return kept

    def deleted(self, given: Unsubscribed, now: Millis) -> tuple[Action, ...]:
        """A subscription is no more, or cannot be reached."""
        old = self._deleting.pop(given.subscription, None)
        return () if old is None else old.feed(Signal.DELETED, now)

    def spare(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """A platform may answer two sockets with one subscription: what is in use is not to be deleted."""
        used = self.subscription_id
        return tuple(one for one in actions if not (isinstance(one, Unsubscribe) and one.subscription == used))

    def drop_heir(self, now: Millis) -> tuple[Action, ...]:
        """Nothing is to take over any more."""
        self._move_at = None
        heir, self.heir = self.heir, None
        return () if heir is None else heir.feed(Signal.DROP, now)

    def drop_all(self, now: Millis) -> tuple[Action, ...]:
        """End every one."""
        self._move_at = None
        actions: tuple[Action, ...] = ()
        for connection in self.all():
            actions += connection.feed(Signal.DROP, now)
        self.main = self.heir = None
        self._draining = []
        self._deleting = {}
        return actions
