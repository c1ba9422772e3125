"""The HTTP server around the pages."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from journeymap.errors import ConfigurationError
from journeymap.runtime.serving import Server
from tests.integration.process import until


class App(FastAPI):
    """Answers, and says whether it was started and ended."""

    def __init__(self) -> None:
        self.told: list[str] = []

        @contextlib.asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            self.told.append("start")
            yield
            self.told.append("end")

        super().__init__(lifespan=lifespan)
        self.add_api_route("/", lambda: {"here": True})


def test_serves_until_stopped_from_another_thread() -> None:
    app = App()
    with contextlib.closing(Server("127.0.0.1", 0, "PORT")) as server:
        thread = threading.Thread(target=server.serve, args=(app,), daemon=True)
        thread.start()
        until(lambda: "start" in app.told, "the start")
        answer = httpx.get(server.address)
        assert answer.json() == {"here": True}
        assert "server" not in answer.headers
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
    assert app.told == ["start", "end"]


def test_a_stop_before_it_serves_holds() -> None:
    app = App()
    with contextlib.closing(Server("127.0.0.1", 0, "PORT")) as server:
        server.stop()
        server.serve(app)
    assert app.told in ([], ["start", "end"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(number: signal.Signals) -> None:
    app = App()
    before = signal.getsignal(number)
    with contextlib.closing(Server("127.0.0.1", 0, "PORT")) as server:

        def interrupt() -> None:
            until(lambda: "start" in app.told and signal.getsignal(number) is not before, "the start")
            os.kill(os.getpid(), number)

        threading.Thread(target=interrupt, daemon=True).start()
        server.serve(app)
    assert app.told == ["start", "end"]
    assert signal.getsignal(number) is before


def test_a_port_that_is_taken_is_known_at_once_even_before_it_serves() -> None:
    with contextlib.closing(Server("127.0.0.1", 0, "PORT")) as first:
        port = int(first.address.rpartition(":")[2])
        with pytest.raises(
            ConfigurationError, match=rf"^INGEST_PORT = {port}: cannot listen on .*; choose another port"
        ):
            Server("127.0.0.1", port, "INGEST_PORT")
    Server("127.0.0.1", port, "PORT").close()


def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:0"):
        Server("192.0.2.1", 0, "PORT")


def test_the_address_of_ipv6_is_one_that_a_browser_takes() -> None:
    try:
        server = Server("::1", 0, "PORT")
    except ConfigurationError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with contextlib.closing(server):
        host, port = server.address.removeprefix("http://").rsplit(":", 1)
        assert host == "[::1]"
        socket.create_connection(("::1", int(port)), timeout=5).close()
