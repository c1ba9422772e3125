"""Drives the machine of an event stream by hand."""

from journeymap.model.time import MINUTE, SECOND
from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.exchange import (
    FetchToken,
    FrameReceived,
    OpenSocket,
    SocketOpened,
    Start,
    Subscribe,
    Subscribed,
    TimerDue,
    TokenObtained,
)
from journeymap.protocol.frames import Heartbeat, Opened
from journeymap.protocol.limits import Limits

CALLBACK = "wss://stream.example/api/v2/eventstreams/callbacks"


LIVE_URL = "wss://stream.example/live/c1"


LIMITS = Limits()


RATE = 50


class Driver:
    """Feeds a machine, keeps the time, and remembers what it said."""

    def __init__(self, random=lambda: 0.5):
        self.machine = EventStreams(CALLBACK, RATE, random, LIMITS)
        self.now = 1_000_000
        self.actions = []

    def feed(self, given):
        self.actions = list(self.machine.feed(given, self.now))
        return self.actions

    def said(self, kind):
        return [action for action in self.actions if isinstance(action, kind)]

    def wait(self, until):
        """Let time pass up to a moment, with a `TimerDue` whenever one is due; all that was said meanwhile."""
        actions = []
        while (due := self.machine.next_due()) is not None and due <= until:
            assert due > self.now or not actions or due == self.now
            self.now = max(self.now, due)
            actions += self.feed(TimerDue())
        self.now = until
        self.actions = actions
        return actions

    def token(self, request, life=60 * MINUTE):
        return self.feed(TokenObtained(request, self.now + life - 5 * MINUTE, self.now + life))

    def open(self, number=1, token=1, live=True):
        """From OpenSocket to a live subscription."""
        self.feed(SocketOpened(number))
        name, url = f"c{number}", f"wss://stream.example/live/c{number}"
        (asked,) = self.feed(FrameReceived(number, Opened(name, url)))
        assert asked == Subscribe(number, token, url, asked.max_events_per_second)
        self.feed(Subscribed(number, f"s{number}", url, name, "active", asked=asked.max_events_per_second))
        if live:
            self.feed(FrameReceived(number, Heartbeat()))

    def start(self, live=True):
        assert self.feed(Start()) == [FetchToken(1)]
        assert self.token(1) == [OpenSocket(1, 1)]
        self.open(live=live)
        return self


def heartbeats_until(driver, until, number=1):
    while driver.now < until:
        driver.wait(min(driver.now + 10 * SECOND, until))
        if driver.said(FetchToken) or driver.said(OpenSocket):
            return
        driver.feed(FrameReceived(number, Heartbeat()))
