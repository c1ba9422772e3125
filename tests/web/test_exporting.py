"""Exports over HTTP, asked as any client would."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from journeymap.model.row import JourneyRow
from journeymap.model.time import MINUTE
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.shelf import fold_record
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit
from journeymap.store.memory import MemoryStore
from journeymap.testing import DictShelf, ManualClock, event
from journeymap.view.masking import Viewer
from journeymap.web import exporting
from journeymap.web.exporting import create_exports
from tests.web.asgi import Client

START = 1_700_000_000_000
PHONE = "+4915112345678"
OPTIONS = StitchOptions()


class Site:
    """An application with the exports over a store in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock(START + 10 * MINUTE)
        self.store = MemoryStore()
        self.viewer = Viewer()
        model = ReadModel(
            self.store, self.clock.now, Timeouts(), lambda record, raws: fold_record(record, raws, OPTIONS)
        )
        self.app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        self.app.include_router(
            create_exports(model, self.store, self.clock.now, lambda _: self.viewer, time_zone="Europe/Berlin")
        )
        self.client = Client(self.app)
        events = []
        for number, customer in enumerate(("cust-1", "cust-2", PHONE)):
            about: dict[str, Any] = {"customerId": customer, "channelType": ("voice", "chat")[number % 2]}
            at = START + number * MINUTE
            events += [
                event("interaction.created", at, f"i{number}", event_id=f"{number}a", queueName="Billing", **about),
                event("conversation.started", at + MINUTE, f"i{number}", event_id=f"{number}b", **about),
                event("conversation.ended", at + 2 * MINUTE, f"i{number}", event_id=f"{number}c", **about),
            ]
        stitcher = Stitcher(OPTIONS, DictShelf())
        stitcher.apply(events)
        now = self.clock.now()
        self.store.commit(Commit(now, stitcher.take_rows(now), stitcher.take_changes()))

    def get(self, path: str, status: int = 200) -> httpx.Response:
        response = self.client.get(path)
        assert response.status_code == status, response.text
        if status != 200:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["detail"]
        return response

    def journey_id(self, customer: str) -> str:
        line = self.get(f"/export/journeys.jsonl?customer={customer}").content
        journey_id: str = json.loads(line)["journey_id"]
        return journey_id


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize("form", ["png", "svg", "pdf", "html", "csv", "json", "jsonl", "parquet", "zip"])
def test_every_form_is_a_file_that_says_nothing_of_a_customer(site: Site, form: str) -> None:
    journey_id = site.journey_id("cust-1")
    for path in (f"/export/journeys.{form}?customer=cust-1", f"/export/journey/{journey_id}.{form}"):
        response = site.get(path)
        disposition = response.headers["content-disposition"]
        assert disposition.startswith('attachment; filename="journeymap-')
        assert disposition.endswith(f'.{form}"')
        assert "cust" not in disposition
        assert int(response.headers["content-length"]) == len(response.content)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in response.headers["content-security-policy"]
        assert len(response.content) > 100
    assert journey_id in disposition


def test_the_filters_are_those_of_the_list(site: Site) -> None:
    text = site.get("/export/journeys.csv?channel=chat&sort=started_at").content.decode("utf-8-sig")
    assert {line["customer_id"] for line in csv.DictReader(io.StringIO(text))} == {"cust-2"}
    svg = site.get("/export/journeys.svg?channel=voice&theme=dark&title=A%20%3Cb%3E&width=1000").text
    assert "A &lt;b&gt;" in svg
    assert "times in Europe/Berlin" in svg
    assert 'width="1000"' in svg
    assert "#141821" in svg
    assert "No journey matches." in site.get("/export/journeys.svg?q=nobody").text


def customers(response: httpx.Response) -> list[str]:
    return [journey["customer_id"] for journey in response.json()]


