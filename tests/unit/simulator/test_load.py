"""The shape of the day and what load does to waits."""

import random
from itertools import pairwise

import pytest

from journeymap.simulator.load import arrivals, day_factor, level_of, mean_wait
from journeymap.simulator.traffic import LONGEST, visit

DAY = [day_factor(minute * 60_000) for minute in range(1440)]


def test_the_day_has_two_peaks_and_is_lively_at_any_hour() -> None:
    assert min(DAY) >= 0.6
    assert max(DAY) <= 1.4
    peaks = [at for at in range(1440) if DAY[at - 1] < DAY[at] >= DAY[(at + 1) % 1440]]
    assert [round(at / 60) for at in peaks] in ([10, 15], [11, 15], [10, 16], [11, 16])
    assert sum(DAY[720:840]) / 120 == pytest.approx(1.0, abs=0.08)


def test_the_day_has_no_jump() -> None:
    assert max(abs(later - sooner) for sooner, later in pairwise([*DAY, DAY[0]])) < 0.01


def test_levels_are_the_nearest_fifth() -> None:
    assert [level_of(factor) for factor in (0.5, 0.62, 0.71, 1.0, 1.26, 9.9)] == [6, 6, 8, 10, 12, 14]


def test_waits_follow_erlang_c() -> None:
    # One agent: M/M/1, W = rho / (1 - rho) times the handling time.
    assert mean_wait(100.0, 1, 0.5) == pytest.approx(100.0)
    # Two agents at half load: C = 1/3, W = C * handling / (2 - 1).
    assert mean_wait(90.0, 2, 0.5) == pytest.approx(30.0)
    assert mean_wait(100.0, 12, 2.0) == mean_wait(100.0, 12, 0.96)


def test_customers_wait_longer_and_give_up_more_often_under_load() -> None:
    def unanswered(level: int) -> float:
        visits = [visit(random.Random(number), level) for number in range(1500)]
        return sum(all(step.type != "conversation.started" for step in steps) for steps in visits) / 1500

    shares = [unanswered(level) for level in (6, 10, 12, 14)]
    assert shares == sorted(shares)
    assert shares[-1] > 2 * shares[0]


@pytest.mark.parametrize("mean", [0.0, 0.3, 8.0, 59.0, 300.0])
def test_arrivals_have_the_mean_and_the_spread_of_poisson(mean: float) -> None:
    rng = random.Random(1)
    counts = [arrivals(rng, mean) for _ in range(4000)]
    average = sum(counts) / len(counts)
    assert average == pytest.approx(mean, abs=0.08 * mean**0.5 + 0.01)
    assert sum((count - average) ** 2 for count in counts) / len(counts) == pytest.approx(mean, rel=0.12, abs=0.01)


def test_a_visit_is_in_order_and_bounded() -> None:
    for number in range(2000):
        steps = visit(random.Random(number), 12)
        times = [step.at for step in steps]
        assert times == sorted(times)
        assert times[0] == 0
        assert times[-1] <= LONGEST
        assert steps[0].type == "interaction.created"
