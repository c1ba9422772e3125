"""Drives the machine of the Notification Service by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TypeVar

from journeymap.model.time import HOUR
from journeymap.protocol.exchange import CloseSocket, Report, SendPing, SocketOpened, Start, TimerDue
from journeymap.protocol.notifications.exchange import (
    Action,
    Discover,
    Discovered,
    Heard,
    Input,
    OpenSocket,
    Prepare,
    Prepared,
    RequestFailed,
    SetTopics,
    TopicsSet,
)
from journeymap.protocol.notifications.frames import Sign
from journeymap.protocol.notifications.limits import Limits
from journeymap.protocol.notifications.machine import Notifications
from journeymap.protocol.notifications.topics import KINDS, Offer, Refusal, queue_topic

A = TypeVar("A", bound=Action)

PLAIN = Offer()
FULL = Offer(kinds=KINDS, contacts=True)
LIFE = 24 * HOUR


def queues(count: int, first: int = 0) -> tuple[str, ...]:
    """Ids of queues."""
    return tuple(f"{number:08x}-0000-4000-8000-000000000000" for number in range(first, first + count))


class Driver:
    """Feeds a machine, keeps the time, and remembers what it said and what sockets there are. `channels` are what the platform
    has, by id, with the topics that it was told."""

    def __init__(self, chance: float = 0.5) -> None:
        self.machine = Notifications(lambda: chance, Limits())
        self.now = 1_000_000
        self.actions: list[Action] = []
        self.sockets: set[int] = set()
        self.channels: dict[str, set[str]] = {}
        self._names = itertools.count(1)
        self.token = 1

    def feed(self, given: Input) -> list[Action]:
        self.actions = list(self.machine.feed(given, self.now))
        for action in self.actions:
            if isinstance(action, OpenSocket):
                self.sockets.add(action.connection)
            elif isinstance(action, CloseSocket):
                self.sockets.discard(action.connection)
        return self.actions

    def said(self, kind: type[A], actions: Iterable[Action] | None = None) -> list[A]:
        return [action for action in (self.actions if actions is None else actions) if isinstance(action, kind)]

    def wait(self, length: int) -> list[Action]:
        """Let time pass, with a `TimerDue` whenever one is due; all that was said meanwhile."""
        until, actions = self.now + length, list[Action]()
        while (due := self.machine.next_due()) is not None and due <= until:
            before, self.now = self.now, max(self.now, due)
            actions += self.feed(TimerDue())
            after = self.machine.next_due()
            assert after is None or after > self.now or self.now > before, "it turns in circles"
        self.now = until
        self.actions = actions
        return actions

    def wait_live(self, length: int) -> list[Action]:
        """The same, with every ping answered."""
        until, actions = self.now + length, list[Action]()
        while (due := self.machine.next_due()) is not None and due <= until:
            actions += self.wait(max(due - self.now, 0))
            for ping in self.said(SendPing):
                self.feed(Heard(ping.connection, Sign.PONG))
        self.now = until
        self.actions = actions
        return actions

    def discover(self, found: tuple[str, ...], offer: Offer = PLAIN) -> list[Action]:
        (asked,) = self.said(Discover)
        return self.feed(Discovered(asked.request, found, offer))

    def prepare(self, asked: Prepare, refusals: tuple[Refusal, ...] = (), life: int = LIFE) -> list[Action]:
        """Answer as a platform that makes a channel, or still has it."""
        if asked.channel_id is None:
            name = f"channel-{next(self._names)}"
            answer = Prepared(asked.request, name, f"wss://x/{name}", self.token, self.now + life * 5 // 6, refusals)
        else:
            name = asked.channel_id
            answer = Prepared(asked.request, name, refusals=refusals)
        self.channels[name] = set(asked.topics)
        return self.feed(answer)

    def change(self, asked: SetTopics, refusals: tuple[Refusal, ...] = ()) -> list[Action]:
        topics = self.channels[asked.channel_id]
        if asked.replace:
            topics.clear()
        topics |= set(asked.topics)
        return self.feed(TopicsSet(asked.request, refusals))

    def connect(self, actions: Iterable[Action] | None = None) -> None:
        """Open all sockets that are asked for."""
        for action in self.said(OpenSocket, actions):
            self.feed(SocketOpened(action.connection))

    def open(self, found: tuple[str, ...], offer: Offer = PLAIN, life: int = LIFE) -> Driver:
        """From the start to OPEN."""
        self.feed(Start())
        prepares = self.said(Prepare, self.discover(found, offer))
        for asked in prepares:
            self.connect(self.prepare(asked, life=life))
        assert self.machine.state == "OPEN"
        return self

    def fail(self, request: int, message: str = "no", **how: bool) -> list[Action]:
        return self.feed(RequestFailed(request, message, **how))

    def reports(self) -> list[str]:
        return [report.message for report in self.said(Report)]


def topics(found: Iterable[str]) -> set[str]:
    return set(map(queue_topic, found))
