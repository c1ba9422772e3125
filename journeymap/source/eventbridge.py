"""Events from Amazon EventBridge: posted to a door by an API destination or a workflow, read from an SQS queue, or both."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from journeymap.errors import ConfigurationError
from journeymap.model.time import DAY, Millis
from journeymap.source.base import ConnectionState, Deliver, SourceStatus, followed
from journeymap.source.door import Door
from journeymap.source.polling import Polling, QueueStanding
from journeymap.source.sqs import SqsQueue
from journeymap.source.steady import monotonic_ms
from journeymap.source.transport import check_url

RETRIES_FOR: Final[Millis] = DAY
"""So long EventBridge offers an event again to an API destination, unless its target's retry policy says less."""

KEPT_FOR: Final[Millis] = 4 * DAY
"""So long a queue keeps a message, unless it says otherwise."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventBridgeConfig:
    """What is read: posts, where there is a `key`, and the queue, where it has a URL. Printing it does not show the key.

    `queue_wait` is how long SQS is to wait for messages, in seconds, at most 20.
    """

    key: str = field(default="", repr=False)
    queue_url: str = ""
    endpoint_url: str = ""
    queue_wait: int = 20

    def checked(self) -> EventBridgeConfig:
        """The same. Raises `ConfigurationError`, with the setting's name, where it cannot work."""
        if not self.key and not self.queue_url:
            raise ConfigurationError("neither EVENTBRIDGE_KEY nor EVENTBRIDGE_QUEUE_URL is set; one of them is needed")
        for setting, url in (
            ("EVENTBRIDGE_QUEUE_URL", self.queue_url),
            ("EVENTBRIDGE_ENDPOINT_URL", self.endpoint_url),
        ):
            if url:
                check_url(setting, url, "https")
        return self


class EventBridgeSource:
    """Opens the door for posts while it runs, and reads the queue.

    It is not `live`: EventBridge offers an event again for 24 hours, and a queue keeps it for days, so that what happens while
    this does not run comes later. The status says how long they wait, of two ways the shorter time. With a queue, the state
    is that of the queue; posts are taken whatever it is. Held, it takes no posts and reads no queue.
    """

    name = "eventbridge"
    live = False

    def __init__(
        self,
        config: EventBridgeConfig,
        clock: Callable[[], Millis],
        random: Callable[[], float],
        door: Door | None = None,
        steady: Callable[[], Millis] = monotonic_ms,
    ) -> None:
        config = config.checked()
        self._config = config
        self._clock = clock
        self._door = door or Door(clock)
        self._door.on_failure = self._door_failed
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._running = False
        self._held: str | None = None
        self._status = SourceStatus(since=clock())
        self._polling: Polling | None = None
        if config.queue_url:
            queue = SqsQueue(config.queue_url, config.endpoint_url, clock)
            self._polling = Polling(queue, clock, random, self._look, steady, wait=config.queue_wait)

    @property
    def door(self) -> Door:
        """Where posts are handed in."""
        return self._door

    def run(self, deliver: Deliver) -> None:
        """Take posts and read the queue until `stop`. Raises what `deliver` raised, for a post or for a message."""
        try:
            with self._lock:
                if self._ended.is_set():
                    return
                self._running = True
                self._open_door(deliver)
            self._look()
            if self._polling is None:
                self._ended.wait()
            else:
                self._polling.run(deliver)
        finally:
            self._door.end()
            with self._lock:
                self._running = False
            self._look()
        if self._door.failure is not None:
            raise self._door.failure

    def stop(self) -> None:
        """Make `run` return soon."""
        self._ended.set()
        if self._polling is not None:
            self._polling.stop()

    def retry(self) -> None:
        """Ask the queue again at once, also after a refusal."""
        if self._polling is not None:
            self._polling.retry()

    def hold(self, reason: str) -> None:
        """Take no more posts and read no more messages until `release`."""
        with self._lock:
            self._held = reason
            self._door.close(reason)
        if self._polling is not None:
            self._polling.hold()
        self._look()

    def release(self) -> None:
        """Take posts and read messages again."""
        with self._lock:
            if self._held is None:
                return
            self._held = None
            if self._running and self._config.key:
                self._door.reopen()
        if self._polling is not None:
            self._polling.release()
        self._look()

    def status(self) -> SourceStatus:
        """How it stands now."""
        with self._lock:
            status = self._status
        queue = QueueStanding() if self._polling is None else self._polling.standing()
        moments = [at for at in (self._door.last_frame_at, queue.last_frame_at) if at is not None]
        heard = [at for at in (*moments, queue.last_heard_at) if at is not None]
        return replace(
            status,
            received=self._door.received + queue.received,
            last_frame_at=max(moments, default=None),
            last_heard_at=max(heard, default=None),
            next_attempt_at=queue.next_attempt_at if status.state is not ConnectionState.OPEN else None,
            reconnects=queue.reconnects,
            posts_refused=self._door.refused(),
            queue_waiting=queue.waiting,
            queue_in_flight=queue.in_flight,
            waits_ms=self._waits(queue.kept_ms),
        )

    def _waits(self, kept_ms: Millis | None) -> Millis:
        ways = [RETRIES_FOR] if self._config.key else []
        if self._polling is not None:
            ways.append(KEPT_FOR if kept_ms is None else kept_ms)
        return min(ways)

    def _open_door(self, deliver: Deliver) -> None:
        if self._config.key:
            self._door.open(deliver)
            if self._held is not None:
                self._door.close(self._held)

    def _door_failed(self) -> None:
        self.stop()

    def _look(self) -> None:
        """See how both stand now. From any thread."""
        with self._lock:
            queue = None if self._polling is None else self._polling.standing()
            state, error, refused = ConnectionState.OPEN, None, False
            if queue is not None:
                state, error, refused = queue.state, queue.error, queue.refused
            if self._held is not None:
                state, error = ConnectionState.DISCONNECTED, self._held
            if not self._running:
                state, error, refused = ConnectionState.DISCONNECTED, None, False
            before = self._status
            if (state, error, refused) == (before.state, before.error, before.refused):
                return
            since = before.since if state is before.state else self._clock()
            status = replace(before, state=state, since=since, error=error, refused=refused)
            heard = None if queue is None else queue.last_heard_at
            self._status = followed(before, status, heard or self._door.last_frame_at)
        _log.info("eventbridge source %s%s", state, "" if error is None else f": {error}")
