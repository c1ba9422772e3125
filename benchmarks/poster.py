"""Posts envelopes of EventBridge, in a process of its own: `python -m benchmarks.poster URL KEY RATE SECONDS CONNECTIONS`.

RATE 0 is as fast as the answers come. Prints one line of JSON: how many were posted, those that were not taken, and the times to
their answers (ms) at 50, 95 and 99 of a hundred.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final
from urllib.parse import urlsplit

from benchmarks.report import percentile

TOPIC: Final = "v2.detail.events.conversation.{id}.customer.start"


def body(number: int) -> bytes:
    """An envelope of about 900 bytes, each of a conversation of its own."""
    name = f"bench-{number}"
    event = {
        "eventTime": time.time_ns() // 1_000_000, "conversationId": name, "participantId": "p" + name,
        "sessionId": "s" + name, "mediaType": "VOICE", "provider": "Edge", "direction": "INBOUND",
        "ani": "tel:+15550100", "dnis": "tel:+15550199", "divisionId": "0" * 36, "externalContactId": f"c{number % 1000}",
        "conversationExternalContactIds": [f"c{number % 1000}"],
    }  # fmt: skip
    detail = {
        "topicName": TOPIC.replace("{id}", name), "version": "2", "eventBody": event,
        "metadata": {"CorrelationId": "0" * 36}, "timestamp": "2026-11-26T10:00:00.200Z",
    }  # fmt: skip
    envelope = {
        "version": "0", "id": name, "detail-type": TOPIC, "account": "123456789012", "region": "eu-west-1",
        "source": "aws.partner/genesys.com/cloud/00000000-0000-0000-0000-000000000000/bench",
        "time": "2026-11-26T10:00:00Z", "resources": [], "detail": detail,
    }  # fmt: skip
    return json.dumps(envelope, separators=(",", ":")).encode()


class Poster:
    """Connections that are kept, each with one post at a time."""

    def __init__(self, url: str, key: str, rate: float, seconds: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nx-api-key: {key}\r\n"
        self._rate = rate
        self._began = time.perf_counter()
        self._until = self._began + seconds
        self._number = 0
        self.times: list[float] = []
        self.refused = 0

    async def work(self) -> None:
        """Post until the time is over."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        while (now := time.perf_counter()) < self._until:
            number, self._number = self._number, self._number + 1
            due = self._began + number / self._rate if self._rate else now
            if due >= self._until:
                break
            await asyncio.sleep(max(0.0, due - now))
            content = body(number)
            began = time.perf_counter()
            writer.write(f"{self._head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            self.times.append((time.perf_counter() - began) * 1_000)
            self.refused += not head.startswith(b"HTTP/1.1 200")
        writer.close()


async def post(url: str, key: str, rate: float, seconds: float, connections: int) -> dict[str, float]:
    """What came of it."""
    poster = Poster(url, key, rate, seconds)
    began = time.perf_counter()
    await asyncio.gather(*(poster.work() for _ in range(connections)))
    shares = {f"p{share}": percentile(poster.times, share / 100) for share in (50, 95, 99)}
    return {
        "posted": len(poster.times), "refused": poster.refused, "seconds": time.perf_counter() - began, **shares,
    }  # fmt: skip


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(asyncio.run(post(given[0], given[1], float(given[2]), float(given[3]), int(given[4])))))
