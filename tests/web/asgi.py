"""A client that asks an application directly, without a socket, from tests that are not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from fastapi import FastAPI


class Client:
    """Each request runs in an event loop of its own, so nothing is left open between tests."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, content: bytes | None = None
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://test") as client:
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(ask())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)
