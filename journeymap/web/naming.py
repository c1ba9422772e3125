"""Names in figures: which queue and agent a stretch of an interaction belongs to, and texts from outside made harmless."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from journeymap.model.event import AFTERWARDS
from journeymap.model.time import Millis

QUEUE_KEYS: Final = ("queueName", "queue")
AGENT_KEYS: Final = ("agentName", "agentId", "agent")


class Names:
    """Which queue and agent each stretch of a journey's interactions belongs to, from the journey's document."""

    def __init__(self, journey: Mapping[str, Any]) -> None:
        self._events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._names: Mapping[str, str] = journey.get("names", {})
        for event in journey["events"]:
            self._events[event["interaction_id"]].append(event)

    def queue(self, interaction_id: str, until: Millis | None) -> str:
        """The queue that the interaction's events named last before `until` (None: at all); "" if none did. What is written
        afterwards, such as an earlier agent's wrap-up, names it only where nothing else does."""
        return self._last(interaction_id, QUEUE_KEYS, until)

    def agent(self, interaction_id: str, until: Millis | None) -> str:
        """The agent, likewise."""
        return self._last(interaction_id, AGENT_KEYS, until)

    def _last(self, interaction_id: str, keys: Sequence[str], until: Millis | None) -> str:
        afterwards = ""
        for event in reversed(self._events.get(interaction_id, ())):
            if until is None or event["timestamp"] < until:
                found = next((str(event[key]) for key in keys if event.get(key)), "")
                found = self._names.get(found, found)
                if found and event["type"] not in AFTERWARDS:
                    return found
                afterwards = afterwards or found
        return afterwards


def plain(text: str) -> str:
    """Text from outside as Plotly shows it letter for letter: no tags, no moments."""
    return html.escape(text.replace("{t:", "{t :"), quote=False)
