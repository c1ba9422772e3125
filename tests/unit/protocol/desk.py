"""A platform that is a function, for courses of back-fill: it answers what they ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from journeymap.model.time import DAY, HOUR
from journeymap.protocol.backfill.course import Outcome, course
from journeymap.protocol.backfill.limits import Limits
from journeymap.protocol.backfill.sieve import Seen
from journeymap.protocol.backfill.slices import Period
from journeymap.protocol.backfill.stamps import iso, read_iso
from journeymap.protocol.backfill.steps import Answer, Ask, Known, Refusal, Take, Tell, Wait

MIDNIGHT = 20_000 * DAY
NOON = MIDNIGHT + 12 * HOUR
QUERY = "/api/v2/analytics/conversations/details/query"


def record(name: str, start: int, end: int | None, *moments: int) -> dict[str, Any]:
    """A conversation with a segment from each moment to the next."""
    cuts = [start, *moments] + ([] if end is None else [end])
    segments = [{"segmentStart": iso(one), "segmentEnd": iso(two)} for one, two in pairwise(cuts)]
    said: dict[str, Any] = {
        "conversationId": name,
        "conversationStart": iso(start),
        "participants": [{"sessions": [{"segments": segments}]}],
    }
    return said | ({} if end is None else {"conversationEnd": iso(end)})


class Desk:
    """A platform: its records, how late they are, and what it refuses."""

    def __init__(self, *records: dict[str, Any], now: int = NOON) -> None:
        self.records = list(records)
        self.now = now
        self.asked: list[Ask] = []
        self.lag = 0
        self.most = 100_000
        self.longest = 7 * DAY
        self.reach = 35 * DAY
        self.available = now - HOUR
        self.forbidden: Sequence[str] = ()
        self.going_on: list[tuple[str, int]] = []
        self.truncated = False
        self.states: dict[str, dict[str, Any]] = {}
        self.polls = 2
        self.unheard_of: Sequence[str] = ()

    def answer(self, step: Ask) -> Answer | Refusal:
        self.asked.append(step)
        if any(part in step.path for part in self.forbidden):
            return Refusal(403, "it lacks analytics:something:view", self.now, ("analytics:something:view",))
        if step.path == QUERY:
            return self.query(step.document)
        if step.path.endswith("activity/query"):
            entities = [{"conversationId": name, "activityDate": iso(at)} for name, at in self.going_on]
            finer = "filter" in step.document
            told = {"group": {"mediaType": "voice"}, "entities": entities, "truncated": self.truncated and not finer}
            return self.said(results=[told])
        if step.path.endswith("/availability"):
            return self.said(dataAvailabilityDate=iso(self.available))
        if step.path.endswith("/jobs"):
            self.job = step.document
            return self.said(jobId="j-1")
        if step.path.endswith("/jobs/j-1"):
            self.polls -= 1
            return self.said(state="FULFILLED" if self.polls <= 0 else "PENDING")
        if step.path.endswith("/results"):
            return self.results(step.params)
        if step.path.startswith("/api/v2/conversations/"):
            found = self.states.get(step.path.rpartition("/")[2])
            return Refusal(404, "not found", self.now) if found is None else self.said(**found)
        wanted = str(step.params["id"]).split(",")
        if set(wanted) & set(self.unheard_of):
            return Refusal(400, "an id is not that of a conversation", self.now)
        return self.said(conversations=[one for one in self.records if one["conversationId"] in wanted])

    def query(self, document: Mapping[str, Any]) -> Answer | Refusal:
        start, end = self.interval(document)
        if end - start > self.longest:
            return Refusal(400, "The interval spans too many days", self.now)
        if start < self.now - self.reach:
            return Refusal(400, "The interval begins more than 35 days ago", self.now)
        paging = document["paging"]
        size, number = paging["pageSize"], paging["pageNumber"]
        if size * number > self.most:
            return Refusal(400, f"Pagination may not exceed {self.most} results", self.now)
        found = self.matching(start, end)
        if document["order"] == "desc":
            found.reverse()
        page = found[(number - 1) * size : number * size]
        return self.said(**({"conversations": page} if page else {}), totalHits=len(found))

    def results(self, params: Mapping[str, Any]) -> Answer:
        found = [
            one
            for one in self.matching(*self.interval(self.job))
            if (read_iso(one["conversationStart"]) or 0) <= self.available
        ]
        first = int(params.get("cursor", 0))
        cursor = {"cursor": str(first + 2)} if first + 2 < len(found) else {}
        return self.said(conversations=found[first : first + 2], **cursor)

    def interval(self, document: Mapping[str, Any]) -> tuple[int, int]:
        start, _, end = document["interval"].partition("/")
        return read_iso(start) or 0, read_iso(end) or 0

    def matching(self, start: int, end: int) -> list[dict[str, Any]]:
        at = self.now - self.lag
        found = [
            one
            for one in self.records
            if start // DAY * DAY <= (began := read_iso(one["conversationStart"]) or 0) < end
            and began <= at
            and (read_iso(one.get("conversationEnd")) or end) >= start
        ]
        return sorted(found, key=lambda one: (one["conversationStart"], one["conversationId"]))

    def said(self, **fields: Any) -> Answer:
        return Answer(fields, self.now)

    @property
    def intervals(self) -> list[tuple[int, int]]:
        return [self.interval(step.document) for step in self.asked if step.path == QUERY]


class Fetched:
    """A course that was followed to its end."""

    def __init__(
        self,
        desk: Desk,
        period: Period,
        *,
        known: Sequence[str] = (),
        seen: Seen | None = None,
        limits: Limits | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self.kept: list[dict[str, Any]] = []
        self.shares: list[float] = []
        self.reached: list[int] = []
        self.waits: list[int] = []
        going = course(period, desk.now, seen or Seen(), limits or Limits())
        reply: Any = None
        while True:
            try:
                step = going.send(reply)
            except StopIteration as end:
                self.outcome: Outcome = end.value
                return
            reply = None
            match step:
                case Ask():
                    reply = desk.answer(step)
                    meanwhile()
                case Take(frame):
                    self.kept.append(json.loads(frame))
                case Wait(length):
                    self.waits.append(length)
                    desk.now += length
                    reply = desk.now
                case Known():
                    reply = known
                case Tell(share, reached):
                    self.shares.append(share)
                    self.reached += [] if reached is None else [reached]

    @property
    def names(self) -> list[str]:
        return [one["conversationId"] for one in self.kept]
