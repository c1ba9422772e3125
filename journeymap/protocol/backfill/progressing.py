"""What is in progress now: the platform names it at once, while records may lag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from journeymap.model.time import Millis
from journeymap.protocol.backfill.limits import Limits
from journeymap.protocol.backfill.stamps import read_iso
from journeymap.protocol.backfill.steps import Answer, Ask, Course, Refusal, UnansweredError

ACTIVITY: Final = "/api/v2/analytics/conversations/activity/query"
_FORBIDDEN: Final = 403
_METRICS: Final = [{"metric": name, "details": True} for name in ("oWaiting", "oAlerting", "oInteracting")]


def in_progress(limits: Limits) -> Course[dict[str, Millis]]:
    """Since when each conversation that is in progress has been in its newest state. Not all of them where the platform names
    only some, nor any where the client may not ask; `limits` has a note then."""
    found: dict[str, Millis] = {}
    for group in (yield from _groups({"metrics": _METRICS, "groupBy": ["mediaType"]}, limits)):
        if not group.get("truncated"):
            _add(found, group)
            continue
        named = group.get("group")
        media = named.get("mediaType") if isinstance(named, dict) else None
        predicate = {"type": "dimension", "dimension": "mediaType", "operator": "matches", "value": media}
        finer = {"metrics": _METRICS, "groupBy": ["queueId"], "filter": {"type": "and", "predicates": [predicate]}}
        for part in (yield from _groups(finer, limits)):
            _add(found, part)
            if part.get("truncated"):
                limits.note(
                    "the platform names only some of the conversations in progress: others are known by id only"
                )
    return found


def _groups(query: Mapping[str, Any], limits: Limits) -> Course[Sequence[Mapping[str, Any]]]:
    reply = yield Ask("POST", ACTIVITY, document=query)
    if isinstance(reply, Refusal):
        if reply.status != _FORBIDDEN:
            raise UnansweredError(reply)
        limits.note(f"what is in progress could not be asked for: {reply.message}")
        return ()
    assert isinstance(reply, Answer)
    return [group for group in reply.listed("results") if isinstance(group, dict)]


def _add(found: dict[str, Millis], group: Mapping[str, Any]) -> None:
    for name, at in _named(group):
        found[name] = max(at, found.get(name, 0))


def _named(group: Mapping[str, Any]) -> Iterator[tuple[str, Millis]]:
    entities = group.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict) and isinstance(entity.get("conversationId"), str):
            yield entity["conversationId"], read_iso(entity.get("activityDate")) or 0
