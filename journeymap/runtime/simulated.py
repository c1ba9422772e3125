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


class PlatformProcess:
    """The simulated platform as a child: runs `command`, which prints its addresses and credentials as one line of JSON and
    ends when its standard input does. The platform dies with this process, however it dies."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._lock = threading.RLock()  # `stop` may come in a signal handler of the thread that holds it
        self._stopped = False
        self._child: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it, if it has not been started or stopped before."""
        with self._lock:
            if self._child is None and not self._stopped:
                self._child = subprocess.Popen(  # noqa: S603  # our own command, no shell
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=dict(self._environment),
                    start_new_session=True,  # Ctrl-C is for this process, which then stops the platform after its source
                )

    def access(self) -> Access | None:
        """How to come in, as soon as it is ready; None once it was stopped. Raises SourceError where it does not start."""
        if self._child is None:
            return None
        assert self._child.stdout is not None
        try:
            line = self._child.stdout.readline()
            return msgspec.json.decode(line, type=Access)
        except (ValueError, msgspec.DecodeError) as error:  # `stop` has closed it, or it has ended
            if self._stopped:
                return None
            raise SourceError("the simulated platform did not start; try `journeymap simulate` to see why") from error

    def stop(self) -> None:
        """End it, at once if it takes too long. Calling it again does nothing."""
        with self._lock:
            self._stopped = True
            child = self._child
        if child is None:
            return
        assert child.stdin is not None and child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        try:
            child.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()


class SimulatedSource:
    """Runs the simulated platform and reads from it with the source that `connect` makes."""

    name = "simulator"
    live = True

    def __init__(self, platform: PlatformProcess, connect: Callable[[Access], Source]) -> None:
        self._platform = platform
        self._connect = connect
        self._lock = threading.RLock()  # `stop` may come in a signal handler of the thread that holds it
        self._stopped = False
        self._held: str | None = None
        self._left = threading.Event()
        self._source: Source | None = None

    def launch(self) -> None:
        """Start the platform now, so that it comes up while others are busy. `run` does it otherwise."""
        self._platform.launch()

    def run(self, deliver: Deliver) -> None:
        self.launch()
        access = self._platform.access()
        if access is None:
            return
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
            source = self._source
        if source is not None:
            source.stop()
            self._left.wait(GOODBYE)
        self._platform.stop()

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
