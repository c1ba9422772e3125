"""The story that the simulated platform tells: events as a function of seed, rate and story time, and of nothing else.

Any span can be asked at any moment, in any order, at the same small cost: nothing is remembered between questions but
a few results. Told naively (each customer on from the arrival), high rates would need hours of look-back in memory
before the first event. Instead a level of load has a fixed cast of `CAST` visits. Story time is cut into buckets; the
customers who arrive in a bucket play a run of consecutive visits of the cast, chosen by the bucket's own random
numbers. So the events that fall into a bucket are found backwards: for each earlier bucket, those of its run due now.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import OrderedDict
from typing import Any, NamedTuple, TypeAlias

from journeymap.simulator.delivery import LONGEST_DELAY, Delivery
from journeymap.simulator.load import arrivals, day_factor, level_of
from journeymap.simulator.people import (
    Agent,
    Directory,
    conversation_id,
    fingerprint,
    key_and_contact,
    number_of,
    rosters,
    unique_key,
)
from journeymap.simulator.traffic import LONGEST, Step, visit

Event: TypeAlias = dict[str, Any]
Telling: TypeAlias = tuple[int, Event]
"""When the platform sends an event (ms), and the event."""

SLOWEST, FASTEST = 1.0, 5_000.0
"""The rates between which a story can be told, in events a second."""

CAST = 1024
_PLACES = 4096
"""Ids reserved for the arrivals of one bucket; more than any bucket can have."""
_UNTIL_AGAIN = 3 * 86_400_000
"""After this time (ms) the numbering of the customers begins again: they are regulars then."""
_KEPT = 6
_FARTHEST = 253_402_300_800_000
"""The year 10000 (ms): no story is told of later times."""


class _Cell(NamedTuple):
    """What is due some buckets after arrival: who of the cast (ascending, told twice over), and their steps."""

    players: list[int]
    parts: list[tuple[int, int, Step]]


class _Bucket(NamedTuple):
    """Who arrives in a bucket: how many, who of the cast is the first, and what is due when."""

    arrivals: int
    first: int
    cells: dict[int, _Cell]


class Visitor(NamedTuple):
    """One who arrives: in which bucket, at which of its places, and which of the cast of that load is played."""

    bucket: int
    place: int
    player: int
    level: int


class Story:
    """Believable contact-centre traffic with a mean of `rate` events a second (1 to 5,000)."""

    def __init__(self, seed: int, rate: float, delivery: Delivery | None = None) -> None:
        if not SLOWEST <= rate <= FASTEST:
            raise ValueError(f"rate is {rate}, allowed are {SLOWEST:g} to {FASTEST:g} events a second")
        self.rate = rate
        self._delivery = delivery or Delivery()
        # The rate is part of it: another rate is another story, and must not give other events the same ids.
        self._salt = fingerprint(f"{seed}/{rate:g}")
        self.width = round(min(max(2_000_000 / rate, 500), 60_000))
        self._look_back = (LONGEST + LONGEST_DELAY) // self.width + 2
        self._rng = random.Random(0)
        self._casts: dict[int, tuple[float, dict[int, _Cell]]] = {}
        self._buckets: dict[int, _Bucket] = {}
        self._told: OrderedDict[int, list[Telling]] = OrderedDict()
        busiest = rate * 0.24 * self.width / 1000  # visits at the peaks: 1.27 times the mean rate, 5.7 events each
        self._most = min(CAST, round(busiest + 6 * busiest**0.5 + 4))
        self._directory = Directory(_UNTIL_AGAIN // self.width * self._most, self._salt)
        self.rosters = rosters(min(600, round(40 + rate * 8)))

    def events(self, start: int, end: int) -> list[Telling]:
        """What the platform sends from `start` until before `end`, in that order. Leave the events as they are."""
        told: list[Telling] = []
        for bucket in range(start // self.width, -(-end // self.width)):
            tellings = self._tellings(bucket)
            if bucket * self.width < start or (bucket + 1) * self.width > end:
                low = bisect_left(tellings, start, key=_when)
                told.extend(tellings[low : bisect_left(tellings, end, low, key=_when)])
            else:
                told.extend(tellings)
        return told

    def _tellings(self, bucket: int) -> list[Telling]:
        """All that is sent during a bucket, sorted."""
        known = self._told.get(bucket)
        if known is not None:
            self._told.move_to_end(bucket)
            return known
        tellings: list[Telling] = []
        width = self.width
        for earlier in range(bucket - self._look_back, bucket + 1):
            arrived = self._buckets.get(earlier) or self._arrivals(earlier)
            cell = arrived.cells.get(bucket - earlier)
            if cell is None:
                continue
            first = arrived.first
            low = bisect_left(cell.players, first)
            high = bisect_left(cell.players, first + arrived.arrivals, low)
            for place in range(low, high):
                due, number, step = cell.parts[place]
                event = self._event(earlier, cell.players[place] - first, number, step)
                tellings.append((earlier * width + due, event))
        tellings.sort(key=_order)
        self._told[bucket] = tellings
        if len(self._told) > _KEPT:
            self._told.popitem(last=False)
        if len(self._buckets) > 2 * self._look_back + 2:
            self._buckets = {
                number: arrived for number, arrived in self._buckets.items() if abs(number - bucket) <= self._look_back
            }
        return tellings

    def crowd(self, bucket: int) -> tuple[int, int, int]:
        """How many arrive in a bucket, which of the cast the first of them plays, and the level of load."""
        rng = self._rng
        rng.seed(unique_key(bucket, self._salt ^ 0x6275636B))
        factor = day_factor(bucket * self.width)
        level = level_of(factor)
        events_each, _ = self._cast(level)
        mean = self.rate * factor / events_each * self.width / 1000
        return min(arrivals(rng, mean), self._most), rng.randrange(CAST), level

    def player_steps(self, level: int, player: int) -> list[Step]:
        """All that one of the cast does, in order of time (ms since the beginning of the bucket of arrival)."""
        rng = random.Random(unique_key(player, self._salt ^ 0x63617374))
        arrival = rng.randrange(self.width)
        return [step._replace(at=arrival + step.at) for step in visit(rng, level)]

    def key_of(self, bucket: int, place: int) -> int:
        """A visitor's own number, which their ids are made of."""
        return unique_key(bucket * _PLACES + place, self._salt)

    def conversation_id(self, bucket: int, place: int, contact: int) -> str:
        """The id of a visitor's conversation."""
        return conversation_id(self.key_of(bucket, place), contact)

    def customer_of(self, bucket: int, place: int) -> str:
        """The id that a visitor has where the platform knows who it is."""
        return self._directory.customer_id(bucket * self._most + place)

    def agent_of(self, queue: str, pick: int, key: int) -> Agent:
        """Who of the queue's roster serves this visitor."""
        roster = self.rosters[queue]
        return roster[(pick + key) % len(roster)]

    def visitor_of(self, conversation: str) -> tuple[Visitor, int] | None:
        """Whose conversation this is, and which of theirs; None if the story has none of this id."""
        found = key_and_contact(conversation)
        if found is None:
            return None
        bucket, place = divmod(number_of(found[0], self._salt), _PLACES)
        count, first, level = self.crowd(bucket) if bucket < _FARTHEST // self.width else (0, 0, 0)
        return (Visitor(bucket, place, (first + place) % CAST, level), found[1]) if place < count else None

    def _arrivals(self, bucket: int) -> _Bucket:
        count, first, level = self.crowd(bucket)
        arrived = _Bucket(count, first, self._cast(level)[1])
        self._buckets[bucket] = arrived
        return arrived

    def _cast(self, level: int) -> tuple[float, dict[int, _Cell]]:
        """The mean number of events of a visit at this load, and all the cast's steps by when they are sent."""
        known = self._casts.get(level)
        if known is not None:
            return known
        due: dict[int, list[tuple[int, tuple[int, int, Step]]]] = {}
        count = 0
        rng, network = random.Random(0), random.Random(0)
        for player in range(CAST):
            rng.seed(unique_key(player, self._salt ^ 0x63617374))
            network.seed(unique_key(player, self._salt ^ 0x6E657477))
            arrival = rng.randrange(self.width)
            for number, step in enumerate(visit(rng, level)):
                count += 1
                placed = step._replace(at=arrival + step.at)
                for delay in self._delivery.delays(network):
                    sent = placed.at + delay
                    due.setdefault(sent // self.width, []).append((player, (sent, number, placed)))
        cells = {}
        for after, entries in due.items():
            players = [player for player, _ in entries]
            parts = [part for _, part in entries]
            cells[after] = _Cell(players + [player + CAST for player in players], parts + parts)
        self._casts[level] = count / CAST, cells
        return self._casts[level]

    def _event(self, bucket: int, place: int, number: int, step: Step) -> Event:
        key = self.key_of(bucket, place)
        person = f"{key:016x}"
        payload: dict[str, Any] = {}
        if step.identified:
            payload["customerId"] = self.customer_of(bucket, place)
        payload["interactionId"] = f"int-{person}-{step.contact}"
        payload["conversationId"] = conversation_id(key, step.contact)
        if step.sitting is not None:
            payload["sessionToken"] = f"st-{person[:12]}-{step.sitting}"
        payload["channelType"] = step.channel
        payload["queueName"] = step.queue
        if step.agent is not None:
            agent = self.agent_of(step.queue, step.agent, key)
            payload["agentId"] = agent.agent_id
            payload["agentName"] = agent.name
        payload.update(step.fields)
        return {
            "eventId": f"evt-{person}-{number:02d}",
            "type": step.type,
            "timestamp": bucket * self.width + step.at,
            "payload": payload,
        }


def _when(telling: Telling) -> int:
    return telling[0]


def _order(telling: Telling) -> tuple[int, str]:
    return telling[0], telling[1]["eventId"]
