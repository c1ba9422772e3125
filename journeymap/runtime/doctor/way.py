"""The way to a platform's hosts as checks: DNS and TCP for each place that is connected to, TLS for each host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from journeymap.model.time import SECOND, Millis
from journeymap.runtime.doctor import line
from journeymap.runtime.doctor.examination import Check
from journeymap.source.proxy import address_of, proxy_for

Urls = Sequence[tuple[str, str]]
"""Each with the setting that it stands in before it."""


class Way(msgspec.Struct, frozen=True):
    """The checks, and of each host the one that says that it can be reached safely."""

    checks: Sequence[Check]
    hands: Mapping[str, Check]

    def secure(self, url: str) -> Check:
        """The check of TLS to this URL's host."""
        return self.hands[_where(url)]


def proxy_check(urls: Urls, section: str, needs: tuple[Check, ...]) -> Check:
    """Which proxies the environment names for these URLs."""
    return Check(section, "proxy", lambda _: line.proxies(urls), needs)


def way_to(urls: Urls, section: str, clock: Callable[[], Millis], timeout: Millis, proxies: Check) -> Way:
    """DNS and TCP for each place that is connected to (a proxy, or the host itself), TLS for each host. Raises
    `ConfigurationError` for a proxy that cannot be used."""
    seconds = timeout / SECOND
    names: dict[str, Check] = {}
    connections: dict[str, Check] = {}
    hands: dict[str, Check] = {}
    for setting, url in urls:
        proxy = proxy_for(url)
        host, port = address_of(url) if proxy is None else (proxy.host, proxy.port)
        where = _where(url) if proxy is None else proxy.where
        if host not in names:
            look_up = partial(line.look_up, host, port, seconds)
            names[host] = Check(section, "dns", look_up, (proxies,), host)
        if where not in connections:
            connect = partial(line.connect, host, port, seconds)
            connections[where] = Check(section, "tcp", connect, (names[host],), where)
        if _where(url) not in hands:
            shake_hands = partial(line.shake_hands, url, setting, clock, seconds)
            hands[_where(url)] = Check(section, "tls", shake_hands, (connections[where],), _where(url))
    return Way([*names.values(), *connections.values(), *hands.values()], hands)


def _where(url: str) -> str:
    host, port = address_of(url)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
