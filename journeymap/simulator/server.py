"""The simulated platform as a server: in the main thread, or in one of its own for tests."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import uvicorn

from journeymap.errors import ConfigurationError
from journeymap.simulator import actions
from journeymap.simulator.app import create_app
from journeymap.simulator.delivery import Delivery
from journeymap.simulator.people import uuid_of
from journeymap.simulator.platform import STREAM_PATH, Manner, Platform
from journeymap.simulator.publicapi.public import Public
from journeymap.simulator.tls import Tls
from journeymap.simulator.told import Outgoing
from journeymap.simulator.wire import Wire

_GRACE = 1
_LARGEST_MESSAGE = 65_536


class Access(NamedTuple):
    """What a client needs to come in: the settings of the same names."""

    login_url: str
    api_url: str
    stream_url: str
    client_id: str
    client_secret: str


class Server(uvicorn.Server):
    """Serves a platform until told to stop. It binds at once, so that a port in use is known before the start."""

    def __init__(
        self, platform: Platform, host: str, port: int, on_ready: Callable[[Access], None], tls: Tls | None = None
    ) -> None:
        context = tls.context() if tls is not None else None
        self._platform = platform
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        platform.base_url = f"{'http' if tls is None else 'https'}://{_shown(host)}:{self.port}"
        self.access = Access(
            platform.base_url,
            platform.base_url,
            platform.base_url.replace("http", "ws", 1) + STREAM_PATH,
            platform.manner.client_id,
            platform.manner.client_secret,
        )
        self._on_ready = on_ready
        self._failure: BaseException | None = None
        super().__init__(
            uvicorn.Config(
                create_app(platform, self._fail),
                ws=Wire,
                ssl_context_factory=None if context is None else lambda _config, _default: context,
                ws_per_message_deflate=False,
                ws_max_size=_LARGEST_MESSAGE,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=_GRACE,
                server_header=False,
                date_header=False,  # the platform has a clock of its own
                proxy_headers=False,
            )
        )

    def run_until_stopped(self) -> None:
        """Serve; returns after a signal (in the main thread) or `stop`. Raises what the platform broke down with."""
        self.run(sockets=[self._socket])
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self.stop()

    def stop(self) -> None:
        """Make `run_until_stopped` return soon. From any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready(self.access)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go whoever is left hanging, then stop as uvicorn does."""
        self._platform.ending.set()
        await super().shutdown(sockets)

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


class SimulatedPlatform:
    """The platform in a thread on a free loopback port, for tests: a context manager with what a client needs to know.

    `rate` 0 tells no story: then only what is sent by hand arrives. Any field of `Manner` is accepted by name. With `tls`
    the addresses are https and wss.
    """

    def __init__(
        self,
        *,
        rate: float = 0.0,
        late: float = 0.0,
        duplicates: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Tls | None = None,
        **manner: Any,
    ) -> None:
        manner = {"keep_acknowledged": True} | manner
        self._manner = Manner(rate=rate, delivery=Delivery(late, duplicates), **manner).with_credentials()
        self._host = host
        self.port = port
        self._tls = tls
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.platform = Platform(self._manner)
        self._server = Server(self.platform, self._host, self.port, self._started, self._tls)
        self.port = self._server.port
        self.login_url, self.api_url, self.stream_url, self.client_id, self.client_secret = self._server.access
        self._thread = threading.Thread(target=self._server.run_until_stopped, name="simulated-platform", daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the simulated platform did not start within 10 s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        if self._thread is not None:
            self._thread.join(10)

    def send(self, frame: bytes) -> None:
        """Send exactly this text frame once for every live subscription, even if it is not text."""
        self._call(lambda: self.platform.send_raw(frame))

    def send_events(self, *events: dict[str, Any]) -> None:
        """Send these events to every live subscription. They count as sent and as acknowledged like those of the story."""
        self._call(lambda: self.platform.send_events(events))

    def set_faults(self, **faults: object) -> None:
        """Set these faults, all or none. Raises InputError."""
        self._call(lambda: self.platform.faults.change(faults))

    def reset_faults(self) -> None:
        """Nothing is wrong any more."""
        self._call(self.platform.faults.reset)

    def act(self, name: str, **body: object) -> int:
        """Let an action happen; answers how many it concerned. Raises InputError."""
        concerned: int = self._call(lambda: actions.action(name, body).on(self.platform))
        return concerned

    def acknowledged(self) -> list[dict[str, Any]]:
        """The events that clients have received for certain, in order of the acknowledgements, each copy of them."""
        kept: list[bytes] = self._call(self.platform.ledger.acknowledged_events.copy)
        return [msgspec.json.decode(event) for event in kept]

    @property
    def public(self) -> Public:
        """The public APIs. Only to be touched on the platform's own loop, as the methods here do."""
        if self.platform.public is None:
            raise RuntimeError("the simulated platform is not running: use it as a context manager")
        return self.platform.public

    def notify(self, topic: str, body: dict[str, Any]) -> int:
        """Send this as an event of this topic to all channels that have it; answers to how many."""
        count: int = self._call(lambda: self.public.channels.notify(topic, body, uuid_of(f"{topic} {body}")))
        return count

    def send_on_sockets(self, frame: bytes) -> None:
        """Send exactly this text frame on every notification socket, even if it is not text."""

        def send() -> None:
            for connection in self.public.connections():
                connection.send([Outgoing(frame)])

        self._call(send)

    def notified(self) -> list[dict[str, Any]]:
        """The notifications that clients have received for certain, in order of the acknowledgements."""
        kept: list[bytes] = self._call(lambda: list(self.public.ledger.acknowledged_events))
        return [msgspec.json.decode(frame) for frame in kept]

    def add_queue(self, name: str) -> str:
        """Open a queue of this name; answers its id."""
        queue: str = self._call(lambda: self.public.organisation.add_queue(name))
        return queue

    def drop_connections(self) -> None:
        """Break every socket off without a close frame."""
        self.act("drop")

    def close_connections(self, code: int, reason: str = "") -> None:
        """Close every socket with this code."""
        self.act("close", code=code, reason=reason)

    def refuse_credentials(self, refuse: bool = True) -> None:
        """Refuse (or accept again) everybody: token requests, API calls and new connections. Live ones stay."""
        self.set_faults(refuse_credentials=refuse)

    def expire_tokens(self) -> None:
        """End the life of every token now: live connections are closed with 4401."""
        self.act("expire_tokens")

    def stats(self) -> dict[str, Any]:
        """What was sent so far, as `/stats` has it."""
        stats: dict[str, Any] = self._call(self.platform.stats)
        return stats

    def wait_for_subscriptions(self, count: int = 1, timeout: float = 20.0) -> None:
        """Wait until this many subscriptions are live (their history sent)."""
        deadline = time.monotonic() + timeout
        while self._call(lambda: sum(known.is_live for known in self.platform.subscriptions.values())) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} live subscriptions did not come within {timeout} s")
            time.sleep(0.005)

    def _started(self, _: Access) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()

    def _call(self, function: Callable[[], Any]) -> Any:
        if self._loop is None:
            raise RuntimeError("the simulated platform is not running: use it as a context manager")

        async def call() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)


def _shown(host: str) -> str:
    """The host as it stands in an address. Nobody can connect to "any address": then a name that leads here."""
    if ":" in host:
        return socket.gethostname() if host == "::" else f"[{host}]"
    return host if host.strip("0.") else socket.gethostname()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = "it is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error)).lower()
        raise ConfigurationError(
            f"the simulated platform cannot listen on {host}:{port}: {why}; choose another --port, 0 for any free one"
        ) from error
    listener.set_inheritable(True)
    return listener
