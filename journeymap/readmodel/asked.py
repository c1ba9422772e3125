"""One question put to the table: which rows, in what order, and what is counted."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from journeymap.model.time import Millis
from journeymap.readmodel.answer import OverTime
from journeymap.readmodel.matches import Matches
from journeymap.readmodel.table import Table
from journeymap.readmodel.tally import FACETS
from journeymap.view.filters import CHOICES, Filter
from journeymap.view.question import Overview, Question

CHANNEL: Final = "channel"


class Rows(NamedTuple):
    """The ids asked for: `pinned` ones, those of `order`, a part of the `listed` that match and are not pinned, and
    `watched` ones, which are wanted wherever they stand; and where those have gone that no longer stand."""

    pinned: list[str]
    order: list[str]
    watched: list[str]
    listed: int
    gone: dict[str, str | None]


class Counts(NamedTuple):
    """The counts asked for, each None if it is not, and the moment that they are of, None without any."""

    facets: dict[str, list[tuple[str, int]]] | None = None
    overview: OverTime | None = None
    as_of: Millis | None = None


class Asked:
    """A question at `now`, over a table that does not change meanwhile. `wanted` and `order` are the question's."""

    def __init__(
        self, table: Table, question: Question, wanted: Filter, order: tuple[str, str | None], now: Millis
    ) -> None:
        self.matches: Matches = table.matching(wanted)
        self._table = table
        self._question = question
        self._wanted = wanted
        self._order = order
        self._now = now

    def rows(self) -> Rows:
        """Which rows the page is to have."""
        question, held = self._question, self._table.held
        pinned = [journey_id for journey_id in dict.fromkeys(question.pinned) if journey_id in held]
        without = frozenset(pinned)
        known = [journey_id for journey_id, _ in question.have] + question.pinned + question.watched
        if question.hold is None:
            order = self.matches.first(self._order, question.since, question.offset, question.count, without, self._now)
        else:
            known += question.hold
            order = [each for each in dict.fromkeys(question.hold) if each in held and each not in without]
        above = len([journey_id for journey_id in pinned if self._is_listed(journey_id)])
        gone = {
            journey_id: self._table.where_is(journey_id)
            for journey_id in dict.fromkeys(known)
            if journey_id not in held
        }
        watched = [journey_id for journey_id in dict.fromkeys(question.watched) if journey_id in held]
        return Rows(pinned, order, watched, self.matches.count(question.since) - above, gone)

    def news(self, rows: Rows) -> bool:
        """Whether the page lacks rows, or has some that are gone."""
        known = {journey_id for journey_id, _ in self._question.have}
        return bool(rows.gone) or not known.issuperset([*rows.order, *rows.pinned, *rows.watched])

    def channels(self) -> dict[str, int]:
        """Matching journeys by channel, whatever channels the filter names."""
        return self._apart_from(CHANNEL).tally(CHANNEL, self._question.since, self._now).counts()

    def groups(self, rows: Rows) -> list[tuple[str, int]] | None:
        """The groups of what is listed, in order, each with its number of rows; None without groups."""
        if self._order[1] is None:
            return None
        ordering = self.matches.ordering(*self._order, self._now)
        counts = dict(ordering.counts(self._question.since))
        for journey_id in rows.pinned:
            if self._is_listed(journey_id):
                counts[ordering.group_of(self._table.held[journey_id])] -= 1
        return [(name, count) for name, count in counts.items() if count]

    def counts(self) -> Counts:
        """Facets and overview, if they are asked for."""
        question, now = self._question, self._now
        if not question.facets and question.overview is None:
            return Counts()
        facets = overview = None
        if question.facets:
            facets = {
                facet: self._apart_from(facet)
                .tally(facet, question.since, now)
                .top(getattr(self._wanted, CHOICES[facet]))
                for facet in FACETS
            }
        if (asked := question.overview) is not None:
            density = self.matches.density(now)
            active, waiting = density.bins(asked.start, asked.end, asked.bins, now)
            overview = OverTime(asked.start, asked.end, active, waiting, density.first())
        return Counts(facets, overview, now)

    def moved_on(self) -> int | None:
        """How many of those that match were active after the page left the present; None while it has not."""
        left = self._question.left
        return self.matches.count(left) if left > 0 else None

    def is_quiet(self) -> bool:
        """Whether neither rows nor counts have changed since those that the page has."""
        question = self._question
        told_at, filters = question.at, [self.matches, self._apart_from(CHANNEL)]
        if question.facets or question.overview:
            told_at = min(told_at, question.counted)
        if question.facets:
            filters += [self._apart_from(facet) for facet in FACETS]
        if self._table.last_due > told_at or self._table.touched_at >= told_at:
            return False
        if question.overview and _bin(question.overview, told_at) != _bin(question.overview, self._now):
            return False  # what goes on reaches another bin
        # With a window that moves with the clock, rows leave it although nothing happened.
        edge = question.since - (self._now - told_at)
        return question.since <= 0 or not any(matches.any_between(edge, question.since) for matches in filters)

    def _is_listed(self, journey_id: str) -> bool:
        return journey_id in self.matches and self._table.held[journey_id].row.last_event_at >= self._question.since

    def _apart_from(self, facet: str) -> Matches:
        """What matches all conditions but those on this facet."""
        field = CHOICES[facet]
        if not getattr(self._wanted, field):
            return self.matches
        return self._table.matching(msgspec.structs.replace(self._wanted, **{field: frozenset()}))


def _bin(asked: Overview, moment: Millis) -> int:
    return max(-1, min(asked.bins, (moment - asked.start) * asked.bins // (asked.end - asked.start)))
