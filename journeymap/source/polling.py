"""Reads a queue of messages: some threads when many wait, one long poll when none do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from journeymap.errors import RefusedError, SourceError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import backoff
from journeymap.source.base import ConnectionState, Deliver
from journeymap.source.envelopes import MAX_FRAME, frame_in

_log = logging.getLogger(__name__)

MOST_THREADS: Final = 8
"""Full batches in flight at once; each thread reads some hundred messages a second where an answer takes 20 ms."""

FULL: Final = 10
"""Messages of a full batch: the most that SQS gives at once."""

LOOK_INTERVAL: Final[Millis] = 15 * SECOND
"""How often the queue is asked how many messages wait."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message and the receipt that deletes it."""

    body: str
    receipt: str


class Depth(msgspec.Struct, frozen=True):
    """How many messages wait, and how many were handed out and not deleted yet, both estimates; and how long they are kept."""

    waiting: int
    in_flight: int
    kept_ms: Millis


class Queue(Protocol):
    """A queue that is asked by several threads. All raise `RefusedError` and `TransientSourceError`."""

    def receive(self, wait: int) -> Sequence[Message]:
        """At most ten messages; waits up to `wait` seconds for a first one."""

    def delete(self, receipts: Sequence[str]) -> int:
        """Delete these; how many of them could not be."""

    def depth(self) -> Depth:
        """How many wait."""

    def give_up(self) -> None:
        """Make `receive` end soon with an error, wherever it is under way."""

    def abort(self) -> None:
        """Make `receive` end soon with an error, now and from now on."""

    def close(self) -> None:
        """Give back what is held, once no request is under way."""


class QueueStanding(msgspec.Struct, frozen=True):
    """How reading stands; the fields are those of `SourceStatus`. `waiting`, `in_flight` and how long
    messages are kept (`kept_ms`) as of the last look."""

    state: ConnectionState = ConnectionState.DISCONNECTED
    error: str | None = None
    refused: bool = False
    next_attempt_at: Millis | None = None
    last_heard_at: Millis | None = None
    last_frame_at: Millis | None = None
    reconnects: int = 0
    received: int = 0
    waiting: int | None = None
    in_flight: int | None = None
    kept_ms: Millis | None = None


