"""Jobs: queries that the platform answers later. They reach further back, and not quite to the present."""

from __future__ import annotations

from typing import Final

from journeymap.model.time import HOUR, SECOND, Millis
from journeymap.protocol.backfill.queries import DETAILS, Told
from journeymap.protocol.backfill.sieve import Sieve
from journeymap.protocol.backfill.slices import Slice
from journeymap.protocol.backfill.stamps import read_iso
from journeymap.protocol.backfill.steps import Ask, Course, Refusal, UnansweredError, Wait, asked

PATH: Final = DETAILS + "/jobs"
_PAGE: Final = 500
_FIRST_LOOK: Final[Millis] = SECOND
_SELDOM: Final[Millis] = 30 * SECOND
_PATIENCE: Final[Millis] = 2 * HOUR
_WAITED_FOR: Final = 0.5
"""So much of a slice counts as done once its job is."""

_GONE: Final = 404


def available_until() -> Course[Millis]:
    """The time up to which jobs find all."""
    reply = yield from asked(Ask("GET", PATH + "/availability"))
    return read_iso(reply.document.get("dataAvailabilityDate")) or 0


def fulfilled(part: Slice, sieve: Sieve, tell: Told) -> Course[None]:
    """All of a slice by a job. Raises `UnansweredError` where the platform gives it up, or takes more than two hours."""
    query = {"interval": part.interval, "order": "asc", "orderBy": "conversationStart"}
    made = yield from asked(Ask("POST", PATH, document=query))
    path = f"{PATH}/{made.document.get('jobId')}"
    pause, until = _FIRST_LOOK, made.now + _PATIENCE
    while True:
        reply = yield from asked(Ask("GET", path))
        state = str(reply.document.get("state"))
        if state == "FULFILLED":
            break
        if state in {"FAILED", "CANCELLED", "EXPIRED"} or reply.now > until:
            why = str(reply.document.get("errorMessage") or "no reason is given")
            raise UnansweredError(
                Refusal(_GONE, f"the platform's job for {part.interval} is {state} ({why})", reply.now)
            )
        yield Wait(pause)
        pause = min(pause * 2, _SELDOM)
    yield tell(part, _WAITED_FOR)
    cursor = ""
    while True:
        params: dict[str, str | int] = {"pageSize": _PAGE} | ({"cursor": cursor} if cursor else {})
        reply = yield from asked(Ask("GET", path + "/results", params))
        yield from sieve.sift(reply.listed("conversations"), reply.now)
        cursor = str(reply.document.get("cursor") or "")
        if not cursor:
            return
