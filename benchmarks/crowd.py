"""Customers in front of a simulated platform: a fixed number open at any time, each in a visit out of the simulator's story.

A visit's events are encoded once, with the story's own texts; whoever plays it gets ids of their own by replacing a key
of the same length, and the time of each event is put in as it is sent. That costs about two microseconds an event, so that
one process can send far more than the story itself can tell.
"""

from __future__ import annotations

import random
from functools import cache
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from journeymap.simulator.delivery import Delivery
from journeymap.simulator.story import Story

KEY = b"k3y0fvisitor"
"""Stands in the encoded events for the twelve hex digits that tell one customer's ids from another's."""

STAMP = b"1111111111111"
"""Stands in the encoded events for their time."""

_BEGIN = 1_800_000_000_000
_HOUR = 3_600_000
_DELAYS = 1 << 14


class Part(NamedTuple):
    """One event of a visit: when (ms after its first event), and its encoding."""

    at: int
    data: bytes


Visit = tuple[Part, ...]


@cache
def visits() -> tuple[Visit, ...]:
    """Some thousand whole visits as the story tells them, without what a network does to events."""
    story = Story(1, 5.0, Delivery(0.0, 0.0, jitter=False))
    found: dict[str, list[Part]] = {}
    for _, event in story.events(_BEGIN, _BEGIN + 4 * _HOUR):
        person = event["eventId"].split("-")[1]
        at = event["timestamp"] - _BEGIN
        payload = event["payload"]
        if "customerId" in payload:
            payload = {**payload, "customerId": "cust-" + KEY.decode()}
        text = msgspec.json.encode({**event, "timestamp": int(STAMP), "payload": payload})
        parts = found.setdefault(person, [])
        if event["eventId"].endswith("-00") or parts:  # else it began before
            parts.append(Part(at, text.replace(person[:12].encode(), KEY)))
    whole = [parts for parts in found.values() if len(parts) > 1 and parts[0].at < 2 * _HOUR]
    return tuple(tuple(Part(part.at - parts[0].at, part.data) for part in parts) for parts in whole)


def key_of(number: int) -> bytes:
    """The key of the `number`-th customer: all differ, and they come in no order."""
    return b"%012x" % (number * 0x9E3779B97F4B & 0xFFFFFFFFFFFF)


def event(part: Part, key: bytes, at: int) -> bytes:
    """An event as it stands in a frame."""
    return part.data.replace(KEY, key).replace(STAMP, b"%d" % at)


class Seat:
    """Where one customer sits until the visit is over and another one comes."""

    __slots__ = ("key", "place", "visit")

    def __init__(self, visit: Visit, key: bytes) -> None:
        self.visit = visit
        self.key = key
        self.place = 0


class Crowd:
    """`size` customers at a time; each call of `next` lets one of them, chosen by chance, do what comes next.

    Their visits are told in the order of the story but at the crowd's own speed. With `rough` they come as over a network:
    a little out of order, one in a hundred late (1 to 60 s) and one in a hundred twice. `unique` counts the events
    that were given out, without second copies.
    """

    def __init__(self, size: int, seed: int = 1, *, rough: bool = True, first: int = 1) -> None:
        self._rng = random.Random(seed)
        self._number = first
        self._seats = [self._new() for _ in range(size)]
        delivery = Delivery() if rough else Delivery(0.0, 0.0, jitter=False)
        self._delays = [delivery.delays(self._rng) for _ in range(_DELAYS)]
        self._turn = 0
        self._later: list[tuple[int, bytes, bool]] = []
        self.unique = 0
        self.sent = 0

    def _new(self) -> Seat:
        self._number += 1
        return Seat(self._rng.choice(visits()), key_of(self._number))

    def opening(self, now: int) -> list[bytes]:
        """Events that put all seats into the middle of their visits, as if they had been going on until `now`."""
        found = []
        for seat in self._seats:
            seat.place = self._rng.randrange(1, len(seat.visit))
            last, following = seat.visit[seat.place - 1].at, seat.visit[seat.place].at
            began = now - last - self._rng.randint(0, following - last)
            found += [event(part, seat.key, began + part.at) for part in seat.visit[: seat.place]]
        self.unique += len(found)
        self.sent += len(found)
        return found

    def next(self, now: int) -> bytes:
        """The next event that arrives, at `now`."""
        self.sent += 1
        while True:
            if self._later and self._later[0][0] <= now:
                _, text, is_copy = heappop(self._later)
                self.unique += not is_copy
                return text
            seat = self._seats[int(self._rng.random() * len(self._seats))]
            self._turn = (self._turn + 1) % _DELAYS
            delay, *again = self._delays[self._turn]
            text = event(seat.visit[seat.place], seat.key, now - delay if delay < 1_000 else now)
            seat.place += 1
            if seat.place == len(seat.visit):
                seat.visit, seat.key, seat.place = self._rng.choice(visits()), key_of(self._number + 1), 0
                self._number += 1
            for wait in again:
                heappush(self._later, (now + wait, text, True))
            if delay < 1_000:
                self.unique += 1
                return text
            heappush(self._later, (now + delay, text, False))

    def rest(self) -> list[bytes]:
        """All that would still come late."""
        found = [text for _, text, _ in self._later]
        self.unique += sum(not is_copy for _, _, is_copy in self._later)
        self.sent += len(found)
        self._later.clear()
        return found
