"""The background work of back-fill: a thread of its own fetches one period after another, a request at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from journeymap.errors import ForbiddenError, InputError, RefusedError, SourceError, StoreError
from journeymap.model.backfill import AGAIN, ASKED, GAP, START, BackfillReport, Fill
from journeymap.model.journey import State
from journeymap.model.origin import PUBLIC_APIS
from journeymap.model.status import Gap, SourceReport
from journeymap.model.time import MINUTE, SECOND, Millis, is_usable
from journeymap.protocol.backfill.slices import MARGIN, Period
from journeymap.runtime.clock import Clock
from journeymap.runtime.fills import Fills, shown
from journeymap.runtime.gaps import FIRST_CONNECTION
from journeymap.source.base import ConnectionState, Deliver
from journeymap.source.records import Fetch, Records
from journeymap.store.base import Query, StoreReader

MOST_OPEN: Final = 20_000
"""So many conversations that are open in the store are asked for by their ids at most."""

_WIDE: Final[Millis] = 5 * MINUTE
_AT_ONCE: Final = 1_000
_LONGEST_PAUSE: Final[Millis] = 500

log = logging.getLogger(__name__)


class Filling(msgspec.Struct, frozen=True):
    """A period that is filled from now on."""

    start: Millis
    end: Millis
    conversations: int


class Filler:
    """Fetches the periods of `Fills`. `run` needs a thread; all else may come from any other.

    `reach` is how far back the very first start looks. `scope` are the sources whose gaps are filled, of those whose platform has
    records; unless it does so
    `by_itself`, only what operators ask for is fetched. `store` tells which conversations are open.
    """

    def __init__(
        self,
        records: Records,
        store: StoreReader,
        clock: Clock,
        reach: Millis,
        scope: Collection[str] = PUBLIC_APIS,
        *,
        by_itself: bool = True,
    ) -> None:
        self._records = records
        self._store = store
        self._clock = clock
        self._reach = reach
        self._by_itself = by_itself
        self.scope = frozenset(scope)
        self._turn = threading.Condition()
        self._stopping = False
        self._held = False
        self._fills = Fills()
        self._fetches: dict[str, Fetch] = {}  # those that were begun; only the thread of `run` touches them
        self._told: dict[str, tuple[int, int]] = {}
        self._ends: dict[str, int] = {}  # the journal's end behind all that a period brought
        self._started_at: Millis | None = None
        self._began = True

    # What ingest tells it

    def recall(self, kept: Iterable[Fill], known_sources: Collection[str]) -> None:
        """What an earlier process said last, and the sources that it had."""
        with self._turn:
            self._fills = Fills(kept)
            self._began = bool(self.scope & frozenset(known_sources))

    def is_filled(self, committed: int) -> bool:
        """Whether the next look at `committed` finds a period filled."""
        with self._turn:
            return any(end <= committed for end in self._ends.values())

    def look(self, now: Millis, gaps: Sequence[Gap], reports: Sequence[SourceReport], committed: int) -> list[Filling]:
        """How all stands now; what is filled since the last look. `committed` is how much of the journal is in the store."""
        with self._turn:
            if self._by_itself:
                self._begin(now, reports)
                self._fills.look(now, [gap for gap in gaps if gap.source in self.scope])
            filled = []
            for name in [name for name, end in self._ends.items() if end <= committed]:
                del self._ends[name]
                fill = self._fills.stored(name, now)
                log.info("%s", _said(fill))
                filled.append(Filling(fill.start, fill.end, fill.conversations))
            self._turn.notify_all()
            return filled

    def _begin(self, now: Millis, reports: Sequence[SourceReport]) -> None:
        """At the very first start: what was before it, as soon as somebody listens to what comes."""
        if self._started_at is None:
            self._started_at = now
        listening = any(report.name in self.scope and report.state == ConnectionState.OPEN for report in reports)
        # From `FIRST_CONNECTION` on it is a gap that nobody listens, and is filled as one.
        if not self._began and (listening or now > self._started_at + FIRST_CONNECTION):
            self._began = True
            if self._reach:
                self._fills.add(START, now - self._reach, now, now)

    def ask(self, command: Mapping[str, Any]) -> None:
        """An operator asks for a period: `from`, `to` (ms), `jobs`, and the `id` to be given to it. Raises InputError."""
        start, end, name = command.get("from"), command.get("to"), command.get("id", "")
        if type(start) is not int or type(end) is not int or not (is_usable(start) and is_usable(end) and start < end):
            raise InputError("a period begins at `from` and ends at `to`, in milliseconds")
        now = self._clock.now()
        if start >= now:
            raise InputError("a period that is to come cannot be fetched")
        with self._turn:
            jobs = command.get("jobs") is True
            self._fills.add(ASKED, start, min(end, now), now, jobs=jobs, fill_id=str(name)[:100])
            self._turn.notify_all()

    def retry(self) -> None:
        """An operator says "try again"."""
        with self._turn:
            self._fills.retry()
            self._turn.notify_all()

    def hold(self, reason: str) -> None:
        """Fetch nothing until `release`: there is no room for what would come."""
        log.info("nothing is fetched from records: %s", reason)
        self._held = True

    def release(self) -> None:
        """Go on."""
        self._held = False

    def stop(self) -> None:
        """Make `run` return after the request under way. What is not filled is taken up by the next process."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()

    def abort(self) -> None:
        """Make `run` return at once, and all later requests fail."""
        self.stop()
        self._records.abort()

    # What it tells

    def fills(self) -> list[Fill]:
        """All periods that are fetched, are to be, or were lately."""
        with self._turn:
            return self._fills.all()

    def report(self) -> BackfillReport:
        """How it stands."""
        with self._turn:
            return self._fills.report()

    def shown(self, gaps: Sequence[Gap]) -> list[Gap]:
        """Gaps with how their filling stands."""
        with self._turn:
            fills = [fill for fill in self._fills.all() if not fill.over]
        return [shown(gap, fills) for gap in gaps] if fills else list(gaps)

    # The thread

    def run(self, deliver: Deliver, journal_end: Callable[[], int]) -> None:
        """Fetch what is to be fetched until `stop`. Raises only what `deliver` does, or what is a defect."""
        while (fill := self._next()) is not None:
            try:
                self._step(fill, deliver, journal_end)
            except (SourceError, StoreError) as error:
                if self._stopping:
                    return
                self._fail(fill, error)

    def _next(self) -> Fill | None:
        """What to go on with, as soon as there is something; None when it is to stop."""
        with self._turn:
            while not self._stopping:
                now, left = self._clock.now(), _LONGEST_PAUSE
                if not self._held:
                    if (fill := self._fills.next(now)) is not None:
                        # Before the lock is given away: from now on it is not made longer by the next gap.
                        return self._fills.begin(fill.fill_id)
                    if (due := self._fills.next_due()) is not None:
                        left = min(left, due - now)
                self._turn.wait(left / SECOND)
        return None

    def _step(self, fill: Fill, deliver: Deliver, journal_end: Callable[[], int]) -> None:
        fetch = self._fetches.get(fill.fill_id)
        if fetch is None:
            log.info("fetching %s", _period_in_words(fill))
            fetch = self._fetches[fill.fill_id] = self._records.begin(_period(fill), deliver, self._known_open)
            self._told[fill.fill_id] = 0, 0
        try:
            fetch.step()
        finally:
            self._note(fill, fetch)
        if fetch.outcome is not None:
            end = journal_end()
            with self._turn:
                self._forget(fill)
                self._fills.fetched(fill.fill_id, fetch.outcome)
                self._ends[fill.fill_id] = end

    def _note(self, fill: Fill, fetch: Fetch) -> None:
        taken, requests = self._told[fill.fill_id]
        self._told[fill.fill_id] = fetch.taken, fetch.requests
        with self._turn:
            self._fills.progress(
                fill.fill_id,
                share=fetch.share,
                reached=fetch.reached,
                conversations=fetch.taken - taken,
                requests=fetch.requests - requests,
                due_at=fetch.not_before,
            )

    def _fail(self, fill: Fill, error: SourceError | StoreError) -> None:
        # A permission may be granted any time; credentials that are refused are not tried on and on.
        refused = isinstance(error, RefusedError) and not isinstance(error, ForbiddenError)
        if fill.problem != str(error):
            log.warning("%s is not fetched: %s", _period_in_words(fill), error)
        with self._turn:
            self._forget(fill)
            self._fills.fail(fill.fill_id, str(error), self._clock.now(), refused=refused)

    def _forget(self, fill: Fill) -> None:
        del self._fetches[fill.fill_id], self._told[fill.fill_id]

    def _known_open(self, at: Millis) -> list[str]:
        return known_open(self._store, at)


