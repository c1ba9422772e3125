"""All journeys that a process holds in memory, what changed of them, and who matches which filter.

No thread and no I/O here; `ReadModel` gives the lock. Time goes one way: `advance` with an earlier moment does nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Final

from journeymap.model.journey import State
from journeymap.model.time import SECOND, Millis
from journeymap.readmodel.held import Held
from journeymap.readmodel.matches import Matches
from journeymap.stitch.options import Timeouts
from journeymap.view.filters import Filter

FILTERS_KEPT: Final = 64
"""For so many different filters the matches are kept; the one not asked for the longest goes first."""

WARM_FOR: Final[Millis] = 20 * SECOND
"""Filters asked for within this time are brought up to date as soon as something changes, not when they are asked; their
orders and counts that are not asked for so long are dropped.

Much longer than a tick, because pages ask seldom where answers are slow. Five seconds were tried: on a busy machine pages
found their counts dropped and had them made anew, a third of the time of all answers, which made them slower still."""

GONE_KEPT: Final = 20_000
"""Of so many journeys that no longer stand is remembered where they went."""

EVERYTHING: Final = Filter()
CLOSED_ONLY: Final = Filter(states=frozenset({State.CLOSED}))

_REBUILD_SHARE: Final = 12
"""With more changes than one in so many, working everything out anew is quicker than one change after the other."""


class Table:
    """Journeys by id. `limit` bounds them: closed ones leave first, least recently active first."""

    def __init__(self, timeouts: Timeouts, limit: int, window: Millis) -> None:
        self.timeouts = timeouts
        self.held: dict[str, Held] = {}
        self.now: Millis = 0
        self.last_due: Millis = 0
        """The latest moment at which a time-out changed something."""
        self.touched_at: Millis = 0
        """When something was last taken in or let go."""
        self._limit = limit
        self._window = window
        self._gone: dict[str, str | None] = {}
        self._dues: list[tuple[Millis, str]] = []
        self._queued: dict[str, Millis] = {}
        self._changed: list[str] = []
        self._base = 0
        self._all = Matches(EVERYTHING)
        self._closed = Matches(CLOSED_ONLY)
        self._matches: dict[Filter, Matches] = {}

    def hold(self, journeys: Iterable[Held], gone: Mapping[str, str | None] | None = None) -> None:
        """Let those journeys go that no longer stand, then take in new forms of others."""
        for journey_id, target in (gone or {}).items():
            self._gone.pop(journey_id, None)
            self._gone[journey_id] = target
            self._let_go(journey_id)
        for made in journeys:
            journey_id = made.row.journey_id
            overdue = made.due is not None and made.due <= self.now
            held = Held(made.row, self.now, self.timeouts, made.stored) if overdue else made
            self.held[journey_id] = held
            self.touched_at = self.now
            self._gone.pop(journey_id, None)
            self._changed.append(journey_id)
            self._queue(journey_id, held.due)
        while len(self._gone) > GONE_KEPT:
            del self._gone[next(iter(self._gone))]
        self._trim()
        self._settle()

    def replace(self, held: Mapping[str, Held]) -> None:
        """Hold exactly these journeys and forget all others."""
        for journey_id in [journey_id for journey_id in self.held if journey_id not in held]:
            self._let_go(journey_id)
        self.hold(held.values())

    def advance(self, now: Millis) -> None:
        """Let time pass until `now`: read the clock again where a time-out fell due, let go what is too long ago."""
        if now <= self.now:
            return
        self.now = now
        count = len(self._changed)
        while self._dues and self._dues[0][0] <= now:
            due, journey_id = heapq.heappop(self._dues)
            if self._queued.get(journey_id) != due:
                continue
            del self._queued[journey_id]
            held = self.held.get(journey_id)
            if held is None or held.due is None:
                continue
            if held.due <= now:
                self.last_due = max(self.last_due, held.due)
                self.held[journey_id] = held = Held(held.row, now, self.timeouts, held.stored)
                self._changed.append(journey_id)
            self._queue(journey_id, held.due)
        if len(self._changed) > count:
            self._settle()

    def forget_old(self) -> None:
        """Let closed journeys go that were last active before the window."""
        self._catch_up(self._closed)
        edge = self.now - self._window
        for at, journey_id in self._closed.oldest(len(self._closed) - self._closed.count(edge)):
            if at < edge:
                self._let_go(journey_id)

    def matching(self, wanted: Filter) -> Matches:
        """The journeys that meet the filter now."""
        if wanted == EVERYTHING:
            return self._catch_up(self._all)
        matches = self._matches.pop(wanted, None)
        if matches is None:  # and not where it is empty, which is false too
            matches = Matches(wanted)
        self._matches[wanted] = matches
        if len(self._matches) > FILTERS_KEPT:
            del self._matches[next(iter(self._matches))]
        matches.asked_at = self.now
        return self._catch_up(matches)

    def open_count(self) -> int:
        """How many of the journeys held are not CLOSED."""
        return len(self.held) - len(self._catch_up(self._closed))

    def where_is(self, journey_id: str) -> str | None:
        """The journey that took in one that no longer stands; None if none is known."""
        target = self._gone.get(journey_id)
        for _ in range(len(self._gone)):
            if target is None or target in self.held:
                break
            target = self._gone.get(target)
        return target if target in self.held else None

    def _let_go(self, journey_id: str) -> None:
        if self.held.pop(journey_id, None) is not None:
            self._changed.append(journey_id)
            self.touched_at = self.now

    def _queue(self, journey_id: str, due: Millis | None) -> None:
        # One entry a journey. Activity moves a time-out later: an entry that is too early is put right as it comes up.
        if due is None:
            return
        queued = self._queued.get(journey_id)
        if queued is None or due < queued:
            self._queued[journey_id] = due
            heapq.heappush(self._dues, (due, journey_id))

    def _trim(self) -> None:
        excess = len(self.held) - self._limit
        if excess <= 0:
            return
        for _, journey_id in self._catch_up(self._closed).oldest(excess):
            self._let_go(journey_id)
        excess = len(self.held) - self._limit
        if excess > 0:
            for _, journey_id in self._catch_up(self._all).oldest(excess):
                self._let_go(journey_id)

    def _settle(self) -> None:
        """Bring up to date what is asked for all the time, and forget changes that nobody needs any more."""
        self._catch_up(self._all)
        self._all.drop_unasked(self.now - WARM_FOR)
        for matches in self._matches.values():
            matches.drop_unasked(self.now - WARM_FOR)
            if self.now - matches.asked_at <= WARM_FOR:
                self._catch_up(matches)
        self._catch_up(self._closed)
        if len(self._changed) > 2 * self._limit + 1_000:
            cut = len(self._changed) // 2
            self._base += cut
            del self._changed[:cut]
        if len(self._dues) > 2 * len(self.held) + 1_000:
            self._queued = {journey_id: held.due for journey_id, held in self.held.items() if held.due is not None}
            self._dues = [(due, journey_id) for journey_id, due in self._queued.items()]
            heapq.heapify(self._dues)

    def _catch_up(self, matches: Matches) -> Matches:
        end = self._base + len(self._changed)
        behind = end - matches.position
        if not behind:
            return matches
        if matches.position < self._base or behind > max(64, len(self.held) // _REBUILD_SHARE):
            if matches is self._all:
                places = sorted((held.row.last_event_at, journey_id) for journey_id, held in self.held.items())
            else:
                places = self._catch_up(self._all).places
            matches.rebuild(self.held, places)
        else:
            matches.update(self.held, dict.fromkeys(self._changed[matches.position - self._base :]))
        matches.position = end
        return matches
