"""Analytics: queries for details, jobs, what is in progress, conversations by id."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.platform_client import eventually
from tests.public_client import PublicClient

QUERY = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"
ACTIVITY = "/api/v2/analytics/conversations/activity/query"
MINUTE = 60_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(rate=5.0, rate_limit=100_000) as platform:
        yield platform


def stamp(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z"


def interval(start: int, end: int) -> str:
    """From so long ago until so long ago (ms)."""
    now = time.time_ns() // 1_000_000
    return f"{stamp(now - start)}/{stamp(now - end)}"


def minute_of_yesterday() -> str:
    """A minute at noon: what began before midnight is not found, and here nothing did."""
    noon = time.time_ns() // 1_000_000 // DAY * DAY - DAY // 2
    return f"{stamp(noon)}/{stamp(noon + MINUTE)}"


def pages(client: PublicClient, **query: Any) -> list[dict[str, Any]]:
    """All pages of a query."""
    found: list[dict[str, Any]] = []
    number = 1
    while True:
        page = client.post(QUERY, query | {"paging": {"pageSize": 100, "pageNumber": number}})
        if "conversations" not in page:
            assert page["totalHits"] == len(found)
            return found
        found += page["conversations"]
        number += 1


def filtered(dimension: str, value: str | None = None, operator: str = "matches") -> list[dict[str, Any]]:
    predicate = {"type": "dimension", "dimension": dimension, "operator": operator}
    return [{"type": "and", "predicates": [predicate | ({"value": value} if value else {})]}]


def refused(client: PublicClient, **query: Any) -> httpx.Response:
    answer = client.call("POST", QUERY, json=query)
    assert answer.status_code == 400
    return answer


def test_all_that_was_open_in_an_interval_is_found_once_and_in_order(client: PublicClient) -> None:
    asked = minute_of_yesterday()
    found = pages(client, interval=asked)
    starts = [one["conversationStart"] for one in found]
    assert len(found) > 200
    assert starts == sorted(starts)
    assert len({one["conversationId"] for one in found}) == len(found)
    begin, end = asked.split("/")
    assert all(start < end for start in starts)
    assert all(one.get("conversationEnd", end) >= begin for one in found)
    backwards = client.post(QUERY, {"interval": asked, "order": "desc"})["conversations"]
    assert [one["conversationStart"] for one in backwards] == starts[:-26:-1]
    by_end = [one.get("conversationEnd", "open") for one in pages(client, interval=asked, orderBy="conversationEnd")]
    assert by_end == sorted(by_end)


def test_an_interval_of_the_future_is_an_empty_page(client: PublicClient) -> None:
    assert client.post(QUERY, {"interval": interval(-60 * MINUTE, -61 * MINUTE)}) == {"totalHits": 0}


def test_what_began_before_the_first_day_of_an_interval_is_not_found(client: PublicClient) -> None:
    midnight = time.time_ns() // 1_000_000 // DAY * DAY - DAY
    around = pages(client, interval=f"{stamp(midnight - MINUTE)}/{stamp(midnight + MINUTE)}")
    after = pages(client, interval=f"{stamp(midnight)}/{stamp(midnight + MINUTE)}")
    assert after == [one for one in around if one["conversationStart"] >= stamp(midnight)]
    assert 0 < len(after) < len(around)


def test_pages_are_of_25_unless_told_otherwise(client: PublicClient) -> None:
    asked = interval(10 * MINUTE, 5 * MINUTE)
    assert len(client.post(QUERY, {"interval": asked})["conversations"]) == 25
    refused(client, interval=asked, paging={"pageSize": 101, "pageNumber": 1})


def test_limits_of_queries(client: PublicClient) -> None:
    refused(client, interval="yesterday/today")
    refused(client, interval=interval(MINUTE, 2 * MINUTE))
    assert "7 days" in refused(client, interval=interval(8 * DAY, 0)).json()["message"]
    assert "35 days" in refused(client, interval=interval(36 * DAY, 35 * DAY)).json()["message"]
    asked = interval(10 * MINUTE, 5 * MINUTE)
    beyond = refused(client, interval=asked, paging={"pageSize": 100, "pageNumber": 1_001})
    assert beyond.json()["message"] == "Pagination may not exceed 100000 results"
    client.platform.set_faults(query_days=1, query_reach_days=2, query_records=100)
    refused(client, interval=interval(2 * DAY, 0))
    refused(client, interval=interval(3 * DAY, 2 * DAY + MINUTE))
    refused(client, interval=asked, paging={"pageSize": 60, "pageNumber": 2})
    refused(client)


def test_filters_look_into_segments_and_conversations(client: PublicClient) -> None:
    asked = minute_of_yesterday()
    everything = pages(client, interval=asked)
    sales = client.queues()["Sales"]
    in_sales = pages(client, interval=asked, segmentFilters=filtered("queueId", sales))
    assert 0 < len(in_sales) < len(everything)
    assert in_sales == [one for one in everything if sales in str(one["participants"])]
    still_open = pages(client, interval=asked, conversationFilters=filtered("conversationEnd", operator="notExists"))
    assert [one["conversationId"] for one in still_open] == [
        one["conversationId"] for one in everything if "conversationEnd" not in one
    ]
    chosen = everything[7]["conversationId"]
    assert len(pages(client, interval=asked, conversationFilters=filtered("conversationId", chosen))) == 1
    metric = {"type": "metric", "metric": "tAbandon", "operator": "exists"}
    given_up = pages(client, interval=asked, segmentFilters=[{"type": "or", "predicates": [metric]}])
    assert given_up == [one for one in everything if "tAbandon" in str(one)]


def test_records_come_late_where_analytics_lag(client: PublicClient) -> None:
    asked = interval(10 * MINUTE, 0)
    newest = client.post(QUERY, {"interval": asked, "order": "desc"})["conversations"][0]["conversationStart"]
    client.platform.set_faults(analytics_lag=120)
    late = client.post(QUERY, {"interval": asked, "order": "desc"})["conversations"][0]["conversationStart"]
    assert late < newest
    assert late < stamp(time.time_ns() // 1_000_000 - 119_000)


def test_a_conversation_is_the_same_by_whatever_it_is_asked(client: PublicClient) -> None:
    found = client.post(QUERY, {"interval": interval(100 * MINUTE, 90 * MINUTE)})["conversations"][3]
    name = found["conversationId"]
    assert client.get(f"/api/v2/analytics/conversations/{name}/details") == found
    several = client.get("/api/v2/analytics/conversations/details", id=f"{name},nobody")
    assert several == {"conversations": [found]}
    whole = client.get(f"/api/v2/conversations/{name}")
    assert whole["startTime"] == found["conversationStart"]
    assert [one["id"] for one in whole["participants"]] == [one["participantId"] for one in found["participants"]]
    assert client.call("GET", "/api/v2/conversations/nobody").status_code == 404
    assert client.get("/api/v2/conversations") == {"entities": []}


def test_what_is_in_progress_is_counted_and_named(client: PublicClient) -> None:
    metrics = [{"metric": name, "details": True} for name in ("oWaiting", "oInteracting", "oAlerting")]
    answer = client.post(ACTIVITY, {"metrics": metrics, "groupBy": ["queueId", "mediaType"]})
    entities = [entity for result in answer["results"] for entity in result["entities"]]
    assert {entity["metric"] for entity in entities} == {"oWaiting", "oInteracting", "oAlerting"}
    for result in answer["results"]:
        assert sum(data["count"] for data in result["data"]) == len(result["entities"])
        assert {entity["queueId"] for entity in result["entities"]} == {result["group"]["queueId"]}
        assert result["truncated"] is False
    found = client.get("/api/v2/analytics/conversations/details", id=entities[0]["conversationId"])
    assert found["conversations"][0]["conversationId"] == entities[0]["conversationId"]
    sales = client.queues()["Sales"]
    only = {"type": "or", "predicates": [{"type": "dimension", "dimension": "queueId", "value": sales}]}
    few = client.post(ACTIVITY, {"metrics": [{"metric": "oInteracting"}], "groupBy": ["queueId"], "filter": only})
    (result,) = few["results"]
    assert result["group"] == {"queueId": sales}
    assert "entities" not in result
    assert result["data"][0]["count"] > 0
    assert client.call("POST", ACTIVITY, json={"metrics": [{"metric": "oNothing"}]}).status_code == 400


def test_a_job_brings_attributes_in_pages_once_it_is_done(client: PublicClient) -> None:
    client.platform.set_faults(job_time=0.3, job_lag=60)
    asked = minute_of_yesterday()
    answer = client.call("POST", JOBS, json={"interval": asked})
    assert answer.status_code == 202
    job = f"{JOBS}/{answer.json()['jobId']}"
    assert client.get(job)["state"] in ("QUEUED", "PENDING")
    assert client.call("GET", job + "/results").status_code == 400
    eventually(lambda: client.get(job)["state"] == "FULFILLED")
    found, cursor = [], {}
    while True:
        page = client.get(job + "/results", pageSize=150, **cursor)
        found += page.get("conversations", [])
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert [one["conversationId"] for one in found] == [one["conversationId"] for one in pages(client, interval=asked)]
    assert any(participant["attributes"] for one in found for participant in one["participants"])
    assert client.get(JOBS + "/availability")["dataAvailabilityDate"] < stamp(time.time_ns() // 1_000_000 - 59_000)
    assert client.call("GET", f"{JOBS}/nothing").status_code == 404


def test_jobs_reach_where_queries_do_not(client: PublicClient) -> None:
    client.platform.set_faults(job_time=0.001)
    day = time.time_ns() // 1_000_000 // DAY * DAY - 100 * DAY
    job = client.post(JOBS, {"interval": f"{stamp(day)}/{stamp(day + MINUTE)}", "limit": 7})["jobId"]
    eventually(lambda: client.get(f"{JOBS}/{job}")["state"] == "FULFILLED")
    found = client.get(f"{JOBS}/{job}/results")["conversations"]
    assert len(found) == 7
    assert all(one["conversationStart"].startswith(stamp(day)[:16]) for one in found)


def test_what_has_no_permission_is_refused(client: PublicClient) -> None:
    client.platform.set_faults(missing_permissions="analytics:conversationDetail:view")
    answer = client.call("POST", QUERY, json={"interval": interval(MINUTE, 0)})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing.permissions")


def test_without_a_story_there_is_nothing() -> None:
    with SimulatedPlatform() as platform, PublicClient(platform) as client:
        assert client.post(QUERY, {"interval": interval(MINUTE, 0)}) == {"totalHits": 0}
        assert client.post(ACTIVITY, {"metrics": [{"metric": "oWaiting"}]})["results"] == []
