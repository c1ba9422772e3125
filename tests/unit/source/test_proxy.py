"""Which proxy the environment names for a URL."""

from __future__ import annotations

import os

import pytest

from journeymap.errors import ConfigurationError
from journeymap.source.config import EventStreamsConfig
from journeymap.source.proxy import Proxy, proxy_for


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({}, "https://a.example", None),
        ({"https_proxy": "http://p:3128"}, "https://a.example", Proxy("p", 3128, "https_proxy")),
        ({"HTTPS_PROXY": "http://p:3128"}, "wss://a.example/stream", Proxy("p", 3128, "https_proxy")),
        ({"http_proxy": "http://p:3128"}, "https://a.example", None),
        ({"all_proxy": "p:3128"}, "wss://a.example", Proxy("p", 3128, "all_proxy")),
        ({"all_proxy": "http://q", "https_proxy": "http://p"}, "https://a.example", Proxy("p", 80, "https_proxy")),
        ({"https_proxy": "http://me:p%40ss@[::1]:1"}, "https://a.example", Proxy("::1", 1, "https_proxy", "me", "p@ss")),
        ({"https_proxy": "http://p", "no_proxy": "example"}, "https://a.example", None),
        ({"https_proxy": "http://p", "no_proxy": "b.example"}, "https://a.example", Proxy("p", 80, "https_proxy")),
        ({"https_proxy": "http://p", "no_proxy": "*"}, "wss://a.example", None),
        ({"https_proxy": "http://p", "http_proxy": "http://p", "all_proxy": "http://p"}, "ws://127.0.0.1:1", None),
    ],
)  # fmt: skip
def test_the_proxy_of_a_url(
    environment: dict[str, str], url: str, expected: Proxy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == expected


@pytest.mark.parametrize("value", ["socks5://p:1080", "https://p", "http://", "http://p:port"])
def test_a_proxy_that_cannot_be_used_is_refused_at_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", value)
    address = "https://a.example"
    config = EventStreamsConfig(address, address, "wss://a.example", "id", "secret")
    with pytest.raises(ConfigurationError, match="all_proxy is no usable proxy; allowed is http://HOST:PORT"):
        config.checked()


def test_a_password_is_not_printed() -> None:
    assert repr(Proxy("p", 1, "https_proxy", "me", "hunter2")) == "Proxy(p:1)"
