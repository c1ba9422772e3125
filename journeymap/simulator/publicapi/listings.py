"""Lists in pages, as the public APIs give them, and the routes of what an organisation has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from journeymap.simulator.answers import json_answer
from journeymap.simulator.publicapi.conventions import Conventions, bad_request, not_found
from journeymap.simulator.publicapi.organisation import ORGANISATION_ID, Listed, Organisation

_USUAL: Final = 25
LARGEST_PAGE: Final = 500


def number_in(request: Request, name: str, default: int, most: int) -> int:
    """A number from 1 to `most` in the query. Raises RefusedError."""
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_request(f"{name} is {text}, allowed are 1 to {most}", "invalid.value")
    return int(text)


def paged(request: Request, entities: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One page of these, and where the others are."""
    size = number_in(request, "pageSize", _USUAL, LARGEST_PAGE)
    number = number_in(request, "pageNumber", 1, 10_000_000)
    count = -(-len(entities) // size)
    answer: dict[str, Any] = {
        "entities": list(entities[(number - 1) * size : number * size]),
        "pageSize": size,
        "pageNumber": number,
        "total": len(entities),
        "pageCount": count,
    }
    links = {"selfUri": number, "firstUri": 1, "lastUri": max(1, count)}
    if number < count:
        links["nextUri"] = number + 1
    if number > 1:
        links["previousUri"] = number - 1
    others = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("pageSize", "pageNumber")
    ]
    for name, page in links.items():
        answer[name] = f"{request.url.path}?{urlencode([('pageSize', size), ('pageNumber', page), *others])}"
    return answer


def routes(conventions: Conventions, organisation: Organisation) -> list[Route]:
    """Queues, users, wrap-up codes and flows: in pages and by id."""

    def listing(path: str, what: str, listed: Callable[[], Listed], permission: str) -> list[Route]:
        async def several(request: Request, _: str) -> Response:
            return json_answer(paged(request, _chosen(request, listed().entities)))

        async def one(request: Request, _: str) -> Response:
            name = request.path_params["entity_id"]
            found = listed().by_id.get(name)
            if found is None:
                raise not_found(what, name)
            return json_answer(found)

        return [
            conventions.route("GET", path, several, permission),
            conventions.route("GET", path + "/{entity_id}", one, permission),
        ]

    async def me(_: Request, __: str) -> Response:
        raise bad_request(
            "This request requires a user context. Client credentials cannot be used for it.", "not.authorized"
        )

    async def organisation_me(_: Request, __: str) -> Response:
        return json_answer({"id": ORGANISATION_ID, "name": "Simulated Contact Centre", "state": "active"})

    return [
        conventions.route("GET", "/api/v2/users/me", me),
        conventions.route("GET", "/api/v2/organizations/me", organisation_me),
        *listing("/api/v2/routing/queues", "queue", lambda: organisation.queues, "routing:queue:view"),
        *listing(
            "/api/v2/routing/wrapupcodes", "wrap-up code", lambda: organisation.wrapup_codes, "routing:wrapupCode:view"
        ),
        *listing("/api/v2/users", "user", lambda: organisation.users, "directory:user:view"),
        *listing("/api/v2/flows", "flow", lambda: organisation.flows, "architect:flow:view"),
    ]


def _chosen(request: Request, entities: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Those that the query's `id`, `name` (with * for anything) and `type` ask for."""
    given = request.query_params
    wanted = {name for text in given.getlist("id") for name in text.split(",")}
    if wanted:
        entities = [entity for entity in entities if entity["id"] in wanted]
    if given.get("name"):
        pattern = given["name"].lower()
        entities = [entity for entity in entities if fnmatchcase(str(entity["name"]).lower(), pattern)]
    if given.get("type"):
        kinds = {kind for text in given.getlist("type") for kind in text.upper().split(",")}
        entities = [entity for entity in entities if entity.get("type") in kinds]
    return entities if given.get("sortOrder", "asc").lower().startswith("asc") else entities[::-1]
