"""A browser for this folder only (its event loop would stand in other tests' way), and a server for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from journeymap.web.exporting import create_exports
from tests.web.double import DoubleReadModel, wall_clock
from tests.web.served import Served

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000
"""What a page may take on a machine that has much else to do. No test expects to wait so long."""
TEST_PATIENCE_S = 300
"""And what a whole test may take there, unless it says so itself."""
MISSING = "no browser found: install Debian's `chromium` (or set CHROMIUM to the path of a Chromium or Chrome)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder has the patience of it."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_PATIENCE_S))


def browser_path() -> str:
    """Where the browser is. Fails, never skips: a page that nobody looked at is not tested."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = browser_path()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    served: list[Served] = []

    def start(
        journeys: int = 60, events_per_second: float = 0, *, clock: Callable[[], int] = wall_clock, **options: Any
    ) -> Served:
        model = DoubleReadModel(journeys, clock=clock)
        if events_per_second:
            model.run(events_per_second)
        exports = create_exports(model.model, model.store, clock, lambda _: model.viewer)
        served.append(Served(model, **{**options, "routers": [*options.get("routers", ()), exports]}))
        return served[-1]

    yield start
    for each in served:
        each.close()
        each.read_model.stop()


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens an address and waits for the first painted rows. Errors in the page fail the test."""
    errors: list[str] = []

    def open_page(url: str, *, rows: int = 1, context: BrowserContext = context) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        if rows:
            page.wait_for_function("count => Number(document.body.dataset.rows) >= count", arg=rows)
        return page

    yield open_page
    assert not errors
