"""Liveness, readiness and the figures for Prometheus."""

from __future__ import annotations

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from journeymap.model.status import EventCounts, IngestStatus
from journeymap.model.time import MINUTE, SECOND
from journeymap.web.health import create_health_app, not_ready
from tests.web.asgi import Client

NOW = 1_700_000_000_000
WELL = IngestStatus(
    written_at=NOW,
    started_at=NOW - MINUTE,
    source="eventstreams",
    state="OPEN",
    since=NOW - MINUTE,
    counts=EventCounts(received=10, events=8, late=3),
    rejected={"not-json": 2},
    lag_ms=250,
    journeys=5,
    store_bytes=4_096,
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"state": "CONNECTING", "since": NOW - 59 * SECOND}, None),
        ({"lag_ms": 30_000}, None),
        ({"written_at": NOW - 6_000}, "ingest is not running, for 6 s"),
        (
            {"refused": True, "error": "invalid_client", "state": "DISCONNECTED"},
            "refuses access: invalid_client",
        ),
        (
            {"state": "CONNECTING", "since": NOW - 61 * SECOND, "error": "timed out"},
            "the source is not connected (CONNECTING): timed out, for 1 min 1 s",
        ),
        ({"reading_stopped": "the disk is nearly full"}, "reading is stopped: the disk is nearly full"),
        ({"lag_ms": 42_000}, "events are folded 42 s after they arrived"),
    ],
)
def test_reasons_not_to_be_ready(changes: dict[str, object], words: str | None) -> None:
    reasons = not_ready(msgspec.structs.replace(WELL, **changes), None, NOW)
    assert len(reasons) == (words is not None)
    if words:
        assert words in reasons[0]


def test_several_reasons_stand_together() -> None:
    assert len(not_ready(msgspec.structs.replace(WELL, lag_ms=42_000), "store: the disk is away", NOW)) == 2


class Site:
    def __init__(self) -> None:
        self.status: IngestStatus | None = WELL
        self.problem: str | None = None
        self.now = NOW
        app = create_health_app(lambda: self.status, lambda: self.problem, lambda: self.now)
        self.client = Client(app)

    def figures(self) -> dict[tuple[str, ...], float]:
        response = self.client.get("/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }


def test_health_and_readiness() -> None:
    site = Site()
    assert site.client.get("/healthz").json() == {"status": "alive"}
    assert site.client.get("/readyz").json() == {"status": "ready"}
    site.now += MINUTE
    response = site.client.get("/readyz")
    assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
    assert response.json()["reasons"] == ["ingest is not running, for 1 min"]
    assert site.client.get("/healthz").status_code == 200
    site.status, site.problem = None, "store: unreadable"
    assert site.client.get("/readyz").json()["reasons"] == ["store: unreadable"]


def test_nothing_else_is_served() -> None:
    client = Site().client
    for path in ("/", "/docs", "/redoc", "/openapi.json", "/api/v1/status"):
        assert client.get(path).status_code == 404


def test_requests_are_counted_by_the_pattern_of_their_path() -> None:
    site = Site()
    site.figures()
    assert site.figures()["journeymap_http_requests_total", "GET", "/metrics", "200"] == 1, "counted when answered"
    site.client.get("/no/such/path/1")
    site.client.request("BREW", "/no/such/path/2")
    found = site.figures()
    assert found["journeymap_http_requests_total", "GET", "other", "404"] == 1
    assert found["journeymap_http_requests_total", "other", "other", "404"] == 1


def test_two_applications_do_not_share_figures() -> None:
    one, other = Site(), Site()
    one.client.get("/healthz")
    assert ("journeymap_http_requests_total", "GET", "/healthz", "200") not in other.figures()
