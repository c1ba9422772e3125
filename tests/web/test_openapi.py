"""The description of the HTTP interface, against what it answers."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from journeymap.model.status import ConnectionChange, Gap, IngestStatus, Quarantined, SourceReport
from journeymap.source.door import Door
from journeymap.source.envelopes import frame_of_post
from journeymap.view.masking import Viewer
from journeymap.web import listing
from journeymap.web.api import create_api
from journeymap.web.exporting import create_exports
from journeymap.web.ingest import create_ingest
from journeymap.web.openapi import api_openapi
from tests.web.site import Site


def check_schema(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> None:
    """Enough of JSON Schema for the schemas that are used here; an unknown keyword fails."""
    if "$ref" in schema:
        check_schema(value, schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, where)
        return
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            try:
                check_schema(value, each, schemas, where)
            except AssertionError:
                continue
            return
        pytest.fail(f"{where} is none of {schema['anyOf']}")
    known = {"title", "description", "default", "type", "properties", "required", "items", "additionalProperties"}
    assert schema.keys() <= known, where
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if schema["type"] == "null":
        assert value is None, where
        return
    assert isinstance(value, kinds[schema["type"]]), where  # type: ignore[arg-type]
    if schema["type"] == "array":
        for each in value:
            check_schema(each, schema["items"], schemas, f"{where}[]")
    elif schema["type"] == "object":
        properties = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value), where
        if not schema.get("additionalProperties"):
            assert set(value) <= set(properties), where
        for name in value.keys() & properties.keys():
            check_schema(value[name], properties[name], schemas, f"{where}.{name}")


def test_answers_are_what_the_description_says(site: Site) -> None:
    described = site.get("/api/v1/openapi.json")
    schemas = described["components"]["schemas"]
    told = {
        "gaps": [Gap("s", "stopped", 1)],
        "connections": [ConnectionChange(1, "s", "OPEN")],
        "quarantine": [Quarantined("not-json", 1, 1)],
        "status": IngestStatus(sources=[SourceReport(name="s")]),
    }
    site.store.write_documents({name: msgspec.json.encode(document) for name, document in told.items()})
    site.model.poll()
    journey_id = site.get("/api/v1/journeys?limit=1")["journeys"][0]["journey_id"]
    paths = {path: "" for path in described["paths"] if path.startswith("/api/") and path != "/api/v1/openapi.json"}
    paths["/api/v1/journeys/{journey_id}"] = f"/{journey_id}"
    for path, tail in paths.items():
        schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        check_schema(site.get(path.removesuffix("/{journey_id}") + tail), schema, schemas, path)
    check_schema(site.get("/api/v1/journeys/none", 404), schemas["Problem"], schemas, "problem")
    status = schemas["Status"]["properties"].keys()
    assert status >= {"counts", "store_bytes", "lag_ms", "token_expires_at", "subscription_id"}


def test_the_description_is_valid_openapi_and_describes_exactly_what_is_there(site: Site) -> None:
    described = api_openapi()
    assert described == site.get("/api/v1/openapi.json")
    assert described["openapi"] == "3.1.0"
    assert described["info"].keys() >= {"title", "version"}
    router = create_api(site.model, site.store, site.clock.now, lambda _request: Viewer())
    exports = create_exports(site.model, site.store, site.clock.now, lambda _request: Viewer())
    door = Door(site.clock.now)
    posting = create_ingest(door, "key", frame_of_post, posts_per_second=1)
    routes = [*router.routes, *exports.routes]
    reading = {route.path for route in routes if "GET" in route.methods}  # type: ignore[attr-defined]
    assert set(described["paths"]) == (reading | {posting.routes[0].path}) - {"/api/{rest:path}", "/export/{rest:path}"}
    names: set[str] = set()
    for path, item in described["paths"].items():
        ((method, operation),) = item.items()
        assert method == ("post" if path.startswith("/ingest/") else "get")
        names.add(operation["operationId"])
        assert operation["summary"]
        in_path = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        for parameter in operation.get("parameters", []):
            assert parameter.keys() <= {"name", "in", "required", "description", "schema", "style", "explode"}
            assert parameter["in"] == "query" or parameter["required"] is True
        for code, response in operation["responses"].items():
            assert code.isdecimal()
            assert response["description"]
            assert response.keys() <= {"description", "content"}
    assert len(names) == len(described["paths"])
    listed = {each["name"] for each in described["paths"]["/api/v1/journeys"]["get"]["parameters"]}
    assert listed == set(listing._NAMES)
    text = json.dumps(described)
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in described["components"]["schemas"]
    used = {name for name in described["components"]["schemas"] if f'schemas/{name}"' in text}
    assert used == set(described["components"]["schemas"])
