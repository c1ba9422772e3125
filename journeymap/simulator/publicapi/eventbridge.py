"""Deliveries as Amazon EventBridge makes them to an API destination: each detail event in an envelope, by POST.

At least once and in no order: an event that is not taken is sent again, with longer and longer pauses, and some come
twice for no reason. Nothing here is from Amazon; it is what a receiver sees of it.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import ssl
from collections import Counter
from itertools import count
from typing import Any, Final, NamedTuple

import httpx
import msgspec

from journeymap.simulator.people import uuid_of
from journeymap.simulator.platform import Platform
from journeymap.simulator.publicapi.conversation import Conversation, Moment
from journeymap.simulator.publicapi.details import TOPIC, body, topic_of
from journeymap.simulator.publicapi.organisation import ORGANISATION_ID
from journeymap.simulator.publicapi.stamps import stamp

SOURCE: Final = f"aws.partner/genesys.com/cloud/{ORGANISATION_ID}/journeymap"
_ACCOUNT: Final = "123456789012"
_REGION: Final = "eu-west-1"
_PATIENCE: Final = 5.0
"""A receiver must have answered within so many seconds."""
_AT_ONCE: Final = 32
_MOST_WAITING: Final = 100_000
_LONGEST_PAUSE: Final = 60.0
_STEP: Final = 0.02
_LONGEST_DELAY: Final = 60.0
_SOONEST: Final = 0.3
"""A late event comes after at least this share of the longest delay."""


class Destination(NamedTuple):
    """Where to deliver, and the header that holds the key. No address: nowhere."""

    url: str = ""
    key: str = ""
    header: str = "x-api-key"


class _Parcel(NamedTuple):
    due: int
    number: int
    attempts: int
    content: bytes


def envelope(conversation: Conversation, moment: Moment, sent: int) -> dict[str, Any]:
    """A detail event as EventBridge brings it; `sent` (ms) is when the platform gave it away."""
    mark = f"{conversation.conversation_id} {moment.kind} {moment.leg} {moment.at}"
    return {
        "version": "0",
        "id": uuid_of("envelope " + mark),
        "detail-type": f"{TOPIC}.{{id}}.{moment.kind}",
        "source": SOURCE,
        "account": _ACCOUNT,
        "time": stamp(moment.at)[:19] + "Z",
        "region": _REGION,
        "resources": [],
        "detail": {
            "topicName": topic_of(conversation, moment),
            "version": "2",
            "eventBody": body(conversation, moment),
            "metadata": {"CorrelationId": uuid_of(mark)},
            "timestamp": stamp(sent),
        },
    }


class EventBridge:
    """Takes events and delivers them to one destination."""

    def __init__(self, platform: Platform) -> None:
        manner = platform.manner
        self._platform = platform
        self._destination = Destination(manner.eventbridge_url, manner.eventbridge_key)
        self._waiting: list[_Parcel] = []
        self._numbers = count()
        self._rng = random.Random(f"eventbridge {manner.seed}")
        self._under_way: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()

    @property
    def is_on(self) -> bool:
        """Whether anything is delivered."""
        return bool(self._destination.url)

    def deliver_to(self, destination: Destination) -> None:
        """Deliver there from now on, also what waits. Without an address nothing is delivered, and what waits is forgotten."""
        self._destination = destination
        if not destination.url:
            self._waiting.clear()

    def put(self, conversation: Conversation, moment: Moment) -> None:
        """Take an event that has just happened."""
        now = self._platform.now()
        content = msgspec.json.encode(envelope(conversation, moment, now))
        for delay in self._delays():
            self._add(_Parcel(now + delay, next(self._numbers), 0, content))
        self._counts["taken"] += 1

    async def run(self) -> None:
        """Deliver what is due, again and again; until cancelled."""
        client: httpx.AsyncClient | None = None
        try:
            while True:
                await asyncio.sleep(_STEP)
                if not self.is_on:
                    continue
                if client is None:
                    trust = ssl.create_default_context()
                    client = httpx.AsyncClient(verify=trust, timeout=_PATIENCE, trust_env=False)
                now = self._platform.now()
                while self._waiting and self._waiting[0].due <= now and len(self._under_way) < _AT_ONCE:
                    task = asyncio.create_task(self._post(client, heapq.heappop(self._waiting)))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
            if client is not None:
                await client.aclose()

    def stats(self) -> dict[str, int]:
        """How many events were taken, delivered, refused and given up, and how many wait."""
        waiting = len(self._waiting) + len(self._under_way)
        return {name: self._counts[name] for name in ("taken", "delivered", "refused", "lost")} | {"waiting": waiting}

    def _delays(self) -> list[int]:
        """After how long (ms) an event is delivered, once for each time that it is."""
        faults = self._platform.faults
        first, *copies = self._platform.manner.delivery.delays(self._rng)
        aside, is_late, lateness, is_double, until_double = (self._rng.random() for _ in range(5))
        first += round(aside * faults.reordering * 1000)
        longest = (faults.longest_delay or _LONGEST_DELAY) * 1000
        if is_late < faults.late:
            first += round(longest * (_SOONEST + (1 - _SOONEST) * lateness))
        if is_double < faults.duplicates:
            copies.append(first + round(longest * until_double))
        return [first, *copies]

    async def _post(self, client: httpx.AsyncClient, parcel: _Parcel) -> None:
        url, key, header = self._destination
        headers = {"Content-Type": "application/json; charset=utf-8"} | ({header: key} if key else {})
        try:
            answer = await client.post(url, content=parcel.content, headers=headers)
            taken = answer.is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            taken = False
        if taken:
            self._counts["delivered"] += 1
            return
        self._counts["refused"] += 1
        pause = min(_LONGEST_PAUSE, 0.5 * 2**parcel.attempts) * self._rng.uniform(0.5, 1.0)
        if not self.is_on:
            return
        due = self._platform.now() + round(pause * 1000)
        self._add(parcel._replace(due=due, attempts=parcel.attempts + 1))

    def _add(self, parcel: _Parcel) -> None:
        heapq.heappush(self._waiting, parcel)
        if len(self._waiting) > _MOST_WAITING:
            heapq.heappop(self._waiting)
            self._counts["lost"] += 1
