"""The machine of the Notification Service under inputs of any kind in any order."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.protocol.exchange import (
    CloseSocket,
    HandshakeRefused,
    HoldAsked,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
    TimerDue,
)
from journeymap.protocol.notifications.exchange import (
    Action,
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
from journeymap.protocol.notifications.frames import Seen, Sign, System
from journeymap.protocol.notifications.limits import MOST_CHANNELS, MOST_TOPICS, Limits
from journeymap.protocol.notifications.machine import Notifications, Phase
from journeymap.protocol.notifications.topics import KINDS, Offer, Refusal, queue_topic
from tests.unit.protocol.notifications.driving import queues

NUMBERS = st.integers(0, 25)
WAITS = st.none() | st.integers(0, 100_000)
QUEUES = st.sampled_from([(), queues(1), queues(3), queues(1_500), queues(1_001, first=700)])
OFFERS = st.sampled_from([Offer(), Offer(queues=False), Offer(kinds=KINDS, contacts=True)])
REFUSALS = st.sampled_from(
    [
        (),
        (Refusal(queue_topic(queues(1)[0]), "no", ("conversation:communication:view",)),),
        (Refusal("v2.detail.x", "no", ("a:b:c",)),),
    ]
)
SEEN = st.builds(
    Seen, st.sampled_from(["c1", "c2", "c3"]), st.sampled_from([(), ("p1",)]), st.booleans(), st.booleans()
)
CONTROLS = st.sampled_from([None, *Sign, System("token_revoked"), System("no_longer_subscribed", "x"), System("other")])

STRAY = st.one_of(
    st.just(Start()),
    st.builds(Discovered, NUMBERS, QUEUES, OFFERS),
    st.builds(Prepared, NUMBERS, st.just("stray"), st.just("wss://x/stray"), NUMBERS, st.none(), REFUSALS),
    st.builds(TopicsSet, NUMBERS, REFUSALS),
    st.builds(RequestFailed, NUMBERS, st.just("failed"), st.booleans(), st.booleans(), WAITS),
    st.builds(SocketOpened, NUMBERS),
    st.builds(SocketClosed, NUMBERS, st.sampled_from([None, 1000, 1001, 1006, 1013]), st.just(""), WAITS),
    st.builds(HandshakeRefused, NUMBERS, st.sampled_from([401, 404, 429, 503]), WAITS),
    st.builds(Heard, NUMBERS, CONTROLS, st.lists(SEEN, max_size=3).map(tuple)),
    st.just(RetryAsked()),
    st.just(HoldAsked("held")),
    st.just(ReleaseAsked()),
)
"""Whatever the shell may say, mostly of what is long gone."""

ANSWERS = st.tuples(
    st.sampled_from(["request", "request", "request", "socket", "socket", "heard", "due", "due", "fail", "lose"]),
    st.integers(0, 5), QUEUES, OFFERS, REFUSALS, CONTROLS, st.booleans(), WAITS,
)  # fmt: skip
"""An answer to what was asked: to which of it, and what."""


class Shell:
    """Does what the machine asks for, and checks that it makes sense."""

    def __init__(self, machine: Notifications) -> None:
        self.machine = machine
        self.now = 1_000_000
        self.requests: list[Discover | Prepare | SetTopics] = []
        self.numbers: set[int] = set()
        self.opening: list[int] = []
        self.sockets: list[int] = []
        self.names = 0

    def feed(self, given: Input) -> None:
        refused, held = self.machine.refused, self.machine.phase is Phase.HELD
        actions = self.machine.feed(given, self.now)
        if (refused and not isinstance(given, RetryAsked)) or (held and not isinstance(given, ReleaseAsked)):
            assert not [one for one in actions if isinstance(one, Discover | Prepare)]
        self.do(actions)
        if isinstance(given, TimerDue):
            due = self.machine.next_due()
            assert due is None or due > self.machine._now
        self.check()

    def do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Discover() | Prepare() | SetTopics():
                    assert action.request not in self.numbers
                    self.numbers.add(action.request)
                    self.requests.append(action)
                    if not isinstance(action, Discover):
                        assert 0 < len(action.topics) <= MOST_TOPICS
                        assert len(set(action.topics)) == len(action.topics)
                case OpenSocket(number, uri):
                    assert number not in self.numbers
                    assert uri
                    self.numbers.add(number)
                    self.opening.append(number)
                case CloseSocket(number):
                    self.opening = [one for one in self.opening if one != number]
                    self.sockets = [one for one in self.sockets if one != number]
                case SendPing(number):
                    assert number in self.sockets
                case LetGo(_, channel_id):
                    assert channel_id
                case Report(message):
                    assert message
                    assert "\n" not in message

    def check(self) -> None:
        machine = self.machine
        shards = list(machine._shards)
        assert sum(len(shard.channels) for shard in shards) <= MOST_CHANNELS
        known = [socket.number for shard in shards for channel in shard.channels for socket in channel._sockets()]
        assert sorted(known) == sorted([*self.opening, *self.sockets]), "no socket is forgotten"
        places = [topic for shard in shards for topic in shard.topics]
        assert len(set(places)) == len(places)
        assert all(len(shard.topics) <= MOST_TOPICS for shard in shards)
        if machine.state == "OPEN":
            assert machine.channels > 0
        if machine.refused:
            assert machine.error
        assert machine.phase is not Phase.RUNNING or {queue_topic(queue) for queue in machine.queues} <= set(places)
        machine.notes()

    def answer(
        self, step: tuple[str, int, tuple[str, ...], Offer, tuple[Refusal, ...], object, bool, int | None]
    ) -> None:
        what, which, found, offer, refusals, control, flag, wait = step
        sockets = (
            [*self.opening, *self.sockets] if what == "lose" else self.opening if what == "socket" else self.sockets
        )
        number = sockets[which % len(sockets)] if sockets else 0
        match what:
            case "request" | "fail" if self.requests:
                asked = self.requests.pop(which % len(self.requests))
                if what == "fail":
                    self.feed(RequestFailed(asked.request, "failed", flag, not flag and which == 0, wait))
                elif isinstance(asked, Discover):
                    self.feed(Discovered(asked.request, found, offer))
                elif isinstance(asked, Prepare):
                    self.names += 1
                    name = asked.channel_id or f"n{self.names}"
                    new = (f"wss://x/{name}", 1, self.now + 5_000 * (1 + which))
                    taken = Prepared(asked.request, name, refusals=refusals)
                    self.feed(taken if asked.channel_id else Prepared(asked.request, name, *new, refusals))
                else:
                    self.feed(TopicsSet(asked.request, refusals))
            case "socket" if number:
                self.opening.remove(number)
                self.sockets.append(number)
                self.feed(SocketOpened(number))
            case "lose" if number:
                if number in self.opening:
                    self.opening.remove(number)  # as the shell forgets one that never came to be
                    self.feed(SocketClosed(number, None, "refused", wait))
                else:
                    self.feed(SocketClosed(number, 1006, "", wait))
            case "heard" if number:
                self.feed(Heard(number, control, (Seen(f"c{which}"),)))  # type: ignore[arg-type]
            case _:
                due = self.machine.next_due()
                self.now = max(self.now, due or 0)
                self.feed(TimerDue())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.one_of(STRAY, ANSWERS, ANSWERS, ANSWERS), st.integers(-2_000, 20_000)), max_size=50),
    st.floats(0, 1, exclude_max=True),
)
def test_whatever_comes(steps: list[tuple[object, int]], chance: float) -> None:
    machine = Notifications(lambda: chance, Limits(rediscovery=60_000))
    shell = Shell(machine)
    shell.feed(Start())
    for step, passed in steps:
        shell.now += passed
        if isinstance(step, tuple):
            shell.answer(step)
        elif not {getattr(step, "connection", -1), getattr(step, "request", -1)} & shell.numbers:
            # A shell answers each request once and speaks of sockets that there are, or were.
            shell.feed(step)  # type: ignore[arg-type]
    shell.feed(StopAsked())
    assert shell.opening == shell.sockets == []
    assert machine.next_due() is None
