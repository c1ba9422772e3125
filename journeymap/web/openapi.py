"""The description of the HTTP interface (OpenAPI 3.1), by hand, with schemas taken from the values themselves."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from journeymap import __version__
from journeymap.export.caption import LEAST_WIDTH, LONGEST_TITLE, MOST_WIDTH, WIDTH
from journeymap.export.formats import FORMS
from journeymap.export.palette import THEMES
from journeymap.export.picture import LEAST_SCALE, MOST_SCALE
from journeymap.export.selection import CHOSEN
from journeymap.model.journey import State
from journeymap.model.status import ConnectionChange, EventCounts, Gap, IngestStatus, Quarantined
from journeymap.readmodel.stored import STORED_SORTS
from journeymap.view.document import EventDocument, JourneyHead
from journeymap.view.filters import MAX_TEXT
from journeymap.view.flags import Flag
from journeymap.view.question import MAX_PINNED
from journeymap.view.sorting import GROUPS, TURNED
from journeymap.view.sorting import SORTS as WALL_SORTS
from journeymap.web.ingest import PATH as INGEST_PATH
from journeymap.web.ingest import ingest_operation, ingest_security
from journeymap.web.listing import DEFAULT_LIMIT, DEFAULT_SORT, MAX_LIMIT, SORTS, Page
from journeymap.web.problems import MEDIA_TYPE

JOURNEYS_PATH: Final = "/api/v1/journeys"
JOURNEY_PATH: Final = "/api/v1/journeys/{journey_id}"
STATUS_PATH: Final = "/api/v1/status"
QUARANTINE_PATH: Final = "/api/v1/quarantine"
EXPORTS_PATH: Final = "/export/journeys.{form}"
EXPORT_PATH: Final = "/export/journey/{journey_id}.{form}"
OPENAPI_PATH: Final = "/api/v1/openapi.json"

_MOMENT: Final = {"type": "string", "description": "milliseconds since 1970, or ISO 8601 (UTC where no zone is named)"}
_LENGTH: Final = {"type": "string", "description": "such as `90s`, `5m`, `2h`, `1d`, or milliseconds"}


def api_openapi() -> dict[str, Any]:
    """The description of all that is under `/api/v1`, `/export` and `/ingest`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Journeymap",
            "version": __version__,
            "description": "Customers' journeys across every channel. All times are milliseconds since 1970, UTC.",
        },
        "paths": {
            JOURNEYS_PATH: {"get": _list_operation()},
            JOURNEY_PATH: {"get": _journey_operation()},
            EXPORTS_PATH: {
                "get": _export_operation(
                    "All journeys that meet all the conditions, or those named by their ids, as a file",
                    "exportJourneys",
                    [
                        *_filters(),
                        _parameter(
                            "sort", {"type": "string", "enum": _export_sorts(), "default": DEFAULT_SORT}, "the order"
                        ),
                        _parameter(
                            "journey",
                            {**_texts(), "maxItems": CHOSEN},
                            "these journeys, in this order; then only `from` and `to` of the filters may be given",
                            repeatable=True,
                        ),
                        *_arrangement(),
                    ],
                )
            },
            EXPORT_PATH: {
                "get": _export_operation(
                    "One journey as a file",
                    "exportJourney",
                    [
                        _in_path("journey_id", "its id, or one that it had before"),
                        _parameter("from", _MOMENT, "where the chart begins"),
                        _parameter("to", _MOMENT, "where the chart ends"),
                    ],
                )
            },
            STATUS_PATH: {
                "get": {
                    "operationId": "getStatus",
                    "summary": "How the ingest side stands",
                    "responses": {"200": _json("The status", _reference("Status")), "503": _problem()},
                }
            },
            QUARANTINE_PATH: {
                "get": {
                    "operationId": "getQuarantine",
                    "summary": "What was received and cannot be used: the last of each reason, latest first",
                    "responses": {"200": _json("The quarantine", _reference("Quarantine")), "503": _problem()},
                }
            },
            OPENAPI_PATH: {
                "get": {
                    "operationId": "getDescription",
                    "summary": "This description",
                    "responses": {"200": _json("An OpenAPI document", {"type": "object"})},
                }
            },
            INGEST_PATH: {"post": ingest_operation()},
        },
        "components": {"schemas": _schemas(), "securitySchemes": ingest_security()},
    }


def _list_operation() -> dict[str, Any]:
    return {
        "operationId": "listJourneys",
        "summary": "Journeys that meet all the conditions, over all that is stored, as of the last checkpoint",
        "description": "A page may be short, even empty, and still have a `next`: go on until it is null. Texts and names are "
        "compared in any letter case; those of interactions, in the latest 16 of a journey.",
        "parameters": [
            *_filters(),
            _parameter("sort", {"type": "string", "enum": list(SORTS), "default": DEFAULT_SORT}, "the order"),
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                "how many at most",
            ),
            _parameter("cursor", {"type": "string"}, "the `next` of the page before, with all else unchanged"),
        ],
        "responses": {"200": _json("A page of journeys", _reference("Page")), "400": _problem(), "503": _problem()},
    }


