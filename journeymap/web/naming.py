"""Names in figures: which queue and agent a stretch of an interaction belongs to, and texts from outside made harmless."""

from __future__ import annotations

import html
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


def plain(text: str) -> str:
    """Text from outside as Plotly shows it letter for letter: no tags, no moments."""
    return html.escape(text.replace("{t:", "{t :"), quote=False)
