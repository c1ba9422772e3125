"""A share of the topics: the topic channel that brings them, the one that is to take over from it, and those on their way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from journeymap.model.time import Millis
from journeymap.protocol.exchange import Report
from journeymap.protocol.notifications.channel import Loss, TopicChannel
from journeymap.protocol.notifications.distribution import Topics
from journeymap.protocol.notifications.exchange import Actions, Answer, LetGo, SocketInput
from journeymap.protocol.notifications.limits import Limits
from journeymap.protocol.notifications.topics import Refusal, is_of_queue, pattern_of
from journeymap.protocol.patience import Patience

_REPLACED: Final = Loss("replaced")
_TIMES: Final = 3
"""So many topics of a sort must have been refused without a missing permission."""


class Shard:
    """Keeps one topic channel live: takes it or makes it again when it is lost, and renews it in time, make before break.

    `topics` are what it is to bring; whoever changes them calls `tell`. `error` is why it is not live. `refused` is a loss
    after which nothing is to be tried until `retry`.
    """

    def __init__(self, lane: int, numbers: Iterator[int], random: Callable[[], float], limits: Limits) -> None:
        self.lane = lane
        self.topics: Topics = {}
        self.error: str | None = None
        self.refused: Loss | None = None
        self.was_live = False
        self.heard_at: Millis | None = None
        """When the last sign of life came of the channel that is live, or was."""
        self.retry_at: Millis | None = None
        self.main: TopicChannel | None = None
        self.heir: TopicChannel | None = None
        self._numbers = numbers
        self._limits = limits
        self._patience = Patience(random, limits.health)
        self._heirs_patience = Patience(random, limits.health)
        self._leaving: list[tuple[Millis, TopicChannel]] = []
        self._before: TopicChannel | None = None  # the lost one, if it may be taken again
        self._heir_at: Millis = 0

    @property
    def is_live(self) -> bool:
        """Whether its topics are coming."""
        return self.main is not None and self.main.is_live

    @property
    def is_trying(self) -> bool:
        """Whether it is on the way to be live."""
        return self.main is not None

    @property
    def is_prepared(self) -> bool:
        """Whether the platform has said what it grants of the topics."""
        return self.main is not None and self.main.is_prepared

    @property
    def refusals(self) -> dict[str, Refusal]:
        """The topics that the platform does not grant."""
        channel = self.main or self._before
        return (
            {} if channel is None else {topic: why for topic, why in channel.refusals.items() if topic in self.topics}
        )

    def refused_sorts(self) -> list[Refusal]:
        """Of each sort of topics of conversations that cannot be had at all, one refusal: where a role is missing for one it is
        missing for all, and what is refused for whatever reason each time is not there."""
        granted = {pattern_of(topic) for topic in self.topics if topic not in self.refusals}
        sorts: dict[str, list[Refusal]] = {}
        for refusal in self.refusals.values():
            if not is_of_queue(refusal.topic):
                sorts.setdefault(pattern_of(refusal.topic), []).append(refusal)
        return [
            refusals[0]
            for sort, refusals in sorts.items()
            if refusals[0].permissions or (sort not in granted and len(refusals) >= _TIMES)
        ]

    @property
    def channels(self) -> list[TopicChannel]:
        """All that there are."""
        leaving = [channel for _, channel in self._leaving]
        return [channel for channel in (self.main, self.heir, *leaving) if channel is not None]

    def knows(self, channel_id: str) -> bool:
        """Whether this channel of the platform is in use here, or may be taken again."""
        known = [*self.channels, *([self._before] if self._before is not None else [])]
        return any(channel.channel_id == channel_id for channel in known)

    def concerns(self, given: Answer | SocketInput) -> bool:
        """Whether this is for one of its channels."""
        return any(channel.concerns(given) for channel in self.channels)

    def begin(self) -> Actions:
        """Make the topic channel live, or take the lost one again."""
        self.retry_at = None
        before = self._before
        stale = before is not None and before.lost is not None and before.lost.stale
        self.main = TopicChannel(self.lane, self.topics, self._numbers, self._limits, None if stale else before)
        return self.main.begin(before.token if before is not None and stale else 0)

    def take(self, given: Answer | SocketInput, now: Millis) -> Actions:
        """Something was said about one of its channels."""
        for channel in self.channels:
            if channel.concerns(given):
                actions = channel.take(given, now)
                if isinstance(given, Answer):
                    actions += channel.tell(now)
                return actions + self._settle(channel, now)
        return ()

    def ask_again(self) -> None:
        """Let the next `tell` ask for the refused topics once more."""
        if self.main is not None:
            self.main.ask_again()

    def tell(self, now: Millis) -> Actions:
        """Pass changes of the topics on."""
        actions: Actions = ()
        for channel in (self.main, self.heir):
            if channel is not None:
                actions += channel.tell(now)
        return actions

    def tick(self, now: Millis) -> Actions:
        """Time has passed."""
        actions: Actions = ()
        for due, channel in list(self._leaving):
            if due <= now and channel.lost is None:
                actions += channel.end(_REPLACED, let_go=True)
        for channel in self.channels:
            if channel.lost is None:
                actions += channel.tick(now)
            actions += self._settle(channel, now)
        if self.retry_at is not None and self.retry_at <= now:
            actions += self.begin()
        return actions

    def is_renewal_due(self, now: Millis) -> bool:
        """Whether another channel is to be made that takes over."""
        at = self._renewal_at()
        return at is not None and at <= now

    def renew(self) -> Actions:
        """Make the heir, with a newer token."""
        assert self.main is not None
        self.heir = TopicChannel(self.lane, self.topics, self._numbers, self._limits)
        return self.heir.begin(self.main.token)

    def next_due(self) -> Millis | None:
        """When to look at the time again. Renewals are not in it, for they may have to wait for each other."""
        dues = [self.retry_at, *(due for due, _ in self._leaving), *(channel.next_due() for channel in self.channels)]
        return min((due for due in dues if due is not None), default=None)

    def renewal_due(self) -> Millis | None:
        """When a renewal is due next."""
        return self._renewal_at()

    def retry(self, now: Millis | None) -> None:
        """An operator says "try again", now or (None) when it begins."""
        self.refused = None
        self._patience.forgive()
        self._heirs_patience.forgive()
        self._heir_at = 0
        if self.main is None:
            self.retry_at = now

    def rest(self, *, let_go: bool = False) -> Actions:
        """End every socket and plan nothing; with `let_go` the platform's channels are not kept either."""
        actions: Actions = ()
        for channel in self.channels:
            actions += channel.end(_REPLACED, let_go=let_go or channel is not self.main)
        if self.main is not None and self.main.channel_id is not None and not let_go:
            self._before = self.main
        self.main = self.heir = self.retry_at = None
        self._leaving = []
        return actions

    def _renewal_at(self) -> Millis | None:
        main = self.main
        if (
            main is None
            or self.heir is not None
            or main.renew_at is None
            or not main.is_live
            or self.refused is not None
        ):
            return None
        return max(main.renew_at, self._heir_at)

    def _settle(self, channel: TopicChannel, now: Millis) -> Actions:
        """What a change of one channel means."""
        if channel is self.main:
            return self._settle_main(channel, now)
        if channel is self.heir:
            return self._settle_heir(channel, now)
        self._leaving = [(due, one) for due, one in self._leaving if one.lost is None]
        return ()

    def _settle_main(self, main: TopicChannel, now: Millis) -> Actions:
        if main.is_live:
            if self.error is not None or not self.was_live:
                self._patience.opened(now)
            self.was_live, self.error, self._before = True, None, None
            self.heard_at = main.heard_at
            return ()
        if main.lost is None:
            return ()
        loss = main.lost
        self._patience.left(now)
        self.error = loss.message
        self.main = None
        if self.heir is not None:
            # It is further than a new attempt would be.
            self.main, self.heir = self.heir, None
            return (Report(loss.message), *self._settle_main(self.main, now))
        self._before = main if main.channel_id is not None and (not loss.gone or loss.stale) else None
        if loss.refused:
            self.refused = loss
            return ()
        self.retry_at = self._patience.next_attempt(now, loss.retry_after)
        return (Report(loss.message),)

    def _settle_heir(self, heir: TopicChannel, now: Millis) -> Actions:
        if heir.is_live:
            if self.main is not None:
                self._leaving.append((now + self._limits.overlap, self.main))
            self.main, self.heir = heir, None
            self._heirs_patience.forgive()
            self._heir_at = 0
            return self._settle_main(heir, now)
        if heir.lost is None:
            return ()
        loss, self.heir = heir.lost, None
        self._heir_at = self._heirs_patience.next_attempt(now, loss.retry_after)
        if loss.refused:
            self.refused = loss
            return ()
        actions: Actions = () if heir.channel_id is None else (LetGo(self.lane, heir.channel_id),)
        return (
            Report(f"the channel could not be renewed yet, the old one stays: {loss.message}", harmless=True),
            *actions,
        )
