"""The endpoint over a real server, in front of a door."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from fastapi import FastAPI

from journeymap.runtime.serving import Server
from journeymap.source.door import Door
from journeymap.source.envelopes import frame_of_post
from journeymap.web.ingest import PATH, create_ingest

KEY = "correct-horse-battery-staple-0123456789"


@contextlib.contextmanager
def served(door: Door, posts_per_second: int = 1_000) -> Iterator[str]:
    """Its address, until the block ends."""
    app = FastAPI(openapi_url=None)
    app.include_router(create_ingest(door, KEY, frame_of_post, posts_per_second=posts_per_second))
    with contextlib.closing(Server("127.0.0.1", 0, "PORT")) as server:
        thread = threading.Thread(target=server.serve, args=(app,), daemon=True)
        thread.start()
        try:
            yield server.address + PATH
        finally:
            server.stop()
            thread.join()
