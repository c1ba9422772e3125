"""Which bars an interaction's segments are drawn as."""

from __future__ import annotations

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
