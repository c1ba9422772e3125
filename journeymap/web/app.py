"""Builds the web application: Dash on a FastAPI server. Importing it, and building one, starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import dash
from dash.backends._fastapi import FastAPIDashServer, reset_current_request, set_current_request
from fastapi import APIRouter, FastAPI, Request, Response

from journeymap import __version__
from journeymap.export.palette import ASSETS
from journeymap.model.status import Gap
from journeymap.model.time import Millis
from journeymap.web import callbacks, frames, layout
from journeymap.web.callbacks.identity import Change
from journeymap.web.components.table import serve_when_wanted
from journeymap.web.headers import Compressed, PageHeaders, content_policy


class PageModel(Protocol):
    """What the pages need of a read model."""

    def answer(self, request: Mapping[str, Any], now: Millis) -> dict[str, Any] | None:
        """The answer to a page's question (docs/architecture.md); None if nothing changed since the last one.

        Called on the event loop: must not touch the disk. Raises InputError.
        """

    def detail(self, journey_id: str, now: Millis) -> dict[str, Any] | None:
        """The journey (docs/http.md) and the customer's others as `neighbours`; None if there is none.

        Called in a worker thread: may touch the disk. Raises StoreError.
        """

    def evidence(self, journey_id: str) -> dict[str, Any] | None:
        """The events of a journey as received (`events`) and which ids made it one customer's (`joined`); None if there is none.

        Called in a worker thread: may touch the disk. Raises StoreError.
        """

    def undoing(self, journey_id: str, mark: str) -> tuple[str, str, str] | None:
        """The event that undoes a join of a journey (`joined`, by its `mark`), as type, from and to; None if it does not stand.

        Called in a worker thread: may touch the disk. Raises StoreError.
        """

    def ingest_runs(self, now: Millis) -> bool:
        """Whether an ingest side is there that hears of commands. From any thread; must not touch the disk."""

    def operations(self, now: Millis) -> dict[str, Any]:
        """The document of the operations view (`view/operations.py`). Called on the event loop: must not touch the disk."""

    def gaps(self, now: Millis) -> Sequence[Gap]:
        """Gaps in the stream, oldest first. From any thread; must not touch the disk."""


class _Server(FastAPIDashServer):  # type: ignore[misc, unused-ignore]  # dash is not typed strictly
    """Dash's FastAPI backend without the doors that this product does not use.

    Its web socket opens on every page load even if no callback uses it, and its catch-all answers any unknown path with
    the page and status 200 (for the app that was made last, which need not be this one).
    """

    websocket_capability = False

    def _setup_catchall(self) -> None:
        return None


def create_app(
    read_model: PageModel,
    *,
    clock: Callable[[], Millis],
    time_zone: str | None = None,
    retry: Callable[[], None] | None = None,
    change_customers: Change | None = None,
    routers: Sequence[APIRouter] = (),
    lifespan: Callable[[FastAPI], Any] | None = None,
    assets: Path = ASSETS,
) -> tuple[dash.Dash, FastAPI]:
    """The Dash application and the ASGI server it lives on.

    `time_zone` (IANA name) replaces the browser's for all times shown. `retry` is what the "Try again" button does
    after refused credentials, `change_customers` what the journey page's do that undo a join; without one there are no such
    buttons. `routers` are served beside the pages; `lifespan` is the server's.
    """
    server = FastAPI(
        title="Journeymap",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    page_layout = layout.create_layout(time_zone=time_zone, can_retry=retry is not None)
    templates = frames.take_out(page_layout, layout.FRAMES)
    app = dash.Dash(
        __name__,
        server=False,
        backend=_Server,
        assets_folder=str(assets),
        include_assets_files=False,
        serve_locally=True,
        title="Journeymap",
        update_title="",
        index_string=layout.INDEX.replace("{frames}", templates),
        add_log_handler=False,
        suppress_callback_exceptions=False,
    )
    app.enable_dev_tools(debug=False)
    serve_when_wanted()
    for router in routers:
        server.include_router(router)
    app.init_app(server)
    app.layout = page_layout
    callbacks.register(app, read_model, clock, retry, change_customers)

    async def page(request: Request) -> Response:
        # Dash's middleware sets the request for its own paths only.
        held = set_current_request(request)  # type: ignore[no-untyped-call]  # dash leaves it untyped
        try:
            text = app.index()  # type: ignore[no-untyped-call]  # dash leaves it untyped
            return Response(content=text, media_type="text/html")
        finally:
            reset_current_request(held)  # type: ignore[no-untyped-call]  # dash leaves it untyped

    for path in ("/journey/{journey_id}", "/operations"):
        server.add_api_route(path, page, methods=["GET"], include_in_schema=False)
    # Dash does this at its first request; the hashes of its scripts are needed now.
    app._setup_server()  # type: ignore[no-untyped-call]  # noqa: SLF001  # dash leaves it untyped
    server.add_middleware(PageHeaders, policy=content_policy(app.csp_hashes()))
    server.add_middleware(Compressed)
    return app, server
