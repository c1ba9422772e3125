"""The page's tree, its figures and its doors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from journeymap.export.palette import ASSETS
from journeymap.web import ids
from journeymap.web.app import create_app
from journeymap.web.components.table import THEME, create_grid
from journeymap.web.layout import create_layout
from tests.web.double import DoubleReadModel
from tests.web.tree import ids_in

NOW = 1_790_000_000_000
HOOKS = (
    ids.TIMELINE,
    ids.CONNECTION_STATE,
    ids.FILTER_CUSTOMER,
    ids.FILTER_CHANNEL,
    ids.FILTER_STATE,
    ids.PAUSE,
    ids.EXPORT_PNG,
    ids.EXPORT_SVG,
    ids.EXPORT_CSV,
    ids.JOURNEY_TABLE,
)


@pytest.fixture
def model() -> DoubleReadModel:
    return DoubleReadModel(30, clock=lambda: NOW)


def get(server: Any, *paths: str) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(server)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(ask())


def test_the_hooks_of_the_contract_are_on_the_page_once() -> None:
    present = ids_in(create_layout(time_zone=None, can_retry=True))
    assert [present.count(hook) for hook in HOOKS] == [1] * len(HOOKS)
    assert len(present) == len(set(present))


def test_try_again_stands_only_where_it_can_be_done() -> None:
    assert ids.NOTICE_RETRY in ids_in(create_layout(time_zone=None, can_retry=True))
    assert ids.NOTICE_RETRY not in ids_in(create_layout(time_zone=None, can_retry=False))
    assert "Try again" in str(create_layout(time_zone=None, can_retry=True))
    assert "Try again" not in str(create_layout(time_zone=None, can_retry=False))


def test_open_doors_are_the_page_and_nothing_else(model: DoubleReadModel) -> None:
    _, server = create_app(model, clock=lambda: NOW)
    wanted = (
        "/",
        "/journey/j-1",
        "/operations",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/nothing",
        "/assets/../pyproject.toml",
    )
    answers = get(server, *wanted)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 404, 404, 404, 404]
    for answer in answers:
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "http://" not in answers[0].text
    assert "https://" not in answers[0].text.replace("https://dash-version.plotly.com", "")


def test_files_are_compressed_and_asked_after(model: DoubleReadModel) -> None:
    _, server = create_app(model, clock=lambda: NOW)
    first, second = get(server, "/assets/wall/wall.mjs", "/assets/wall/wall.mjs")
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["cache-control"] == "no-cache"
    assert first.text.startswith("//")
    assert first.content == second.content


def test_a_file_that_did_not_change_costs_next_to_nothing(model: DoubleReadModel) -> None:
    _, server = create_app(model, clock=lambda: NOW)
    (first,) = get(server, path := "/assets/wall/wall.mjs")

    async def again() -> httpx.Response:
        headers = {"if-none-match": first.headers["etag"]}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    answer = asyncio.run(again())
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (304, b"", "no-cache")
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 150


def test_what_a_page_is_made_of_is_sent_compressed(model: DoubleReadModel) -> None:
    _, server = create_app(model, clock=model.clock)
    paths = ("/", "/operations", "/journey/j-1", "/_dash-layout", "/_dash-dependencies")
    for path, answer in zip(paths, get(server, *paths), strict=True):
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip", path
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) < len(answer.content) / 2
        assert answer.headers["cache-control"] == "no-store"
    (icon,) = get(server, "/_favicon.ico")
    assert icon.headers["cache-control"] == "max-age=86400"


def test_two_applications_share_nothing(model: DoubleReadModel) -> None:
    one, _ = create_app(model, clock=lambda: NOW)
    other, _ = create_app(DoubleReadModel(3), clock=lambda: NOW)
    assert one.callback_map is not other.callback_map
    assert set(one.callback_map) == set(other.callback_map)


def test_the_tables_scripts_are_served_but_not_loaded_with_the_page(model: DoubleReadModel) -> None:
    _, server = create_app(model, clock=lambda: NOW)
    folder = "/_dash-component-suites/dash_ag_grid"
    names = ("dash_ag_grid.min.js", "async-community.js", "async-enterprise.js")
    page, *scripts = get(server, "/", *(f"{folder}/{name}" for name in names))
    assert "dash_mantine_components" in page.text, "what the page shows at once is loaded at once"
    assert folder not in page.text
    assert [answer.status_code for answer in scripts[:2]] == [200, 200]
    assert scripts[2].status_code != 200, "features that cost money are not even there"


def test_the_grid_takes_its_looks_from_our_tokens() -> None:
    named = {value[4:-1] for value in map(str, THEME.values()) if value.startswith("var(")}
    tokens = (ASSETS / "tokens.css").read_text(encoding="utf-8")
    assert named
    assert [name for name in sorted(named) if f"{name}:" not in tokens] == []
    assert json.dumps(THEME) in create_grid().dashGridOptions["theme"]["function"]
