"""The HTTP interface under `/api/v1` (docs/http.md)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from journeymap.model.status import IngestStatus
from journeymap.model.time import Millis
from journeymap.readmodel.answer import in_short
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.reading import ClockReading
from journeymap.store.base import StoreReader
from journeymap.view.document import document
from journeymap.view.masking import Viewer
from journeymap.web.listing import list_journeys, parse_listing
from journeymap.web.openapi import JOURNEY_PATH, JOURNEYS_PATH, OPENAPI_PATH, QUARANTINE_PATH, STATUS_PATH, api_openapi
from journeymap.web.problems import ProblemRoute, problem
from journeymap.web.viewing import show_document, show_quarantine, show_summaries

JSON: Final = "application/json"
READING: Final = ["GET", "HEAD"]
OTHER_METHODS: Final = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

ViewerOf = Callable[[Request], Viewer]


def create_api(model: ReadModel, store: StoreReader, clock: Callable[[], Millis], viewer_of: ViewerOf) -> APIRouter:
    """The routes under `/api`, to be included in an application that serves nothing else there.

    `viewer_of` says who asks. Whatever reads the disk runs in a worker thread.
    """
    router = APIRouter(route_class=ProblemRoute)
    description = msgspec.json.encode(api_openapi())

    async def journeys(request: Request) -> Response:
        listing = parse_listing(request.query_params.multi_items(), viewer_of(request))
        page = await asyncio.to_thread(list_journeys, store, listing, clock(), model.timeouts, model.names)
        shown = msgspec.structs.replace(page, journeys=show_summaries(page.journeys, viewer_of(request)))
        return Response(msgspec.json.encode(shown), media_type=JSON)

    async def journey(request: Request) -> Response:
        journey_id = request.path_params["journey_id"]
        reading = ClockReading(clock(), model.timeouts)
        text = await asyncio.to_thread(_document, model, journey_id, reading)
        if text is None:
            return problem(404, f"no journey has the id {journey_id[:80]!r}, and none was joined from it")
        viewer = viewer_of(request)
        tag = _tag(text, reading.now, viewer)
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"etag": tag})
        return Response(show_document(text, viewer), media_type=JSON, headers={"etag": tag})

    async def status(_request: Request) -> Response:
        return Response(msgspec.json.encode(_status(model, clock())), media_type=JSON)

    async def quarantine(request: Request) -> Response:
        shown = show_quarantine(model.quarantine(), viewer_of(request))
        return Response(msgspec.json.encode({"quarantine": shown}), media_type=JSON)

    async def openapi(_request: Request) -> Response:
        return Response(description, media_type=JSON)

    async def not_allowed(request: Request) -> Response:
        return problem(405, f"{request.method} is not possible here", {"allow": ", ".join(READING)})

    async def not_found(request: Request) -> Response:
        return problem(404, f"there is nothing at {request.url.path[:80]!r}; {OPENAPI_PATH} lists what there is")

    for path, endpoint in (
        (JOURNEYS_PATH, journeys),
        (JOURNEY_PATH, journey),
        (STATUS_PATH, status),
        (QUARANTINE_PATH, quarantine),
        (OPENAPI_PATH, openapi),
    ):
        router.add_api_route(path, endpoint, methods=READING, include_in_schema=False)
        router.add_api_route(path, not_allowed, methods=OTHER_METHODS, include_in_schema=False)
    router.add_api_route("/api/{rest:path}", not_found, methods=READING + OTHER_METHODS, include_in_schema=False)
    return router


def _document(model: ReadModel, journey_id: str, reading: ClockReading) -> bytes | None:
    journey = model.detail(journey_id)
    return None if journey is None else document(journey, reading, model.names)


def _tag(text: bytes, now: Millis, viewer: Viewer) -> str:
    # Weak: it says that nothing happened since, although `as_of`, the one thing that always differs, is another.
    same = text.replace(b'"as_of":%d,' % now, b"", 1)
    return f'W/"{hashlib.blake2b(same, digest_size=12).hexdigest()}{int(viewer.sees_identifiers)}"'


def _status(model: ReadModel, now: Millis) -> dict[str, Any]:
    """What ingest says of itself as the outside sees it: with the version and the clock here, without process ids."""
    status = model.status()
    short = in_short(status, model.problem, now)
    told: dict[str, Any] = msgspec.to_builtins(status or IngestStatus())
    del told["pid"]
    return {
        "now": now,
        "version": model.version,
        "ingest_running": short.ingest_running,
        **told,
        "state": short.state,
        "since": short.since,
        "error": short.error,
        "gaps": model.gaps(now),
        "connections": model.connections(),
    }
