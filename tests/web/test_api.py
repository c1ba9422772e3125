"""The HTTP interface: lists, journeys, status, quarantine, problems."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from journeymap.errors import StoreCorruptError
from journeymap.model.status import ConnectionChange, EventCounts, Gap, IngestStatus, Quarantined
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.testing import event
from journeymap.view.document import document
from journeymap.view.masking import Viewer
from journeymap.web import listing
from journeymap.web.viewing import ViewedModel
from tests.web.site import OPTIONS, START, Site

PHONE = "+4915112345678"


def ids(body: Any) -> list[str]:
    return [each["customer_id"] for each in body["journeys"]]


def test_the_list_is_latest_first_and_says_what_a_summary_says(site: Site) -> None:
    body = site.get("/api/v1/journeys")
    assert list(body) == ["journeys", "next", "version"]
    assert (len(body["journeys"]), body["next"], body["version"]) == (12, None, site.store.head())
    first = body["journeys"][0]
    assert first["customer_id"] == "Cust-03"
    assert (first["state"], first["channels"], first["queues"], first["events"]) == ("CLOSED", ["chat"], ["Support"], 3)
    assert (first["dispositions"], first["longest_wait_ms"], first["timed_out"]) == (["sold"], 500, 0)
    assert ids(body)[1:3] == ["Cust-11", "Cust-10"]


@pytest.mark.parametrize(
    ("query", "customers"),
    [
        ("customer=cUST-1", ["Cust-11", "Cust-10"]),
        ("channel=chat", ["Cust-03", "Cust-09", "Cust-06", "Cust-00"]),
        ("channel=chat&queue=sales&sort=started_at", ["Cust-00", "Cust-06"]),
        ("state=CLOSED", ["Cust-03"]),
        ("state=idle&limit=2", ["Cust-11", "Cust-10"]),
        ("state=idle&state=closed&limit=2", ["Cust-03", "Cust-11"]),
        ("state=ACTIVE", []),
        (f"from={START + 11_000}", ["Cust-03", "Cust-11"]),
        ("to=2023-11-14T22:13:21Z", ["Cust-00"]),
        ("sort=last_event_at&limit=1", ["Cust-00"]),
        ("sort=-started_at&limit=1", ["Cust-11"]),
        ("customer=%25", []),
        ("q=I11", ["Cust-11"]),
        ("q=sale&limit=1", ["Cust-10"]),
        ("queue=sales&queue=SUPPORT&limit=2", ["Cust-03", "Cust-11"]),
        ("disposition=Sold", ["Cust-03"]),
        ("flag=timed-out", []),
        ("min_duration=19s", []),
        ("min_duration=17s&max_duration=17s", ["Cust-03"]),
        ("direction=inbound", []),
        ("agent=ann", []),
        ("min_transfers=1", []),
    ],
)
def test_conditions_and_orders(site: Site, query: str, customers: list[str]) -> None:
    assert ids(site.get(f"/api/v1/journeys?{query}")) == customers


@pytest.mark.parametrize("query", ["", "&state=idle", "&channel=voice&queue=support", "&state=closed", "&q=i1"])
@pytest.mark.parametrize("sort", list(listing.SORTS))
@pytest.mark.parametrize("budget", [1, 5_000])
def test_pages_together_are_the_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch, query: str, sort: str, budget: int
) -> None:
    whole = ids(site.get(f"/api/v1/journeys?sort={sort}{query}"))
    monkeypatch.setattr(listing, "SLICE", 2)
    monkeypatch.setattr(listing, "SCAN_BUDGET", budget)
    found: list[str] = []
    cursor = ""
    for _ in range(30):
        body = site.get(f"/api/v1/journeys?sort={sort}&limit=3{query}{cursor}")
        assert len(body["journeys"]) <= 3
        found += ids(body)
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    else:
        pytest.fail("the pages never end")
    assert found == whole


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit is '0'"),
        ("limit=1001", "1 to 1000"),
        ("limit=ten", "whole number"),
        ("sort=customer", "sort is 'customer'"),
        ("state=gone", "state is 'gone'"),
        ("from=never", "from is 'never'"),
        ("costumer=x", "no parameter 'costumer'"),
        ("q=a&q=b", "more than once"),
        ("cursor=%21", "cursor cannot be read"),
        ("cursor=WzFd", "cursor cannot be read"),
        ("cursor=é", "cursor cannot be read"),
    ],
)
def test_a_wrong_question_is_a_problem(site: Site, query: str, words: str) -> None:
    assert words in site.get(f"/api/v1/journeys?{query}", 400)["detail"]


def test_a_cursor_of_another_question_is_refused(site: Site) -> None:
    cursor = site.get("/api/v1/journeys?limit=1")["next"]
    assert "start again" in site.get(f"/api/v1/journeys?limit=1&channel=chat&cursor={cursor}", 400)["detail"]
    assert "start again" in site.get(f"/api/v1/journeys?sort=started_at&cursor={cursor}", 400)["detail"]


def test_a_journey_is_the_document(site: Site) -> None:
    for journey in journeys(site.events, OPTIONS):
        response = site.client.get(f"/api/v1/journeys/{journey.journey_id}")
        assert response.content == document(journey, ClockReading(site.clock.now(), Timeouts()))


def test_an_old_id_leads_to_the_journey_of_now(site: Site) -> None:
    site.take(
        event("interaction.created", START + 2 * HOUR, "later", event_id="l1", customerId="Ann"),
        event("interaction.created", START + HOUR, "early", event_id="l2", customerId="Ann"),
    )
    early, later = (
        next(j for j in journeys([each], OPTIONS)).journey_id for each in (site.events[-1], site.events[-2])
    )
    assert site.get(f"/api/v1/journeys/{later}")["journey_id"] == early


def test_an_unchanged_journey_is_not_sent_again(site: Site) -> None:
    path = f"/api/v1/journeys/{journeys(site.events, OPTIONS)[0].journey_id}"
    tag = site.client.get(path).headers["etag"]
    site.clock.advance(SECOND)
    again = site.client.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    site.clock.advance(HOUR)
    assert site.client.get(path, headers={"if-none-match": tag}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/v1/journeys/j-none", "/api/v1/nothing", "/api/", "/api/v2/journeys", "/api/v1/journeys/a/b"]
)
def test_what_is_not_there_is_a_problem(site: Site, path: str) -> None:
    site.get(path, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/journeys", "/api/v1/journeys/j-1", "/api/v1/status"])
def test_other_methods_are_a_problem(site: Site, method: str, path: str) -> None:
    response = site.client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.headers["content-type"] == "application/problem+json"


def test_the_head_of_an_answer_can_be_asked_for(site: Site) -> None:
    assert site.client.request("HEAD", "/api/v1/journeys").status_code == 200


def test_a_store_that_cannot_be_read_is_a_problem(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_query: object) -> None:
        raise StoreCorruptError("the database is malformed")

    monkeypatch.setattr(site.store, "query", damaged)
    assert "malformed" in site.get("/api/v1/journeys", 503)["detail"]
    monkeypatch.setattr(site.store, "query", None)
    assert "TypeError" not in site.get("/api/v1/journeys", 500)["detail"]


def test_the_status(site: Site) -> None:
    site.model.poll()
    body = site.get("/api/v1/status")
    assert (body["ingest_running"], body["state"], body["error"]) == (False, "DISCONNECTED", "ingest is not running")
    now = site.clock.now()
    status = IngestStatus(
        written_at=now,
        pid=4711,
        source="eventstreams",
        state="OPEN",
        since=START,
        counts=EventCounts(received=7, late=2),
    )
    site.store.write_documents({"status": msgspec.json.encode(status)})
    site.clock.advance(SECOND)
    site.model.poll()
    body = site.get("/api/v1/status")
    assert (body["ingest_running"], body["state"], body["version"]) == (True, "OPEN", site.store.head())
    assert (body["counts"]["received"], body["counts"]["late"], body["counts"]["dropped"]) == (7, 2, 0)
    assert "pid" not in body
    site.clock.advance(MINUTE)
    assert site.get("/api/v1/status")["ingest_running"] is False


def test_the_status_tells_of_gaps_and_connections(site: Site) -> None:
    gap, change = Gap("eventstreams", "disconnected", START, START + 5), ConnectionChange(START, "eventstreams", "OPEN")
    site.store.write_documents({"gaps": msgspec.json.encode([gap]), "connections": msgspec.json.encode([change])})
    site.model.poll()
    body = site.get("/api/v1/status")
    told = {
        "source": "eventstreams",
        "kind": "disconnected",
        "start": START,
        "end": START + 5,
        "dropped": 0,
        "detail": "",
    }
    assert body["gaps"] == [told | {"filled_at": None, "conversations": 0, "filling": None, "problem": ""}]
    assert body["connections"] == [{"at": START, "source": "eventstreams", "state": "OPEN", "reason": None}]


def test_the_quarantine_is_told_to_each_as_they_may_see_it(site: Site) -> None:
    assert site.get("/api/v1/quarantine") == {"quarantine": []}
    sample = f'{{"ani":"{PHONE}","text":"call\\n{PHONE} or ann%40example.org, or bob@exa'
    entry = Quarantined("not-json", 3, START, "eventstreams", "the text is not JSON", sample, 5_000, True)
    site.store.write_documents({"quarantine": msgspec.json.encode([entry])})
    site.clock.advance(SECOND)
    site.model.poll()
    (shown,) = site.get("/api/v1/quarantine")["quarantine"]
    assert shown == msgspec.to_builtins(entry)
    on_page = ViewedModel(site.model, Viewer()).operations(site.clock.now())["quarantine"]
    assert on_page == [msgspec.to_builtins(entry)]
    site.viewer = Viewer(sees_identifiers=False)
    (shown,) = site.get("/api/v1/quarantine")["quarantine"]
    assert shown["sample"] == '{"ani":"•••78","text":"call\\n•••78 or a•••@•••, or '
    (on_page,) = ViewedModel(site.model, site.viewer).operations(site.clock.now())["quarantine"]
    assert on_page == shown


@pytest.mark.parametrize(
    ("query", "seen", "masked"),
    [
        ("customer=1234567", 1, 0),
        ("q=12345", 1, 0),
        ("q=78", 1, 1),
        ("customer=ann@", 1, 0),
        ("customer=@", 1, 1),
        ("customer=a•••@", 0, 1),
        ("customer=•••78&state=idle", 0, 1),
        ("q=i-tel", 1, 1),
    ],
)
def test_a_viewer_finds_nothing_by_what_they_may_not_see(query: str, seen: int, masked: int) -> None:
    site = Site()
    site.take(
        event("conversation.started", START, "i-tel", customerId="+4915112345678"),
        event("conversation.started", START, "i-mail", customerId="Ann@Example.com"),
    )
    assert len(site.get(f"/api/v1/journeys?{query}")["journeys"]) == seen
    site.viewer = Viewer(sees_identifiers=False)
    assert len(site.get(f"/api/v1/journeys?{query}")["journeys"]) == masked


def test_a_viewer_without_the_right_gets_no_number(site: Site) -> None:
    site.take(
        event("interaction.created", START + HOUR, "p", event_id="p", customerId=PHONE, ani=PHONE, note="call a@b.org")
    )
    path = f"/api/v1/journeys/{journeys(site.events[-1:], OPTIONS)[0].journey_id}"
    clear = site.client.get(path)
    assert PHONE in clear.text
    site.viewer = Viewer(sees_identifiers=False)
    for each in (site.client.get("/api/v1/journeys"), site.client.get(path)):
        assert PHONE not in each.text
        assert "•••78" in each.text
        assert "a@b.org" not in each.text
    assert site.client.get(path).headers["etag"] != clear.headers["etag"]


def test_the_pages_model_answers_in_plain_values(site: Site) -> None:
    site.model.poll()
    pages = ViewedModel(site.model, Viewer())
    answer = pages.answer(
        {"version": 0, "at": 0, "count": 2, "have": [], "channels": [], "states": []}, site.clock.now()
    )
    assert answer is not None
    assert [row[2] for row in answer["rows"]] == ["Cust-03", "Cust-11"]
    assert json.loads(json.dumps(answer))["status"]["ingest_running"] is False
    assert answer["gaps"] == []
    asks = {"facets": True, "overview": [START, START + 20_000, 4], "group": "queue", "count": 0}
    plain = json.loads(json.dumps(pages.answer(asks, site.clock.now())))
    assert plain["groups"] == [["Sales", 6], ["Support", 6]]
    assert plain["facets"]["state"] == [["IDLE", 11], ["CLOSED", 1]]
    assert plain["overview"] == {
        "start": START,
        "end": START + 20_000,
        "active": [5, 10, 12, 12],
        "waiting": [5, 5, 2, 0],
        "first": START,
    }
    site.take(event("interaction.created", START + 40 * HOUR, "again", event_id="x", customerId="Cust-03"))
    detail = pages.detail(answer["order"][0], site.clock.now())
    assert detail is not None
    assert (detail["customer_id"], len(detail["neighbours"])) == ("Cust-03", 1)
    assert detail["neighbours"][0]["started_at"] == START + 40 * HOUR
    assert pages.detail("j-none", site.clock.now()) is None
