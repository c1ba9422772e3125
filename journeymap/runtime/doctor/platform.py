"""All checks of one platform, in the order in which a client goes through its doors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from journeymap.errors import ConfigurationError
from journeymap.model.time import SECOND, Millis
from journeymap.runtime.doctor import line
from journeymap.runtime.doctor.account import AccountChecks
from journeymap.runtime.doctor.examination import Check
from journeymap.runtime.doctor.stream import StreamChecks
from journeymap.source.config import EventStreamsConfig
from journeymap.source.proxy import address_of, proxy_for
from journeymap.source.transport import HttpClient, tls_context


@contextlib.contextmanager
def platform_checks(
    config: EventStreamsConfig,
    section: str,
    clock: Callable[[], Millis],
    patience: Millis,
    needs: tuple[Check, ...] = (),
    credentials: tuple[Check, ...] = (),
) -> Iterator[list[Check]]:
    """The checks of the platform of this configuration. What they have made on the platform is gone at the end.

    All of them need the checks `needs`, those with a token also `credentials`. `patience` is how long the first event or
    heartbeat is waited for; no other step takes longer either.
    """
    config = replace(config, request_timeout=min(config.request_timeout, patience))
    proxies = Check(section, "proxy", lambda _: line.proxies(_urls(config)), needs)
    try:
        way = _way(config, section, clock, proxies)
        tls = tls_context()
        login = HttpClient(config.login_url, config.request_timeout, tls, clock, "REGION or LOGIN_URL")
        api = HttpClient(config.api_url, config.request_timeout, tls, clock, "REGION or API_URL")
    except ConfigurationError:
        yield [proxies]  # which says the same, with its remedy
        return
    account = AccountChecks(config, login, clock)
    stream = StreamChecks(config, account, api, tls, clock, patience)

    def secure(url: str) -> Check:
        return next(check for check in way if check.name == "tls" and check.about == _where(url))

    metadata = Check(section, "metadata", account.metadata, (secure(config.login_url),))
    token = Check(section, "token", account.grant, (metadata, *credentials))
    handshake = Check(section, "handshake", stream.handshake, (token, secure(config.stream_url)))
    greeting = Check(section, "greeting", stream.greeting, (handshake,))
    subscription = Check(section, "subscription", stream.subscription, (greeting, secure(config.api_url)))
    first_sign = Check(section, "first-sign", stream.first_sign, (subscription,))
    try:
        yield [
            proxies,
            *way,
            Check(section, "clock", account.clock, (secure(config.login_url),)),
            metadata,
            token,
            Check(section, "scopes", account.scopes, (token,)),
            handshake,
            greeting,
            subscription,
            first_sign,
            Check(section, "throttle", stream.throttle, (first_sign,)),
            Check(section, "deletion", stream.deletion, (handshake,)),
        ]
    finally:
        stream.close()
        login.close()
        api.close()


def _urls(config: EventStreamsConfig) -> list[tuple[str, str]]:
    return [("LOGIN_URL", config.login_url), ("API_URL", config.api_url), ("STREAM_URL", config.stream_url)]


def _where(url: str) -> str:
    host, port = address_of(url)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _way(config: EventStreamsConfig, section: str, clock: Callable[[], Millis], proxies: Check) -> list[Check]:
    """DNS and TCP for each place that is connected to (a proxy, or the host itself), TLS for each host."""
    timeout = config.request_timeout / SECOND
    names: dict[str, Check] = {}
    connections: dict[str, Check] = {}
    hands: dict[str, Check] = {}
    for setting, url in _urls(config):
        proxy = proxy_for(url)
        host, port = address_of(url) if proxy is None else (proxy.host, proxy.port)
        where = _where(url) if proxy is None else proxy.where
        if host not in names:
            look_up = partial(line.look_up, host, port, timeout)
            names[host] = Check(section, "dns", look_up, (proxies,), host)
        if where not in connections:
            connect = partial(line.connect, host, port, timeout)
            connections[where] = Check(section, "tcp", connect, (names[host],), where)
        if _where(url) not in hands:
            shake_hands = partial(line.shake_hands, url, setting, clock, timeout)
            hands[_where(url)] = Check(section, "tls", shake_hands, (connections[where],), _where(url))
    return [*names.values(), *connections.values(), *hands.values()]
