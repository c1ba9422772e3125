"""A queue that is never empty, as SQS answers, in a process of its own: `python -m benchmarks.fullqueue LATENCY_MS`.

The emulator of the tests takes longer for a message the more there are, and would be what is measured. This one answers after the
time that SQS takes within a region. Prints its URL.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import sys
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.poster import body
from journeymap.runtime.serving import Server


def queue(latency: float) -> Starlette:
    """The application; each answer takes `latency` seconds."""
    numbers = itertools.count()

    async def answer(request: Request) -> Response:
        asked = json.loads(await request.body())
        await asyncio.sleep(latency)
        said: dict[str, Any] = {}
        match request.headers["x-amz-target"].rpartition(".")[2]:
            case "ReceiveMessage":
                said = {"Messages": [message(next(numbers)) for _ in range(asked["MaxNumberOfMessages"])]}
            case "DeleteMessageBatch":
                said = {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}
        return Response(json.dumps(said), media_type="application/x-amz-json-1.0")

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def message(number: int) -> dict[str, str]:
    """A message with an envelope of its own."""
    text = body(number).decode()
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": str(number), "ReceiptHandle": f"r{number}", "MD5OfBody": digest, "Body": text}


if __name__ == "__main__":
    server = Server("127.0.0.1", 0, "PORT")
    print(f"{server.address}/123456789012/bench", flush=True)
    server.serve(queue(float(sys.argv[1]) / 1_000))  # type: ignore[arg-type]
