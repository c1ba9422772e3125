"""The periods that are to be fetched from the platform's records: out of gaps, the first start, and what operators ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from journeymap.model.backfill import (
    AGAIN,
    FILLED,
    FILLING,
    GAP,
    REFUSED,
    STORING,
    WAITING,
    BackfillReport,
    Fill,
)
from journeymap.model.status import Gap
from journeymap.model.time import HOUR, MINUTE, SECOND, Millis
from journeymap.protocol.backfill.course import LAG_PATIENCE, Outcome
from journeymap.runtime.gaps import DROPPED

KEPT: Final = 50
"""So many periods that were filled are remembered."""

TOGETHER: Final[Millis] = MINUTE
"""Gaps no further apart than this are fetched as one period, if none of them has been begun."""

SECOND_LOOK: Final[Millis] = 3 * MINUTE
"""So long after a period's end its newest part is asked for again: records may have come late without their looking it."""

SECOND_LOOK_AT: Final[Millis] = HOUR
"""So much of it, counted from its end."""

SETTLED: Final[Millis] = 30 * SECOND
"""So long after their end, gaps that may still grow are taken up."""

_FIRST_PAUSE: Final[Millis] = 5 * SECOND
_LONGEST_PAUSE: Final[Millis] = 10 * MINUTE


