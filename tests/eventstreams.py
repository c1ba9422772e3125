"""Event Streams sources over real sockets, and servers that misbehave towards them."""

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Callable
from random import Random

from journeymap.model.time import HOUR
from journeymap.protocol.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.source.base import ConnectionState
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
from journeymap.source.steady import monotonic_ms

OPEN = ConnectionState.OPEN


DISCONNECTED = ConnectionState.DISCONNECTED


def source_for(platform, random=None, steady=monotonic_ms, ledger=None, **changes) -> EventStreamsSource:
    settings = {
        "login_url": platform.login_url,
        "api_url": platform.api_url,
        "stream_url": platform.stream_url,
        "client_id": platform.client_id,
        "client_secret": platform.client_secret,
    }
    config = EventStreamsConfig(**settings | changes)
    return EventStreamsSource(config, SystemClock().now, random or Random(1), steady, ledger)


class Hasty(Random):
    """Waits as little as the backoff allows."""

    def random(self):
        return 0.0


class Misbehaving:
    """A TCP server on loopback that does with each connection what it is told."""

    def __init__(self, behave: Callable[[socket.socket, bytes], None]) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for held in (self._listener, *self._held):
            held.close()

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(connected)
            connected.settimeout(5)
            request = connected.recv(65_536)
            self.requests.append(request)
            self._behave(connected, request)

    def wait_for_requests(self, count: int) -> None:
        until = time.monotonic() + 5
        while len(self.requests) < count:
            assert time.monotonic() < until
            time.sleep(0.002)


def say_nothing(_connected: socket.socket, _request: bytes) -> None:
    pass


def shake_hands(connected: socket.socket, request: bytes) -> None:
    """Answer the handshake as RFC 6455 says, and then nothing any more."""
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connected.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def answer(status: str, *headers: str) -> Callable[[socket.socket, bytes], None]:
    def behave(connected: socket.socket, _request: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers, "", ""]
        connected.sendall("\r\n".join(lines).encode())
        connected.close()

    return behave


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


class Ahead:
    """A clock for waits that can be put forward."""

    def __init__(self):
        self._ahead = 0

    def __call__(self):
        return monotonic_ms() + self._ahead

    def advance(self, length):
        self._ahead += length


PATIENT = Limits(proof=2 * HOUR, silence=2 * HOUR, answer=2 * HOUR, token=2 * HOUR)
"""For clocks that are put forward by as much as a token lives."""
