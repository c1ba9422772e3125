"""The Event Streams source: the thin shell that does what the machine in `protocol.eventstreams` says.

One thread, the one that calls `run`, reads the sockets, feeds the machine and delivers. Whatever may block (a token
request, a connect, a subscription) runs in the background (`calls`) and comes back through the inbox, so that the thread
always answers `stop` and `retry` at once and goes on reading while a token is renewed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import retry_after_in
from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.exchange import (
    Action,
    CloseSocket,
    FetchToken,
    FrameReceived,
    HoldAsked,
    Input,
    OpenSocket,
    PongReceived,
    ReleaseAsked,
    Report,
    RetryAsked,
    SendPing,
    SocketClosed,
    Start,
    StopAsked,
    Subscribe,
    TimerDue,
    Unsubscribe,
)
from journeymap.protocol.frames import Control, Throttle, classify, count_events
from journeymap.protocol.websocket import CLOSE, LOST, PING, PONG, read_close
from journeymap.source.base import Deliver, SourceStatus
from journeymap.source.calls import Calls
from journeymap.source.config import EventStreamsConfig
from journeymap.source.ledger import Ledger
from journeymap.source.reception import LONGEST_WAIT, Reception
from journeymap.source.showing import Showing
from journeymap.source.steady import monotonic_ms

__all__ = ["EventStreamsConfig", "EventStreamsSource"]

_log = logging.getLogger(__name__)

CALLBACK_PATH: Final = "/api/v2/eventstreams/callbacks"
_TRY_AGAIN_LATER: Final = 1013
_LAST_PING: Final = b"last"
_GOODBYE: Final = 0.5
"""Seconds that the end of `run` grants the deletion of subscriptions."""


class EventStreamsSource:
    """Delivers what the platform's event stream sends. Raises `ConfigurationError` where the configuration cannot work.

    A frame over 1 MiB is read to its end and delivered as its first 1 MiB + 1 bytes, as the file source does with
    lines: decode rejects everything of that length as too large before it looks inside, so that it is counted and can
    be seen in the quarantine, and no second way for rejected frames is needed. `clock` is wall time, for arrivals and
    what is shown; `steady` measures waits and is never set. In the file `ledger` stands which subscriptions are to be
    deleted by the next process if this one dies; without it that is known only as long as it lives.
    """

    name = "eventstreams"
    live = True

    def __init__(
        self,
        config: EventStreamsConfig,
        clock: Callable[[], Millis],
        random: Random,
        steady: Callable[[], Millis] = monotonic_ms,
        ledger: Path | None = None,
    ) -> None:
        self._config = config = config.checked()
        self._clock = clock
        self._steady = steady
        self._random = random.random
        self._ledger = ledger
        self._machine = EventStreams(
            config.stream_url + CALLBACK_PATH, config.max_events_per_second, random.random, config.limits
        )
        self._showing = Showing(clock, steady, config.max_events_per_second)
        self._stopping = False
        self._reception = Reception[Input]()

    def run(self, deliver: Deliver) -> None:
        """Connect and deliver until `stop`."""
        if self._stopping:
            return
        ledger = Ledger(self._ledger, self._config.api_url, self._config.client_id)
        self._calls = Calls(self._config, self._clock, self._steady, self._random, self._reception.tell, ledger)
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
        deliver, showing = self._deliver, self._showing
        now = self._clock()
        if messages:
            showing.last_heard_at = now
        events = 0
        data = False
        for opcode, payload in messages:
            if opcode < CLOSE:
                showing.last_frame_at = now
                control = classify(payload)
                if control is not None:
                    if data:
                        self._feed(FrameReceived(number, events=events))
                        data, events = False, 0
                    self._control(number, control)
                    continue
                deliver(payload, now)
                showing.received += 1
                events += count_events(payload)
                data = True
            elif opcode == PING:
                stream.pong(payload)
                self._feed(PongReceived(number))
            elif opcode == PONG:
                self._feed(PongReceived(number, last=payload == _LAST_PING))
            else:
                code, reason = read_close(payload)
                asked = retry_after_in(reason) if code == _TRY_AGAIN_LATER else None
                self._feed(SocketClosed(number, code, retry_after=asked))
                return
        if data:
            self._feed(FrameReceived(number, events=events))

    def _control(self, number: int, control: Control) -> None:
        if isinstance(control, Throttle):
            self._showing.throttled += 1
            self._showing.dropped += control.dropped
        self._feed(FrameReceived(number, control))

    def _empty_inbox(self) -> None:
        for given in self._reception.told():
            self._feed(given)

    # What the machine says

    def _feed(self, given: Input) -> None:
        for action in self._machine.feed(given, self._steady()):
            self._perform(action)
        before = self._showing.look_at(self._machine)
        if before is not None:
            _log.info("event stream: %s -> %s", before, self._machine.state)

    def _perform(self, action: Action) -> None:
        match action:
            case FetchToken(request):
                self._calls.fetch(request)
            case OpenSocket(number, token):
                self._reception.expect(number, self._calls.open(number, token))
            case CloseSocket(number):
                self._reception.close(number)
            case Subscribe(number, token, callback_url, max_events_per_second):
                self._calls.subscribe(number, token, callback_url, max_events_per_second)
            case Unsubscribe(token, subscription):
                self._calls.unsubscribe(token, subscription)
            case SendPing(number, last):
                if (stream := self._reception.socket(number)) is not None:
                    stream.ping(_LAST_PING if last else b"")
            case Report(message, refused):
                _log.log(logging.ERROR if refused else logging.WARNING, "%s", message)

    # The end, and what other threads ask

    def _end(self) -> None:
        """Give everything back: at once what only we wait for, after a moment the deletion of a live subscription."""
        self._calls.stop_fetching()
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