class Fills:
    """All periods, those that were filled lately among them. Times given must not run backwards."""

    def __init__(self, kept: Iterable[Fill] = ()) -> None:
        """`kept` is what an earlier process said last: what it did not end begins where it was known to be."""
        self._fills: dict[str, Fill] = {}
        for fill in kept:
            known = fill if fill.over else replace(fill, state=WAITING, due_at=0, problem=None, tries=0)
            self._fills[fill.fill_id] = known
        self._number = 0
        self._filled = self._conversations = self._requests = self._failed = 0

    def all(self) -> list[Fill]:
        """All, in the order in which they were asked for."""
        return list(self._fills.values())

    def of(self, fill_id: str) -> Fill:
        """The one with this id."""
        return self._fills[fill_id]

    def report(self) -> BackfillReport:
        """How it stands."""
        open_ones = [fill for fill in self._fills.values() if not fill.over]
        busy = next((fill for fill in open_ones if fill.state in (FILLING, STORING)), None)
        troubled = next((fill for fill in open_ones if fill.problem), None)
        return BackfillReport(
            now=busy,
            waiting=sum(fill.state not in (FILLING, STORING) for fill in open_ones),
            problem=None if troubled is None else troubled.problem,
            refused=any(fill.state == REFUSED for fill in open_ones),
            filled=self._filled,
            conversations=self._conversations,
            requests=self._requests,
            failed=self._failed,
        )

    # What is to be fetched

    def add(
        self,
        reason: str,
        start: Millis,
        end: Millis,
        now: Millis,
        *,
        jobs: bool = False,
        due_at: Millis = 0,
        fill_id: str = "",
    ) -> None:
        """One period more."""
        self._number += 1
        name = fill_id or f"{reason}-{now}-{self._number}"
        self._fills.setdefault(name, Fill(name, reason, start, end, jobs, asked_at=now, due_at=due_at))

    def look(self, now: Millis, gaps: Sequence[Gap]) -> None:
        """Take up the gaps that have ended and that no period covers yet."""
        for gap in gaps:
            if gap.end is None or gap.filled_at is not None:
                continue
            if gap.kind == DROPPED and now < gap.end + SETTLED:  # it may be joined with what is left out next
                continue
            if any(not fill.over and fill.covers(gap.start, gap.end) for fill in self._fills.values()):
                continue
            self._take_up(gap.start, gap.end, now)

    def _take_up(self, start: Millis, end: Millis, now: Millis) -> None:
        for name, fill in self._fills.items():
            begun = fill.state != WAITING or fill.share > 0
            near = fill.start <= end + TOGETHER and start <= fill.end + TOGETHER
            if fill.reason == GAP and not begun and near:
                self._fills[name] = replace(fill, start=min(fill.start, start), end=max(fill.end, end))
                return
        self.add(GAP, start, end, now)

    def next(self, now: Millis) -> Fill | None:
        """What to go on with: the newest that is due. What just happened matters most to those who watch."""
        due = [fill for fill in self._fills.values() if fill.state in (WAITING, FILLING) and fill.due_at <= now]
        return max(due, key=lambda fill: (fill.reason != AGAIN, fill.end, fill.asked_at), default=None)

    def begin(self, fill_id: str) -> Fill:
        """It is being fetched from now on, as it stands."""
        fill = self._fills[fill_id] = replace(self._fills[fill_id], state=FILLING)
        return fill

    def next_due(self) -> Millis | None:
        """When `next` next has something; None if never, as things stand."""
        return min((fill.due_at for fill in self._fills.values() if fill.state in (WAITING, FILLING)), default=None)

    # What came of it

    def progress(
        self, fill_id: str, *, share: float, reached: Millis | None, conversations: int, requests: int, due_at: Millis
    ) -> None:
        """It goes on; `conversations` and `requests` are those since the last call."""
        fill = self._fills[fill_id]
        self._conversations += conversations
        self._requests += requests
        self._fills[fill_id] = replace(
            fill,
            state=FILLING,
            problem=None if share > fill.share else fill.problem,
            share=max(fill.share, share),
            reached=fill.reached if reached is None else reached,
            conversations=fill.conversations + conversations,
            requests=fill.requests + requests,
            due_at=due_at,
        )

    def fail(self, fill_id: str, problem: str, now: Millis, *, refused: bool) -> None:
        """It did not go on; unless it was refused it is tried again after a while, which grows."""
        fill = self._fills[fill_id]
        pause = min(_FIRST_PAUSE * 2 ** min(fill.tries, 10), _LONGEST_PAUSE)
        self._failed += 1
        self._fills[fill_id] = replace(
            fill, state=REFUSED if refused else WAITING, problem=problem, tries=fill.tries + 1, due_at=now + pause
        )

    def retry(self) -> None:
        """An operator says "try again"."""
        for name, fill in self._fills.items():
            if fill.problem is not None and not fill.over:
                self._fills[name] = replace(fill, state=WAITING, due_at=0)

    def fetched(self, fill_id: str, outcome: Outcome) -> None:
        """All of it has come, and has to be stored."""
        fill = self._fills[fill_id]
        self._fills[fill_id] = replace(
            fill,
            state=STORING,
            share=1.0,
            reached=fill.start,
            problem=None,
            passed=outcome.passed,
            sure=outcome.sure,
            notes=list(outcome.notes),
        )

    def stored(self, fill_id: str, now: Millis) -> Fill:
        """All of it is in the store: the period is filled. A second look at it is planned where its records may have lagged."""
        fill = replace(self._fills[fill_id], state=FILLED, filled_at=now)
        self._fills[fill_id] = fill
        self._filled += 1
        if fill.reason != AGAIN and fill.asked_at < fill.end + LAG_PATIENCE:
            due_at = max(now, fill.end) + SECOND_LOOK
            self.add(AGAIN, max(fill.start, fill.end - SECOND_LOOK_AT), fill.end, now, due_at=due_at)
        self._forget()
        return fill

    def _forget(self) -> None:
        over = [name for name, fill in self._fills.items() if fill.over]
        for name in over[:-KEPT]:
            del self._fills[name]


def shown(gap: Gap, fills: Sequence[Fill]) -> Gap:
    """A gap with how its filling stands."""
    if gap.end is None or gap.filled_at is not None:
        return gap
    covering = [fill for fill in fills if not fill.over and fill.reason != AGAIN and fill.covers(gap.start, gap.end)]
    if not covering:
        return gap
    best = max(covering, key=lambda fill: fill.share)
    return replace(gap, filling=round(best.share, 3), problem=best.problem or "")
