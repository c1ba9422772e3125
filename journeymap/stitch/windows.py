"""Journeys as session windows that merge, over interaction spans (docs/stitching.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from journeymap.model.time import Millis

SpanOf: TypeAlias = tuple[Millis, str, Millis]
"""An interaction's span as `(first event, id, last event)`, so that spans sort by start and then by id."""


def sessions(spans: Iterable[SpanOf], engagement_window: Millis) -> list[list[SpanOf]]:
    """One customer's spans joined into journeys, oldest first; within a journey sorted by start and id.

    A span joins while it starts no later than the running end plus `engagement_window`.
    """
    found: list[list[SpanOf]] = []
    running_end = 0
    for span in sorted(spans):
        if found and span[0] <= running_end + engagement_window:
            found[-1].append(span)
            running_end = max(running_end, span[2])
        else:
            found.append([span])
            running_end = span[2]
    return found
