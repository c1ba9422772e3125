"""The web hook of `ALERT_URL`: messages are delivered by a thread of their own, so that nobody ever waits for it."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import tenacity

from journeymap.errors import TransientSourceError
from journeymap.model.status import AlertCounts
from journeymap.model.time import SECOND, Millis
from journeymap.runtime.alerts import Alerts
from journeymap.source.transport import HttpClient, tls_context

Message = Mapping[str, Any]

MAX_WAITING: Final = 100
"""So many messages wait at most; further ones are discarded."""

TRIES: Final = 8
"""How often a message is tried before it is given up: a few minutes in all."""

LONGEST_WAIT: Final = 60.0
"""Seconds between two tries at most."""

_TIMEOUT: Final[Millis] = 10 * SECOND
_TRY_AGAIN: Final = frozenset({408, 425, 429, *range(500, 600)})
_SETTING: Final = "ALERT_URL"

log = logging.getLogger(__name__)


class WebHook:
    """Posts messages as JSON. The address, which may hold a key, is never said.

    `clock` tells wall time, for what a server says of when to come again. Raises `ConfigurationError` where a proxy of
    the environment cannot be used.
    """

    def __init__(
        self, url: str, clock: Callable[[], Millis], *, timeout: Millis = _TIMEOUT, longest_wait: float = LONGEST_WAIT
    ):
        self._url = url
        parts = urlsplit(url)
        self._names = [name for name in (parts.netloc, parts.hostname) if name]
        self._client = HttpClient(url, timeout, tls_context(), clock, _SETTING)
        self._longest_wait = longest_wait
        self._waiting: queue.Queue[Message | None] = queue.Queue(MAX_WAITING)
        self._closing = threading.Event()
        self._given_up = False
        self._thread: threading.Thread | None = None
        self._delivered = self._failed = self._discarded = 0

    def send(self, message: Message) -> None:
        """Deliver this soon, after those before it. Returns at once; by one thread only."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journeymap-hook", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self._discarded += 1
            log.error("a message to the web hook is discarded: %d wait already", MAX_WAITING)

    def counts(self) -> AlertCounts:
        """What became of the messages so far."""
        return AlertCounts(self._delivered, self._failed, self._discarded)

    def close(self, patience: float) -> None:
        """Try once more what waits, for at most so many seconds, and let go of all. Calling it again does nothing."""
        self._closing.set()
        if self._thread is not None:
            deadline = time.monotonic() + patience
            with contextlib.suppress(queue.Full):  # then the thread ends after the message that it is at
                self._waiting.put_nowait(None)
            self._thread.join(patience)
            self._given_up = True
            self._client.abort()
            self._thread.join(max(1.0, deadline - time.monotonic()))
            if self._thread.is_alive():
                return  # a connect hangs that nothing can interrupt; the thread dies with the process
            self._thread = None
        self._client.close()

    def _run(self) -> None:
        while True:
            try:
                message = self._waiting.get(block=not self._closing.is_set())
            except queue.Empty:
                return
            if message is None or self._given_up:
                return
            self._deliver(message)

    def _deliver(self, message: Message) -> None:
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientSourceError),
            wait=tenacity.wait_random_exponential(max=self._longest_wait) + tenacity.wait_exception(self._asked_for),
            stop=tenacity.stop_any(tenacity.stop_after_attempt(TRIES), tenacity.stop_when_event_set(self._closing)),
            sleep=tenacity.sleep_using_event(self._closing),
            reraise=True,
        )
        try:
            problem = tries(self._post, message)
        except TransientSourceError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001  # a defect here must not end the thread; its text might hold the address
            problem = type(error).__name__
        if problem is None:
            self._delivered += 1
        else:
            self._failed += 1
            for name in self._names:  # a host's name may be the key
                problem = problem.replace(name, "the web hook")
            log.error("a message to the web hook could not be delivered: %s", problem)

    def _asked_for(self, error: BaseException) -> float:
        asked = error.retry_after if isinstance(error, TransientSourceError) else None
        return min(asked or 0.0, self._longest_wait)

    def _post(self, message: Message) -> str | None:
        """Deliver it; why not, where another try would come to the same."""
        answer = self._client.request("POST", self._url, document=message)
        if answer.status in _TRY_AGAIN:
            asked = answer.retry_after
            raise TransientSourceError(
                f"it answered with status {answer.status}", None if asked is None else asked / SECOND
            )
        return None if 200 <= answer.status < 300 else f"it answered with status {answer.status}"


def alerts_to(url: str, environment: str, clock: Callable[[], Millis]) -> Alerts:
    """Alerts that go to the web hook at `url`. Raises `ConfigurationError` where a proxy cannot be used."""
    return Alerts(WebHook(url, clock), environment)
