"""Which records are kept of those that come, and how fresh they are."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from journeymap.model.time import Millis
from journeymap.protocol.backfill.stamps import read_iso
from journeymap.protocol.backfill.steps import Take

_REMEMBERED: Final = 50_000


class Seen:
    """What was kept of the latest `limit` conversations, so that the same is not kept twice."""

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._marks: OrderedDict[str, bytes] = OrderedDict()

    def is_new(self, conversation_id: str, frame: bytes) -> bool:
        """Whether this is not what came of the conversation last; it is from now on."""
        mark = hashlib.blake2b(frame, digest_size=16).digest()
        if self._marks.get(conversation_id) == mark:
            return False
        self._marks[conversation_id] = mark
        self._marks.move_to_end(conversation_id)
        if len(self._marks) > self._limit:
            self._marks.popitem(last=False)
        return True


class Sieve:
    """Takes records as they come, in any order and more than once.

    Kept are those of which something lies from `since` to `until`, and with `open_too` those that have no end. `missing` are
    conversations that are wanted and did not come yet; `going_on` are those that came and had no end; `fresh` is the newest time
    in any record; `taken` are kept ones, `passed` all others.
    """

    def __init__(self, since: Millis, until: Millis, open_too: bool, seen: Seen) -> None:
        self._since = since
        self._until = until
        self._open_too = open_too
        self._seen = seen
        self.missing: set[str] = set()
        self.going_on: set[str] = set()
        self.fresh: Millis = 0
        self.taken = 0
        self.passed = 0

    def sift(self, records: Iterable[Any], now: Millis) -> Iterator[Take]:
        """Those to be kept."""
        for record in records:
            if isinstance(record, dict) and self._wants(record, now):
                frame = msgspec.json.encode(record)
                if self._seen.is_new(_id(record), frame):
                    self.taken += 1
                    yield Take(frame)
                    continue
            self.passed += 1

    def _wants(self, record: Mapping[str, Any], now: Millis) -> bool:
        name, going_on = _id(record), not record.get("conversationEnd")
        self.missing.discard(name)
        if going_on:
            self.going_on.add(name)
        told = moments_in(record, now)
        self.fresh = max(self.fresh, max(told, default=0))
        inside = any(self._since <= moment <= self._until for moment in told)
        return inside or (self._open_too and going_on)


def moments_in(record: Mapping[str, Any], now: Millis) -> list[Millis]:
    """The times up to `now` that a record tells of. A callback may be scheduled for later."""
    return [moment for moment in map(read_iso, _times(record)) if moment is not None and moment <= now]


def _id(record: Mapping[str, Any]) -> str:
    return str(record.get("conversationId"))


def _times(record: Mapping[str, Any]) -> Iterator[Any]:
    yield record.get("conversationStart")
    yield record.get("conversationEnd")
    for participant in _objects(record.get("participants")):
        for session in _objects(participant.get("sessions")):
            for segment in _objects(session.get("segments")):
                yield segment.get("segmentStart")
                yield segment.get("segmentEnd")
            for metric in _objects(session.get("metrics")):
                yield metric.get("emitDate")
            flow = session.get("flow")
            for outcome in _objects(flow.get("outcomes") if isinstance(flow, dict) else None):
                yield outcome.get("flowOutcomeEndTimestamp")


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