class Polling:
    """Delivers the messages of a queue until it is stopped, and deletes each one after that.

    A message that is not deleted, because of a crash or a failure, comes again: the events in it are known by their ids. A full
    batch calls up another thread; one that finds less goes again, so a queue that is nearly empty costs one request in
    `wait` seconds. `changed` is called, from any thread, when the standing may be another.
    """

    def __init__(
        self,
        queue: Queue,
        clock: Callable[[], Millis],
        random: Callable[[], float],
        changed: Callable[[], None],
        steady: Callable[[], Millis],
        wait: int = 20,
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._random = random
        self._changed = changed
        self._steady = steady
        self._wait = wait
        self._lock = threading.Lock()
        self._news = threading.Event()  # wakes the first thread
        self._stopped = False
        self._held = False
        self._holds = 0
        self._retry = False
        self._standing = QueueStanding()
        self._helpers: set[threading.Thread] = set()
        self._failure: BaseException | None = None
        self._looked_at: Millis | None = None
        self._looking = True

    def standing(self) -> QueueStanding:
        """How it stands now. From any thread."""
        return self._standing

    def run(self, deliver: Deliver) -> None:
        """Read until `stop`. Raises what `deliver` raised."""
        waits = backoff(self._random)
        try:
            while self._goes_on():
                if self._held:
                    self._enter(ConnectionState.DISCONNECTED)
                    self._sleep(None, held=True)
                    continue
                if self._standing.state is ConnectionState.DISCONNECTED:
                    self._enter(ConnectionState.CONNECTING, self._standing.error)
                holds = self._holds
                try:
                    self._round(deliver)
                    waits = backoff(self._random)
                except RefusedError as error:
                    if self._reads:
                        self._refused(error)
                except SourceError as error:
                    if self._reads and holds == self._holds:  # otherwise we broke it off ourselves
                        asked = error.retry_after if isinstance(error, TransientSourceError) else None
                        self._failed(error, max(next(waits), int((asked or 0) * SECOND)))
        finally:
            self.stop()
            self._join()
            self._queue.close()
            self._enter(ConnectionState.DISCONNECTED)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Make `run` return soon. From any thread."""
        self._stopped = True
        self._news.set()
        self._queue.abort()

    def retry(self) -> None:
        """End a wait. From any thread."""
        self._retry = True
        self._news.set()

    def hold(self) -> None:
        """Read nothing until `release`. From any thread."""
        self._held = True
        self._holds += 1
        self._news.set()
        self._queue.give_up()

    def release(self) -> None:
        """Read again. From any thread."""
        self._held = False
        self._news.set()

    # The first thread

    @property
    def _reads(self) -> bool:
        return not self._stopped and not self._held

    def _goes_on(self) -> bool:
        return not self._stopped and self._failure is None

    def _round(self, deliver: Deliver) -> None:
        """Read one batch. Until the first answer has come it is asked without waiting, to know at once whether it may be read."""
        is_open = self._standing.state is ConnectionState.OPEN
        messages = self._queue.receive(self._wait if is_open else 0)
        if not is_open and self._reads:
            self._enter(ConnectionState.OPEN)
        if len(messages) >= FULL:
            self._call_helper(deliver)
        self._bring_in(messages, deliver)
        self._look()

    def _look(self) -> None:
        """See how many wait, where that may be asked."""
        now = self._steady()
        if not self._looking or (self._looked_at is not None and now - self._looked_at < LOOK_INTERVAL):
            return
        self._looked_at = now
        try:
            depth = self._queue.depth()
        except RefusedError as error:
            self._looking = False
            _log.warning("how many messages wait is not known: %s", error)
            return
        except SourceError:
            return
        with self._lock:
            self._standing = replace(
                self._standing, waiting=depth.waiting, in_flight=depth.in_flight, kept_ms=depth.kept_ms
            )

    def _refused(self, error: RefusedError) -> None:
        _log.error("the queue is not read: %s", error)
        self._enter(ConnectionState.DISCONNECTED, str(error), refused=True)
        self._looking = True
        self._retry = False
        while self._goes_on() and not self._retry:
            self._news.wait()
            self._news.clear()

    def _failed(self, error: SourceError, wait: Millis) -> None:
        if self._standing.error != str(error):
            _log.warning("the queue cannot be read: %s", error)
        self._enter(ConnectionState.DISCONNECTED, str(error), next_attempt_at=self._clock() + wait)
        self._retry = False
        self._sleep(wait, held=False)

    def _sleep(self, wait: Millis | None, *, held: bool) -> None:
        """Wait so long, without end for None, or until it is not held, or held, any more, is to try again, or to stop."""
        until = None if wait is None else self._steady() + wait
        while self._goes_on() and not self._retry and self._held == held:
            left = None if until is None else (until - self._steady()) / SECOND
            if left is not None and left <= 0:
                break
            self._news.wait(left)
            self._news.clear()
        self._retry = False

    # The other threads

    def _call_helper(self, deliver: Deliver) -> None:
        with self._lock:
            if len(self._helpers) >= MOST_THREADS - 1 or not self._reads or self._failure is not None:
                return
            number = len(self._helpers) + 2
            helper = threading.Thread(
                target=self._help, args=(deliver,), name=f"journeymap-queue-{number}", daemon=True
            )
            self._helpers.add(helper)
        helper.start()

    def _help(self, deliver: Deliver) -> None:
        """Read as long as batches are full."""
        try:
            full = True
            while full and self._reads and self._failure is None:
                messages = self._queue.receive(0)
                full = len(messages) >= FULL
                if full:
                    self._call_helper(deliver)
                self._bring_in(messages, deliver)
        except SourceError as error:
            _log.debug("one reader of the queue ends: %s", error)  # the first thread meets it too, and tells
        except BaseException as error:  # noqa: BLE001 - it comes out of `run`, not of a thread nobody sees
            self._fail(error)
        finally:
            with self._lock:
                self._helpers.discard(threading.current_thread())

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
        self.stop()

    def _join(self) -> None:
        while True:
            with self._lock:
                helpers = list(self._helpers)
            if not helpers:
                return
            for helper in helpers:
                helper.join()

    # Any of them

    def _bring_in(self, messages: Sequence[Message], deliver: Deliver) -> None:
        """Deliver, then delete: all that was received, also when reading is to stop, or it would come again only much later."""
        if not messages:
            self._heard()
            return
        now = self._clock()
        for message in messages:
            deliver(frame_in(message.body)[: MAX_FRAME + 1], now)
            with self._lock:
                self._standing = replace(self._standing, received=self._standing.received + 1, last_frame_at=now)
        self._heard()
        left = self._queue.delete([message.receipt for message in messages])
        if left:
            _log.warning("%d messages could not be deleted from the queue; they come again and do no harm", left)

    def _heard(self) -> None:
        with self._lock:
            self._standing = replace(self._standing, last_heard_at=self._clock())

    def _enter(
        self,
        state: ConnectionState,
        error: str | None = None,
        *,
        refused: bool = False,
        next_attempt_at: Millis | None = None,
    ) -> None:
        with self._lock:
            before = self._standing
            again = state is ConnectionState.OPEN and before.state is not ConnectionState.OPEN and before.last_heard_at
            self._standing = replace(
                before,
                state=state,
                error=error,
                refused=refused,
                next_attempt_at=next_attempt_at,
                reconnects=before.reconnects + bool(again),
            )
        self._changed()
