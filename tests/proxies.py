"""An HTTP proxy on loopback, for tests: it lets CONNECT through to where it is told, whatever name was asked for."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class TunnelProxy:
    """Answers CONNECT with `status`; on 200 it carries bytes to and from `target`. `asked` are the requests that came."""

    def __init__(self, target: tuple[str, int], status: str = "200 Connection established") -> None:
        self._target = target
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []
        self._held: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._serve, name="tunnel-proxy")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for held in self._held:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for held in self._held:
            held.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(client)
            request = b""
            while b"\r\n\r\n" not in request and (more := client.recv(65_536)):
                request += more
            if not request:
                continue
            self.asked.append(request.decode())
            client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if not self._status.startswith("200"):
                client.shutdown(socket.SHUT_RDWR)
                continue
            server = socket.create_connection(self._target)
            self._held.append(server)
            for one, other in ((client, server), (server, client)):
                carrier = threading.Thread(target=_carry, args=(one, other), name="tunnel-proxy-carrier")
                carrier.start()
                self._threads.append(carrier)


def _carry(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
