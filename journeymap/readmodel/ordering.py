"""Journeys in one order, in one or several groups; kept up to date by who comes and who goes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from journeymap.model.time import Millis
from journeymap.readmodel.held import Held
from journeymap.view.sorting import GROUPS, Place, group_place, rank_of

Ranked: TypeAlias = tuple[Place, Millis, str]
"""`(rank, last_event_at, journey id)`."""


class Ordering:
    """Sorted lists, one a group, first to be shown at their ends. `group` None makes a single group of all."""

    def __init__(self, sort: str, group: str | None, journeys: Iterable[Held]) -> None:
        self.asked_at: Millis = 0
        self._rank = rank_of(sort)
        self._group = group
        self._group_of = GROUPS[group] if group else None
        self._ranked: dict[str, list[Ranked]] = {}
        rank, group_of = self._rank, self._group_of
        for held in journeys:
            row = held.row
            place = (rank(held.facts), row.last_event_at, row.journey_id)
            self._ranked.setdefault(group_of(held.facts) if group_of else "", []).append(place)
        for ranked in self._ranked.values():
            ranked.sort()

    def change(self, before: Held | None, now: Held | None) -> None:
        """Put one in another's place; None where there is none."""
        if before is not None:
            name, place = self._place(before)
            ranked = self._ranked[name]
            del ranked[bisect_left(ranked, place)]
            if not ranked:
                del self._ranked[name]
        if now is not None:
            name, place = self._place(now)
            insort(self._ranked.setdefault(name, []), place)

    def ids(self, since: Millis) -> Iterator[str]:
        """Ids of those active at `since` or later, in order."""
        for name in self._names():
            for _, at, journey_id in reversed(self._ranked[name]):
                if at >= since:
                    yield journey_id

    def counts(self, since: Millis) -> list[tuple[str, int]]:
        """The groups in order, each with how many are in it that were active at `since` or later; empty ones left out."""
        if since <= 0:
            return [(name, len(self._ranked[name])) for name in self._names()]
        counts = [(name, sum(at >= since for _, at, _ in self._ranked[name])) for name in self._names()]
        return [(name, count) for name, count in counts if count]

    def group_of(self, held: Held) -> str:
        """The name of a journey's group."""
        return self._group_of(held.facts) if self._group_of else ""

    def _names(self) -> list[str]:
        group = self._group
        return sorted(self._ranked, key=lambda name: group_place(group, name)) if group else list(self._ranked)

    def _place(self, held: Held) -> tuple[str, Ranked]:
        row = held.row
        return self.group_of(held), (self._rank(held.facts), row.last_event_at, row.journey_id)
