"""Folding the idle stretches of a journey: nothing changes places, nothing is lost, and what happened gets the room."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.view.folding import (
    BREAKS_SHARE,
    IDLE_SHARE,
    LEAST_BAR,
    QUIET,
    THRESHOLDS,
    WORTH,
    FoldedScale,
    folded,
    folded_scale,
    folded_ticks,
)
from journeymap.view.labels import duration

START = 1_764_000_000_000
WIDTH = 1_080.0
lengths = st.one_of(st.integers(1, 2 * MINUTE), st.integers(1, 3 * HOUR), st.integers(1, 3 * DAY))
journeys = st.lists(st.tuples(lengths, lengths, st.booleans()), min_size=1, max_size=12)
"""Pauses and what follows them: a segment, or only a moment."""


def laid_out(journey: list[tuple[int, int, bool]]) -> tuple[list[tuple[int, int]], list[int]]:
    segments, moments, at = [], [], START
    for pause, length, is_segment in journey:
        at += pause
        if is_segment:
            segments.append((at, at + length))
            at += length
        else:
            moments.append(at)
    return segments, moments


def scale_of(segments: list[tuple[int, int]], moments: list[int]) -> FoldedScale:
    marks = [edge for segment in segments for edge in segment] + moments
    return folded_scale(min(marks), max(marks) + 1, WIDTH, folded(segments, moments).folds)


@given(journeys)
@settings(max_examples=100, deadline=None)
def test_the_order_stays_and_times_come_back(journey: list[tuple[int, int, bool]]) -> None:
    segments, moments = laid_out(journey)
    scale = scale_of(segments, moments)
    marks = sorted({edge for segment in segments for edge in segment} | set(moments))
    places = [scale.x(mark) for mark in marks]
    assert all(left < right for left, right in pairwise(places))
    assert (scale.x(scale.start), scale.x(scale.end)) == (0, pytest.approx(WIDTH))
    for mark in [*marks, scale.start - 5, scale.end + 5 * SECOND]:
        if scale.rate:
            assert scale.time(scale.x(mark)) == pytest.approx(mark, abs=max(1, 1e-9 / scale.rate))


@given(journeys)
@settings(max_examples=100, deadline=None)
def test_only_idle_stretches_fold_and_breaks_say_their_true_length(journey: list[tuple[int, int, bool]]) -> None:
    segments, moments = laid_out(journey)
    marks = sorted({edge for segment in segments for edge in segment} | set(moments))
    found = folded(segments, moments)
    for fold in found.folds:
        assert fold.end - fold.start >= (found.threshold or 0)
        assert not any(fold.start < mark < fold.end for mark in marks)
        assert {fold.start, fold.end} <= set(marks)
        if any(start <= fold.start and fold.end <= end for start, end in segments):
            assert fold.end - fold.start >= QUIET
        assert fold.label == duration(fold.end - fold.start)
    scale = scale_of(segments, moments)
    for fold in found.folds:
        assert scale.x(fold.end) - scale.x(fold.start) == pytest.approx(scale.break_width)
    if scale.rate:
        assert scale.break_width * len(found.folds) <= BREAKS_SHARE * WIDTH + 1e-6


@given(journeys)
@settings(max_examples=100, deadline=None)
def test_what_is_idle_and_not_folded_is_little_or_short(journey: list[tuple[int, int, bool]]) -> None:
    segments, moments = laid_out(journey)
    marks = sorted({edge for segment in segments for edge in segment} | set(moments))
    folds = {(fold.start, fold.end) for fold in folded(segments, moments).folds}
    idle = [
        (start, end)
        for start, end in pairwise(marks)
        if (start, end) not in folds and not any(one <= start and end <= other for one, other in segments)
    ]
    long = sum(end - start for start, end in idle if end - start >= THRESHOLDS[-1])
    drawn = marks[-1] - marks[0] - sum(end - start for start, end in folds)
    if folds:
        assert long <= IDLE_SHARE * drawn + 1
        assert drawn <= (1 - WORTH) * (marks[-1] - marks[0]) + 1
    else:
        assert long <= (WORTH + (1 - WORTH) * IDLE_SHARE) * drawn + 1


@given(st.lists(st.integers(1, 60), min_size=2, max_size=14), st.data())
@settings(max_examples=100, deadline=None)
def test_nine_days_with_fourteen_minutes_of_activity(parts: list[int], data: st.DataObject) -> None:
    """Activity gets 60 % of the width, a segment of a second 3 pixels, each break its true length."""
    activity = [part * 14 * MINUTE // sum(parts) for part in parts]
    idle = 9 * DAY - sum(activity)
    cuts = sorted(
        data.draw(st.lists(st.integers(1, idle - 1), min_size=len(parts) - 1, max_size=len(parts) - 1, unique=True))
    )
    pauses = [right - left for left, right in zip([0, *cuts], [*cuts, idle], strict=True)][1:]
    segments, at = [], START
    for place, length in enumerate(activity):
        segments.append((at, at + length))
        at += length + (pauses[place] if place < len(pauses) else 0)
    scale = scale_of(segments, [])
    shown = sum(scale.x(end) - scale.x(start) for start, end in segments)
    assert shown >= 0.6 * WIDTH
    left, width = scale.bar(segments[0][0], segments[0][0] + SECOND)
    assert width >= LEAST_BAR
    assert left == scale.x(segments[0][0])


@given(journeys, st.floats(0, 0.9), st.floats(0.02, 1), st.sampled_from([0, HOUR, 5 * HOUR + 30 * MINUTE]))
@settings(max_examples=100, deadline=None)
def test_ticks_are_true_times_outside_breaks(
    journey: list[tuple[int, int, bool]], begin: float, part: float, offset: int
) -> None:
    scale = scale_of(*laid_out(journey))
    left, right = begin * WIDTH, min(WIDTH, (begin + part) * WIDTH)
    found = folded_ticks(scale, left, right, offset=offset, apart=96 * part)
    places = [scale.x(time) for time in found.times]
    assert all(right - left >= 0.59 * 96 * part for left, right in pairwise(places))
    starts = {start for start, _ in scale.pieces()}
    for time, place in zip(found.times, places, strict=True):
        assert not any(fold.start < time < fold.end for fold in scale.folds)
        assert left - 1e-6 <= place <= right + 1e-6
        assert (time + offset) % found.step == 0 or time in starts or time == math.ceil(scale.time(left))


@given(journeys)
@settings(max_examples=100, deadline=None)
def test_an_expanded_break_is_as_long_as_it_was(journey: list[tuple[int, int, bool]]) -> None:
    segments, moments = laid_out(journey)
    folds = folded(segments, moments).folds
    marks = [edge for segment in segments for edge in segment] + moments
    for opened in folds:
        scale = folded_scale(min(marks), max(marks) + 1, WIDTH, folds, expanded={opened.start})
        assert opened not in scale.folds
        assert scale.x(opened.end) - scale.x(opened.start) == pytest.approx((opened.end - opened.start) * scale.rate)
    everything = folded_scale(min(marks), max(marks) + 1, WIDTH, folds, expanded=[fold.start for fold in folds])
    assert len(everything.times) == 2