def known_open(store: StoreReader, at: Millis) -> list[str]:
    """The interactions that are open in the store and were at this time, those that were active last before others."""
    found: list[str] = []
    query = Query(open_at=at, limit=_AT_ONCE)
    while len(found) < MOST_OPEN and (rows := store.query(query)):
        for row in rows:
            found += [one.interaction_id for one in row.interactions if one.state != State.CLOSED]
        query = replace(query, after=(rows[-1].last_event_at, rows[-1].journey_id))
    if len(found) > MOST_OPEN:
        log.warning("more than %d conversations are open: those that were active last are asked for", MOST_OPEN)
    return found[:MOST_OPEN]


def _period(fill: Fill) -> Period:
    margin = _WIDE if fill.reason == AGAIN else MARGIN
    return Period(fill.start, fill.end, margin, fill.reason in (START, ASKED), fill.jobs, fill.asked_at, fill.reached)


def _period_in_words(fill: Fill) -> str:
    reasons = {START: "what was before the first start", GAP: "a gap", ASKED: "a period", AGAIN: "a period again"}
    seconds = (fill.end - fill.start) / SECOND
    return f"{reasons.get(fill.reason, fill.reason)} of {seconds:,.0f} s"


def _said(fill: Fill) -> str:
    notes = "".join(f"; {note}" for note in fill.notes)
    doubt = "" if fill.sure else "; nothing newer than its end was in the records, so its last part may be missing"
    return f"filled {_period_in_words(fill)}: {fill.conversations:,} conversations, {fill.requests:,} requests{doubt}{notes}"
