"""Rates and spreads that the status document tells."""

from __future__ import annotations

from journeymap.model.status import Durations
from journeymap.runtime.reporting import RATE_OVER, Rate
from journeymap.runtime.spread import Spread


def test_a_rate_is_a_mean_over_the_last_ten_seconds() -> None:
    rate = Rate()
    assert rate.of(100, 0) == 0
    assert rate.of(100, 0) == 0
    assert rate.of(150, 1_000) == 50
    for second in range(2, 30):
        found = rate.of(150, second * 1_000)
        assert found == (50 / second if second <= RATE_OVER / 1_000 else 0)
    assert rate.of(250, 30_000) == 10
    assert len(rate._points) <= RATE_OVER / 1_000 + 2


def test_a_rate_after_a_long_silence_is_a_mean_over_that() -> None:
    rate = Rate()
    rate.of(0, 0)
    assert rate.of(600, 60_000) == 10
    assert rate.of(600, 61_000) == 600 / 61


def test_a_spread_counts_by_bounds_and_adds_up() -> None:
    spread = Spread((1, 10))
    for length in (0.5, 1, 1.5, 10, 11, 400):
        spread.add(length)
    assert spread.durations() == Durations([1, 10], [2, 2, 2], 424.0)
