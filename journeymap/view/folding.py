"""A time axis on which long idle stretches are folded to breaks of one width each: which ones fold, and where time lies then.

The page's own is `assets/journey/folding.mjs`; both pass the golden cases of `tests/data/folding_cases.json`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, Millis
from journeymap.view.labels import duration
from journeymap.view.scale import APART, STEPS, Ticks

QUIET: Final[Millis] = 2 * HOUR
"""A segment in which nothing happens for so long is idle there too, say an e-mail that waits overnight. Its bar goes on
through the break."""

THRESHOLDS: Final = (
    *(DAY, 12 * HOUR, 6 * HOUR, 2 * HOUR, HOUR),
    *(30 * MINUTE, 10 * MINUTE, 5 * MINUTE, 2 * MINUTE, MINUTE, 10 * SECOND),
)
"""From which length on stretches are folded: round, so that a journey that grows does not fold otherwise all the time."""

WORTH: Final = 0.4
"""Unless folding saves so much of the whole span, the true axis is the better one."""

IDLE_SHARE: Final = 0.18
"""Of the time that is drawn, so much may be idle; beyond it a lower threshold is taken."""

BREAK: Final = 44.0
"""Pixels that a break takes: room for `23 h 59 min` on two lines."""

BREAKS_SHARE: Final = 0.18
"""Of the width, so much goes to all breaks together at most."""

CROWDED: Final = 0.6
"""Ticks on both sides of a break may be this part of the usual distance apart."""

LEAST_BAR: Final = 3.0
"""Pixels of the shortest bar."""

Stretch: TypeAlias = tuple[Millis, Millis]


class Fold(msgspec.Struct, frozen=True):
    """An idle stretch `[start, end)` that is drawn as a break."""

    start: Millis
    end: Millis

    @property
    def label(self) -> str:
        """Its true length, `2 d 3 h`."""
        return duration(self.end - self.start)


class Folded(msgspec.Struct, frozen=True):
    """The stretches that fold, oldest first, and the length from which on they do (None where nothing folds)."""

    folds: Sequence[Fold] = ()
    threshold: Millis | None = None


class FoldedScale(msgspec.Struct, frozen=True):
    """The span `[start, end)` laid on `width` pixels, with a break of `break_width` for each fold. Made by `folded_scale`.

    `times` and `places` are the corners of the piecewise linear way from time to pixels, `rate` pixels a millisecond outside of
    breaks and beyond both ends (0 where there is nothing but breaks).
    """

    start: Millis
    end: Millis
    width: float
    folds: Sequence[Fold]
    break_width: float
    rate: float
    times: Sequence[Millis]
    places: Sequence[float]

    def x(self, time: Millis) -> float:
        """Where a moment lies; below 0 and above `width` outside the span."""
        if time <= self.start:
            return (time - self.start) * self.rate
        if time >= self.end:
            return self.width + (time - self.end) * self.rate
        at = bisect_right(self.times, time) - 1
        left, right = self.times[at], self.times[at + 1]
        return self.places[at] + (time - left) / (right - left) * (self.places[at + 1] - self.places[at])

    def time(self, x: float) -> float:
        """The moment at a place, in milliseconds and parts of one; inside a break as if it were drawn evenly."""
        if x <= 0 or x >= self.width:
            edge, from_edge = (self.start, x) if x <= 0 else (self.end, x - self.width)
            return edge + (from_edge / self.rate if self.rate else 0.0)
        at = min(bisect_right(self.places, x), len(self.places) - 1) - 1
        left, right = self.places[at], self.places[at + 1]
        return self.times[at] + (x - left) / (right - left) * (self.times[at + 1] - self.times[at])

    def bar(self, start: Millis, end: Millis, least: float = LEAST_BAR) -> tuple[float, float]:
        """Left edge and width of a bar; no bar is narrower than `least`."""
        left = self.x(start)
        return left, max(self.x(end) - left, least)

    def pieces(self) -> Iterator[Stretch]:
        """What lies between the breaks, in order; a piece without length is a moment between two breaks."""
        start = self.start
        for fold in self.folds:
            yield start, max(start, fold.start)
            start = fold.end
        if start < self.end:
            yield start, self.end


def folded(segments: Iterable[Stretch], moments: Iterable[Millis] = ()) -> Folded:
    """What to fold of a journey with these segments (an open one ends now), where things happened at `moments` too."""
    drawn = [(start, end) for start, end in segments if start < end]
    marks = sorted({*moments, *(edge for segment in drawn for edge in segment)})
    idle = [
        (start, end)
        for start, end, busy in _between(marks, drawn)
        if end - start >= (QUIET if busy else THRESHOLDS[-1])
    ]
    if not idle:
        return Folded()
    active = marks[-1] - marks[0] - sum(end - start for start, end in idle)
    for threshold in THRESHOLDS:
        rest = sum(end - start for start, end in idle if end - start < threshold)
        if rest <= IDLE_SHARE * (active + rest):
            break
    folds = [Fold(start, end) for start, end in idle if end - start >= threshold]
    saved = sum(fold.end - fold.start for fold in folds)
    return Folded(folds, threshold) if folds and saved >= WORTH * (marks[-1] - marks[0]) else Folded()


def folded_scale(
    start: Millis, end: Millis, width: float, folds: Iterable[Fold] = (), *, expanded: Collection[Millis] = ()
) -> FoldedScale:
    """The scale of the span `[start, end)` on `width` pixels. Folds that do not lie in the span, or whose start is in
    `expanded`, are drawn at their true length."""
    inside = [fold for fold in folds if start <= fold.start and fold.end <= end and fold.start not in expanded]
    active = end - start - sum(fold.end - fold.start for fold in inside)
    each = min(BREAK, width * BREAKS_SHARE / len(inside)) if inside else 0.0
    if inside and not active:
        each = width / len(inside)
    rate = (width - each * len(inside)) / active if active else 0.0
    times, places = [start], [0.0]
    for fold in inside:
        if fold.start > times[-1]:
            places.append(places[-1] + (fold.start - times[-1]) * rate)
            times.append(fold.start)
        times.append(fold.end)
        places.append(places[-1] + each)
    if end > times[-1]:
        times.append(end)
        places.append(width)
    return FoldedScale(start, end, width, tuple(inside), each, rate, tuple(times), tuple(places))


def folded_ticks(scale: FoldedScale, left: float, right: float, *, offset: Millis = 0, apart: float = APART) -> Ticks:
    """Ticks between two places, on round local times (`offset` is what local time is ahead of UTC); a piece between breaks
    that holds no round time has one where it begins. `apart` is the distance that ticks keep, in the scale's pixels."""
    step = next((step for step in STEPS if step * scale.rate >= apart), STEPS[-1])
    times: list[Millis] = []
    last = left - apart
    for start, end in scale.pieces():
        first, until = max(start, _up(scale.time(left))), min(end, int(scale.time(right)))
        if until < first:
            continue
        grid = range(-(-(first + offset) // step) * step - offset, until + 1, step)
        for time in grid or (first,):
            x = scale.x(time)
            if x - last >= apart * (CROWDED if time == (grid or (first,))[0] else 0.99):
                times.append(time)
                last = x
    return Ticks(step, times)


def _between(marks: Sequence[Millis], segments: Iterable[Stretch]) -> Iterator[tuple[Millis, Millis, bool]]:
    """The stretches from mark to mark, and whether a segment runs there. `marks` hold the edges of all segments."""
    change: dict[Millis, int] = {}
    for start, end in segments:
        change[start] = change.get(start, 0) + 1
        change[end] = change.get(end, 0) - 1
    running = 0
    for start, end in pairwise(marks):
        running += change.get(start, 0)
        yield start, end, running > 0


def _up(time: float) -> Millis:
    return -int(-time // 1)
