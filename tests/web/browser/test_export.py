"""Files that the page hands over, made by the server of all that matches."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Locator, Page, expect

from journeymap.model.time import MINUTE
from journeymap.testing import event
from tests.web.double import wall_clock
from tests.web.served import Served
from tests.web.stitched import Stitched

Serve = Callable[..., Served]
Visit = Callable[..., Page]
FILE_MS = 100_000
"""Drawing hundreds of rows takes some seconds, on a machine that has nothing else to do."""
PHONE = "+44 20 7946 0018"
NAMED = re.compile(r"journeymap-\d{8}-\d{6}\.(\w+)")
WIDTH = 1440
SVG = "{http://www.w3.org/2000/svg}"
WALL = """() => [...document.querySelectorAll('.group-heading:not([hidden]) .group-name, .row-head:not([hidden]) .row-customer')]
  .map((name) => [name.getBoundingClientRect().top, name.textContent])
  .sort(([one], [other]) => one - other).map(([, name]) => name)"""


def saved(page: Page, button: Locator) -> tuple[str, bytes]:
    """Name and content of the file that a click on `button` hands over."""
    with page.expect_download(timeout=FILE_MS) as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def from_menu(page: Page, form: str) -> tuple[str, bytes]:
    page.locator("#export-menu").click()
    return saved(page, page.locator(f"#export-menu-panel [data-form={form}]"))


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def names_in(svg: bytes) -> list[str]:
    """Customers of rows and names of groups, from top to bottom."""
    found = []
    for part in ET.fromstring(svg).iter(f"{SVG}g"):
        if part.get("class") in {"row", "heading"}:
            top = float(re.findall(r"[\d.]+", part.get("transform", ""))[1])
            found += [(top, text.text or "") for text in part.iter(f"{SVG}text") if text.get("class") in {"b", "bb"}]
    return [name for _, name in sorted(found)]


def test_the_buttons_hand_over_all_that_matches(serve: Serve, visit: Visit) -> None:
    served = serve(700)
    served.read_model.add("=1+1")
    served.read_model.add(PHONE)
    page = visit(served.url, rows=10)
    expect(page.locator("#counts")).to_have_text("All 702 journeys")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    name, png = saved(page, page.locator("#export-png"))
    assert NAMED.fullmatch(name), name
    width, height = size(png)
    assert width == WIDTH
    assert height > 702 * 28, "a row each, also of those that are not on the screen"
    expect(page.locator("#said")).to_have_text(f"{name} is saved.")

    name, data = saved(page, page.locator("#export-csv"))
    assert name.endswith(".csv")
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    stories = served.read_model.stories.values()
    assert {line["journey_id"] for line in lines} == {story.journey_id for story in stories}
    assert len(lines) == sum(len(one["segments"]) for story in stories for one in story.interactions)
    assert "'=1+1" in {line["customer_id"] for line in lines}, "a spreadsheet runs nothing"

    page.locator("#filter-customer").fill("20 7946 0018")
    expect(page.locator("#counts")).to_have_text("1 of 702 match")
    name, svg = saved(page, page.locator("#export-svg"))
    assert name.endswith(".svg")
    text = svg.decode()
    assert PHONE in text
    assert "cust-00011" not in text
    assert "20 7946 0018”" in text, "the picture says what it is of"
    assert page.evaluate("() => Intl.DateTimeFormat().resolvedOptions().timeZone") in text
    assert [url for url in asked if "/export/" in url] == [
        f"{served.url}/export/journeys.{form}" for form in ("png", "csv", "svg")
    ]
    assert not any("7946" in url for url in asked), "no number in an address"


def test_the_menu_offers_every_form_and_size(serve: Serve, visit: Visit) -> None:
    served = serve(30)
    closed = next(story for story in served.read_model.stories.values() if story.state == "CLOSED")
    page = visit(f"{served.url}/?state=ACTIVE&group=queue&sort=customer&pinned={closed.journey_id}", rows=1)
    expect(page.locator("#counts")).to_contain_text("of 30 match")
    wall = page.evaluate(WALL)
    assert wall[0] == closed.customer
    assert len([name for name in wall if not name.startswith("cust")]) > 1, "groups"
    active = {story.journey_id for story in served.read_model.stories.values() if story.state == "ACTIVE"}
    sizes = []
    for scale in (1, 2, 3, 4):
        page.locator("#export-menu").click()
        _, png = saved(page, page.get_by_role("button", name=f"PNG, {scale} times the size"))
        sizes.append(size(png))
    assert sizes == [(scale * sizes[0][0], scale * sizes[0][1]) for scale in (1, 2, 3, 4)]
    assert sizes[0][0] == WIDTH

    name, data = from_menu(page, "parquet")
    assert name.endswith(".parquet")
    assert set(pq.read_table(io.BytesIO(data))["journey_id"].to_pylist()) == active
    for form, begin in (
        ("svg", b"<svg"),
        ("pdf", b"%PDF-"),
        ("html", b"<!doctype html>"),
        ("csv", b"\xef\xbb\xbfcustomer_id,"),
    ):
        name, data = from_menu(page, form)
        assert NAMED.fullmatch(name), name
        assert name.endswith(f".{form}")
        assert data.startswith(begin), data[:20]
        if form == "svg":
            assert names_in(data) == wall, "sorted, grouped and pinned as on the wall"
    page.locator(".row-head.pinned .row-pin").click()
    page.locator("#export-menu").click()
    expect(page.locator("#export-menu-panel [data-form]")).to_have_count(8)
    expect(page.locator("#export-menu-panel [data-form=chosen]")).to_have_count(0)


@pytest.fixture
def stitched() -> Iterator[Served]:
    """Three customers whose journeys were stitched from events: data and packets have those in them."""
    now = wall_clock()
    model = Stitched(wall_clock)
    for number, customer in enumerate(("cust-1", "cust-2", PHONE)):
        about: dict[str, Any] = {"customerId": customer, "channelType": ("voice", "chat")[number % 2]}
        at = now - (9 - number) * MINUTE
        model.apply(
            event("interaction.created", at, f"i{number}", event_id=f"{number}a", queueName="Billing", **about),
            event("conversation.started", at + MINUTE, f"i{number}", event_id=f"{number}b", **about),
        )
    served = Served(model, routers=[model.exports])
    yield served
    served.close()


def test_data_and_packets_have_the_events_in_them(stitched: Served, visit: Visit) -> None:
    model: Stitched = stitched.read_model
    first, second, third = (model.journey_of(customer) for customer in ("cust-1", "cust-2", PHONE))
    page = visit(f"{stitched.url}/?pinned={second}", rows=3)

    def packed(packet: tuple[str, bytes]) -> tuple[str, set[str], list[str]]:
        """The file's name, the names of what is in it, the ids of the events."""
        name, data = packet
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            folder = {inner.partition("/")[0] for inner in files.namelist()}
            assert len(folder) == 1
            events = files.read(f"{folder.pop()}/events.ndjson").splitlines()
            names = {inner.partition("/")[2] for inner in files.namelist()}
        return name, names, [json.loads(line)["event_id"] for line in events]

    name, data = from_menu(page, "json")
    assert name.endswith(".json")
    assert [journey["journey_id"] for journey in json.loads(data)] == [third, second, first]
    name, data = from_menu(page, "jsonl")
    assert name.endswith(".jsonl")
    assert [json.loads(line)["customer_id"] for line in data.splitlines()] == [PHONE, "cust-2", "cust-1"]
    name, names, events = packed(from_menu(page, "zip"))
    assert NAMED.fullmatch(name), name
    assert {"summary.md", "chart.svg", "chart.png", "journeys.json", "events.ndjson"} <= names
    assert len(events) == 6

    # The only one that is pinned; then that and the one that is selected, whatever the filters.
    name, _, events = packed(from_menu(page, "chosen"))
    assert second in name
    assert events == ["1a", "1b"]
    page.locator(".row-customer", has_text="cust-1").click()
    drawer = page.locator("#drawer")
    expect(drawer.locator(".drawer-customer")).to_have_text("cust-1")
    name, _, events = packed(saved(page, drawer.get_by_role("link", name="Packet")))
    assert first in name
    assert events == ["0a", "0b"]
    page.locator("#filter-customer").fill("7946 0018")
    expect(page.locator("#counts")).to_have_text("1 of 3 match")
    name, names, events = packed(from_menu(page, "chosen"))
    assert NAMED.fullmatch(name), name
    assert {f"charts/{first}.svg", f"charts/{second}.svg"} <= names
    assert sorted(events) == ["0a", "0b", "1a", "1b"]

    # The journey's own page: the chart in its theme and the viewer's time zone, and the data.
    page.goto(f"{stitched.url}/journey/{first}")
    files = page.locator(".journey-files")
    for form, begin in (("svg", b"<svg"), ("json", b"{"), ("parquet", b"PAR1")):
        files.locator("summary").click()
        with page.expect_download(timeout=FILE_MS) as waiting:
            files.locator(f"[data-form={form}]").click()
        assert first in waiting.value.suggested_filename
        data = Path(waiting.value.path()).read_bytes()
        assert data.startswith(begin), data[:20]
        query = parse_qs(urlsplit(waiting.value.url).query)
        assert query == {
            "theme": ["light"],
            "time_zone": [page.evaluate("() => Intl.DateTimeFormat().resolvedOptions().timeZone")],
        }
