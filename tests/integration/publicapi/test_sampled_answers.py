"""As what the sampled answers of the platform are read: tokens, refusals, errors, limits, a channel and its topics."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from random import Random
from typing import Any

import pytest

from journeymap.errors import ForbiddenError, RefusedError, TransientSourceError
from journeymap.model.time import SECOND
from journeymap.protocol.budget import Told
from journeymap.protocol.notifications.exchange import Input, Prepare, Prepared, SetTopics, TopicsSet
from journeymap.protocol.notifications.topics import Refusal
from journeymap.source.notifications.calls import Calls
from journeymap.source.oauth import Token, TokenClient
from journeymap.source.publicapi.client import PublicApi
from journeymap.source.publicapi.config import PublicApiConfig
from journeymap.source.publicapi.problems import asked_for, problem, told
from journeymap.source.transport import Answer, HttpClient, tls_context
from tests.unit.decode.genesys.samples import BEGIN, CHANNEL, REST, sample

SAID = sample(REST)
EXCHANGES = sample(CHANNEL)
DAY = 86_400_000


class Platform:
    """A server that answers what it is told to, by method and path, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[int, dict[str, str], Any]] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                platform.asked.append((self.command, self.path, dict(self.headers.items()), body))
                status, headers, document = platform.answers.get((self.command, self.path), (404, {}, {}))
                content = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_GET  # noqa: N815 - the names of the standard library

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    yield platform
    platform.close()


@pytest.fixture
def http(platform: Platform) -> Iterator[HttpClient]:
    http = HttpClient(platform.url, 5 * SECOND, tls_context(), lambda: BEGIN)
    yield http
    http.close()


def answer(
    platform: Platform, http: HttpClient, status: int, document: Any, headers: dict[str, str] | None = None
) -> Answer:
    platform.answers["GET", "/api/v2/x"] = (status, headers or {}, document)
    return http.request("GET", platform.url + "/api/v2/x")


# Tokens


def test_a_token_is_asked_for_as_sampled_and_granted(platform: Platform, http: HttpClient) -> None:
    asked = SAID["token_request"]
    platform.answers["POST", "/oauth/token"] = (200, {}, SAID["token_200"])
    token = TokenClient(platform.url, "client", "secret", (), http).fetch()
    assert token == Token("EXAMPLE-TOKEN", 86_399 * SECOND)
    method, path, headers, body = platform.asked[-1]
    assert (method, body.decode()) == (asked["method"], asked["body"])
    assert asked["url"].endswith(path)
    assert headers["Content-Type"] == asked["headers"]["Content-Type"]
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'client:secret').decode()}"


@pytest.mark.parametrize(
    ("name", "status", "why"),
    [
        ("token_400_unknown_client", 400, "CLIENT_ID is unknown there"),
        ("token_401_wrong_secret", 401, "CLIENT_SECRET is wrong"),
    ],
)
def test_a_refused_token_says_whose_fault_it_is(platform: Platform, name: str, status: int, why: str) -> None:
    platform.answers["POST", "/oauth/token"] = (status, {}, SAID[name])
    api = api_of(platform)
    with pytest.raises(RefusedError, match=why) as refused:
        api.post("/api/v2/x", urgent=True)
    assert (refused.value.status, refused.value.code) == (status, "invalid_client")
    api.close()


# Errors


def test_a_request_without_a_token_is_refused(platform: Platform, http: HttpClient) -> None:
    error = problem(answer(platform, http, 401, SAID["api_401"]), "GET /api/v2/x", "api.example")
    assert isinstance(error, RefusedError)
    assert (error.status, error.code) == (401, "authentication.required")
    assert SAID["api_401"]["contextId"] in str(error)
    assert SAID["api_401"]["message"] in str(error)


def test_a_missing_permission_is_named(platform: Platform, http: HttpClient) -> None:
    error = problem(answer(platform, http, 403, SAID["api_403"]), "GET /api/v2/x", "api.example")
    assert isinstance(error, ForbiddenError)
    assert (error.status, error.code) == (403, "missing.any.permissions")
    assert error.permissions == ("analytics:conversationDetail:view",)
    assert "the roles of the OAuth client lack analytics:conversationDetail:view" in str(error)


@pytest.mark.parametrize("with_header", [True, False])
def test_too_many_requests_say_how_long_to_wait(platform: Platform, http: HttpClient, with_header: bool) -> None:
    given = SAID["api_429"]
    headers = {name: value for name, value in given["headers"].items() if with_header or name != "Retry-After"}
    limited = answer(platform, http, 429, given["body"], headers)
    error = problem(limited, "GET /api/v2/x", "api.example")
    assert isinstance(error, TransientSourceError)
    assert (error.retry_after, asked_for(limited)) == (37, 37 * SECOND)
    assert told(limited) == Told(301, 300, 37 * SECOND)


# A channel


def api_of(platform: Platform) -> PublicApi:
    config = PublicApiConfig(platform.url, platform.url, "wss://streaming.mypurecloud.com", "client", "secret")
    return PublicApi(config, lambda: BEGIN, Random(1))


def test_a_channel_and_its_topics(platform: Platform) -> None:
    created, subscribed = EXCHANGES["create_channel"], EXCHANGES["add_subscriptions"]
    topics = tuple(topic["id"] for topic in subscribed["request"]["body"])
    path = subscribed["request"]["path"]
    platform.answers = {
        ("POST", "/oauth/token"): (200, {}, SAID["token_200"]),
        ("POST", created["request"]["path"]): (200, {}, created["response"]),
        ("PUT", path): (200, {}, subscribed["response"]),
        ("POST", path): (200, {}, subscribed["response"]),
    }
    answers: SimpleQueue[Input | BaseException] = SimpleQueue()
    calls = Calls(api_of(platform), "wss://streaming.mypurecloud.com", lambda: BEGIN, lambda: 0, answers.put)
    calls.prepare(Prepare(1, 1, None, topics))
    prepared = answers.get(timeout=10)
    calls.set_topics(SetTopics(2, 1, created["response"]["id"], topics, replace=False))
    added = answers.get(timeout=10)
    assert calls.end(5, 5)

    refusals = (Refusal(topics[2], "Missing required permissions", ("conversation:communication:view",)),)
    assert isinstance(prepared, Prepared)
    assert (prepared.request, prepared.channel_id, prepared.uri, prepared.token) == (
        1, created["response"]["id"], created["response"]["connectUri"], 1,
    )  # fmt: skip
    # It lives for a day from `BEGIN`, as the token does but for a second.
    assert prepared.renew_at is not None
    assert 0 < prepared.renew_at < DAY
    assert prepared.refusals == refusals
    assert added == TopicsSet(2, refusals)
    assert [(method, asked) for method, asked, _, _ in platform.asked][-3:] == [
        ("POST", created["request"]["path"]), ("PUT", path), ("POST", path),
    ]  # fmt: skip
    assert json.loads(platform.asked[-1][3]) == subscribed["request"]["body"]
