"""Which queue and which agent a stretch of an interaction belongs to, read off the journey's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from journeymap.model.time import Millis

QUEUE_KEYS: Final = ("queueName", "queue")
AGENT_KEYS: Final = ("agentName", "agentId", "agent")


def named_before(journey: Mapping[str, Any], interaction_id: str, keys: Sequence[str], until: Millis | None) -> str:
    """What the interaction's events last named before `until` (None: at all) under one of `keys`, the best first."""
    found = ""
    for event in journey["events"]:
        if event["interaction_id"] == interaction_id and (until is None or event["timestamp"] < until):
            found = next((str(event[key]) for key in keys if event.get(key)), found)
    return found
