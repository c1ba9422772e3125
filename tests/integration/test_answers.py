"""What is kept of the platform's answers beside their bodies."""

from __future__ import annotations

import contextlib

import pytest

from journeymap.errors import RefusedError
from journeymap.runtime.clock import SystemClock
from journeymap.source.oauth import Endpoint, TokenClient
from journeymap.source.subscriptions import SubscriptionClient
from journeymap.source.transport import HttpClient, tls_context
from tests.eventstreams import Misbehaving


def answers(*headers: str, body: str = "", status: str = "200 OK") -> Misbehaving:
    """A server that gives everybody this answer."""
    text = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body])

    def behave(connected, _request):
        connected.sendall(text.encode())
        connected.close()

    return Misbehaving(behave)


@contextlib.contextmanager
def client_of(server: Misbehaving):
    with (
        server,
        contextlib.closing(HttpClient(f"http://{server.address}", 5_000, tls_context(), SystemClock().now)) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("headers", "date"),
    [
        (["Date: Mon, 24 Nov 2025 16:00:00 GMT"], 1_764_000_000_000),
        (["Date: Mon, 24 Nov 2025 16:00:00 GMT", "Age: 120"], 1_764_000_120_000),
        (["Date: Mon, 24 Nov 2025 16:00:00 GMT", "Age: old"], 1_764_000_000_000),
        (["Date: today"], None),
        ([], None),
    ],
)
def test_the_servers_clock(headers: list[str], date: int | None) -> None:
    with client_of(answers(*headers)) as client:
        assert client.request("GET", f"http://{client.where}/").date == date


@pytest.mark.parametrize(
    ("body", "scopes"),
    [
        ('{"access_token":"t","scope":"a.read  b.read"}', ("a.read", "b.read")),
        ('{"access_token":"t","scope":""}', ()),
        ('{"access_token":"t","scope":7}', None),
        ('{"access_token":"t"}', None),
    ],
)
def test_granted_scopes(body: str, scopes: tuple[str, ...] | None) -> None:
    with client_of(answers(body=body)) as client:
        assert TokenClient(f"http://{client.where}", "id", "secret", ["a.read"], client).fetch().scopes == scopes


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        ("400 Bad Request", '{"error":"invalid_scope"}', (400, "invalid_scope")),
        ("401 Unauthorized", '{"error":"made up","error_description":"hunter2"}', (401, "")),
        ("403 Forbidden", "", (403, "")),
    ],
)
def test_refusals_are_told_apart(status: str, body: str, refusal: tuple[int, str]) -> None:
    with client_of(answers(body=body, status=status)) as client:
        tokens = TokenClient(f"http://{client.where}", "id", "hunter2", ["a.read"], client)
        assert tokens.discover() == Endpoint(f"http://{client.where}/oauth/token")
        with pytest.raises(RefusedError) as caught:
            tokens.fetch()
        assert (caught.value.status, caught.value.code) == refusal
        assert "hunter2" not in str(caught.value)


def test_metadata_names_the_endpoint() -> None:
    with client_of(answers(body='{"token_endpoint":"http://127.0.0.1:9/token"}')) as client:
        found = TokenClient(f"http://{client.where}", "id", "secret", [], client).discover()
    assert found == Endpoint(
        "http://127.0.0.1:9/token", f"http://{client.where}/.well-known/oauth-authorization-server"
    )


@pytest.mark.parametrize(("rate", "granted"), [("20", 20), ('"20"', None), ("true", None), ("null", None)])
def test_the_rate_that_a_subscription_gets(rate: str, granted: int | None) -> None:
    with client_of(answers(body=f'{{"id":"s","maxEventsPerSecond":{rate}}}')) as client:
        subscribed = SubscriptionClient(f"http://{client.where}", [], 50, client).subscribe(1, "token", "ws://x")
    assert subscribed.max_events_per_second == granted
