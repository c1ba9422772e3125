"""The Notification Service's conversation as a machine without I/O.

It is fed with inputs and the time and answers with actions; `next_due` says when it wants a `TimerDue`. First it asks which
queues there are; their topics are shared out to as many topic channels as they need (`shards`). Conversations that are seen
get topics of their own, where the platform has such topics for sockets (`followed`).
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Sequence
from typing import Final

from journeymap.model.time import Millis
from journeymap.protocol.exchange import HoldAsked, ReleaseAsked, Report, RetryAsked, Start, StopAsked, TimerDue
from journeymap.protocol.notifications.exchange import (
    Actions,
    Answer,
    Discover,
    Discovered,
    Heard,
    Input,
    LetGo,
    Prepared,
    RequestFailed,
    SocketInput,
)
from journeymap.protocol.notifications.followed import Followed
from journeymap.protocol.notifications.limits import USED_CHANNELS, Limits, room_for_conversations
from journeymap.protocol.notifications.shard import Shard
from journeymap.protocol.notifications.shards import Shards
from journeymap.protocol.notifications.topics import Offer, Refusal, explained, pattern_of, queue_topic
from journeymap.protocol.patience import Patience

_NO_QUEUES: Final = (
    "no queue is visible: the OAuth client needs a role with routing:queue:view in the divisions of the queues"
)
_NO_SNAPSHOTS: Final = (
    "the platform offers v2.routing.queues.{id}.conversations over no socket; take the source eventbridge"
)
_NO_DETAILS: Final = "detail events are not offered over a socket: conversations are seen as snapshots of queues"
_NO_CONTACTS: Final = "events of external contacts are not offered over a socket: merges are learned of later"


class Phase(enum.Enum):
    """Where the whole stands."""

    IDLE = "not started yet"
    DISCOVERING = "asking for queues and topics"
    WAITING = "until it asks again"
    RUNNING = "its topic channels each stand somewhere"
    REFUSED = "until an operator acts"
    HELD = "until it is released"
    STOPPED = "for good"


class Notifications:
    """The machine. `random` answers numbers in [0, 1). Time that runs backwards outside does not do so inside.

    `queues` are those known, each with the number of listings that it was missing from; `uncovered` how many of them found no
    room.
    """

    def __init__(self, random: Callable[[], float], limits: Limits) -> None:
        self.phase = Phase.IDLE
        self.state = "DISCONNECTED"
        self.since: Millis = 0
        self.heard_at: Millis | None = None
        """When the last sign of life came of what was lost when it last left OPEN. Other channels may have gone on."""
        self.refused = False
        self.reconnects = 0
        self.queues: dict[str, int] = {}
        self.uncovered = 0
        self._now: Millis = 0
        self._limits = limits
        self._numbers = itertools.count(1)
        self._error: str | None = None
        self._held: str | None = None
        self._was_open = False
        self._patience = Patience(random, limits.health)
        self._discovery: int | None = None
        self._discover_at: Millis | None = None
        self._offer = Offer()
        self._shards = Shards(self._numbers, random, limits)
        self._followed = Followed(limits.linger)
        self._follow_from: Millis = 0
        self._refused_extras: dict[str, Refusal] = {}  # by pattern
        self._refused_until: Millis = 0

    # What is shown.

    @property
    def error(self) -> str | None:
        """What went wrong, and with which of the topic channels; None while all is well."""
        return self._error if self._error is not None else self._shards.error

    @property
    def retry_at(self) -> Millis | None:
        """When something is tried again that does not work now."""
        dues = [self._discover_at] if self.phase is Phase.WAITING else []
        dues += [shard.retry_at for shard in self._shards]
        return min((due for due in dues if due is not None), default=None)

    @property
    def channels(self) -> int:
        """Topic channels that are live."""
        return sum(shard.is_live for shard in self._shards)

    @property
    def topics(self) -> int:
        """Topics that are coming."""
        return sum(shard.main.topics for shard in self._shards if shard.main is not None and shard.is_live)

    @property
    def refusals(self) -> list[Refusal]:
        """The topics that the platform does not grant; one for all of a sort that cannot be had."""
        sorts = self._refused_extras
        single = [refusal for refusal in self._shards.refusals if pattern_of(refusal.topic) not in sorts]
        return [*single, *(Refusal(sort, why.reason, why.permissions) for sort, why in sorts.items())]

    @property
    def follows(self) -> bool:
        """Whether it wants to know which conversations frames tell of."""
        return self._followed.is_on

    def notes(self) -> tuple[str, ...]:
        """What it cannot see, in a few lines."""
        if self.phase is not Phase.RUNNING:
            return ()
        notes = list(explained(self.refusals, self._offer))
        if self.uncovered:
            known = len(self.queues)
            seen = known - self.uncovered
            share = (
                f"only {seen:,} of {known:,} queues ({100 * seen // known}%) fit into {USED_CHANNELS} topic channels"
            )
            notes.insert(0, f"{share}; take another OAuth client for the rest, or the source eventbridge")
        if self._followed.is_full:
            notes.append(f"topics of their own are there for the {self._followed.most:,} newest conversations only")
        if not self._offer.kinds:
            notes.append(_NO_DETAILS)
        if not self._offer.contacts:
            notes.append(_NO_CONTACTS)
        return tuple(notes)

    def next_due(self) -> Millis | None:
        """When a `TimerDue` is wanted."""
        goes_on = self.phase is Phase.RUNNING and not self.refused
        dues = [self._discover_at, self._shards.next_due(renewals=goes_on)]
        if self.phase is Phase.RUNNING:
            dues.append(self._followed.next_due())
        if goes_on and self._followed.is_changed:
            dues.append(self._follow_from)
        return min((due for due in dues if due is not None), default=None)

    # What comes in.

    def feed(self, given: Input, now: Millis) -> Actions:
        """Something happened; this is to be done, in this order."""
        self._now = max(self._now, now)
        if self.phase is Phase.STOPPED:
            return ()
        actions = self._take(given)
        return actions + self._look()

    def _take(self, given: Input) -> Actions:
        match given:
            case Start():
                return self._begin() if self.phase is Phase.IDLE else ()
            case TimerDue():
                return self._tick()
            case Discovered() | RequestFailed() if given.request == self._discovery:
                self._discovery = None
                return self._discovered(given) if isinstance(given, Discovered) else self._undiscovered(given)
            case Discovered():
                return ()
            case RetryAsked():
                return self._retry()
            case HoldAsked(reason):
                return self._hold(reason)
            case ReleaseAsked():
                return self._release()
            case StopAsked():
                return self._stop()
        return self._to_shard(given)

    def _to_shard(self, given: Answer | SocketInput) -> Actions:
        shard = self._shards.find(given)
        if shard is None:
            # What nobody waits for any more must not keep its topics, unless it was taken again meanwhile.
            if isinstance(given, Prepared) and not self._shards.knows(given.channel_id):
                return (LetGo(0, given.channel_id),)
            return ()
        if isinstance(given, Heard):
            for seen in given.seen:
                self._followed.note(seen, self._now)
        actions = self._shards.take(shard, given, self._now)
        if isinstance(given, Answer):
            actions += self._settle(shard)
        return actions + self._follow()

    def _tick(self) -> Actions:
        actions = self._shards.tick(self._now)
        if self._discover_at is not None and self._discover_at <= self._now:
            self._discover_at = None
            actions += self._discover()
        if self.phase is Phase.RUNNING:
            self._followed.tick(self._now)
            actions += self._follow()
            if not self.refused:
                actions += self._shards.renew(self._now)
        return actions

    # Queues and topics.

    def _begin(self) -> Actions:
        self.phase = Phase.DISCOVERING
        return self._discover()

    def _discover(self) -> Actions:
        if self.phase is Phase.WAITING:
            self.phase = Phase.DISCOVERING
        self._discovery = next(self._numbers)
        return (Discover(self._discovery),)

    def _discovered(self, found: Discovered) -> Actions:
        self._offer = found.offer
        if not found.offer.queues:
            return self._refuse(_NO_SNAPSHOTS)
        self._error = None
        self._note_queues(found.queues)
        if not self.queues:
            return self._shards.rest(let_go=True) + self._wait(_NO_QUEUES, None)
        self.phase = Phase.RUNNING
        # Mostly one topic for a conversation and one for its contact.
        self._followed.most = room_for_conversations(len(self.queues)) // 2
        self._discover_at = self._now + self._limits.rediscovery
        if self._now >= self._refused_until:
            self._refused_extras.clear()
        self._followed.offer(self._offered())
        self._shards.ask_again()
        return self._share_out()

    def _share_out(self) -> Actions:
        self._follow_from = self._now + self._limits.pace * max(2, self.channels) // 2
        topics = [queue_topic(queue) for queue in self.queues]
        actions, self.uncovered = self._shards.share_out(topics, self._followed.wanted(), self._now)
        return actions

    def _note_queues(self, found: Sequence[str]) -> None:
        """A queue is gone when two listings in a row are without it: they are read in pages while queues come and go."""
        here = set(found)
        for queue in list(self.queues):
            self.queues[queue] = 0 if queue in here else self.queues[queue] + 1
            if self.queues[queue] > 1:
                del self.queues[queue]
        for queue in found:
            self.queues.setdefault(queue, 0)

    def _undiscovered(self, failed: RequestFailed) -> Actions:
        if failed.refused:
            return self._refuse(failed.message)
        if self.phase is Phase.RUNNING:
            self._discover_at = self._now + max(self._limits.rediscovery, failed.retry_after or 0)
            return (Report(f"it could not be looked for new queues: {failed.message}", harmless=True),)
        return self._wait(failed.message, failed.retry_after)

    # Conversations' own topics.

    def _offered(self) -> Offer:
        """What can be had, without what was refused."""
        details = any(pattern.startswith("v2.detail.") for pattern in self._refused_extras)
        contacts = any(pattern.startswith("v2.externalcontacts.") for pattern in self._refused_extras)
        return Offer(kinds=() if details else self._offer.kinds, contacts=self._offer.contacts and not contacts)

    def _follow(self) -> Actions:
        """Let changes take effect, not too often: each costs a request."""
        if self.phase is not Phase.RUNNING or self.refused:
            return ()
        if not self._followed.is_changed or self._now < self._follow_from:
            return ()
        return self._share_out()

    def _settle(self, shard: Shard) -> Actions:
        """What a change of one shard means for the whole."""
        if self.refused:
            return ()
        if shard.refused is not None:
            return self._refuse(shard.refused.message)
        if self._shards.is_nothing_granted:
            # Not one queue granted is as good as no permission at all.
            why = explained(self._shards.refusals, self._offer, 3)
            return self._refuse("every topic was refused: " + "; ".join(why))
        news = {refusal for refusal in shard.refused_sorts() if pattern_of(refusal.topic) not in self._refused_extras}
        if news:
            self._refused_until = self._now + self._limits.forgiving
            self._refused_extras |= {pattern_of(refusal.topic): refusal for refusal in news}
            self._followed.offer(self._offered())
        return ()

    # Refusals, holding, the end.

    def _wait(self, message: str, asked: Millis | None) -> Actions:
        self._error = message
        self._discover_at = self._patience.next_attempt(self._now, asked)
        self.phase = Phase.WAITING
        return (Report(message),)

    def _refuse(self, message: str) -> Actions:
        """A hard error. What is live goes on as long as it does."""
        self.refused = True
        self._error = message
        self._discover_at = self._discovery = None
        if self.phase is not Phase.RUNNING:
            self.phase = Phase.REFUSED
        return (Report(message, refused=True),)

    def _retry(self) -> Actions:
        """Forgive. While it is held, that is all."""
        forgiven, self.refused = self.refused, False
        self._patience.forgive()
        self._refused_extras.clear()
        if forgiven:
            self._error = self._held
        self._shards.retry(self._now if self.phase is Phase.RUNNING else None)
        if self.phase in (Phase.REFUSED, Phase.WAITING):
            self._discover_at = None
            return self._begin()
        if self.phase is not Phase.RUNNING:
            return ()
        if self._discovery is None:
            self._discover_at = self._now
        return self._tick()

    def _hold(self, reason: str) -> Actions:
        self._held = reason
        if not self.refused:
            self._error = reason
        self.phase = Phase.HELD
        return self._rest()

    def _release(self) -> Actions:
        if self.phase is not Phase.HELD:
            return ()
        self._held = None
        if self.refused:
            self.phase = Phase.REFUSED
            return ()
        self._error = None
        return self._begin()

    def _stop(self) -> Actions:
        actions = self._rest(let_go=True)
        self.phase = Phase.STOPPED
        return actions

    def _rest(self, *, let_go: bool = False) -> Actions:
        """End every socket, await and plan nothing."""
        self._discovery = self._discover_at = None
        return self._shards.rest(let_go=let_go)

    def _look(self) -> Actions:
        """Take note of whether it is OPEN, now that all has settled. After a refusal nothing is tried."""
        actions: Actions = ()
        if self.refused:
            self._shards.calm()
            if self.phase is Phase.REFUSED or (self.phase is Phase.RUNNING and not self._shards.is_any_live):
                self.phase = Phase.REFUSED
                actions = self._shards.rest()
        state = self._state()
        if state != self.state:
            if self.state == "OPEN":
                lost = [shard.heard_at for shard in self._shards if not shard.is_live]
                self.heard_at = min((at for at in lost if at is not None), default=None)
            self.state, self.since = state, self._now
            if state == "OPEN":
                self._opened()
            else:
                self._patience.left(self._now)
        return actions

    def _opened(self) -> None:
        self.reconnects += self._was_open
        self._was_open = True
        self._patience.opened(self._now)
        if not self.refused:
            self._error = None

    def _state(self) -> str:
        if self.phase is Phase.DISCOVERING:
            return "CONNECTING"
        if self.phase is not Phase.RUNNING:
            return "DISCONNECTED"
        # What was never live misses nothing that anybody counts on: no gap for a queue that was opened a moment ago.
        known = [shard for shard in self._shards if shard.was_live] if self._was_open else []
        counted = known or self._shards
        if all(shard.is_live for shard in counted):
            return "OPEN"
        return "CONNECTING" if any(shard.is_trying for shard in counted) else "DISCONNECTED"
