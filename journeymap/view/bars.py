"""Which bars an interaction's segments are drawn as."""

from __future__ import annotations

from collections.abc import Sequence

from journeymap.model.journey import TALKING, WAITING, Kind
from journeymap.model.time import Millis


def bars(
    segments: tuple[tuple[str, Millis, Millis | None], ...], cut_at: Millis | None
) -> list[tuple[str, Millis, Millis | None]]:
    """The segments to draw, those without length left out; with `cut_at` (the last event of an interaction that timed
    out) an open one ends there."""
    if cut_at is None:
        return [segment for segment in segments if segment[1] != segment[2]]
    closed = [(kind, start, cut_at if end is None else end) for kind, start, end in segments]
    return [segment for segment in closed if segment[1] < segment[2]]


def passed_on(bars: Sequence[tuple[str, Millis, Millis | None]]) -> int:
    """How many of an interaction's bars, from the first on, are of whoever had it before it was handed on inside itself.

    The queue and the agent that it names last are not theirs.
    """
    goes_on = False
    for place in reversed(range(len(bars))):
        kind = bars[place][0]
        if kind == Kind.TRANSFER and goes_on:
            return place
        goes_on = goes_on or kind in WAITING or kind in TALKING
    return 0
