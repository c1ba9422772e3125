"""The journeys that match one filter, with their orders and counts; kept up to date by what changed since."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from journeymap.model.time import Millis
from journeymap.readmodel.density import Density
from journeymap.readmodel.held import Held
from journeymap.readmodel.ordering import Ordering
from journeymap.readmodel.tally import Tally
from journeymap.view.filters import Filter
from journeymap.view.sorting import ACTIVITY

Place: TypeAlias = tuple[Millis, str]
"""`(last_event_at, journey id)`: where a journey lies in the order."""


class Matches:
    """Orders and counts are made when they are first asked for, and from then on kept up to date: the order of last activity for
    good, others until they are dropped. Many filters are asked for counts alone.

    Plain sorted lists, oldest activity first: nearly all changes happen at their end, where inserting costs nothing. A
    sorted container in blocks was tried; at 20,000 rows it took twice as long for the same changes.
    """

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self.position = -1
        """Up to where of the table's changes this is worked in; -1 before the first time."""
        self.asked_at: Millis = 0
        self._tests = wanted.tests()
        self._members: dict[str, Held] = {}
        self._places: list[Place] | None = None
        self._tallies: dict[str, Tally] = {}
        self._orderings: dict[tuple[str, str | None], Ordering] = {}
        self._density: Density | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, journey_id: str) -> bool:
        return journey_id in self._members

    @property
    def places(self) -> list[Place]:
        """Those that match in the order of their last activity."""
        if self._places is None:
            self._places = sorted([(held.row.last_event_at, journey_id) for journey_id, held in self._members.items()])
        return self._places

    def rebuild(self, held: Mapping[str, Held], places: Iterable[Place]) -> None:
        """Work out everything anew; `places` are those of all journeys in order."""
        found = list(places)
        # One condition after the other over all: a quarter of the time of asking each journey for all conditions.
        for test in self._tests:
            found = [place for place in found if test(held[place[1]].facts)]
        self._places = None if self._places is None else found
        self._members = {journey_id: held[journey_id] for _, journey_id in found}
        self._tallies.clear()
        self._orderings.clear()
        self._density = None

    def update(self, held: Mapping[str, Held], changed: Iterable[str]) -> None:
        """Work in the journeys with these ids, whether new, changed or gone."""
        members, tests, places = self._members, self._tests, self._places
        kept: list[Tally | Ordering | Density] = [*self._tallies.values(), *self._orderings.values()]
        if self._density is not None:
            kept.append(self._density)
        for journey_id in changed:
            now = held.get(journey_id)
            if now is not None and not all(test(now.facts) for test in tests):
                now = None
            before = members.get(journey_id)
            if now is before:
                continue
            if before is not None:
                del members[journey_id]
                if places is not None:
                    del places[bisect_left(places, (before.row.last_event_at, journey_id))]
            if now is not None:
                members[journey_id] = now
                if places is not None:
                    insort(places, (now.row.last_event_at, journey_id))
            for each in kept:
                each.change(before, now)

    def drop_unasked(self, before: Millis) -> None:
        """Forget orders and counts not asked for since then: they are made again when they are."""
        for kept in (self._tallies, self._orderings):
            for name in [name for name, each in kept.items() if each.asked_at < before]:
                del kept[name]  # type: ignore[arg-type]  # name is of the dictionary that it came from
        if self._density is not None and self._density.asked_at < before:
            self._density = None

    def count(self, since: Millis) -> int:
        """How many were active at `since` or later."""
        return len(self.places) - self._first(since) if since > 0 else len(self._members)

    def tally(self, facet: str, since: Millis, now: Millis) -> Tally:
        """How many of those active at `since` or later have each value of a facet. Kept only of all: that is what pages ask."""
        if since > 0:
            return Tally(facet, [self._members[journey_id] for _, journey_id in self.places[self._first(since) :]])
        tally = self._tallies.get(facet)
        if tally is None:
            self._tallies[facet] = tally = Tally(facet, self._members.values())
        tally.asked_at = now
        return tally

    def density(self, now: Millis) -> Density:
        """How many were active over time, whenever that was."""
        if self._density is None:
            self._density = Density(self._members.values())
        self._density.asked_at = now
        return self._density

    def ordering(self, sort: str, group: str | None, now: Millis) -> Ordering:
        """Another order than that of last activity, or groups."""
        ordering = self._orderings.get((sort, group))
        if ordering is None:
            self._orderings[sort, group] = ordering = Ordering(sort, group, self._members.values())
        ordering.asked_at = now
        return ordering

    def first(
        self,
        order: tuple[str, str | None],
        since: Millis,
        offset: int,
        count: int,
        without: frozenset[str],
        now: Millis,
    ) -> list[str]:
        """Ids from `offset` on in this order, of those active at `since` or later and not in `without`."""
        if order == (ACTIVITY, None) and not without:
            end = max(0, len(self.places) - offset)
            return [journey_id for _, journey_id in reversed(self.places[max(self._first(since), end - count) : end])]
        if order == (ACTIVITY, None):
            ids: Iterable[str] = [journey_id for _, journey_id in reversed(self.places[self._first(since) :])]
        else:
            ids = self.ordering(*order, now).ids(since)
        return list(islice((journey_id for journey_id in ids if journey_id not in without), offset, offset + count))

    def oldest(self, count: int) -> Sequence[Place]:
        """The first `count`, least recently active first."""
        return self.places[:count]

    def any_between(self, start: Millis, end: Millis) -> bool:
        """Whether one was last active in `[start, end)`."""
        return self._first(start) < self._first(end)

    def _first(self, since: Millis) -> int:
        return bisect_left(self.places, (since,)) if since > 0 else 0
