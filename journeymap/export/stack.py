"""Where the rows of a chart stand, as on the wall: the pinned ones on top, then group by group, each below its heading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from journeymap.model.journey import State
from journeymap.view.labels import short_name
from journeymap.view.looks import STATE_LABELS
from journeymap.view.masking import Viewer, mask
from journeymap.view.rows import DrawnRow
from journeymap.view.sorting import Grouping

ROW: Final = 28.0
HEADING: Final = 26.0
"""Pixels of a row and of a heading."""

NO_QUEUE: Final = "No queue"


class Heading(msgspec.Struct, frozen=True):
    """What stands above a group: its name in words, how many journeys are in it, and the state that it is of, if it is of one."""

    name: str
    size: int
    state: State | None = None


class Placed(msgspec.Struct, frozen=True):
    """A row and the heading that it stands under, if any; a pinned one stands under none."""

    row: DrawnRow
    heading: Heading | None = None
    pinned: bool = False


class Stack:
    """Rows one below the other, and how high they are in all.

    `tops` are their upper edges, counted from the top of all. `headings` are, by the place of the row below, the headings with
    theirs, and whether the group began on an earlier page, whose last row is `before`. `pinned_to` is where the pinned rows end,
    0 without any.
    """

    def __init__(self, rows: Sequence[Placed], before: Placed | None = None) -> None:
        self.rows = rows
        self.tops: list[float] = []
        self.headings: dict[int, tuple[float, Heading, bool]] = {}
        self.height = self.pinned_to = 0.0
        last: Heading | None = None
        for index, each in enumerate(rows):
            if each.heading is not None and each.heading is not last:
                continued = before is not None and before.heading is each.heading
                self.headings[index] = (self.height, each.heading, continued)
                self.height += HEADING
            last = each.heading
            self.tops.append(self.height)
            self.height += ROW
            if each.pinned:
                self.pinned_to = self.height


def placed(
    rows: Sequence[DrawnRow], pinned: Collection[str], groups: Grouping | None, viewer: Viewer
) -> Sequence[Placed]:
    """The rows, in order, each with the heading of its group, whose name is as the viewer may see it."""
    headings = {}
    if groups is not None:
        headings = {name: _heading(groups.by, name, size, viewer) for name, size in groups.sizes}
    of = {} if groups is None else groups.of
    return [
        Placed(row, pinned=True)
        if row.journey_id in pinned
        else Placed(row, headings[of[row.journey_id]] if row.journey_id in of else None)
        for row in rows
    ]


def stacks(rows: Sequence[Placed], height: float) -> list[Stack]:
    """The rows on pages of this height, each with the headings that its rows stand under; one page where there are none."""
    parts: list[list[Placed]] = [[]]
    used = 0.0
    for each in rows:
        last = parts[-1][-1] if parts[-1] else None
        begins = each.heading is not None and (last is None or last.heading is not each.heading)
        if last is not None and used + ROW + (HEADING if begins else 0) > height:
            parts.append([])
            used, begins = 0.0, each.heading is not None
        parts[-1].append(each)
        used += ROW + (HEADING if begins else 0)
    before = [None, *(part[-1] for part in parts if part)]
    return [Stack(part, last) for part, last in zip(parts, before, strict=False)]


def _heading(by: str, name: str, size: int, viewer: Viewer) -> Heading:
    if by == "state":
        state = State(name)
        return Heading(STATE_LABELS.get(state, name), size, state)
    return Heading(short_name(mask(name, viewer)) or NO_QUEUE, size)