def test_the_order_is_that_of_the_list_or_of_the_wall(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert customers(site.get("/export/journeys.json?sort=started_at")) == ["cust-1", "cust-2", PHONE]
    assert customers(site.get("/export/journeys.json?sort=customer")) == [PHONE, "cust-1", "cust-2"]
    assert customers(site.get("/export/journeys.json?sort=-customer")) == ["cust-2", "cust-1", PHONE]
    site.viewer = Viewer(False)
    masked = customers(site.get("/export/journeys.json?sort=customer"))
    assert masked == sorted(masked), "by what this viewer sees"
    monkeypatch.setattr(exporting, "MOST_SORTED", 2)
    assert "more than 2 journeys match" in site.get("/export/journeys.csv?sort=wait", 400).json()["detail"]
    site.get("/export/journeys.csv")


def test_charts_are_arranged_as_the_wall_and_data_are_not(site: Site) -> None:
    pinned = site.journey_id("cust-2")
    query = f"channel=voice&sort=started_at&group=state&pinned={pinned}&pinned=gone"
    text = site.get(f"/export/journeys.svg?{query}").text
    places = [text.index(words) for words in (">cust-2<", 'class="heading"', ">cust-1<", f">{PHONE}<")]
    assert places == sorted(places), "the pinned one does not match and stands on top"
    assert "Filters: channel Voice. Grouped by state. 1 pinned on top, whatever the filters" in text
    assert customers(site.get(f"/export/journeys.json?{query}")) == ["cust-1", PHONE]
    with zipfile.ZipFile(io.BytesIO(site.get(f"/export/journeys.zip?{query}").content)) as packet:
        assert packet.read("journeymap/chart.svg").decode().count('class="heading"') == text.count('class="heading"')


def test_a_selection_is_exported_in_the_order_it_was_named_in(site: Site) -> None:
    ids = [site.journey_id("cust-2"), site.journey_id("cust-1")]
    query = "&".join(f"journey={journey_id}" for journey_id in (*ids, ids[0], "none"))
    assert customers(site.get(f"/export/journeys.json?{query}")) == ["cust-2", "cust-1"]
    svg = site.get(f"/export/journeys.svg?{query}").text
    assert "Chosen one by one; 1 more was chosen and is not stored any more" in svg
    assert svg.index("cust-2") < svg.index("cust-1")
    with zipfile.ZipFile(io.BytesIO(site.get(f"/export/journeys.zip?{query}").content)) as packet:
        names = {name.removeprefix("journeymap/") for name in packet.namelist()}
        own = {f"charts/{journey_id}.svg" for journey_id in ids}
        assert names == {"summary.md", "chart.svg", "chart.png", "journeys.json", "events.ndjson", *own}
        events = [json.loads(line) for line in packet.read("journeymap/events.ndjson").splitlines()]
        assert [event["event_id"] for event in events] == ["1a", "1b", "1c", "0a", "0b", "0c"]
        summary = packet.read("journeymap/summary.md").decode()
        assert all(name.partition("/")[0] in summary for name in names - {"summary.md"})


def test_what_no_log_may_keep_is_sent_in_a_form(site: Site) -> None:
    def posted(body: bytes, kind: str = "application/x-www-form-urlencoded; charset=utf-8") -> httpx.Response:
        path = "/export/journeys.json?sort=started_at"
        return site.client.request("POST", path, content=body, headers={"content-type": kind})

    assert customers(posted(f"customer={quote(PHONE)}".encode())) == [PHONE]
    assert customers(posted(b"state=WRAPUP&state=IDLE&channel=voice")) == ["cust-1", PHONE]
    assert len(customers(posted(b""))) == 3
    for body, kind, said in (
        (b"{}", "application/json", "must be a form"),
        (b"customer=\xff", "application/x-www-form-urlencoded", "not a form"),
        (b"q=" + b"x" * 70_000, "application/x-www-form-urlencoded", "longer than 65,536"),
        (b"sort=wait", "application/x-www-form-urlencoded", "sort is given more than once"),
    ):
        refused = posted(body, kind)
        assert refused.status_code == 400
        assert said in refused.json()["detail"]


def test_a_window_shows_a_part_of_all_that_matches(site: Site) -> None:
    svg = site.get(f"/export/journeys.svg?window={START + 5 * MINUTE}/{START + 9 * MINUTE}").text
    assert "(4 min)" in svg
    assert all(customer in svg for customer in ("cust-1", "cust-2", PHONE))


def test_one_journey_as_json_is_what_the_interface_says(site: Site) -> None:
    journey_id = site.journey_id("cust-1")
    journey = site.get(f"/export/journey/{journey_id}.json").json()
    assert journey == json.loads(site.get(f"/export/journey/{journey_id}.jsonl").content)
    assert journey["journey_id"] == journey_id
    assert site.get("/export/journeys.json?q=nobody").json() == []


def test_a_picture_is_as_large_as_asked(site: Site) -> None:
    with Image.open(io.BytesIO(site.get("/export/journeys.png?scale=2&width=700").content)) as picture:
        assert picture.size[0] == 1400


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("journeys.gif", 400, "no form 'gif'"),
        ("journeys.png?limit=5", 400, "no parameter 'limit'"),
        ("journeys.png?theme=blue", 400, "allowed are light, dark"),
        ("journeys.png?scale=5", 400, "allowed is 1 to 4"),
        ("journeys.png?scale=nan", 400, "use a number"),
        ("journeys.png?width=5000", 400, "allowed is 640 to 4000"),
        ("journeys.png?time_zone=../../etc", 400, "time_zone is"),
        ("journeys.png?theme=dark&theme=light", 400, "more than once"),
        ("journeys.png?from=x", 400, "from is 'x'"),
        ("journeys.png?title=" + "x" * 201, 400, "at most 200"),
        ("journeys.csv?sort=luck", 400, "sort is 'luck'"),
        ("journeys.svg?group=agent", 400, "group is 'agent'"),
        ("journeys.svg?" + "pinned=x&" * 101, 400, "at most 100 are possible"),
        ("journeys.svg?journey=x&group=state", 400, "leave group out"),
        ("journeys.png?window=now", 400, "window is"),
        ("journeys.png?window=1700000000000/1700000000001", 400, "10 seconds to 60 days"),
        ("journeys.png?fold=maybe", 400, "allowed are yes and no"),
        ("journeys.zip?journey=none&journey=gone", 404, "no journey has this id"),
        ("journeys.zip?journey=none&channel=voice", 400, "leave channel out"),
        ("journeys.zip?" + "journey=x&" * 501, 400, "at most 500 are possible"),
        ("journey/none.svg", 404, "no journey has this id"),
        ("journey/none.svg?channel=chat", 400, "no parameter 'channel'"),
        ("elsewhere", 404, "there is nothing"),
    ],
)
def test_what_is_wrong_is_said(site: Site, path: str, status: int, said: str) -> None:
    assert said in site.get(f"/export/{path}", status).json()["detail"]
    assert site.client.request("PUT", "/export/journeys.png").status_code == 405


