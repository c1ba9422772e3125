"""A platform as a model in virtual time: what the machine asks for is answered, events flow, and nothing sleeps."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from random import Random

from journeymap.model.time import HOUR, SECOND, Millis
from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.exchange import (
    CloseSocket,
    FetchToken,
    FrameReceived,
    HandshakeRefused,
    Input,
    OpenSocket,
    PongReceived,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    Subscribe,
    Subscribed,
    SubscribeFailed,
    TimerDue,
    TokenFailed,
    TokenObtained,
    Unsubscribe,
    Unsubscribed,
)
from journeymap.protocol.frames import Heartbeat, Opened
from journeymap.protocol.limits import Limits
from journeymap.protocol.token import schedule

HEARTBEAT = 15 * SECOND


class Socket:
    """A socket as both ends see it: what is sent comes in order, `delay` later, unless the client has closed it."""

    def __init__(self, token: int, delay: Millis) -> None:
        self.token = token
        self.delay = delay
        self.closed = False


class Model:
    """Plays `machine` against a platform whose tokens live `life`. `trouble(now)` is the failure that a token request meets
    at a moment, or None. `sent` and `received` are the numbers of events; `requests` and `granted` are when."""

    def __init__(self, random: Random, life: Millis, trouble: Callable[[Millis], TokenFailed | None]) -> None:
        self.machine = EventStreams("wss://stream.example/callbacks", 50, random.random, Limits())
        self.now: Millis = HOUR
        self.sent: list[int] = []
        self.received: set[int] = set()
        self.copies = 0
        self.requests: list[Millis] = []
        self.granted: list[Millis] = []
        self._random = random
        self._life = life
        self._trouble = trouble
        self._ends: dict[int, Millis] = {}  # of tokens, by request
        self._sockets: dict[int, Socket] = {}
        self._subscriptions: dict[str, int] = {}
        self._names = itertools.count()
        self._agenda: list[tuple[Millis, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def run(self, length: Millis, every: Millis, look: Callable[[], None]) -> None:
        """Let time pass; an event happens `every` so often, and after each step `look` is called."""
        until = self.now + length
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

    def is_valid(self, connection: str | None) -> bool:
        """Whether the token of this connection has not ended."""
        return connection is not None and self.now < self._ends[self._sockets[int(connection)].token]

    def live(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    def _later(self, delay: Millis, what: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), what))

    def _soon(self) -> Millis:
        return self._random.randrange(5, 2_000)

    def _feed(self, given: Input) -> None:
        for action in self.machine.feed(given, self.now):
            match action:
                case FetchToken(request):
                    self.requests.append(self.now)
                    self._later(self._soon(), lambda request=request, asked=self.now: self._token(request, asked))
                case OpenSocket(number, token):
                    self._later(self._soon(), lambda number=number, token=token: self._open(number, token))
                case CloseSocket(number):
                    self._hang_up(number)
                case Subscribe(number, token, url, _):
                    self._later(
                        self._soon(), lambda number=number, token=token, url=url: self._subscribe(number, token, url)
                    )
                case Unsubscribe(_, name):
                    self._later(self._soon(), lambda name=name: self._unsubscribe(name))
                case SendPing(number, last):
                    self._say(number, PongReceived(number, last))

    # The platform's side

    def _token(self, request: int, asked: Millis) -> None:
        failure = self._trouble(self.now)
        if failure is not None:
            self._feed(TokenFailed(request, failure.message, failure.retry_after))
            return
        self.granted.append(self.now)
        times = schedule(asked, self._life, self._random.random())
        self._ends[request] = self.now + self._life
        self._later(self._life, lambda: self._expire(request))
        self._feed(TokenObtained(request, times.refresh_at, times.expires_at, asked))

    def _expire(self, request: int) -> None:
        for number in [number for number, socket in self._sockets.items() if socket.token == request]:
            self._say(number, SocketClosed(number, 4401))
            self._hang_up(number, ended_here=True)

    def _open(self, number: int, token: int) -> None:
        if self.now >= self._ends[token]:
            self._feed(HandshakeRefused(number, 401))
            return
        self._sockets[number] = Socket(token, self._random.randrange(1, 1_500))
        self._feed(SocketOpened(number))
        self._say(number, FrameReceived(number, Opened(str(number), f"wss://stream.example/{number}")))

    def _subscribe(self, number: int, token: int, url: str) -> None:
        if number not in self._sockets or self.now >= self._ends[token]:
            self._feed(SubscribeFailed(number, "no", 409 if self.now < self._ends[token] else 401))
            return
        name = f"s{next(self._names)}"
        self._subscriptions[name] = number
        # The answer takes a way of its own: events may come before it.
        self._later(self._soon(), lambda: self._feed(Subscribed(number, name, url, str(number), asked=50)))

    def _unsubscribe(self, name: str) -> None:
        self._subscriptions.pop(name, None)
        self._later(self._soon(), lambda: self._feed(Unsubscribed(name)))

    def _hang_up(self, number: int, ended_here: bool = False) -> None:
        socket = self._sockets.get(number)
        if socket is None:
            return
        socket.closed = not ended_here
        self._subscriptions = {name: on for name, on in self._subscriptions.items() if on != number}

    def _say(self, number: int, what: Input, event: int | None = None) -> None:
        socket = self._sockets[number]

        def arrive() -> None:
            if socket.closed:
                return
            if event is not None:
                self.copies += event in self.received
                self.received.add(event)
            self._feed(what)

        self._later(socket.delay, arrive)

    def _happen(self, every: Millis) -> None:
        event = next(self._names)
        if self._subscriptions:
            self.sent.append(event)
        for number in self._subscriptions.values():
            self._say(number, FrameReceived(number, events=1), event)
        self._later(every, lambda: self._happen(every))

    def _beat(self) -> None:
        for number in self._subscriptions.values():
            self._say(number, FrameReceived(number, Heartbeat()))
        self._later(HEARTBEAT, self._beat)
