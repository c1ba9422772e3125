"""What every answer carries besides its body: security headers, how long to keep it, compression of static files."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

ASSETS_PATH: Final = "/assets/"
PACKAGES_PATH: Final = "/_dash-component-suites/"
ANSWERS_PATH: Final = "/_dash-update-component"
FAVICON_PATH: Final = "/_favicon.ico"
PAGES: Final = frozenset(["/", "/operations", "/_dash-layout", "/_dash-dependencies"])
JOURNEY_PAGES: Final = "/journey/"
"""What a page is made of, besides files: the same for all viewers until the process is another."""

COMPRESS_FILES_FROM: Final = 1_024
COMPRESS_ANSWERS_FROM: Final = 8_192
LARGE: Final = 131_072
"""From here on compressing takes longer than the event loop should be held up."""
FILES_KEPT: Final = 64


def content_policy(script_hashes: Sequence[str]) -> str:
    """The Content-Security-Policy of the pages: everything from here, no script in the page but Dash's own.

    Inline styles stay allowed: Mantine, Plotly and React write them. Pictures may be `data:` and `blob:`, which is how
    Plotly turns a chart into a PNG. `unsafe-eval` is for users' automation (docs/http.md): waiting for a
    condition, browser drivers evaluate text inside the page. Nothing of ours does, and no text of ours gets there.
    """
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self' 'unsafe-eval'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class PageHeaders:
    """Adds the security headers to every answer, and to the page's own files that they are asked after each time.

    The page's modules import each other by plain names, so a browser must not keep an old one beside a new one; a file
    that did not change costs an empty 304. That leaves the headers that the browser has: with them it would be five times
    the size, and a page has nearly a hundred.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                present = {name.lower() for name, _ in headers}
                if message["status"] != HTTPStatus.NOT_MODIFIED:
                    headers += [header for header in self._headers if header[0] not in present]
                if b"cache-control" not in present:
                    kept = b"no-cache" if path.startswith((ASSETS_PATH, PACKAGES_PATH)) else b"no-store"
                    kept = b"max-age=86400" if path == FAVICON_PATH else kept
                    headers.append((b"cache-control", kept))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, complete)


class Compressed:
    """Compresses static files and what a page is made of, each once for all viewers, and the few answers that are large.

    Most ticks stay as they are: compressing a small answer costs a server more than the wire saves. Large are the first
    answer and the ones in which the order of the rows changes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; if what it asks for may be compressed and it takes gzip, answer with the compressed form."""
        if not _takes_compressed(scope):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await self._answer(scope, start, bytes(body), send)

        await self._app(scope, receive, collect)

    async def _answer(self, scope: Scope, start: Message, body: bytes, send: Send) -> None:
        headers = {name.lower(): value for name, value in start.get("headers", [])}
        is_file = scope["method"] == "GET"
        least = COMPRESS_FILES_FROM if is_file else COMPRESS_ANSWERS_FROM
        if start["status"] == HTTPStatus.OK and len(body) >= least and b"content-encoding" not in headers:
            if is_file:
                named = scope["path"] if b"etag" in headers else ""
                body = await self._file(named, headers.get(b"etag", hashlib.blake2b(body).digest()), body)
            elif len(body) < LARGE:
                body = gzip.compress(body, 1)
            else:
                body = await asyncio.to_thread(gzip.compress, body, 1)
            headers[b"content-encoding"] = b"gzip"
            headers[b"content-length"] = str(len(body)).encode()
            headers[b"vary"] = b"accept-encoding"
        await send({**start, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body})

    async def _file(self, path: str, version: bytes, body: bytes) -> bytes:
        key = (path, version)
        kept = self._kept.get(key)
        if kept is None:
            kept = await asyncio.to_thread(gzip.compress, body, 6)
            self._kept[key] = kept
            while len(self._kept) > FILES_KEPT:
                self._kept.popitem(last=False)
        return kept


def _takes_compressed(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    path: str = scope["path"]
    is_file = scope["method"] == "GET" and (
        path.startswith((ASSETS_PATH, PACKAGES_PATH, JOURNEY_PAGES)) or path in PAGES
    )
    if not is_file and path != ANSWERS_PATH:
        return False
    headers = dict(scope["headers"])
    return b"gzip" in headers.get(b"accept-encoding", b"") and b"range" not in headers