def test_more_data_than_one_answer_may_hold_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_JOURNEYS", 2)
    assert "more than 2 journeys match" in site.get("/export/journeys.csv", 400).json()["detail"]
    site.get("/export/journeys.csv?customer=cust")


def test_a_viewer_who_may_not_see_them_finds_no_number_in_any_form(site: Site) -> None:
    site.viewer = Viewer(False)
    for form in ("svg", "html", "csv", "jsonl", "zip"):
        response = site.get(f"/export/journeys.{form}")
        data = response.content
        if form == "zip":
            with zipfile.ZipFile(io.BytesIO(data)) as packet:
                data = b"".join(packet.read(name) for name in packet.namelist())
        assert b"15112345678" not in data, form
    assert site.get("/export/journeys.jsonl?customer=1511234").content == b"", "nor is it found by it"
    site.viewer = Viewer(True)
    assert PHONE.encode() in site.get("/export/journeys.csv").content


def test_no_more_than_two_are_made_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    read = exporting.sorted_rows

    def held(*given: Any, **more: Any) -> Iterator[JourneyRow]:
        begun.release()
        assert go_on.wait(30)
        return read(*given, **more)

    monkeypatch.setattr(exporting, "sorted_rows", held)

    async def crowd() -> list[httpx.Response]:
        transport = httpx.ASGITransport(site.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = [asyncio.create_task(client.get("/export/journeys.csv")) for _ in range(2)]
            for _ in first:
                assert await asyncio.to_thread(begun.acquire, timeout=30)
            refused = await client.get("/export/journeys.csv")
            go_on.set()
            return [refused, *await asyncio.gather(*first), await client.get("/export/journeys.csv")]

    refused, *others = asyncio.run(crowd())
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "5"
    assert [each.status_code for each in others] == [200, 200, 200]


def test_an_export_that_fails_makes_room_again(site: Site) -> None:
    for _ in range(4):
        site.get("/export/journey/none.csv", 404)
        site.get("/export/journeys.png?from=2099-01-01&to=2098-01-01", 400)
    site.get("/export/journeys.csv")
