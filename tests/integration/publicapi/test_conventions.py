"""What all public APIs have in common: tokens, errors, limits, pages."""

from collections.abc import Iterator

import httpx
import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.public_client import PublicClient

QUEUES = "/api/v2/routing/queues"


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(queues=230, rate_limit=1_000) as platform:
        yield platform


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code, of a body that is as all errors' bodies are."""
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert (body["details"], body["errors"]) == ([], [])
    assert body["message"]
    return answer.status_code, body["code"]


def test_an_unknown_client_and_a_wrong_secret_are_told_apart(client: PublicClient) -> None:
    unknown, wrong = client.ask_token(client_id="nobody"), client.ask_token(secret="wrong")
    assert (unknown.status_code, wrong.status_code) == (400, 401)
    assert unknown.json() == {
        "error": "invalid_client",
        "description": "client not found",
        "error_description": "client not found",
    }
    assert wrong.json()["description"] == wrong.json()["error_description"] == "authentication failed"
    good = client.ask_token().json()
    assert (good["token_type"], good["expires_in"], "scope" in good) == ("bearer", 3600, False)


def test_credentials_may_come_in_the_form(client: PublicClient) -> None:
    form = {"grant_type": "client_credentials", "client_id": client.platform.client_id}
    answer = client.http.post("/oauth/token", data=form | {"client_secret": client.platform.client_secret})
    assert answer.status_code == 200
    assert client.http.post("/oauth/token", data=form).status_code == 401


@pytest.mark.parametrize(("status", "answered"), [("400", 400), ("401", 401), ("403", 403)])
def test_tokens_are_refused_by_fault(client: PublicClient, status: str, answered: int) -> None:
    client.platform.set_faults(refuse_tokens=status)
    assert client.ask_token().status_code == answered


def test_no_token_and_a_bad_one(client: PublicClient) -> None:
    assert error_of(client.http.get(QUEUES)) == (401, "authentication.required")
    client.token = "made-up"
    assert error_of(client.call("GET", QUEUES)) == (401, "bad.credentials")


def test_a_token_is_good_for_both_sides(client: PublicClient) -> None:
    assert client.call("GET", "/api/v2/eventstreams/subscriptions").status_code == 200


def test_lists_come_in_pages(client: PublicClient) -> None:
    first = client.get(QUEUES, pageSize=100)
    assert (first["total"], first["pageCount"], first["pageNumber"], len(first["entities"])) == (230, 3, 1, 100)
    assert "previousUri" not in first
    second = client.get(first["nextUri"])
    last = client.get(second["nextUri"])
    assert len(last["entities"]) == 30
    assert "nextUri" not in last
    assert client.get(last["firstUri"])["entities"] == first["entities"]
    names = [queue["name"] for page in (first, second, last) for queue in page["entities"]]
    assert names == sorted(names, key=str.lower)
    assert {"Billing", "Orders", "Retention", "Sales", "Technical Support"} <= set(names)
    assert client.get(QUEUES, pageNumber=4, pageSize=100)["entities"] == []
    assert len(client.get(QUEUES)["entities"]) == 25


@pytest.mark.parametrize("query", [{"pageSize": 501}, {"pageSize": 0}, {"pageNumber": "first"}, {"pageNumber": -1}])
def test_pages_that_cannot_be(client: PublicClient, query: dict[str, object]) -> None:
    assert error_of(client.call("GET", QUEUES, params=query)) == (400, "invalid.value")


@pytest.mark.parametrize("path", [QUEUES, "/api/v2/routing/wrapupcodes", "/api/v2/users", "/api/v2/flows"])
def test_all_that_is_listed_is_found_by_id(client: PublicClient, path: str) -> None:
    listed = client.get(path, pageSize=3)["entities"]
    assert len(listed) == 3
    assert client.get(f"{path}/{listed[1]['id']}") == listed[1]
    assert client.get(path, id=f"{listed[0]['id']},{listed[2]['id']}")["entities"] == [listed[0], listed[2]]
    assert client.get(path, name=listed[1]["name"][:5].upper() + "*")["total"] >= 1
    assert error_of(client.call("GET", f"{path}/nowhere")) == (404, "not.found")


def test_there_is_no_user_behind_the_token(client: PublicClient) -> None:
    assert client.call("GET", "/api/v2/users/me").status_code == 400


def test_queues_that_are_opened_are_listed(client: PublicClient) -> None:
    opened = client.platform.add_queue("Aardvarks")
    assert client.get(QUEUES)["entities"][0]["id"] == opened


def test_a_missing_permission_is_named(client: PublicClient) -> None:
    client.platform.set_faults(missing_permissions="routing:queue:view+directory:user:view")
    answer = client.call("GET", QUEUES)
    assert error_of(answer) == (403, "missing.permissions")
    assert answer.json()["messageParams"] == {"permissions": "routing:queue:view"}
    assert "routing:queue:view" in answer.json()["message"]
    assert client.call("GET", "/api/v2/flows").status_code == 200


def test_requests_are_counted_and_limited(client: PublicClient) -> None:
    client.platform.set_faults(rate_limit=3)
    answers = [client.call("GET", QUEUES) for _ in range(4)]
    assert [answer.headers.get("inin-ratelimit-count") for answer in answers] == ["1", "2", "3", None]
    assert answers[0].headers["inin-ratelimit-allowed"] == "3"
    assert error_of(answers[3]) == (429, "too.many.requests")
    seconds = answers[3].headers["Retry-After"]
    assert 50 <= int(seconds) <= 60
    assert answers[3].json()["message"].endswith(f"Retry the request in [{seconds}] seconds")
    client.token = client.ask_token().json()["access_token"]
    assert client.call("GET", QUEUES).status_code == 200, "each token has its own count"


@pytest.mark.parametrize("status", [401, 429, 500, 503, 504])
def test_requests_fail_by_fault(client: PublicClient, status: int) -> None:
    client.platform.set_faults(fail_api=f"{status}:1")
    answer = client.call("GET", QUEUES)
    assert error_of(answer)[0] == status
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert client.call("GET", QUEUES).status_code == 200


def test_answers_are_counted_by_route(client: PublicClient) -> None:
    client.get(f"{QUEUES}/{client.queues()['Sales']}")
    assert client.platform.stats()["answers"][f"GET {QUEUES}/{{entity_id}} 200"] >= 1
