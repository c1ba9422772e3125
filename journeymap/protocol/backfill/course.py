"""The whole course of fetching a period: all slices, what is in progress, what neither brought, until records have caught up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

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
_LOOKS: Final = 5
"""So often, a moment apart, records are looked at that may just be coming."""
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
    period = replace(period, end=min(period.end, now))  # a clock may have been set back since it was taken down
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
    ways = _Ways(until, now, sieve, limits)
    whole = Slice(since, min(now, period.end + period.margin))
    complete = yield from _through(whole, None if live else period.reached, ways)
    if min(now, period.begun_at or now) < period.end + LAG_PATIENCE:
        yield from _going_on(period, since, sieve, limits)
    if live:
        complete = (yield from _caught_up(period, since, reached, ways)) and complete
    yield from by_ids(sorted(sieve.missing), sieve, limits)
    return Outcome(sieve.taken, sieve.passed, complete, tuple(limits.notes))


def _reached(period: Period, now: Millis, sieve: Sieve) -> Course[Millis]:
    """How far the records are as the slices begin. Right after a period's end they cannot be beyond it, and what is asked for
    then has to be asked for again: a moment is waited for first."""
    yield from newest(period.end, now, sieve)
    for _ in range(_LOOKS):
        if sieve.fresh >= period.end or now >= period.end + SECOND:
            break
        now = yield Wait(_MOMENT)
        yield from newest(period.end, now, sieve)
    return sieve.fresh


def _going_on(period: Period, since: Millis, sieve: Sieve, limits: Limits) -> Course[None]:
    """What is in progress now and has changed since then is missing if it did not come by its slice; with `open_too`, all of it
    is."""
    going_on = yield from in_progress(limits)
    sieve.missing |= {name for name, at in going_on.items() if period.open_too or at >= since} - sieve.going_on
    if sieve.fresh < period.end:
        yield from _states(sorted(going_on, key=lambda name: -going_on[name])[:_STATES_AT_ONCE])


class _Ways(NamedTuple):
    """How slices are fetched: by jobs up to `jobs_until`, by queries otherwise, as far as those reach."""

    jobs_until: Millis
    now: Millis
    sieve: Sieve
    limits: Limits


def _through(whole: Slice, reached: Millis | None, ways: _Ways) -> Course[bool]:
    """All slices, newest first; whether all of them came. Of what came before, from `reached` on, the newest is asked for again:
    records may have lagged then."""

    def tell(part: Slice, share: float) -> Tell:
        return Tell(_LAST_PART * whole.done(part, share))

    complete = True
    for place, part in enumerate(slices(whole.start, whole.end)):
        end = part.end if place == 0 or reached is None else min(part.end, reached)
        by_job = Slice(part.start, min(end, ways.jobs_until))
        by_query = Slice(max(part.start, ways.jobs_until), end)
        if by_query.start < by_query.end:
            complete = (yield from _queried(by_query, ways, tell)) and complete
        if by_job.start < by_job.end:
            yield from fulfilled(by_job, ways.sieve, tell)
        yield Tell(_LAST_PART * whole.done(part, 1.0), part.start)
    return complete


def _queried(part: Slice, ways: _Ways, tell: Told) -> Course[bool]:
    """All of a slice; False where nothing brings its newest part yet."""
    if not ways.limits.is_beyond(part, ways.now):
        try:
            yield from queried(part, ways.sieve, ways.limits, tell)
        except BeyondReachError:
            pass
        else:
            return True
    until = yield from available_until()
    yield from fulfilled(part, ways.sieve, tell)
    if until >= part.end:
        return True
    ways.limits.note(f"jobs were asked, which reach to {iso(until)} only: what came later may be missing")
    return False


def _caught_up(period: Period, since: Millis, reached: Millis, ways: _Ways) -> Course[bool]:
    """Ask for all newer than `reached`, where the records were, until something in them is newer than the period's end;
    whether that came."""
    sieve, pause, complete = ways.sieve, _FIRST_PAUSE, True
    oldest = max(since, period.end - LAG_PATIENCE - period.margin)
    while reached < period.end:
        now = yield Wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        yield from newest(period.end, now, sieve)
        fresh = sieve.fresh
        if fresh > reached:
            # What is new may have come to any conversation, not only to those that began last.
            again = Slice(max(oldest, reached - period.margin), min(now, period.end + period.margin))
            for part in slices(again.start, again.end):
                complete = (yield from _queried(part, ways, lambda *_: Tell(_LAST_PART))) and complete
            reached = fresh
        elif now >= period.end + LAG_PATIENCE:
            return False
    return complete


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
