"""Through a proxy of the environment: HTTP and the WebSocket alike, with TLS to the platform's own end."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from journeymap.runtime.clock import SystemClock
from journeymap.source.transport import HttpClient, tls_context
from journeymap.source.websocket import StreamSocket
from tests.eventstreams import shake_hands
from tests.proxies import TunnelProxy

HOST = "platform.example"
"""Cannot be resolved, so whatever reaches it went through the proxy."""


@pytest.fixture
def behind_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server with a certificate for HOST that answers every request, and shakes hands where that is asked for."""
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with raw, contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as connected:
                request = connected.recv(65_536)
                if b"sec-websocket-key" in request.lower():
                    shake_hands(connected, request)
                else:
                    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                connected.recv(1)

    thread = threading.Thread(target=serve, name="behind-tls")
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    listener.close()


def clients() -> SimpleNamespace:
    clock = SystemClock().now
    http = HttpClient(f"https://{HOST}", 5_000, tls_context(), clock)
    stream = StreamSocket(f"wss://{HOST}/stream", 5_000, tls_context(), clock)

    def ask() -> Any:
        with contextlib.closing(http):
            return http.request("GET", f"https://{HOST}/")

    def connect() -> None:
        with contextlib.closing(stream):
            stream.open("token", False)

    return SimpleNamespace(ask=ask, connect=connect)


def test_all_connections_go_through_it(behind_tls: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    with TunnelProxy(behind_tls) as proxy:
        monkeypatch.setenv("all_proxy", f"http://me:hunter2@{proxy.address}")
        both = clients()
        assert both.ask().status == 200
        both.connect()
    assert [request.split("\r\n")[0].split()[:2] for request in proxy.asked] == [["CONNECT", f"{HOST}:443"]] * 2
    account = "Basic " + base64.b64encode(b"me:hunter2").decode()
    assert all(f"proxy-authorization: {account}".lower() in request.lower() for request in proxy.asked)
