"""The one place in Python where time becomes pixels, and where an axis gets its ticks: for exports.

The page's own is `assets/base/scale.mjs`; both pass the golden cases of `tests/data/scale_cases.json`.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, Millis

SHORTEST_SPAN: Final[Millis] = 10 * SECOND
LONGEST_SPAN: Final[Millis] = 60 * DAY

APART: Final = 96.0
"""Pixels that ticks keep from each other at least."""

STEPS: Final = (
    *(count * SECOND for count in (1, 2, 5, 10, 15, 30)),
    *(count * MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * HOUR for count in (1, 2, 3, 6, 12)),
    *(count * DAY for count in (1, 2, 7, 14, 28)),
)


class TimeScale(msgspec.Struct, frozen=True):
    """The span `[start, end)` laid on `width` pixels. Both ways are exact inverses; nothing is rounded or cut here."""

    start: Millis
    end: Millis
    width: float

    def x(self, time: Millis) -> float:
        """Where a moment lies; below 0 and above `width` outside the span."""
        return (time - self.start) / (self.end - self.start) * self.width

    def time(self, x: float) -> float:
        """The moment at a place, in milliseconds and parts of one."""
        return self.start + x / self.width * (self.end - self.start)


class Ticks(msgspec.Struct, frozen=True):
    """The moments that an axis marks, and how far they are apart."""

    step: Millis
    times: list[Millis]


def tick_step(span: Millis, width: float, apart: float = APART) -> Millis:
    """The step between ticks: the smallest that keeps them `apart` pixels from each other."""
    least = span / max(width, 1) * apart
    return next((step for step in STEPS if step >= least), STEPS[-1])


def ticks(start: Millis, end: Millis, width: float, offset: Millis = 0, apart: float = APART) -> Ticks:
    """Ticks on round local times from `start` to `end`; `offset` is what local time is ahead of UTC."""
    step = tick_step(end - start, width, apart)
    first = -(-(start + offset) // step) * step - offset
    return Ticks(step, list(range(first, end + 1, step)))


def zoomed(start: Millis, end: Millis, factor: float, anchor: Millis) -> tuple[Millis, Millis]:
    """A window zoomed by `factor` (below 1 is closer) that keeps `anchor` where it is."""
    span = min(LONGEST_SPAN, max(SHORTEST_SPAN, (end - start) * factor))
    first = math.floor(anchor - (anchor - start) / (end - start) * span + 0.5)
    return first, math.floor(first + span + 0.5)
