"""Periods, and the slices in which they are asked for."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from journeymap.model.time import DAY, HOUR, SECOND, Millis
from journeymap.protocol.backfill.stamps import iso

MARGIN: Final[Millis] = 30 * SECOND
"""A period is asked for from so long before it, where nothing else is said: what happened just before may have been under way,
and the platform's clock may differ from ours."""

RECENT: Final[Millis] = HOUR
"""So much of a longer period is a slice of its own and comes first: it is what people look at."""

_LOOK_BACK: Final[Millis] = HOUR
"""Where a period begins so soon after midnight, the day before is touched too: what began on it and goes on is then found."""


class Period(msgspec.Struct, frozen=True):
    """A stretch of time to be fetched: `[start, end)`, and `margin` before and after it. `open_too` asks also for what was open,
    though nothing happened to it; `jobs` for jobs instead of queries, where they reach.

    Of one that was begun before, at `begun_at`, all slices from `reached` on have come.
    """

    start: Millis
    end: Millis
    margin: Millis = MARGIN
    open_too: bool = False
    jobs: bool = False
    begun_at: Millis | None = None
    reached: Millis | None = None


class Slice(NamedTuple):
    """A stretch `[start, end)` that one query or job is for."""

    start: Millis
    end: Millis

    @property
    def interval(self) -> str:
        """As the platform wants it written."""
        return f"{iso(self.start)}/{iso(self.end)}"

    def done(self, part: Slice, share: float) -> float:
        """How much of it is done, from 0 to 1, when this share of a part is and all that is newer."""
        left = part.start - self.start + (1 - share) * (part.end - part.start)
        return 1 - max(0.0, left) / (self.end - self.start)

    def halves(self) -> tuple[Slice, Slice]:
        """The newer half, then the older one."""
        middle = (self.start + self.end) // 2
        return Slice(middle, self.end), Slice(self.start, middle)


def slices(start: Millis, end: Millis) -> list[Slice]:
    """`[start, end)` in slices that each touch one day (UTC), newest first, and of that the last hour."""
    into_day = start % DAY
    # Only the oldest slice needs it: what goes on at a later midnight is in the slice before that.
    first = start - into_day - 1 if into_day < _LOOK_BACK else start
    found = []
    recent = end - RECENT
    if recent > max(start, (end - 1) // DAY * DAY):
        found.append(Slice(recent, end))
        end = recent
    while end > start:
        midnight = (end - 1) // DAY * DAY
        found.append(Slice(first if midnight <= start else midnight, end))
        end = midnight
    return found
