"""The simulated platform as a source: starts it as a process of its own and connects to it like to any other."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from journeymap.errors import SourceError
from journeymap.source.base import Deliver, Source, SourceStatus

log = logging.getLogger(__name__)

STOP_PATIENCE = 3.0

GOODBYE = 1.0
"""Seconds that the source gets to take its leave of the platform before that is stopped."""


class Access(msgspec.Struct, frozen=True):
    """What the simulated platform says when it is ready."""

    login_url: str
    api_url: str
    stream_url: str
    client_id: str
    client_secret: str


class SimulatedSource:
    """Runs `command`, which prints its addresses and credentials as one line of JSON and ends when its standard input
    does, and reads from it with the source that `connect` makes. The platform dies with this process, however it dies."""

    name = "simulator"
    live = True

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], connect: Callable[[Access], Source]
    ) -> None:
        self._command = command
        self._environment = environment
        self._connect = connect
        self._lock = threading.RLock()  # `stop` may come in a signal handler of the thread that holds it
        self._stopped = False
        self._held: str | None = None
        self._left = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._source: Source | None = None

    def launch(self) -> None:
        """Start the platform now, so that it comes up while others are busy. `run` does it otherwise."""
        with self._lock:
            if self._child is None and not self._stopped:
                self._child = subprocess.Popen(  # noqa: S603  # our own command, no shell
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=dict(self._environment),
                    start_new_session=True,  # Ctrl-C is for this process, which then stops the platform after its source
                )

    def run(self, deliver: Deliver) -> None:
        self.launch()
        if self._child is None:
            return
        assert self._child.stdout is not None
        try:
            line = self._child.stdout.readline()
        except ValueError:  # `stop` has closed it
            return
        try:
            access = msgspec.json.decode(line, type=Access)
        except msgspec.DecodeError as error:
            if self._stopped:
                return
            raise SourceError("the simulated platform did not start; try `journeymap simulate` to see why") from error
        source = self._connect(access)
        with self._lock:
            if self._stopped:
                return
            self._source = source
            if self._held is not None:
                source.hold(self._held)
        log.info("the simulated platform is at %s", access.api_url)
        try:
            source.run(deliver)
        finally:
            self._left.set()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            source, child = self._source, self._child
        if source is not None:
            source.stop()
            self._left.wait(GOODBYE)
        if child is not None:
            assert child.stdin is not None and child.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            try:
                child.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            child.stdout.close()

    def retry(self) -> None:
        if self._source is not None:
            self._source.retry()

    def hold(self, reason: str) -> None:
        with self._lock:
            self._held = reason
            if self._source is not None:
                self._source.hold(reason)

    def release(self) -> None:
        with self._lock:
            self._held = None
            if self._source is not None:
                self._source.release()

    def status(self) -> SourceStatus:
        return SourceStatus() if self._source is None else self._source.status()
