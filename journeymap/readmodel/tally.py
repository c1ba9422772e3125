"""How many journeys have each value of a facet; kept up to date by who comes and who goes."""

from __future__ import annotations

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

_NONE: Final[frozenset[str]] = frozenset()
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
    """For each value of one facet how many journeys have it. A journey counts once for each of its values.

    Most events change no value and cost nothing here. Times of last activity instead of counts, so that those of any stretch of
    time can be read off, were tried: every event moved one in each list, a quarter of what following the store cost.
    """

    def __init__(self, facet: str, journeys: Iterable[Held]) -> None:
        self.asked_at: Millis = 0
        self._values = FACETS[facet]
        self._spelled = _SPELLED.get(facet)
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        for held in journeys:
            for value in self._values(held.facts):
                if value in self._counts:
                    self._counts[value] += 1
                else:
                    self._begin(value, held)

    def change(self, before: Held | None, now: Held | None) -> None:
        """Put one in another's place; None where there is none."""
        left = self._values(before.facts) if before is not None else _NONE
        come = self._values(now.facts) if now is not None else _NONE
        if left is come or left == come:
            return
        for value in left - come:
            self._counts[value] -= 1
            if not self._counts[value]:
                del self._counts[value], self._names[value]
        for value in come - left:
            if value in self._counts:
                self._counts[value] += 1
            elif now is not None:
                self._begin(value, now)

    def counts(self) -> dict[str, int]:
        """By value how many have it; values of none left out."""
        return dict(sorted(self._counts.items()))

    def top(self, chosen: Collection[str]) -> list[tuple[str, int]]:
        """The `MOST_VALUES` values of the most journeys, and those that are chosen; as they are spelled, most first."""
        counts = self._counts
        ranked = sorted(counts, key=lambda value: (-counts[value], value))
        rest = ranked[MOST_VALUES:] + sorted(set(chosen).difference(counts))
        shown = ranked[:MOST_VALUES] + [value for value in rest if value in chosen]
        return [(self._names.get(value, value), counts.get(value, 0)) for value in shown]

    def _begin(self, value: str, held: Held) -> None:
        self._counts[value] = 1
        self._names[value] = spelling(value, self._spelled(held.row)) if self._spelled else value
