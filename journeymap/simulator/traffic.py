"""What one customer goes through: contacts over the channels as timed steps, relative to the moment of arrival."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from journeymap.simulator.load import mean_wait
from journeymap.simulator.people import QUEUES, Queue

LONGEST = 115 * 60_000
"""No step lies later after the arrival than this (ms)."""

CREATED = "interaction.created"
STARTED = "conversation.started"
TRANSFER = "transfer.initiated"
ENDED = "conversation.ended"
DISPOSITION = "disposition.completed"
EVENT_TYPES = (CREATED, STARTED, TRANSFER, ENDED, DISPOSITION)

_SECOND = 1_000
_MINUTE = 60_000

_COMES_BACK = 0.30
_MISSING_DISPOSITION = 0.12
_QUEUE_TRANSFER = 0.11
_ANONYMOUS = 0.35
_MISSED_CALL_CALLED_BACK = 0.45


class _Manner(NamedTuple):
    """How contacts on a channel go: times in ms, `spread` of a log-normal, chance of moving to another channel."""

    share: float
    answer: tuple[int, int]
    talk: int
    spread: float
    longest: int
    wrap_up: tuple[int, int]
    patience: int
    moves_on: float
    moves_to: tuple[str, ...]
    returns_by: tuple[str, ...]


_MANNERS = {
    "voice": _Manner(0.37, (3_000, 14_000), 240_000, 0.55, 1_200_000, (8_000, 75_000), 110_000, 0.05,
                     ("message", "email"), ("chat", "email", "message", "callback")),
    "chat": _Manner(0.25, (2_000, 20_000), 330_000, 0.50, 1_200_000, (5_000, 50_000), 130_000, 0.17,
                    ("voice", "voice", "callback"), ("voice", "email", "message")),
    "email": _Manner(0.14, (60_000, 480_000), 420_000, 0.50, 1_500_000, (5_000, 60_000), 3_600_000, 0.06,
                     ("voice",), ("voice", "chat")),
    "message": _Manner(0.16, (5_000, 60_000), 200_000, 0.45, 600_000, (5_000, 40_000), 600_000, 0.10,
                       ("voice", "chat"), ("voice", "chat", "email")),
    "callback": _Manner(0.08, (90_000, 540_000), 190_000, 0.50, 900_000, (8_000, 75_000), 3_600_000, 0.02,
                        ("email",), ("voice", "email", "chat")),
}  # fmt: skip


class Step(NamedTuple):
    """One event to be: when (ms after arrival), what, in which contact and sitting, and the payload that is known.

    `agent` picks from the queue's roster, None where no agent is involved. `identified` says whether the platform knows
    the customer by then. A sitting is what shares a session token; None where the channel has none.
    """

    at: int
    type: str
    contact: int
    sitting: int | None
    identified: bool
    channel: str
    queue: str
    agent: int | None
    fields: dict[str, Any]


def visit(rng: random.Random, level: int) -> list[Step]:
    """All that one arriving customer does, in the order of time; `level` is the load in tenths of the mean."""
    return _Visit(rng, level).steps()


class _Visit:
    def __init__(self, rng: random.Random, level: int) -> None:
        self._rng = rng
        self._load = level / 10
        self.script: list[Step] = []
        self.contacts = 0
        self.sitting = 0

    def steps(self) -> list[Step]:
        rng = self._rng
        channel = rng.choices(list(_MANNERS), [manner.share for manner in _MANNERS.values()])[0]
        queue = self._queue_for(channel)
        comes_back = rng.random() < _COMES_BACK
        known_from = 0
        if channel in ("chat", "message", "voice") and rng.random() < _ANONYMOUS * (0.3 if channel == "voice" else 1.0):
            # Identified at some event of the first contact, only in the second, or (where none comes) never.
            known_from = rng.choice((1, 2, 2, 3, 9))
        left_at, answered = self._contact(channel, queue, 0, known_from)
        if not answered and channel == "voice" and rng.random() < _MISSED_CALL_CALLED_BACK:
            self.sitting += 1
            left_at, _ = self._contact("callback", queue, left_at + self._between(20 * _SECOND, 3 * _MINUTE))
        if comes_back or (not answered and rng.random() < 0.3):
            again = rng.choice(_MANNERS[channel].returns_by)
            if known_from != 9:
                self.sitting += 1
            gap = round(min(rng.lognormvariate(0.0, 0.9) * 9 * _MINUTE, 60 * _MINUTE)) + 40 * _SECOND
            self._contact(again, queue if again in queue.channels else self._queue_for(again), left_at + gap)
        return sorted((step for step in self.script if step.at <= LONGEST), key=lambda step: step.at)

    def _contact(self, channel: str, queue: Queue, at: int, known_from: int = 0) -> tuple[int, bool]:
        """Play one contact (and those it is handed on to) from `at`; gives when it was left, and if it was answered."""
        rng, manner = self._rng, _MANNERS[channel]
        place = _Place(self, channel, queue, known_from)
        calls_out = channel == "callback" or (channel == "voice" and rng.random() < 0.06)
        place.direction = "outbound" if calls_out else "inbound"
        place.say(at, CREATED)
        wait = self._wait(manner, queue)
        patience = rng.expovariate(1.0 / manner.patience) + 6 * _SECOND
        if place.direction == "inbound" and wait > patience:
            return self._abandon(place, at + round(patience)), False
        now = started = at + wait
        place.agent = rng.randrange(1 << 16)
        place.say(now, STARTED)
        now += self._talk(manner)
        if channel == "message" and rng.random() < 0.55:
            now = started = self._pause(place, now)
            now += self._talk(manner) // 2
        if rng.random() < _QUEUE_TRANSFER:
            now = started = self._to_another_queue(place, now)
            now += self._talk(manner) * 2 // 3
        if rng.random() < manner.moves_on:
            return self._to_another_channel(place, now, started), True
        return self._finish(place, now, started, manner), True

    def _abandon(self, place: _Place, at: int) -> int:
        """The customer gives up in the queue: mostly the platform says so, sometimes it just falls silent."""
        if self._rng.random() < 0.72:
            place.say(at, ENDED, durationSeconds=0)
            if self._rng.random() < 0.4:
                place.say(at + self._between(200, 3_000), DISPOSITION, disposition="Abandoned in queue")
        return at

    def _pause(self, place: _Place, at: int) -> int:
        """An asynchronous conversation rests until the customer writes again; gives when that is."""
        place.say(at, ENDED)
        again = at + self._between(70 * _SECOND, 6 * _MINUTE)
        place.say(again, STARTED)
        return again

    def _to_another_queue(self, place: _Place, at: int) -> int:
        """The agent hands the contact to another queue; gives when the next agent takes it."""
        rng = self._rng
        others = [queue for queue in QUEUES if queue is not place.queue and place.channel in queue.channels]
        target = rng.choices(others, [queue.share for queue in others])[0]
        place.say(at, TRANSFER, transferType=rng.choice(("blind", "blind", "consult")), targetQueueName=target.name)
        place.queue = target
        taken = at + self._between(3 * _SECOND, 12 * _SECOND) + self._queued(target)
        place.agent = rng.randrange(1 << 16)
        place.say(taken, STARTED)
        return taken

    def _to_another_channel(self, place: _Place, at: int, started: int) -> int:
        """The contact goes on elsewhere: a transfer here, within seconds a new interaction there."""
        rng = self._rng
        target = rng.choice(_MANNERS[place.channel].moves_to)
        queue = place.queue if target in place.queue.channels else self._queue_for(target)
        place.say(at, TRANSFER, transferType="channel", targetChannelType=target, targetQueueName=queue.name)
        begins = at + self._between(900, 8 * _SECOND)
        left = begins + self._between(500, 20 * _SECOND)
        self._finish(place, left, started, _MANNERS[place.channel], "Moved to " + target)
        return self._contact(target, queue, begins)[0]

    def _finish(self, place: _Place, at: int, started: int, manner: _Manner, outcome: str | None = None) -> int:
        rng = self._rng
        length = round((at - started) / _SECOND, 1)
        place.say(at, ENDED, durationSeconds=length)
        wrapped = at + self._between(*manner.wrap_up)
        outcome = outcome or rng.choice(place.queue.outcomes)
        if rng.random() >= _MISSING_DISPOSITION:
            place.say(wrapped, DISPOSITION, disposition=outcome, durationSeconds=length)
        return at

    def _queue_for(self, channel: str) -> Queue:
        queues = [queue for queue in QUEUES if channel in queue.channels]
        return self._rng.choices(queues, [queue.share for queue in queues])[0]

    def _wait(self, manner: _Manner, queue: Queue) -> int:
        return self._between(*manner.answer) + self._queued(queue)

    def _queued(self, queue: Queue) -> int:
        mean = mean_wait(300.0 * _SECOND, queue.agents, queue.utilisation * self._load)
        return round(min(self._rng.expovariate(1.0) * mean, 12 * _MINUTE))

    def _talk(self, manner: _Manner) -> int:
        length = self._rng.lognormvariate(0.0, manner.spread) * manner.talk
        return round(min(max(length, 20 * _SECOND), manner.longest))

    def _between(self, low: int, high: int) -> int:
        return round(self._rng.uniform(low, high))


class _Place:
    """Where a contact stands: its channel, its present queue and agent."""

    def __init__(self, visit: _Visit, channel: str, queue: Queue, known_from: int) -> None:
        self.channel = channel
        self.queue = queue
        self.agent: int | None = None
        self.direction = "inbound"
        self._visit = visit
        self._number = visit.contacts
        self._known_from = known_from
        self._said = 0
        # A call has no session token of its own; one that an anonymous or a digital contact led to carries it on.
        tokenless = channel in ("voice", "callback") and known_from == 0 and visit.sitting == 0 and self._number == 0
        self._sitting = None if tokenless else visit.sitting
        visit.contacts += 1

    def say(self, at: int, kind: str, **fields: Any) -> None:
        """Let the platform report this at the given time."""
        identified = self._said >= self._known_from
        self._said += 1
        known = {"direction": self.direction} if kind == CREATED else {}
        self._visit.script.append(
            Step(at, kind, self._number, self._sitting, identified, self.channel, self.queue.name, self.agent,
                 {**known, **fields})
        )  # fmt: skip
