"""All shards, within the number of topic channels that a client may have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence

from journeymap.model.time import Millis
from journeymap.protocol.exchange import Report
from journeymap.protocol.notifications.distribution import Topics, distribute
from journeymap.protocol.notifications.exchange import Actions, Answer, SocketInput
from journeymap.protocol.notifications.limits import (
    MOST_CHANNELS,
    MOST_TOPICS,
    USED_CHANNELS,
    Limits,
    room_for_conversations,
)
from journeymap.protocol.notifications.shard import Shard
from journeymap.protocol.notifications.topics import Refusal


class Shards:
    """As many as the topics need: those of queues first, then those of single conversations where there is room. `numbers`
    gives requests and sockets their numbers."""

    def __init__(self, numbers: itertools.count[int], random: Callable[[], float], limits: Limits) -> None:
        self._all: list[Shard] = []
        self._queues: frozenset[str] = frozenset()
        self._numbers = numbers
        self._random = random
        self._limits = limits

    def __iter__(self) -> Iterator[Shard]:
        """Every one there is now."""
        return iter(list(self._all))

    @property
    def error(self) -> str | None:
        """Why one is not live, and which."""
        for shard in self._all:
            if shard.error is not None:
                return self._where(shard) + shard.error
        return None

    @property
    def is_any_live(self) -> bool:
        """Whether anything is coming at all."""
        return any(shard.is_live for shard in self._all)

    @property
    def refusals(self) -> list[Refusal]:
        """The topics that the platform does not grant."""
        return [refusal for shard in self._all for refusal in shard.refusals.values()]

    @property
    def is_nothing_granted(self) -> bool:
        """Whether the platform has said of all queues, and of each that it may not be seen."""
        if not self._queues or not all(shard.is_prepared for shard in self._all):
            return False
        return self._queues <= {refusal.topic for refusal in self.refusals}

    @property
    def has_room(self) -> bool:
        """Whether one channel more does not make the platform remove another."""
        return sum(len(shard.channels) for shard in self._all) < MOST_CHANNELS

    def knows(self, channel_id: str) -> bool:
        """Whether this channel of the platform is in use, or may be taken again."""
        return any(shard.knows(channel_id) for shard in self._all)

    def find(self, given: Answer | SocketInput) -> Shard | None:
        """The one that this is for."""
        return next((shard for shard in self._all if shard.concerns(given)), None)

    def take(self, shard: Shard, given: Answer | SocketInput, now: Millis) -> Actions:
        """Something was said about a channel of this one."""
        return self._named(shard, shard.take(given, now))

    def tick(self, now: Millis) -> Actions:
        """Time has passed."""
        return tuple(action for shard in self._all for action in self._named(shard, shard.tick(now)))

    def share_out(self, queues: Collection[str], others: Sequence[str], now: Millis) -> tuple[Actions, int]:
        """Bring these topics, on more or fewer channels than before, and tell the platform. Of `others` the last ones count where
        room is short. Answers how many of `queues` found none, too."""

        def add() -> Topics | None:
            if len(self._all) >= USED_CHANNELS:
                return None
            self._all.append(Shard(next(self._numbers), self._numbers, self._random, self._limits))
            places.append(self._all[-1].topics)
            return places[-1]

        covered = list(queues)[: USED_CHANNELS * MOST_TOPICS]
        room = room_for_conversations(len(covered))
        self._queues = frozenset(covered)
        places = [shard.topics for shard in self._all]
        distribute([*covered, *others[max(0, len(others) - room) :]], places, MOST_TOPICS, add)
        actions: Actions = ()
        for shard in self:
            if shard.topics:
                actions += self._named(shard, shard.tell(now))
            else:
                actions += shard.rest(let_go=True)
                self._all.remove(shard)
        idle = [one for one in self._all if not one.is_trying and one.retry_at is None and one.refused is None]
        for shard in idle:
            actions += shard.begin()
        return actions, len(queues) - len(covered)

    def renew(self, now: Millis) -> Actions:
        """Renew what is due, as far as there is room."""
        actions: Actions = ()
        due = [shard for shard in self._all if shard.is_renewal_due(now)]
        for shard in sorted(due, key=lambda shard: shard.renewal_due() or 0):
            if self.has_room:
                actions += shard.renew()
        return actions

    def ask_again(self) -> None:
        """Let refused topics be asked for once more."""
        for shard in self._all:
            shard.ask_again()

    def retry(self, now: Millis | None) -> None:
        """An operator says "try again": what is lost is tried at `now`, unless that is None."""
        for shard in self._all:
            shard.retry(now)

    def calm(self) -> None:
        """Nothing is to be tried."""
        for shard in self._all:
            shard.retry_at = None

    def rest(self, *, let_go: bool = False) -> Actions:
        """End every socket."""
        return tuple(action for shard in self._all for action in shard.rest(let_go=let_go))

    def next_due(self, *, renewals: bool) -> Millis | None:
        """When to look at the time again."""
        dues = [shard.next_due() for shard in self._all]
        if renewals and self.has_room:
            dues += [shard.renewal_due() for shard in self._all]
        return min((due for due in dues if due is not None), default=None)

    def _where(self, shard: Shard) -> str:
        shards = self._all
        return f"topic channel {shards.index(shard) + 1} of {len(shards)}: " if len(shards) > 1 else ""

    def _named(self, shard: Shard, actions: Actions) -> Actions:
        """Say of which channel it is that something is reported."""
        if not any(isinstance(action, Report) for action in actions):
            return actions
        where = self._where(shard)
        return tuple(
            Report(where + action.message, action.refused, action.harmless) if isinstance(action, Report) else action
            for action in actions
        )
