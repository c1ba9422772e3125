"""The machine of an event stream under inputs of any kind in any order."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.exchange import (
    CloseSocket,
    FetchToken,
    FrameReceived,
    HandshakeRefused,
    HoldAsked,
    OpenSocket,
    PongReceived,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    SocketOpened,
    Start,
    StopAsked,
    Subscribe,
    Subscribed,
    SubscribeFailed,
    TimerDue,
    TokenFailed,
    TokenObtained,
    TokenRefused,
    Unsubscribe,
    Unsubscribed,
)
from journeymap.protocol.frames import Heartbeat, Opened, Throttle
from journeymap.protocol.states import Phase
from tests.unit.protocol.driving import CALLBACK, LIVE_URL, RATE, Driver

NUMBERS = st.integers(0, 6)


WAITS = st.none() | st.integers(0, 100_000)


INPUTS = st.one_of(
    st.just(Start()),
    st.builds(TokenRefused, NUMBERS, st.just("refused")),
    st.builds(TokenFailed, NUMBERS, st.just("failed"), WAITS),
    st.builds(SocketOpened, NUMBERS),
    st.builds(SocketClosed, NUMBERS, st.sampled_from([None, 1000, 1006, 1008, 1013, 4401]), st.just(""), WAITS),
    st.builds(HandshakeRefused, NUMBERS, st.sampled_from([401, 403, 429, 500, 503]), WAITS),
    st.builds(
        FrameReceived,
        NUMBERS,
        st.sampled_from([None, Heartbeat(), Throttle(), Opened(), Opened("c1", LIVE_URL), Opened("c2", LIVE_URL)]),
        st.sampled_from([0, 1, 60]),
    ),
    st.builds(PongReceived, NUMBERS, st.booleans()),
    st.builds(Unsubscribed, st.sampled_from(["s1", "s2", "s3"])),
    st.builds(
        Subscribed,
        NUMBERS,
        st.sampled_from(["s1", "s2", "s3"]),
        st.sampled_from([None, LIVE_URL, CALLBACK]),
        st.sampled_from([None, "c1", "c2"]),
        st.sampled_from([None, "active", "failed"]),
        st.none() | st.integers(0, 100),
        st.sampled_from([0, 37, 50]),
    ),
    st.builds(SubscribeFailed, NUMBERS, st.just("no"), st.sampled_from([None, 401, 409, 429]), WAITS),
    st.just(TimerDue()),
    st.just(RetryAsked()),
    st.just(HoldAsked("held")),
    st.just(ReleaseAsked()),
)


HAPPY = st.sampled_from(["token", "opened", "greeted", "subscribed", "sign", "due", "due"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(INPUTS | HAPPY, st.integers(-5_000, 40_000)), max_size=60), st.floats(0, 1, exclude_max=True))
def test_whatever_comes(steps, chance):
    driver = Driver(lambda: chance)
    shell = Shell()
    shell.do(driver.feed(Start()), driver.machine)
    for step, passed in steps:
        driver.now += passed
        given = shell.happy(step, driver) if isinstance(step, str) else step
        was_refused = driver.machine.refused
        actions = driver.feed(given)
        if (was_refused and not isinstance(given, RetryAsked)) or driver.machine.phase is Phase.HELD:
            assert not [one for one in actions if isinstance(one, OpenSocket | FetchToken)]
        shell.do(actions, driver.machine)
        if isinstance(given, TimerDue):
            due = driver.machine.next_due()
            assert due is None or due > driver.machine._now
    shell.do(driver.feed(StopAsked()), driver.machine)
    assert shell.sockets == set()
    assert driver.machine.next_due() is None


class Shell:
    """Checks that what the machine asks for makes sense to a shell that does it."""

    def __init__(self):
        self.sockets = set()
        self.seen = set()
        self.requests = []
        self.tokens = set()

    def do(self, actions: Iterable[object], machine: EventStreams) -> None:
        for action in actions:
            match action:
                case FetchToken(request):
                    assert request not in self.requests
                    self.requests.append(request)
                case OpenSocket(number, token):
                    assert token in self.tokens
                    assert number not in self.seen
                    self.sockets.add(number)
                    self.seen.add(number)
                case CloseSocket(number):
                    self.sockets.discard(number)
                case Subscribe(number, token, _, rate):
                    assert number in self.sockets
                    assert 1 <= rate <= RATE
                    assert token in self.tokens
                case SendPing(number, _):
                    assert number in self.sockets
                case Unsubscribe(token, _):
                    assert token in self.tokens
                case Report(message):
                    assert message
                    assert "\n" not in message
        main, everyone = machine._sockets.main, machine._sockets.all()
        assert len({one.number for one in everyone}) == len(everyone)
        assert {one.number for one in everyone} == self.sockets
        assert (machine.state == "OPEN") == (main is not None and main.is_open)
        if machine.refused:
            assert machine.error
            assert machine._sockets.heir is None
            assert machine._renewal.awaited is None

    def happy(self, step, driver):
        number = max(self.sockets, default=0)
        match step:
            case "token" if self.requests:
                request = self.requests[-1]
                self.tokens.add(request)
                return TokenObtained(request, driver.now + 60_000, driver.now + 90_000)
            case "opened":
                return SocketOpened(number)
            case "greeted":
                return FrameReceived(number, Opened(f"c{number}", LIVE_URL))
            case "subscribed":
                return Subscribed(number, f"s{number}", LIVE_URL, f"c{number}")
            case "sign":
                return FrameReceived(number)
        due = driver.machine.next_due()
        driver.now = max(driver.now, due or 0)
        return TimerDue()
