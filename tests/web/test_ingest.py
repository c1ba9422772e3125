"""`POST /ingest/v1/eventbridge`: who may post what, what is answered, and that 200 means that it was delivered."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from journeymap.model.time import SECOND
from journeymap.runtime.clock import SystemClock
from journeymap.source import door as doors
from journeymap.source.door import Door
from journeymap.source.envelopes import frame_of_post
from journeymap.web import ingest
from journeymap.web.ingest import MAX_BODY, PATH, create_ingest
from tests.web.asgi import Client

KEY = "correct-horse-battery"
WITH_KEY = {"x-api-key": KEY}
EVENT = b'{"detail-type":"x","detail":{}}'


class Site:
    """The endpoint as it is served, with what came through its door."""

    def __init__(self, posts_per_second: int = 1_000) -> None:
        self.now = 0
        self.door = Door(SystemClock().now)
        self.frames: list[bytes] = []
        app = FastAPI(openapi_url=None)
        app.include_router(
            create_ingest(self.door, KEY, frame_of_post, posts_per_second=posts_per_second, steady=lambda: self.now)
        )
        self.app = app
        self._client = Client(app)

    def deliver(self, frame: bytes, _arrived_at: int) -> None:
        self.frames.append(frame)

    def post(
        self, content: bytes = EVENT, headers: Mapping[str, str] = WITH_KEY, query: str = ""
    ) -> tuple[int, dict[str, Any]]:
        answer = self.ask("POST", content, headers, query)
        kind = "application/json" if answer.status_code == 200 else "application/problem+json"
        assert answer.headers["content-type"] == kind
        return answer.status_code, answer.json()

    def ask(
        self, method: str, content: bytes | None = None, headers: Mapping[str, str] = WITH_KEY, query: str = ""
    ) -> httpx.Response:
        return self._client.request(method, PATH + query, headers, content=content)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.door.open(site.deliver)
    yield site
    site.door.end()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("journeymap-post")]


def test_what_is_posted_is_delivered_as_it_came(site: Site) -> None:
    array = b'[ {"detail-type":"x"},\n 5 ]'
    assert site.post() == (200, {"status": "taken"})
    assert site.post(array) == (200, {"status": "taken"})
    assert site.frames == [EVENT, array]
    assert site.door.received == 2
    assert site.door.refused() == {}


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [WITH_KEY, {"X-API-Key": KEY}, {"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"},
     basic("genesys", KEY), basic("", KEY)],
)  # fmt: skip
def test_the_key_may_come_in_three_ways(site: Site, headers: dict[str, str]) -> None:
    assert site.post(headers=headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-key": ""}, {"x-api-key": KEY + "x"}, {"x-api-key": KEY[:-1]}, {"x-api-key": "\xe4"},
     {"authorization": KEY}, {"authorization": "Bearer"}, {"authorization": "Basic"}, {"authorization": "Basic ?"},
     {"authorization": "Basic " + KEY}, basic(KEY, ""), basic(KEY, "x"), {"cookie": f"x-api-key={KEY}"}],
)  # fmt: skip
def test_a_wrong_key_is_refused(site: Site, caplog: pytest.LogCaptureFixture, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = site.ask("POST", EVENT, encoded)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert KEY not in answer.text + caplog.text
    assert site.frames == []
    assert site.door.refused() == {"wrong-key": 1}


def test_wrong_keys_are_logged_seldom(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    for second in range(121):
        site.now = second * SECOND
        assert site.post(headers={})[0] == 401
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [line.rpartition("wrong one: ")[2].split()[0] for line in said] == ["1", "60", "60"]


def test_guessing_is_slowed_down_and_takes_nothing_from_others(site: Site) -> None:
    answers = [site.post(headers={"x-api-key": str(n)})[0] for n in range(60)]
    assert answers == [401] * 50 + [429] * 10
    assert site.post()[0] == 200
    assert site.door.refused() == {"wrong-key": 50, "too-many": 10}


def test_more_posts_than_allowed_are_told_to_come_later() -> None:
    site = Site(posts_per_second=5)
    site.door.open(site.deliver)
    assert [site.post()[0] for _ in range(6)] == [200] * 5 + [429]
    answer = site.ask("POST", EVENT)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    site.now = 400
    assert [site.post()[0] for _ in range(3)] == [200, 200, 429]
    site.door.end()


@pytest.mark.parametrize("content", [b"", b"x", b'{"a":', b"\xff", b'{"a":"\xff"}'])
def test_what_is_not_json_is_refused(site: Site, content: bytes) -> None:
    status, problem = site.post(content)
    assert (status, problem["title"]) == (400, "Bad Request")
    assert problem["detail"].startswith("the body is not JSON")
    assert site.frames == []
    assert site.door.refused() == {"unusable": 1}


@pytest.mark.parametrize("content", [b"null", b"[]", b'{"unknown":1}', b"[" * 10_000 + b"]" * 10_000])
def test_json_of_any_kind_is_kept(site: Site, content: bytes) -> None:
    assert site.post(content)[0] == 200
    assert site.frames == [content]


def test_the_topic_of_a_web_hook_comes_beside_the_body(site: Site) -> None:
    body, topic = b'{"conversationId":"c"}', "v2.detail.events.conversation.{id}.acd.start"
    wrapped = json.dumps({"topicName": topic, "eventBody": {"conversationId": "c"}}, separators=(",", ":")).encode()
    assert site.post(body, {**WITH_KEY, "X-Journeymap-Topic": topic})[0] == 200
    assert site.post(body, query="?topic=" + topic.replace("{", "%7B").replace("}", "%7D"))[0] == 200
    assert site.frames == [wrapped, wrapped]
    assert site.post(body, query="?topic=nonsense")[0] == 400


def test_a_large_body_is_taken_and_a_larger_one_is_not(site: Site) -> None:
    assert site.post(b'"' + b"x" * (MAX_BODY - 2) + b'"')[0] == 200
    assert site.post(b'"' + b"x" * (MAX_BODY - 1) + b'"')[0] == 413
    assert [len(frame) for frame in site.frames] == [MAX_BODY]
    assert site.door.refused() == {"too-large": 1}


def test_a_body_without_a_length_is_cut_off_while_it_comes(site: Site) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://test") as client:
            return await client.post(PATH, headers=WITH_KEY, content=endless())

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert sent <= MAX_BODY + 2 * 65_536


def test_a_body_that_does_not_come_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BODY_PATIENCE", 0.05)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://test") as client:
            return await client.post(PATH, headers=WITH_KEY, content=stuck())

    assert asyncio.run(ask()).status_code == 408
    assert site.frames == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_possible(site: Site, method: str) -> None:
    answer = site.ask(method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_closed_door_asks_to_come_again() -> None:
    site = Site()
    answers = [site.ask("POST", EVENT)]
    site.door.open(site.deliver)
    site.door.close("the disk is nearly full")
    answers.append(site.ask("POST", EVENT))
    site.door.reopen()
    assert site.post()[0] == 200
    site.door.end()
    answers.append(site.ask("POST", EVENT))
    site.door.reopen()
    answers.append(site.ask("POST", EVENT))
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "2")] * 4
    details = [answer.json()["detail"].removeprefix("nothing is taken now: ") for answer in answers]
    assert details == [doors.NOT_RUNNING, "the disk is nearly full", doors.ENDING, doors.ENDING]
    assert site.frames == [EVENT]
    assert site.door.refused() == {"closed": 4}


def test_what_cannot_be_delivered_is_not_said_to_be_taken(site: Site) -> None:
    failures = []

    def deliver(_frame: bytes, _arrived_at: int) -> None:
        raise OSError("no disk")

    site.door.on_failure = lambda: failures.append(1)
    site.door.open(deliver)
    assert site.post()[0] == 503
    assert site.post() == (503, {**site.post()[1], "detail": "nothing is taken now: ingest has failed"})
    assert str(site.door.failure) == "no disk"
    assert failures == [1]
    assert site.door.refused() == {"failed": 1, "closed": 2}


def test_a_slow_disk_is_answered_in_time_and_holds_up_nobody_else(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stuck is delivered later; what did not get its turn, never, for it comes again."""
    monkeypatch.setattr(ingest, "DELIVERY_PATIENCE", 0.8)
    monkeypatch.setattr(doors, "MOST_WAITING", doors.THREADS + 2)
    go_on = threading.Event()

    def deliver(frame: bytes, arrived_at: int) -> None:
        go_on.wait(10)
        site.deliver(frame, arrived_at)

    async def ask_many() -> tuple[list[int], float]:
        longest = last = 0.0
        loop = asyncio.get_running_loop()

        async def beat() -> None:
            nonlocal longest, last
            last = loop.time()
            while True:
                await asyncio.sleep(0.005)
                longest, last = max(longest, loop.time() - last), loop.time()

        beating = asyncio.create_task(beat())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://test") as client:
            posts = [client.post(PATH, headers=WITH_KEY, content=EVENT) for _ in range(doors.THREADS + 4)]
            answers = await asyncio.gather(*posts)
        beating.cancel()
        return [answer.status_code for answer in answers], longest

    site.door.open(deliver)
    answers, longest = asyncio.run(ask_many())
    assert answers == [503] * (doors.THREADS + 4)
    assert longest < 5  # a loop that waits for the disk would have waited ten seconds
    assert site.door.refused() == {"busy": 2, "slow-disk": doors.THREADS + 2}
    go_on.set()
    site.door.end()
    assert site.frames == [EVENT] * doors.THREADS
