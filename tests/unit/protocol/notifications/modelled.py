"""A Notification Service as a model in virtual time: what the machine asks for is answered, events flow, and nothing sleeps."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from random import Random

from journeymap.model.time import HOUR, SECOND, Millis
from journeymap.protocol.exchange import (
    CloseSocket,
    HandshakeRefused,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    TimerDue,
)
from journeymap.protocol.notifications.exchange import (
    Discover,
    Discovered,
    Heard,
    Input,
    LetGo,
    OpenSocket,
    Prepare,
    Prepared,
    RequestFailed,
    SetTopics,
    TopicsSet,
)
from journeymap.protocol.notifications.frames import Sign
from journeymap.protocol.notifications.limits import MOST_CHANNELS, MOST_TOPICS, Limits, renewal_of
from journeymap.protocol.notifications.machine import Notifications
from journeymap.protocol.notifications.topics import Offer, queue_topic

HEARTBEAT = 30 * SECOND
GRACE = 60 * SECOND


class Channel:
    """As the platform has it. Events come on the socket that was connected last."""

    def __init__(self, ends: Millis) -> None:
        self.ends = ends
        self.topics: set[str] = set()
        self.socket: int | None = None


class Model:
    """Plays the machine against a platform with these queues whose channels live `life`. `fails` says whether a request fails.
    `strict`: a second socket of a channel ends the first, even if that was told to go.
    `sent` and `received` are the numbers of events that happened since it was first OPEN."""

    def __init__(
        self, random: Random, queues: tuple[str, ...], life: Millis, fails: Callable[[], bool], strict: bool = False
    ) -> None:
        self.machine = Notifications(random.random, Limits())
        self.now: Millis = HOUR
        self.sent: set[int] = set()
        self.received: set[int] = set()
        self.made = 0
        self.most_channels = 0
        self._random = random
        self._queues = queues
        self._life = life
        self._fails = fails
        self._strict = strict
        self._channels: dict[str, Channel] = {}
        self._delays: dict[int, Millis] = {}  # of open sockets, by number
        self._closed: set[int] = set()
        self._lanes: dict[int, Millis] = {}  # when the last request of a lane is answered
        self._names = itertools.count()
        self._agenda: list[tuple[Millis, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._started = False

    def run(self, length: Millis, every: Millis, look: Callable[[], None]) -> None:
        """Let time pass; an event happens `every` so often, and after each step `look` is called."""
        until = self.now + length
        if not self._started:
            self._started = True
            self._happen(every)
            self._beat()
            self._feed(Start())
        while True:
            due = self.machine.next_due()
            at, _, what = self._agenda[0]
            self.now = max(self.now, min(at, due if due is not None else at))
            if self.now >= until:
                return
            if due is not None and due <= self.now:
                self._feed(TimerDue())
            else:
                heapq.heappop(self._agenda)
                what()
            look()

    def later(self, delay: Millis, what: Callable[[], None]) -> None:
        """Do this then."""
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), what))

    def announce_closing(self) -> None:
        """Say on every socket that it will be closed, and close it."""
        for channel in list(self._channels.values()):
            if (number := channel.socket) is not None:
                self._say(number, Heard(number, Sign.CLOSING))
                self.later(GRACE, lambda number=number: self._hang_up(number, 1001))

    def lose(self) -> None:
        """One socket breaks."""
        sockets = [channel.socket for channel in self._channels.values() if channel.socket is not None]
        if sockets:
            self._hang_up(self._random.choice(sockets), 1006)

    def forget(self) -> None:
        """One channel is gone."""
        if self._channels:
            self._remove(self._random.choice(list(self._channels)))

    def _soon(self) -> Millis:
        return self._random.randrange(5, 2_000)

    def _feed(self, given: Input) -> None:
        for action in self.machine.feed(given, self.now):
            match action:
                case Discover(request):
                    self.later(self._soon(), lambda request=request: self._discovered(request))
                case Prepare() | SetTopics():
                    # In a lane one comes after the other.
                    at = self._lanes[action.lane] = max(self.now, self._lanes.get(action.lane, 0)) + self._soon()
                    work = self._prepare if isinstance(action, Prepare) else self._set
                    self.later(at - self.now, lambda work=work, action=action: work(action))  # type: ignore[misc, arg-type]
                case LetGo(_, name):
                    self.later(self._soon(), lambda name=name: self._let_go(name))
                case OpenSocket(number, uri):
                    self.later(self._soon(), lambda number=number, uri=uri: self._open(number, uri))
                case CloseSocket(number):
                    self._closed.add(number)
                    self._disconnect(number)
                case SendPing(number):
                    self._say(number, Heard(number, Sign.PONG))

    # The platform's side

    def _discovered(self, request: int) -> None:
        failed = self._fails()
        self._feed(RequestFailed(request, "503") if failed else Discovered(request, self._queues, Offer()))

    def _prepare(self, asked: Prepare) -> None:
        if self._fails():
            self._feed(RequestFailed(asked.request, "503"))
            return
        name = asked.channel_id
        if name is not None and name in self._channels:
            self._channels[name].topics = set(asked.topics)
            self._feed(Prepared(asked.request, name))
            return
        while len(self._channels) >= MOST_CHANNELS:
            idle = [name for name, channel in self._channels.items() if channel.socket is None]
            self._remove((idle or list(self._channels))[0])
        name = f"c{next(self._names)}"
        self.made += 1
        channel = self._channels[name] = Channel(self.now + self._life)
        channel.topics = set(asked.topics)
        assert len(channel.topics) <= MOST_TOPICS
        self.most_channels = max(self.most_channels, len(self._channels))
        self.later(self._life, lambda: self._remove(name))
        self._feed(Prepared(asked.request, name, name, 1, renewal_of(self.now, channel.ends)))

    def _set(self, asked: SetTopics) -> None:
        channel = self._channels.get(asked.channel_id)
        if channel is None or self._fails():
            self._feed(RequestFailed(asked.request, "no", gone=channel is None))
            return
        channel.topics = set(asked.topics) | (set() if asked.replace else channel.topics)
        self._feed(TopicsSet(asked.request))

    def _let_go(self, name: str) -> None:
        if name in self._channels:
            self._channels[name].topics = set()

    def _open(self, number: int, name: str) -> None:
        if number in self._closed:
            return
        channel = self._channels.get(name)
        if channel is None:
            self._feed(HandshakeRefused(number, 404))
            return
        self._delays[number] = self._random.randrange(1, 1_500)
        if self._strict and channel.socket is not None:
            self._hang_up(channel.socket, 1001)
        channel.socket = number
        self._say(number, SocketOpened(number))

    def _disconnect(self, number: int) -> None:
        for channel in self._channels.values():
            if channel.socket == number:
                channel.socket = None

    def _remove(self, name: str) -> None:
        channel = self._channels.pop(name, None)
        if channel is not None and channel.socket is not None:
            self._hang_up(channel.socket, 1001)

    def _hang_up(self, number: int, code: int) -> None:
        self._disconnect(number)
        self._say(number, SocketClosed(number, code), last=True)

    def _say(self, number: int, what: Input, event: int | None = None, *, last: bool = False) -> None:
        def arrive() -> None:
            if number in self._closed:
                return
            if last:
                self._closed.add(number)
            if event is not None:
                self.received.add(event)
            self._feed(what)

        self.later(self._delays.get(number, 0), arrive)

    def _happen(self, every: Millis) -> None:
        topic = queue_topic(self._random.choice(self._queues))
        event = next(self._names)
        if self.machine.state == "OPEN":
            self.sent.add(event)
        for channel in list(self._channels.values()):
            if topic in channel.topics and channel.socket is not None:
                self._say(channel.socket, Heard(channel.socket, data=True), event)
        self.later(every, lambda: self._happen(every))

    def _beat(self) -> None:
        for channel in self._channels.values():
            if channel.socket is not None:
                self._say(channel.socket, Heard(channel.socket, Sign.HEARTBEAT))
        self.later(HEARTBEAT, self._beat)
