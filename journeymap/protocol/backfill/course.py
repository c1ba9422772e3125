"""The whole course of fetching a period: all slices, what is in progress, what neither brought, until records have caught up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.protocol.backfill.jobs import available_until, fulfilled
from journeymap.protocol.backfill.limits import Limits
from journeymap.protocol.backfill.progressing import in_progress
from journeymap.protocol.backfill.queries import BeyondReachError, Told, by_ids, newest, queried
from journeymap.protocol.backfill.sieve import Seen, Sieve
from journeymap.protocol.backfill.slices import Period, Slice, slices
from journeymap.protocol.backfill.stamps import iso
from journeymap.protocol.backfill.steps import (
    Answer,
    Ask,
    Course,
    Known,
    Refusal,
    Take,
    Tell,
    UnansweredError,
    Wait,
)

LAG_PATIENCE: Final[Millis] = 10 * MINUTE
"""Records are that late at most. Where nothing in them is newer than a period's end by then, nothing happened since."""

_MOMENT: Final[Millis] = 200
_SOON: Final[Millis] = SECOND
"""Until so long after a period's end records may just be coming: they are looked at every `_MOMENT`."""
_FIRST_PAUSE: Final[Millis] = SECOND
_LONGEST_PAUSE: Final[Millis] = 30 * SECOND
_STATES_AT_ONCE: Final = 50
"""Of so many conversations at most the present state is asked for one by one, while their records lag."""

_LAST_PART: Final = 0.95
_NOT_FOUND: Final = (403, 404)


class Outcome(msgspec.Struct, frozen=True):
    """What came of it. `taken` records were kept, `passed` ones told nothing of the period or nothing new. `sure` says that the
    records were seen to reach beyond the period's end. `notes` are sentences on what was found out."""

    taken: int = 0
    passed: int = 0
    sure: bool = False
    notes: tuple[str, ...] = ()


def course(period: Period, now: Millis, seen: Seen, limits: Limits) -> Course[Outcome]:
    """Fetch the period. Raises `UnansweredError` where the platform does not answer what there is no going on without."""
    since = period.start - period.margin
    sieve = Sieve(since, period.end + period.margin, period.open_too, seen)
    live = now < period.end + LAG_PATIENCE
    # Before the first page: what a later one tells is no proof that the earlier ones were complete.
    reached: Millis = (yield from _reached(period, now, sieve)) if live else 0
    known = yield Known(since)
    sieve.missing |= set(known) - sieve.going_on
    until: Millis = (yield from available_until()) if period.jobs else 0
    if period.jobs and until < period.end:
        limits.note(f"jobs reach to {iso(until)} only: what came later was asked for by queries")
    yield from _through(Slice(since, min(now, period.end + period.margin)), _Ways(until, now, sieve, limits))
    if live:
        yield from _going_on(period, since, sieve, limits)
    sure = (yield from _caught_up(period, since, reached, sieve, limits)) if live else True
    yield from by_ids(sorted(sieve.missing), sieve)
    return Outcome(sieve.taken, sieve.passed, sure, tuple(limits.notes))


def _reached(period: Period, now: Millis, sieve: Sieve) -> Course[Millis]:
    """How far the records are as the slices begin. Right after a period's end they cannot be beyond it, and what is asked for
    then has to be asked for again: a moment is waited for first."""
    yield from newest(period.end, now, sieve)
    while sieve.fresh < period.end and now < period.end + _SOON:
        now = yield Wait(_MOMENT)
        yield from newest(period.end, now, sieve)
    return sieve.fresh


def _going_on(period: Period, since: Millis, sieve: Sieve, limits: Limits) -> Course[None]:
    """What is in progress now and did not come by its slice is missing, unless it is as it was before."""
    going_on = yield from in_progress(limits)
    of_interest = {name for name, at in going_on.items() if period.open_too or at >= since}
    # What has been in its state since before is of interest only where it may be new to us.
    sieve.missing -= going_on.keys() - of_interest
    sieve.missing |= of_interest - sieve.going_on
    if sieve.fresh < period.end:
        yield from _states(sorted(going_on, key=lambda name: -going_on[name])[:_STATES_AT_ONCE])


class _Ways(NamedTuple):
    """How slices are fetched: by jobs up to `jobs_until`, by queries otherwise, as far as those reach."""

    jobs_until: Millis
    now: Millis
    sieve: Sieve
    limits: Limits


def _through(whole: Slice, ways: _Ways) -> Course[None]:
    """All slices, newest first."""

    def tell(part: Slice, share: float) -> Tell:
        return Tell(_LAST_PART * whole.done(part, share))

    for part in slices(whole.start, whole.end):
        by_job = Slice(part.start, min(part.end, ways.jobs_until))
        by_query = Slice(max(part.start, ways.jobs_until), part.end)
        if by_query.start < by_query.end:
            yield from _queried(by_query, ways, tell)
        if by_job.start < by_job.end:
            yield from fulfilled(by_job, ways.sieve, tell)
        yield Tell(_LAST_PART * whole.done(part, 1.0), part.start)


def _queried(part: Slice, ways: _Ways, tell: Told) -> Course[None]:
    if not ways.limits.is_beyond(part, ways.now):
        try:
            yield from queried(part, ways.sieve, ways.limits, tell)
        except BeyondReachError:
            pass
        else:
            return
    yield from fulfilled(part, ways.sieve, tell)


def _caught_up(period: Period, since: Millis, reached: Millis, sieve: Sieve, limits: Limits) -> Course[bool]:
    """Ask for all newer than `reached`, where the records were, until something in them is newer than the period's end;
    whether that came."""
    pause = _FIRST_PAUSE
    while reached < period.end:
        now = yield Wait(pause)
        if now >= period.end + LAG_PATIENCE:
            return False
        pause = min(2 * pause, _LONGEST_PAUSE)
        yield from newest(period.end, now, sieve)
        fresh = sieve.fresh
        if fresh > reached:
            # What is new may have come to any conversation, not only to those that began last.
            yield from _again(Slice(max(since, reached - period.margin), now), sieve, limits)
            reached = fresh
    return True


def _again(part: Slice, sieve: Sieve, limits: Limits) -> Course[None]:
    for one in slices(part.start, part.end):
        yield from queried(one, sieve, limits, lambda *_: Tell(_LAST_PART))


def _states(ids: Sequence[str]) -> Course[None]:
    """How conversations stand now, each as a frame of its own."""
    for name in ids:
        reply: Any = yield Ask("GET", f"/api/v2/conversations/{name}")
        if isinstance(reply, Refusal):
            if reply.status not in _NOT_FOUND:
                raise UnansweredError(reply)
            if reply.status == _NOT_FOUND[0]:
                return
            continue
        assert isinstance(reply, Answer)
        yield Take(msgspec.json.encode(reply.document), state=True)
