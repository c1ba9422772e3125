"""What all conversations with the platform share: which URLs are allowed, TLS, bounded and abortable HTTP."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec

from journeymap.errors import ConfigurationError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import parse_retry_after
from journeymap.protocol.httpdate import parse_http_date
from journeymap.settings.values import is_loopback
from journeymap.source.explaining import explain
from journeymap.source.proxy import Proxy, proxy_for

MAX_ANSWER: Final = 1 << 20
"""Bytes read of an HTTP answer, unless a client is told otherwise; what is longer is no answer of this protocol."""

_EXTRA: Final = ("inin-", "x-amzn-")

_SECURE: Final = {"https": "http", "wss": "ws"}


def check_url(setting: str, url: str, scheme: str) -> str:
    """The URL without a final slash, if it may be used: `scheme` (`https` or `wss`), or its plain form on loopback.

    Raises `ConfigurationError` otherwise.
    """
    plain = _SECURE[scheme]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), None
    if not host or parts.scheme not in (scheme, plain) or not url.isprintable() or " " in url:
        raise ConfigurationError(f"{setting} is not a usable URL; allowed is {scheme}://host[:port][/path]")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(f"{setting} must hold neither user name, password, query nor fragment")
    if parts.scheme == plain and not is_loopback(host):
        raise ConfigurationError(f"{setting} is {url}; {plain}:// is allowed for loopback only, use {scheme}://")
    return url.rstrip("/")


def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or later, certificates verified against the system's authorities (or `SSL_CERT_FILE`)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def break_off(connected: socket.socket | None) -> None:
    """End a socket under another thread's hands: whatever waits on it there wakes up with an error."""
    if connected is not None:
        with contextlib.suppress(OSError):  # it may be gone already
            # Not the method of an SSLSocket: that one takes the TLS object away from the thread that is using it.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _date(headers: httpx.Headers) -> Millis | None:
    """The server's clock. An answer out of a cache tells its age beside its date."""
    date, age = parse_http_date(headers.get("date")), headers.get("age", "0")
    return None if date is None else date + (int(age) * SECOND if re.fullmatch(r"[0-9]{1,8}", age) else 0)


def _extras(headers: httpx.Headers) -> Mapping[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(_EXTRA)}


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer. `retry_after` is in milliseconds, `date` the server's clock when it answered, to the second. `extras`
    are the headers of the platform's own, their names in lower case."""

    status: int
    body: bytes
    retry_after: Millis | None
    date: Millis | None = None
    extras: Mapping[str, str] = {}

    def fields(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            document = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


def _in_httpx(proxy: Proxy) -> httpx.Proxy:
    return httpx.Proxy(f"http://{proxy.where}", auth=(proxy.user, proxy.password) if proxy.user else None)


class HttpClient:
    """HTTP to one server, for one thread at a time; `abort` may come from any other.

    Redirects are not followed: they would carry credentials away. `setting` is what an operator is told to check, `most` how
    many bytes of an answer are read. Raises `ConfigurationError` as `proxy_for` does.
    """

    def __init__(
        self,
        url: str,
        timeout: Millis,
        tls: ssl.SSLContext,
        clock: Callable[[], Millis],
        setting: str = "its address",
        most: int = MAX_ANSWER,
    ) -> None:
        self._most = most
        self.where = urlsplit(url).netloc
        self._setting = setting
        self._timeout = timeout / SECOND
        self._clock = clock
        self._aborted = False
        self._connecting = False
        self._socket: socket.socket | None = None
        self._proxy = proxy = proxy_for(url)
        self._client = httpx.Client(
            verify=tls,
            trust_env=False,
            proxy=None if proxy is None else _in_httpx(proxy),
            headers={"Accept": "application/json"},
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=5),
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        document: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: str | None = None,
        basic: tuple[str, str] | None = None,
        patience: Millis | None = None,
    ) -> Answer:
        """Ask, with `patience` shorter than usual if it is given. A body is a `form`, a `document` in JSON, or
        `content`. Raises `TransientSourceError` where no answer came, whatever the reason."""
        sent = dict(headers or {})
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        if document is not None:
            content = msgspec.json.encode(document)
            sent["Content-Type"] = "application/json"
        self._connecting = False
        try:
            with self._client.stream(
                method,
                url,
                data=form,
                content=content,
                headers=sent,
                auth=None if basic is None else httpx.BasicAuth(*basic),
                timeout=self._timeout if patience is None else min(patience / SECOND, self._timeout),
                extensions={"trace": self._trace},
            ) as response:
                body = self._read(response)
                retry_after = parse_retry_after(response.headers.get("retry-after"), self._clock())
                return Answer(
                    response.status_code, body, retry_after, _date(response.headers), _extras(response.headers)
                )
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            # The original says too much (headers) and too little: only what `explain` made of it goes on.
            where = urlsplit(url).netloc or self.where  # metadata may name another server
            raise TransientSourceError(
                explain(error, where, self._proxy, setting=self._setting, connecting=self._connecting)
            ) from None

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._most:
                raise TransientSourceError(f"the answer of {self.where} is longer than {self._most} bytes")
        return bytes(body)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.startswith("connection.connect_tcp."):
            self._connecting = not event.endswith(".complete")
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = info["return_value"].get_extra_info("socket")
        if self._aborted:
            break_off(self._socket)

    def give_up(self) -> None:
        """Make a request under way end soon with an error: the time limit is one of each step, and there may be many."""
        break_off(self._socket)

    def abort(self) -> None:
        """Make a request under way end soon with an error, and every later one too."""
        self._aborted = True
        break_off(self._socket)

    def close(self) -> None:
        """Give back what the client holds; only once no request is under way."""
        self._socket = None
        self._client.close()
