"""Detours: events that come late, twice or overtaken."""

from itertools import pairwise

from journeymap.simulator.detours import Detours
from journeymap.simulator.faults import Faults
from journeymap.simulator.told import Told

EVENTS = [Told(b"{}", f"evt-{number}", "interaction.created") for number in range(1_000)]


def arrivals(faults: Faults, seed: int = 1) -> list[tuple[int, Told]]:
    """When each event arrives, of one told each 10 ms, until all are there."""
    detours = Detours(faults, seed)
    found = []
    for now in range(0, 100_000, 10):
        told = EVENTS[now // 10 : now // 10 + 1]
        found += [(now, arrived) for arrived in detours.through(told, now)]
    return found


def delays(found: list[tuple[int, Told]]) -> list[int]:
    return [at - 10 * EVENTS.index(told) for at, told in found]


def test_without_a_fault_events_come_straight() -> None:
    assert arrivals(Faults()) == [(10 * number, told) for number, told in enumerate(EVENTS)]


def test_late_ones_come_once_and_in_their_time() -> None:
    found = arrivals(Faults(late=0.2))
    assert sorted(told for _, told in found) == sorted(EVENTS)
    late = [delay for delay in delays(found) if delay]
    assert 150 < len(late) < 250
    assert 18_000 <= min(late) < 22_000 and 55_000 < max(late) <= 60_010
    short = [delay for delay in delays(arrivals(Faults(late=0.2, longest_delay=5))) if delay]
    assert min(short) >= 1_500 and 4_500 < max(short) <= 5_010


def test_duplicates_come_beside_the_events_themselves() -> None:
    found = arrivals(Faults(duplicates=0.3))
    assert 1_250 < len(found) < 1_350
    assert sorted({told for _, told in found}) == sorted(EVENTS)
    assert delays(found).count(0) == 1_000


def test_reordering_lets_events_overtake_and_loses_none() -> None:
    found = arrivals(Faults(reordering=0.5))
    assert sorted(told for _, told in found) == sorted(EVENTS)
    assert all(0 <= delay <= 510 for delay in delays(found))
    places = [EVENTS.index(told) for _, told in found]
    assert sum(later < earlier for earlier, later in pairwise(places)) > 300


def test_chance_has_a_seed() -> None:
    faults = Faults(late=0.1, duplicates=0.1, reordering=0.2)
    assert arrivals(faults) == arrivals(faults)
    assert arrivals(faults) != arrivals(faults, seed=2)


def test_what_is_held_back_still_comes_after_the_fault() -> None:
    faults = Faults(late=1.0)
    detours = Detours(faults, 1)
    assert detours.through(EVENTS[:10], 0) == []
    faults.reset()
    assert detours.through(EVENTS[10:11], 100) == EVENTS[10:11]
    assert sorted(detours.through([], 60_000)) == sorted(EVENTS[:10])
    assert detours.through([], 120_000) == []
