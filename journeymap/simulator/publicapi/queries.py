"""Finds the conversations that an analytics query asks for, without holding up the platform."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Final, NamedTuple

import msgspec

from journeymap.simulator.faults import Faults
from journeymap.simulator.publicapi.chronicle import Chronicle, Found
from journeymap.simulator.publicapi.conventions import bad_request
from journeymap.simulator.publicapi.filters import Query
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.stamps import read_stamp

DAY: Final = 86_400_000
_LONGEST: Final = 7
"""Days that an interval may span. Not confirmed by the platform's documentation, where 31 is quoted too."""
_REACH: Final = 35
"""Days that an interval may lie back. Not confirmed either."""
_KEPT: Final = 8
_KEPT_FOR: Final = 10_000
_AT_ONCE: Final = 200


class Interval(NamedTuple):
    """From `start` until before `end` (ms)."""

    start: int
    end: int


def interval_of(text: str) -> Interval:
    """The interval that two stamps with a slash between them mean. Raises RefusedError."""
    start, slash, end = text.partition("/")
    try:
        found = Interval(read_stamp(start), read_stamp(end))
    except ValueError:
        found = Interval(0, 0)
    if not slash or found.start >= found.end:
        raise bad_request(f"The interval {text} is not one of two times, the earlier first", "invalid.date")
    return found


class Queries:
    """Answers queries as of a time. The results of those that lie in the past are kept for a few seconds, for paging."""

    def __init__(self, chronicle: Chronicle | None, faults: Faults) -> None:
        self._chronicle = chronicle
        self._faults = faults
        self._kept: OrderedDict[bytes, tuple[int, list[Found]]] = OrderedDict()

    def check(self, interval: Interval, at: int) -> None:
        """Raise RefusedError for an interval that is too long or lies too far back for a query that is answered at once."""
        longest, reach = self._faults.query_days or _LONGEST, self._faults.query_reach_days or _REACH
        if interval.end - interval.start > longest * DAY:
            raise bad_request(f"The interval spans more than {longest} days")
        if interval.start < at - reach * DAY:
            raise bad_request(f"The interval begins more than {reach} days ago; use a job")

    async def found(self, query: Query, interval: Interval, at: int) -> list[Found]:
        """The conversations that the query is for, in its order."""
        name = msgspec.json.encode(msgspec.structs.replace(query, paging=type(query.paging)()))
        made, found = self._kept.get(name, (0, []))
        if not made <= at <= made + _KEPT_FOR:
            found = await self._search(query, interval, at)
            if interval.end <= at:
                self._kept[name] = at, found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found

    def record(self, found: Found, at: int, attributes: bool = False) -> dict[str, Any]:
        """The record of a conversation that was found."""
        assert self._chronicle is not None
        return record(self._chronicle.conversation(found), at, attributes)

    async def _search(self, query: Query, interval: Interval, at: int) -> list[Found]:
        if self._chronicle is None or interval.start > at:
            return []
        await self._chronicle.prepare(interval.start, interval.end)
        # What began before the first day that the interval touches is not found, however long it went on.
        midnight = interval.start - interval.start % DAY
        matching = []
        for number, found in enumerate(self._chronicle.open_between(interval.start, min(interval.end, at + 1))):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if found.start >= midnight and (not query.looks_inside or query.wants(self.record(found, at))):
                matching.append(found)
        if query.order_by == "conversationEnd":
            matching.sort(key=lambda found: (found.end is None or found.end > at, found.end or 0, found.start))
        else:
            matching.sort(key=lambda found: (found.start, found.visitor, found.contact))
        return matching if query.order != "desc" else matching[::-1]
