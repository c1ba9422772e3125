"""Which proxy the environment names for a URL: one rule for HTTP and for the WebSocket.

The libraries under them read the environment each in its own way (`all_proxy` and networks in `no_proxy` count for one of
them only), so they are told which one to use.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from journeymap.errors import ConfigurationError
from journeymap.settings.values import is_loopback

_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Proxy(msgspec.Struct, frozen=True):
    """An HTTP proxy. Printing it does not show the password. `variable` is the environment variable that names it."""

    host: str
    port: int
    variable: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.where})"

    @property
    def where(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def proxy_for(url: str) -> Proxy | None:
    """The proxy for this URL: `https_proxy` or `http_proxy`, else `all_proxy`, unless `no_proxy` names the host; none to
    loopback. Raises `ConfigurationError` for one that cannot be used."""
    host, port = address_of(url)
    if is_loopback(host) or proxy_bypass(f"{host}:{port}"):
        return None
    named = getproxies()
    kind = "https" if urlsplit(url).scheme in ("https", "wss") else "http"
    kind = kind if named.get(kind) else "all"
    text = named.get(kind)
    if not text:
        return None
    variable = f"{kind}_proxy"
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        found = parts.hostname, parts.port or 80
    except ValueError:
        found = None, 0
    if not found[0] or parts.scheme != "http":
        raise ConfigurationError(f"the environment's {variable} is no usable proxy; allowed is http://HOST:PORT")
    return Proxy(found[0], found[1], variable, unquote(parts.username or ""), unquote(parts.password or ""))