def _filters() -> list[dict[str, Any]]:
    return [
        _parameter(
            "q",
            {"type": "string", "maxLength": MAX_TEXT},
            "a part of the customer id, the journey's id, an interaction's id, or the name of a queue or an agent",
        ),
        _parameter("customer", {"type": "string", "maxLength": MAX_TEXT}, "a part of the customer id"),
        _parameter("channel", _texts(), "any of these channels occurs", repeatable=True),
        _parameter("state", _texts(State), "reads as one of these", repeatable=True),
        _parameter("queue", _texts(), "an interaction was last in a queue of one of these names", repeatable=True),
        _parameter("agent", _texts(), "one of these agents was the last of an interaction", repeatable=True),
        _parameter("disposition", _texts(), "an interaction has one of these", repeatable=True),
        _parameter("direction", _texts(), "an interaction is `inbound` or `outbound`", repeatable=True),
        _parameter("flag", _texts(Flag), "has one of these flags", repeatable=True),
        _parameter("min_duration", _LENGTH, "from its start to its last activity at least"),
        _parameter("max_duration", _LENGTH, "from its start to its last activity at most"),
        _parameter("min_transfers", {"type": "integer", "minimum": 0}, "was handed over so many times or more"),
        _parameter("from", _MOMENT, "active at this time or later"),
        _parameter("to", _MOMENT, "active before this time"),
    ]


def _export_operation(what: str, name: str, first: list[dict[str, Any]]) -> dict[str, Any]:
    form = {**_in_path("form", "the form"), "schema": {"type": "string", "enum": list(FORMS)}}
    scale = {"type": "number", "minimum": LEAST_SCALE, "maximum": MOST_SCALE, "default": 1}
    width = {"type": "integer", "minimum": LEAST_WIDTH, "maximum": MOST_WIDTH, "default": WIDTH}
    media = {each.media_type.partition(";")[0]: {"schema": {"type": "string"}} for each in FORMS.values()}
    return {
        "operationId": name,
        "summary": what,
        "description": "A chart (png, svg, pdf, html), data (csv, json, jsonl, parquet) or an incident packet (zip), as a file.",
        "parameters": [
            form,
            *first,
            _parameter("theme", {"type": "string", "enum": list(THEMES), "default": THEMES[0]}, "colours of a chart"),
            _parameter("scale", scale, "size of a picture"),
            _parameter("width", width, "pixels of a chart at scale 1"),
            _parameter("time_zone", {"type": "string"}, "zone of the times on a chart, such as Europe/Vienna"),
            _parameter("title", {"type": "string", "maxLength": LONGEST_TITLE}, "a chart's title"),
            _parameter(
                "window",
                {"type": "string"},
                "the time that a chart shows, `FROM/TO`, where it is not that of the filter",
            ),
            _parameter(
                "fold",
                {"type": "string", "enum": ["yes", "no"], "default": "yes"},
                "whether idle stretches of a single journey's chart are folded",
            ),
        ],
        "responses": {
            "200": {"description": "The file", "content": media},
            **{status: _problem() for status in ("400", "404", "429", "503")},
        },
    }


def _export_sorts() -> list[str]:
    walls = [f"{turned}{name}" for name in WALL_SORTS for turned in ("", TURNED)]
    return list(dict.fromkeys([*STORED_SORTS, *walls]))


def _arrangement() -> list[dict[str, Any]]:
    pinned = {**_texts(), "maxItems": MAX_PINNED}
    return [
        _parameter("group", {"type": "string", "enum": list(GROUPS)}, "what a chart's rows are grouped by"),
        _parameter("pinned", pinned, "these journeys on top of a chart, whether they match or not", repeatable=True),
    ]


def _in_path(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


def _journey_operation() -> dict[str, Any]:
    return {
        "operationId": "getJourney",
        "summary": "One journey with all its interactions, transfers and events",
        "parameters": [
            _in_path("journey_id", "its id, or one that it had before; the answer names the id it has now"),
        ],
        "responses": {
            "200": _json("The journey", _reference("Journey")),
            "304": {"description": "Nothing happened since the answer whose ETag was sent"},
            "404": _problem(),
            "503": _problem(),
        },
    }


def _schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(
        (Page, JourneyHead, EventDocument, IngestStatus, EventCounts, Gap, ConnectionChange, Quarantined),
        ref_template="#/components/schemas/{name}",
    )
    journey = schemas.pop("JourneyHead")
    journey["title"] = "Journey"
    journey["properties"]["events"] = {"type": "array", "items": _reference("EventDocument")}
    journey["required"].append("events")
    journey["properties"]["names"] = {"type": "object", "additionalProperties": {"type": "string"}}
    schemas["EventDocument"]["additionalProperties"] = True
    status = schemas.pop("IngestStatus")
    del status["properties"]["pid"]
    status["title"] = "Status"
    status["properties"] = {
        "now": {"type": "integer"},
        "version": {"type": "integer"},
        "ingest_running": {"type": "boolean"},
        **status["properties"],
        "gaps": {"type": "array", "items": _reference("Gap")},
        "connections": {"type": "array", "items": _reference("ConnectionChange")},
    }
    status["required"] = list(status["properties"])
    problem = {
        "title": "Problem",
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    }
    entries = {"type": "array", "items": _reference("Quarantined")}
    quarantine = {
        "title": "Quarantine",
        "type": "object",
        "properties": {"quarantine": entries},
        "required": ["quarantine"],
    }
    return {**schemas, "Journey": journey, "Status": status, "Quarantine": quarantine, "Problem": problem}


def _parameter(name: str, schema: dict[str, Any], description: str, *, repeatable: bool = False) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "description": description, "schema": schema}
    return {**parameter, "style": "form", "explode": True} if repeatable else parameter


def _texts(allowed: type[StrEnum] | None = None) -> dict[str, Any]:
    one = {"type": "string", "enum": [each.value for each in allowed]} if allowed else {"type": "string"}
    return {"type": "array", "items": one}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem() -> dict[str, Any]:
    return {"description": "What is wrong", "content": {MEDIA_TYPE: {"schema": _reference("Problem")}}}
