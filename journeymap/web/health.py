"""Whether the process lives, whether it is ready, and its figures: for orchestrators and for monitoring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response

from journeymap.model.status import IngestStatus
from journeymap.model.time import Millis
from journeymap.view.findings import findings
from journeymap.web.metrics import CONTENT_TYPE, HttpMetrics, Metrics
from journeymap.web.problems import ProblemRoute, problem

READING: Final = ["GET", "HEAD"]


def not_ready(status: IngestStatus | None, problem: str | None, now: Millis) -> list[str]:
    """Why the process is not ready, a sentence each; empty if it is. `problem` is what keeps it from reading the store."""
    return [finding.text(now) for finding in findings(status, problem, now) if finding.unready]


def create_health(
    status: Callable[[], IngestStatus | None],
    problem_of: Callable[[], str | None],
    clock: Callable[[], Millis],
    metrics: Metrics,
) -> APIRouter:
    """The routes `/healthz`, `/readyz` and `/metrics`. `status` and `problem_of` are looked up at each request and must
    not touch the disk."""
    router = APIRouter(route_class=ProblemRoute)

    async def healthz(_request: Request) -> Response:
        return Response(msgspec.json.encode({"status": "alive"}), media_type="application/json")

    async def readyz(_request: Request) -> Response:
        reasons = not_ready(status(), problem_of(), clock())
        if reasons:
            return problem(503, "; ".join(reasons), reasons=reasons)
        return Response(msgspec.json.encode({"status": "ready"}), media_type="application/json")

    async def figures(_request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", figures)):
        router.add_api_route(path, endpoint, methods=READING, include_in_schema=False)
    return router


def create_health_app(
    status: Callable[[], IngestStatus | None],
    problem_of: Callable[[], str | None],
    clock: Callable[[], Millis],
    routers: tuple[APIRouter, ...] = (),
) -> FastAPI:
    """A small application for a headless `ingest`: the three health routes, and `routers` beside them."""
    metrics = Metrics(status, clock)
    app = FastAPI(title="Journeymap ingest", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(create_health(status, problem_of, clock, metrics))
    for router in routers:
        app.include_router(router)
    app.add_middleware(HttpMetrics, metrics=metrics)
    return app
