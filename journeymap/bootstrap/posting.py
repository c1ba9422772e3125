"""Where events are brought to: the door of the source `eventbridge`, and the route that leads to it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from journeymap.runtime.clock import SystemClock
from journeymap.settings import Settings
from journeymap.source.door import Door

if TYPE_CHECKING:
    from fastapi import APIRouter


class Posts:
    """What is posted to this process. `door` is None where nothing may be: the source is not chosen, or has no key."""

    def __init__(self, settings: Settings, clock: SystemClock) -> None:
        self._settings = settings
        wanted = "eventbridge" in settings.sources and settings.eventbridge_key is not None
        self.door = Door(clock.now) if wanted else None

    def routers(self) -> tuple[APIRouter, ...]:
        """The route to be served, if there is one."""
        from journeymap.source.envelopes import frame_of_post
        from journeymap.web.ingest import create_ingest

        key = self._settings.eventbridge_key
        if self.door is None or key is None:
            return ()
        rate = self._settings.eventbridge_max_posts_per_second
        return (create_ingest(self.door, key.get_secret_value(), frame_of_post, posts_per_second=rate),)

    @contextlib.contextmanager
    def served(self) -> Iterator[str | None]:
        """Serve the route alone on `INGEST_PORT`, if there is one, until the block ends; its address. Raises ConfigurationError
        where the port cannot be listened on."""
        from fastapi import FastAPI

        from journeymap.runtime.serving import Server
        from journeymap.web.ingest import PATH

        routers = self.routers()
        if not routers:
            yield None
            return
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        for router in routers:
            app.include_router(router)
        with contextlib.closing(Server(self._settings.host, self._settings.ingest_port, "INGEST_PORT")) as server:
            serving = threading.Thread(target=server.serve, args=(app,), name="journeymap-posts", daemon=True)
            serving.start()
            try:
                yield server.address + PATH
            finally:
                server.stop()
                serving.join()
