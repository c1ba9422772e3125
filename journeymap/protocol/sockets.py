"""Which sockets there are: the one in use, the one that is to take over from it, and those that are read until empty."""

from __future__ import annotations

from collections.abc import Callable

from journeymap.model.time import Millis
from journeymap.protocol.connection import Connection
from journeymap.protocol.exchange import Action, TokenObtained, Unsubscribe
from journeymap.protocol.limits import Limits
from journeymap.protocol.patience import Patience
from journeymap.protocol.socket_states import Phase, Signal


class Sockets:
    """`main` is in use, `heir` takes over after a token was renewed (make before break)."""

    def __init__(self, callback_url: str, random: Callable[[], float], limits: Limits) -> None:
        self.main: Connection | None = None
        self.heir: Connection | None = None
        self._draining: list[Connection] = []
        self._callback_url = callback_url
        self._limits = limits
        self._made = 0  # they are numbered
        self._doubted = False
        self._patience = Patience(random, limits.health)
        self._move_at: Millis | None = None

    def all(self) -> list[Connection]:
        """Every one that is not closed, or was not until a moment ago."""
        return [one for one in (self.main, self.heir, *self._draining) if one is not None]

    def next_due(self) -> Millis | None:
        """When to look at the time again."""
        dues = [self._move_at, *(connection.next_due() for connection in self.all())]
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
        """The move has failed and is to be tried again after a while."""
        self.heir = None
        self._move_at = self._patience.next_attempt(now, retry_after)

    def forgive(self) -> None:
        """There is another token: earlier moves say nothing about it."""
        self._patience.forgive()

    def _make(self, token: TokenObtained, now: Millis) -> Connection:
        self._made += 1
        return Connection(self._made, token.request, self._callback_url, self._limits, now, self._doubted)

    def note(self, connection: Connection) -> None:
        """Something has happened to this one: doubt outlives sockets, until one is live."""
        self._doubted = (self._doubted or connection.doubted) and connection.phase is not Phase.LIVE

    def take_over(self) -> Connection | None:
        """The heir is in use from now on; answers with the one that was."""
        old, self.main, self.heir = self.main, self.heir, None
        return old

    def retire(self, old: Connection, now: Millis) -> tuple[Action, ...]:
        """Read an old one only until it is empty."""
        self._draining.append(old)
        actions = old.feed(Signal.RETIRE, now)
        # A platform may answer both sockets with one subscription: then it is not to be deleted.
        subscription = self.main.subscription if self.main is not None else None
        shared = subscription.subscription if subscription is not None else None
        return tuple(one for one in actions if not (isinstance(one, Unsubscribe) and one.subscription == shared))

    def forget(self, drained: Connection) -> None:
        """It has been read to its end."""
        self._draining.remove(drained)

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
        return actions
