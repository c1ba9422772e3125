"""TCP connections to a platform, straight or through a proxy."""

from __future__ import annotations

import http.client
import re
import socket
from base64 import b64encode
from typing import Final
from urllib.parse import urlsplit

from journeymap.errors import TransientSourceError
from journeymap.source.explaining import explain, explain_refusal
from journeymap.source.proxy import Proxy, address_of, proxy_for

_REFUSED: Final = re.compile(r"Tunnel connection failed: (\d{3})\b")


def dial(url: str, timeout: float, setting: str) -> socket.socket:
    """A connection to the host of this URL, IPv6 or IPv4, through its proxy if it has one; `timeout` is in seconds, `setting`
    what the URL comes from.

    Raises `TransientSourceError` where none comes about, `ConfigurationError` as `proxy_for` does.
    """
    proxy = proxy_for(url)
    try:
        connected = (
            socket.create_connection(address_of(url), timeout) if proxy is None else _tunnel(proxy, url, timeout)
        )
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        where = urlsplit(url).netloc
        raise TransientSourceError(explain(error, where, proxy, setting=setting, connecting=True)) from None
    return connected


def _tunnel(proxy: Proxy, url: str, timeout: float) -> socket.socket:
    tunnel = http.client.HTTPConnection(proxy.host, proxy.port, timeout=timeout)
    account = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    tunnel.set_tunnel(*address_of(url), {"Proxy-Authorization": f"Basic {account}"} if proxy.user else {})
    try:
        tunnel.connect()
    except (http.client.HTTPException, OSError) as error:
        tunnel.close()
        answered = _REFUSED.match(str(error))
        if answered is None and isinstance(error, OSError):
            raise
        status = answered[1] if answered is not None else None
        raise TransientSourceError(explain_refusal(proxy, urlsplit(url).netloc, status)) from None
    return tunnel.sock
