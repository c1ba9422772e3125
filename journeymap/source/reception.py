"""What the thread of a source's `run` waits for: its sockets, what other threads tell it, and the time."""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Generic, TypeVar

from journeymap.protocol.exchange import HandshakeRefused, SocketClosed, SocketOpened
from journeymap.source.websocket import StreamSocket

T = TypeVar("T")

LONGEST_WAIT: Final = 1.0
"""Seconds after which the time is looked at again, should an injected clock have jumped."""


class Reception(Generic[T]):
    """Sockets by number, also those that are still being opened in the background, and an inbox for other threads.

    `tell` and `wake` are for any thread, everything else for the one that runs the source.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # `stop` may come in a signal handler of the thread that holds it
        self._waker: socket.socket | None = None
        self._inbox: deque[T | BaseException] = deque()
        self._sockets: dict[int, StreamSocket] = {}
        self._opening: set[int] = set()
        self._given_up: dict[int, StreamSocket] = {}  # while they are being opened

    @contextmanager
    def attended(self) -> Iterator[None]:
        """As long as this lasts, `wait` can be called."""
        ear, mouth = socket.socketpair()
        with selectors.DefaultSelector() as self._selector, ear, mouth:
            ear.setblocking(False)
            mouth.setblocking(False)
            self._ear = ear
            self._selector.register(ear, selectors.EVENT_READ)
            with self._lock:
                self._waker = mouth
            try:
                yield
            finally:
                with self._lock:
                    self._waker = None

    # For any thread

    def tell(self, given: T | BaseException) -> None:
        """Hand something in."""
        self._inbox.append(given)
        self.wake()

    def wake(self) -> None:
        """End a wait."""
        with self._lock:
            if self._waker is not None:
                with suppress(BlockingIOError):  # full of calls to wake up: that will do
                    self._waker.send(b"\0")

    # For the thread of `run`

    def wait(self, seconds: float) -> list[int]:
        """Wait until something comes, so long at most; the numbers of the sockets that can be read."""
        numbers = []
        for key, _ in self._selector.select(min(max(seconds, 0.0), LONGEST_WAIT)):
            if key.data is None:
                with suppress(BlockingIOError):
                    while self._ear.recv(1024):
                        pass
            else:
                numbers.append(key.data)
        return numbers

    def told(self) -> Iterator[T]:
        """What was handed in, without what a socket says that was given up meanwhile. Raises what was handed in as an error."""
        while self._inbox:
            given = self._inbox.popleft()
            if isinstance(given, BaseException):
                raise given
            if not isinstance(given, SocketOpened | SocketClosed | HandshakeRefused) or self._takes(given):
                yield given

    def _takes(self, given: SocketOpened | SocketClosed | HandshakeRefused) -> bool:
        number = given.connection
        self._opening.discard(number)
        late = self._given_up.pop(number, None)
        if late is not None:
            late.close()
            return False
        if isinstance(given, SocketOpened):
            self._selector.register(self._sockets[number], selectors.EVENT_READ, number)
        else:
            del self._sockets[number]  # it never came to be, and has closed itself
        return True

    def expect(self, number: int, stream: StreamSocket) -> None:
        """A socket is being opened; whoever does that tells how it ends."""
        self._opening.add(number)
        self._sockets[number] = stream

    def socket(self, number: int) -> StreamSocket | None:
        """The socket with this number, if it has not been closed."""
        return self._sockets.get(number)

    def close(self, number: int) -> None:
        """Close a socket, also one that is being opened."""
        stream = self._sockets.pop(number, None)
        if stream is None:
            return
        if number in self._opening:
            self._given_up[number] = stream
            stream.abort()
        else:
            self._selector.unregister(stream)
            stream.close()

    def close_all(self, *, opening: bool) -> None:
        """Close all sockets; those that are being opened only if nobody uses them any more."""
        if opening:
            for stream in (*self._sockets.values(), *self._given_up.values()):
                stream.close()
        self._sockets.clear()
