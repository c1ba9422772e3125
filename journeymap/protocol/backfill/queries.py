"""Details queries: a slice of time page by page, and conversations by their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from journeymap.model.time import Millis
from journeymap.protocol.backfill.limits import Limits
from journeymap.protocol.backfill.sieve import Sieve
from journeymap.protocol.backfill.slices import Slice
from journeymap.protocol.backfill.steps import Answer, Ask, Course, Refusal, Step, UnansweredError, asked

DETAILS: Final = "/api/v2/analytics/conversations/details"
PAGE: Final = 100
MOST_HITS: Final = 100_000
"""Pages lead no further than this. More is asked for in halves from the start."""

_IDS_AT_ONCE: Final = 50
_BAD_REQUEST: Final = 400
_NO_IDS: Final = (_BAD_REQUEST, 404)


Told: TypeAlias = Callable[[Slice, float], Step]
"""Makes a step of which share of a slice is done, and all that is newer."""


class BeyondReachError(Exception):
    """Queries do not reach as far back as this slice lies, or not to the end of what there is in it."""


def queried(part: Slice, sieve: Sieve, limits: Limits, tell: Told) -> Course[None]:
    """All of a slice, in halves where the platform wants that. Raises `BeyondReachError`."""
    todo = [part]
    while todo:
        piece = todo.pop()
        instead = yield from _pages(piece, sieve, limits, tell)
        todo += reversed(instead)


def _pages(part: Slice, sieve: Sieve, limits: Limits, tell: Told) -> Course[Sequence[Slice]]:
    """The pages of a slice. It returns what is to be asked for instead: nothing, or its halves."""
    number, expected = 1, 0
    while True:
        ahead = _page(part, number + 1) if expected > number * PAGE else None
        reply = yield replace(_page(part, number), ahead=ahead)
        if isinstance(reply, Refusal):
            return _instead(part, number, reply, limits)
        assert isinstance(reply, Answer)
        # An empty page has no list of conversations at all. What the total says drifts while conversations go on.
        records = reply.listed("conversations")
        expected = total = _whole(reply.document.get("totalHits"))
        halves = part.halves() if number == 1 and total > MOST_HITS and part.end - part.start > 1 else None
        if halves is not None:
            return halves
        yield from sieve.sift(records, reply.now)
        yield tell(part, min(1.0, number * PAGE / total) if total else 1.0)
        if not records or (len(records) < PAGE and number * PAGE >= total):
            return ()
        number += 1


def _instead(part: Slice, number: int, refusal: Refusal, limits: Limits) -> Sequence[Slice]:
    if refusal.status == _BAD_REQUEST:
        if number == 1 and limits.too_far_back(part, refusal):
            raise BeyondReachError
        halves = limits.split(part, refusal)
        if halves is not None:
            return halves
        if number > 1:  # more is open at one time than pages lead to
            raise BeyondReachError
    raise UnansweredError(refusal)


def by_ids(ids: Iterable[str], sieve: Sieve, limits: Limits) -> Course[None]:
    """The records of these conversations; those of which there are none do not come. What the platform does not take for the id
    of a conversation is left out, and `limits` has a note then: a store may hold what other sources brought."""
    wanted = list(ids)
    todo = [wanted[first : first + _IDS_AT_ONCE] for first in range(0, len(wanted), _IDS_AT_ONCE)]
    while todo:
        some = todo.pop()
        reply = yield Ask("GET", DETAILS, {"id": ",".join(some)})
        if isinstance(reply, Answer):
            yield from sieve.sift(reply.listed("conversations"), reply.now)
        elif reply.status not in _NO_IDS:
            raise UnansweredError(reply)
        elif len(some) == 1:
            limits.note("some ids that the store holds to be open are none of the platform's conversations")
        else:
            todo += some[len(some) // 2 :], some[: len(some) // 2]


def newest(end: Millis, now: Millis, sieve: Sieve) -> Course[None]:
    """A look at what began last: how fresh the records are."""
    reply = yield from asked(_page(Slice(min(end, now) - 1, now), 1))
    yield from sieve.sift(reply.listed("conversations"), reply.now)


def _page(part: Slice, number: int) -> Ask:
    return Ask("POST", DETAILS + "/query", document=_query(part, number))


def _query(part: Slice, number: int) -> dict[str, Any]:
    return {
        "interval": part.interval,
        # The newest first: people look at those, and what comes to the old end are many that tell nothing new.
        "order": "desc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": PAGE, "pageNumber": number},
    }


def _whole(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0
