"""Interactions as those sources tell them that know nothing of holds."""

from __future__ import annotations

import msgspec

from journeymap.model.journey import Interaction, Kind, Segment


def without_holds(interaction: Interaction) -> Interaction:
    """With its holds as the talk that they are part of: detail events tell only how long they were together."""
    found: list[Segment] = []
    for segment in interaction.segments:
        kind = Kind.INTERACT if segment.kind == Kind.HOLD else segment.kind
        if found and found[-1].kind == kind == Kind.INTERACT and found[-1].end == segment.start:
            found[-1] = Segment(kind, found[-1].start, segment.end)
        else:
            found.append(Segment(kind, segment.start, segment.end))
    return msgspec.structs.replace(interaction, segments=tuple(found))
