"""The notifications source: the thin shell that does what the machine in `protocol.notifications` says.

One thread, the one that calls `run`, reads the sockets, feeds the machine and delivers; requests run in the background
(`calls`), as with Event Streams.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final
from urllib.parse import urlsplit

from journeymap.errors import ConfigurationError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.exchange import (
    CloseSocket,
    HoldAsked,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    Start,
    StopAsked,
    TimerDue,
)
from journeymap.protocol.notifications.exchange import (
    Action,
    Discover,
    Heard,
    Input,
    LetGo,
    OpenSocket,
    Prepare,
    SetTopics,
)
from journeymap.protocol.notifications.frames import Seen, Sign, System, read
from journeymap.protocol.notifications.limits import Limits
from journeymap.protocol.notifications.machine import Notifications
from journeymap.protocol.websocket import CLOSE, LOST, PING, PONG, read_close
from journeymap.source.base import Deliver, SourceStatus
from journeymap.source.notifications.calls import Calls
from journeymap.source.notifications.showing import Showing
from journeymap.source.publicapi.client import PublicApi
from journeymap.source.reception import LONGEST_WAIT, Reception
from journeymap.source.steady import monotonic_ms
from journeymap.source.transport import check_url

_log = logging.getLogger(__name__)

_PING: Final = b'{"message":"ping"}'
_GOODBYE: Final = 0.5
"""Seconds that the end of `run` grants requests under way, such as those that take topics away."""


class NotificationsSource:
    """Delivers what the platform's Notification Service sends on all queues that the client may see.

    `api` is how it asks; others may ask with it too, until `run` ends: then it is closed. `stream_url` is where sockets may
    lead. A frame over 1 MiB is delivered as its first 1 MiB + 1 bytes, as with Event Streams. `clock` is wall time, for
    arrivals and what is shown; `steady` measures waits and is never set. Raises `ConfigurationError` where `stream_url`
    cannot be used.
    """

    name = "notifications"
    live = True

    def __init__(
        self,
        api: PublicApi,
        stream_url: str,
        clock: Callable[[], Millis],
        random: Random,
        steady: Callable[[], Millis] = monotonic_ms,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        if not stream_url:
            raise ConfigurationError("STREAM_URL is empty; the address of the platform's sockets is needed, or REGION")
        self._api = api
        self._stream_url = check_url("STREAM_URL", stream_url, "wss")
        self._clock = clock
        self._steady = steady
        self._machine = Notifications(random.random, limits)
        self._showing = Showing(clock, steady)
        self._stopping = False
        self._reception = Reception[Input]()

    def __repr__(self) -> str:
        return f"NotificationsSource({urlsplit(self._stream_url).netloc})"

    def run(self, deliver: Deliver) -> None:
        """Connect and deliver until `stop`."""
        if self._stopping:
            self._api.close()
            return
        self._calls = Calls(self._api, self._stream_url, self._clock, self._steady, self._reception.tell)
        self._deliver = deliver
        with self._reception.attended():
            try:
                self._empty_inbox()  # it may have been held before it was started
                self._feed(Start())
                while not self._stopping:
                    self._turn()
            finally:
                self._end()

    def _turn(self) -> None:
        """One round: wait, read what came, take in what the background brought, look at the time."""
        due = self._machine.next_due()
        wait = LONGEST_WAIT if due is None else (due - self._steady()) / SECOND
        for number in self._reception.wait(wait):
            self._receive(number)
        self._empty_inbox()
        # Only after reading: what lay unread while `deliver` blocked is a sign of life.
        if (due := self._machine.next_due()) is not None and self._steady() >= due:
            self._feed(TimerDue())

    def _receive(self, number: int) -> None:
        stream = self._reception.socket(number)
        if stream is None:
            return
        messages = stream.receive()
        if messages is None:
            self._feed(SocketClosed(number, LOST))
            return
        showing, follow = self._showing, self._machine.follows
        now = self._clock()
        if messages:
            showing.last_heard_at = now
            self._feed(Heard(number))
        seen: list[Seen] = []
        data = False
        for opcode, payload in messages:
            if opcode < CLOSE:
                showing.last_frame_at = now
                found = read(payload, follow)
                if isinstance(found, Sign | System):
                    self._feed(Heard(number, found))
                    continue
                self._deliver(payload, now)
                showing.received += 1
                data = True
                if found is not None:
                    seen.append(found)
            elif opcode == PING:
                stream.pong(payload)
            elif opcode != PONG:
                code, reason = read_close(payload)
                self._feed(SocketClosed(number, code, reason))
                return
        if data:
            self._feed(Heard(number, seen=tuple(seen), data=True))

    def _empty_inbox(self) -> None:
        for given in self._reception.told():
            self._feed(given)

    # What the machine says

    def _feed(self, given: Input) -> None:
        for action in self._machine.feed(given, self._steady()):
            self._perform(action)
        if isinstance(given, Heard) and not isinstance(given.control, System):
            return  # it changes nothing that is shown
        before, news = self._showing.look_at(self._machine, self._api.grant)
        if before is not None:
            _log.info("notifications: %s -> %s", before, self._machine.state)
        for note in news:
            _log.warning("notifications: %s", note)

    def _perform(self, action: Action) -> None:
        match action:
            case Discover(request):
                self._calls.discover(request)
            case Prepare():
                self._calls.prepare(action)
            case SetTopics():
                self._calls.set_topics(action)
            case LetGo():
                self._calls.let_go(action)
            case OpenSocket(number, uri):
                self._reception.expect(number, self._calls.open(number, uri))
            case CloseSocket(number):
                self._reception.close(number)
            case SendPing(number):
                if (stream := self._reception.socket(number)) is not None:
                    stream.say(_PING)
            case Report(message, refused):
                _log.log(logging.ERROR if refused else logging.WARNING, "%s", message)

    # The end, and what other threads ask

    def _end(self) -> None:
        """Give everything back: sockets at once, topics within a moment."""
        with suppress(Exception):
            # `run` may be ending with an error; nothing that goes wrong with saying goodbye may hide that one.
            self._feed(StopAsked())
        self._reception.close_all(opening=self._calls.end(_GOODBYE, _GOODBYE / 2))

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopping = True
        self._reception.wake()

    def retry(self) -> None:
        """Try again now, also after a refusal."""
        self._reception.tell(RetryAsked())

    def hold(self, reason: str) -> None:
        """Let go of the platform until `release`."""
        self._reception.tell(HoldAsked(reason))

    def release(self) -> None:
        """Connect again."""
        self._reception.tell(ReleaseAsked())

    def status(self) -> SourceStatus:
        """How it stands now."""
        return self._showing.status()
