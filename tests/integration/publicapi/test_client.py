"""The client of the public APIs, against the simulated platform."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from journeymap.errors import ForbiddenError, RefusedError, RequestError, TransientSourceError
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.publicapi.client import PublicApi, PublicApiConfig

QUEUES = "/api/v2/routing/queues"
DETAILS = "/api/v2/analytics/conversations/details/query"


class NoPatience(Random):
    """Waits are as short as they can be."""

    def random(self) -> float:
        return 0.0


def client_of(platform: SimulatedPlatform, **given: str | int) -> PublicApi:
    access = {
        "login_url": platform.login_url,
        "api_url": platform.api_url,
        "stream_url": platform.stream_url,
        "client_id": platform.client_id,
        "client_secret": platform.client_secret,
    }
    config = PublicApiConfig(**access | given)  # type: ignore[arg-type]  # strings and numbers, each where it belongs
    return PublicApi(config, lambda: time.time_ns() // 1_000_000, NoPatience())


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(queues=230, rate_limit=10_000) as platform:
        yield platform


@pytest.fixture
def api(platform: SimulatedPlatform) -> Iterator[PublicApi]:
    platform.reset_faults()
    api = client_of(platform)
    yield api
    api.close()


def answers(platform: SimulatedPlatform, path: str = QUEUES) -> dict[str, int]:
    """How often requests to this path were answered, by status."""
    counts: dict[str, int] = platform.stats()["answers"]
    return {name.rpartition(" ")[2]: count for name, count in counts.items() if f" {path} " in name}


def test_a_listing_comes_page_by_page(api: PublicApi) -> None:
    queues = list(api.pages(QUEUES))
    assert len({queue["id"] for queue in queues}) == len(queues) == 230
    assert list(api.pages(QUEUES, {"name": "Sales"})) == [queue for queue in queues if queue["name"] == "Sales"]
    assert list(api.pages(QUEUES, {"name": "nothing"})) == []


def test_every_method(api: PublicApi) -> None:
    channel = api.post("/api/v2/notifications/channels")
    path = f"/api/v2/notifications/channels/{channel['id']}"
    topic = f"v2.routing.queues.{next(api.pages(QUEUES))['id']}.conversations"
    assert api.put(f"{path}/subscriptions", [{"id": topic}], {"ignoreErrors": "true"})["entities"][0]["id"] == topic
    assert api.get(f"{path}/subscriptions")["entities"][0]["state"] == "Permitted"
    api.delete(f"{path}/subscriptions")
    assert api.get(f"{path}/subscriptions")["entities"] == []
    assert (api.head(path), api.head(path + "x")) == (200, 404)


def test_what_passes_is_tried_again(platform: SimulatedPlatform, api: PublicApi) -> None:
    for fault in ("503:2", "504:1", "garbage:1"):
        platform.set_faults(fail_api=fault)
        assert api.get(QUEUES)["total"] == 230
    platform.set_faults(fail_tokens="503:1")
    api.renew(0)
    assert api.get(QUEUES)["total"] == 230


def test_patience_ends(platform: SimulatedPlatform, api: PublicApi) -> None:
    platform.set_faults(fail_api="503")
    before = answers(platform).get("503", 0)
    with pytest.raises(
        TransientSourceError, match=r"answered GET /api/v2/routing/queues with 503 service\.unavailable"
    ):
        api.get(QUEUES)
    assert answers(platform)["503"] - before == 5
    with pytest.raises(TransientSourceError):
        api.get(QUEUES, urgent=True)
    assert answers(platform)["503"] - before == 7


def test_a_token_that_is_not_accepted_any_more_is_renewed_once(platform: SimulatedPlatform, api: PublicApi) -> None:
    first = api.renew(0)
    api.get(QUEUES)
    platform.expire_tokens()
    assert api.get(QUEUES)["total"] == 230
    assert api.grant is not None
    assert api.grant.number == first.number + 1
    before = answers(platform).get("401", 0)
    platform.set_faults(fail_api="401")
    with pytest.raises(RefusedError, match="a fresh token was not accepted either"):
        api.get(QUEUES)
    assert answers(platform)["401"] - before == 2


@pytest.mark.parametrize(
    ("given", "status", "named"),
    [({"client_id": "nobody"}, 400, "CLIENT_ID"), ({"client_secret": "wrong"}, 401, "CLIENT_SECRET")],
)
def test_refused_credentials_say_which(
    platform: SimulatedPlatform, given: dict[str, str], status: int, named: str
) -> None:
    api = client_of(platform, **given)
    with pytest.raises(RefusedError, match=named) as raised:
        api.get(QUEUES)
    assert raised.value.status == status
    api.close()


def test_missing_permissions_are_named(platform: SimulatedPlatform, api: PublicApi) -> None:
    platform.set_faults(missing_permissions="routing:queue:view")
    with pytest.raises(ForbiddenError, match="lack routing:queue:view") as raised:
        api.get(QUEUES)
    assert raised.value.permissions == ("routing:queue:view",)


def test_a_wrong_request_says_what_support_needs(api: PublicApi) -> None:
    with pytest.raises(RequestError, match="its support finds this as") as raised:
        api.get(f"{QUEUES}/nowhere")
    assert (raised.value.status, raised.value.code, len(raised.value.context_id)) == (404, "not.found", 36)
    with pytest.raises(RequestError) as raised:
        api.post(DETAILS, {"interval": "yesterday"})
    assert raised.value.status == 400


def test_a_low_limit_slows_and_never_refuses(platform: SimulatedPlatform, api: PublicApi) -> None:
    platform.set_faults(rate_limit=12, rate_window=1)
    api.renew(0)
    before = answers(platform)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: api.get(QUEUES), range(15)))
    after = answers(platform)
    assert after["200"] - before.get("200", 0) == 15
    assert after.get("429", 0) == before.get("429", 0)
    assert 1.0 < time.monotonic() - began < 10.0


def test_a_limit_that_others_have_used_up_is_met_once(platform: SimulatedPlatform, api: PublicApi) -> None:
    api.get(QUEUES)
    before = answers(platform).get("429", 0)
    platform.set_faults(rate_limit=1, rate_window=2)
    assert api.get(QUEUES)["total"] == 230
    assert answers(platform)["429"] - before == 1


@pytest.mark.parametrize("where", ["request", "budget", "retry"])
def test_another_thread_ends_it(platform: SimulatedPlatform, api: PublicApi, where: str) -> None:
    api.get(QUEUES)
    if where == "request":
        platform.set_faults(fail_api="hang")
    elif where == "budget":
        platform.set_faults(rate_limit=1)
    else:
        platform.set_faults(fail_api="429")  # with a Retry-After of two seconds
    ended = list[str]()

    def ask() -> None:
        try:
            api.get(QUEUES)
        except TransientSourceError as error:
            ended.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive(), ended
    api.abort()
    thread.join(2)
    assert not thread.is_alive()
    assert len(ended) == 1
