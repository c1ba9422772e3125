"""An HTTP server that knows at once whether its port is free, and ends well on SIGTERM and Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from journeymap.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

GOODBYE = 2
"""Seconds that open requests get at the end."""

BACKLOG = 2048
"""So many connections may wait to be accepted."""


class Server:
    """Binds its port when made. Raises ConfigurationError, naming `setting`, where it cannot."""

    def __init__(self, host: str, port: int, setting: str) -> None:
        self._socket = _bound(host, port, setting)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self._socket.getsockname()[1]}"
        self._server: _Uvicorn | None = None
        self._stopped = False

    def serve(self, app: FastAPI, insisted: Callable[[], None] = lambda: None) -> None:
        """Serve `app` until a signal or `stop`. `insisted` is called at every further signal, while `app` is ending."""
        self._server = _Uvicorn(
            insisted,
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="on",
                server_header=False,
                timeout_graceful_shutdown=GOODBYE,
            ),
        )
        self._server.should_exit = self._stopped
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Make `serve` return soon. From any thread."""
        self._stopped = True
        if self._server is not None:
            self._server.should_exit = True

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


class _Uvicorn(uvicorn.Server):
    def __init__(self, insisted: Callable[[], None], config: uvicorn.Config) -> None:
        super().__init__(config)
        self._insisted = insisted

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal. At a second Ctrl-C uvicorn would skip the end of the application, with a traceback of it."""
        if self.should_exit:
            self._insisted()
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and Ctrl-C, and end well: uvicorn would raise the signal again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _bound(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)  # at once: a second process may bind the port as long as nobody listens
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"{setting} = {port}: cannot listen on {host}:{port} ({error.strerror}); choose another port, 0 for any free one"
        ) from error
    return listening
