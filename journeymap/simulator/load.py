"""How busy the simulated contact centre is: the shape of its day, arrivals at random, waits that grow with load."""

from __future__ import annotations

import math
import random

_HOUR = 3_600_000
_DAY = 24 * _HOUR


def day_factor(at: int) -> float:
    """Traffic at this time (ms, UTC) relative to the mean rate: quiet nights, two peaks, about 1 at mid-day.

    It stays between 0.6 and 1.4, so that whoever starts the simulator at night sees a lively picture too.
    """
    hour = at % _DAY / _HOUR
    return 0.62 + 0.34 * _bell(hour, 13.0, 4.0) + 0.36 * (_bell(hour, 10.5, 1.1) + _bell(hour, 15.5, 1.1))


def level_of(factor: float) -> int:
    """The load level of a day factor, in tenths (6, 8, 10, 12 or 14): waits are worked out once a level."""
    return min(14, max(6, 2 * round(factor * 5)))


def mean_wait(handling: float, agents: int, utilisation: float) -> float:
    """Mean wait in queue after Erlang C, in the unit of `handling`, for one team at the given share of its capacity."""
    offered = agents * min(utilisation, 0.96)
    blocked = 1.0
    for servers in range(1, agents + 1):
        blocked = offered * blocked / (servers + offered * blocked)
    waits = blocked / (1.0 - offered / agents * (1.0 - blocked))
    return waits * handling / (agents - offered)


def arrivals(rng: random.Random, mean: float) -> int:
    """A Poisson number of arrivals; above 60 the normal approximation, whose error nobody could see."""
    if mean > 60.0:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    floor, product, count = math.exp(-mean), rng.random(), 0
    while product > floor:
        product *= rng.random()
        count += 1
    return count


def _bell(hour: float, centre: float, width: float) -> float:
    away = abs(hour - centre)
    away = min(away, 24.0 - away)
    return math.exp(-away * away / (2.0 * width * width))
