"""A server of the page in a thread, on a free port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn

from journeymap.web.app import create_app
from tests.web.double import DoubleReadModel

START_S = 60


class Served:
    """Runs until `close`; `url` is where."""

    def __init__(self, read_model: Any, *, clock: Callable[[], int] | None = None, **options: Any) -> None:
        self.read_model = read_model
        _, server = create_app(read_model, clock=clock or read_model.clock, **options)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(server, log_level="warning", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_S
        while not self._server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("the page's server did not start")
            time.sleep(0.01)

    def close(self) -> None:
        """Stop the server and wait for its end."""
        self._server.should_exit = True
        self._thread.join()


if __name__ == "__main__":
    import sys

    model = DoubleReadModel(int(sys.argv[1]))
    model.run(float(sys.argv[2]) if len(sys.argv) > 2 else 5)
    served = Served(model)
    print(served.url, flush=True)
    while True:
        time.sleep(60)
