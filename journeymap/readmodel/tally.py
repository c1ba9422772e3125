"""How many journeys have each value of a facet; kept up to date by who comes and who goes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import Final

from journeymap.model.journey import State
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.readmodel.held import Held
from journeymap.view.facts import Facts, spelling

MOST_VALUES: Final = 30
"""So many values of a facet are told of, those of the most journeys."""

_STATES: Final = {state: frozenset({state.value}) for state in State}

FACETS: Final[Mapping[str, Callable[[Facts], frozenset[str]]]] = {
    "channel": attrgetter("channels"),
    "state": lambda facts: _STATES[facts.state],
    "queue": attrgetter("queues"),
    "disposition": attrgetter("dispositions"),
    "direction": attrgetter("directions"),
    "flag": attrgetter("flags"),
}
"""The facets, by their names in a query string, and what values a journey counts for."""

_SPELLED: Final[Mapping[str, Callable[[JourneyRow], Iterable[str | None]]]] = {
    "queue": lambda row: [part.queue for part in row.interactions],
    "disposition": lambda row: [part.disposition for part in row.interactions],
}


class Tally:
    """For each value of one facet the times of last activity, in order. A journey counts once for each of its values."""

    def __init__(self, facet: str, journeys: Iterable[Held]) -> None:
        self.asked_at: Millis = 0
        self._values = FACETS[facet]
        self._spelled = _SPELLED.get(facet)
        self._names: dict[str, str] = {}
        self._times: dict[str, list[Millis]] = {}
        for held in journeys:
            at = held.row.last_event_at
            for value in self._values(held.facts):
                times = self._times.get(value)
                if times is None:
                    times = self._of(value, held)
                times.append(at)
        for times in self._times.values():
            times.sort()

    def change(self, before: Held | None, now: Held | None) -> None:
        """Put one in another's place; None where there is none."""
        if before is not None:
            at = before.row.last_event_at
            for value in self._values(before.facts):
                times = self._times[value]
                del times[bisect_left(times, at)]
                if not times:
                    del self._times[value], self._names[value]
        if now is not None:
            at = now.row.last_event_at
            for value in self._values(now.facts):
                insort(self._of(value, now), at)

    def counts(self, since: Millis) -> dict[str, int]:
        """By value how many were active at `since` or later; values of none left out."""
        counts = {value: len(times) - bisect_left(times, since) for value, times in self._times.items()}
        return {value: count for value, count in sorted(counts.items()) if count}

    def top(self, since: Millis, chosen: Collection[str]) -> list[tuple[str, int]]:
        """The `MOST_VALUES` values of the most journeys, and those that are chosen; as they are spelled, most first."""
        counts = self.counts(since)
        ranked = sorted(counts, key=lambda value: (-counts[value], value))
        rest = ranked[MOST_VALUES:] + sorted(set(chosen).difference(counts))
        shown = ranked[:MOST_VALUES] + [value for value in rest if value in chosen]
        return [(self._names.get(value, value), counts.get(value, 0)) for value in shown]

    def _of(self, value: str, held: Held) -> list[Millis]:
        if value not in self._times:
            self._times[value] = []
            self._names[value] = spelling(value, self._spelled(held.row)) if self._spelled else value
        return self._times[value]
