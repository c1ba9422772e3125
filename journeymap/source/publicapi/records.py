"""The records of the platform's analytics: does what the course of a back-fill says, step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from msgspec.structs import replace

from journeymap.errors import ForbiddenError, RequestError
from journeymap.model.time import Millis
from journeymap.protocol.backfill.course import Outcome, course
from journeymap.protocol.backfill.limits import Limits
from journeymap.protocol.backfill.queries import BeyondReachError
from journeymap.protocol.backfill.sieve import Seen
from journeymap.protocol.backfill.slices import Period
from journeymap.protocol.backfill.steps import Answer, Ask, Known, Refusal, Take, Tell, UnansweredError, Wait
from journeymap.source.base import Deliver
from journeymap.source.publicapi.client import PublicApi
from journeymap.source.records import KnownOpen


class AnalyticsRecords:
    """Fetches periods through `api`, whose budget it shares with whoever is urgent. `clock` is wall time."""

    def __init__(self, api: PublicApi, clock: Callable[[], Millis]) -> None:
        self._api = api
        self._clock = clock
        self._seen = Seen()
        self._limits = Limits()

    def begin(self, period: Period, deliver: Deliver, known_open: KnownOpen) -> AnalyticsFetch:
        """Begin to fetch a period."""
        return AnalyticsFetch(self._api, self._clock, period, deliver, known_open, self._seen, self._limits)

    def abort(self) -> None:
        """End a request under way, and let all later ones fail."""
        self._api.abort()


class AnalyticsFetch:
    """One period that is being fetched."""

    def __init__(
        self,
        api: PublicApi,
        clock: Callable[[], Millis],
        period: Period,
        deliver: Deliver,
        known_open: KnownOpen,
        seen: Seen,
        limits: Limits,
    ) -> None:
        self._api = api
        self._clock = clock
        self._deliver = deliver
        self._known_open = known_open
        self._course = course(period, clock(), seen, limits)
        self._reply: Any = None
        self.outcome: Outcome | None = None
        self.share = 0.0
        self.reached: Millis | None = None
        self.requests = 0
        self.taken = 0
        self.not_before: Millis = 0
        self._ahead: tuple[Ask, Future[Answer | Refusal]] | None = None

    def step(self) -> None:
        """Go on up to the next request, and make it."""
        try:
            while self.outcome is None and not self._perform(self._course.send(self._reply)):
                pass
        except StopIteration as end:
            self.outcome, self.share = end.value, 1.0
        except UnansweredError as error:
            raise _in_our_words(error.refusal) from None
        except BeyondReachError:
            raise RequestError("the platform's queries do not reach what was asked for", 400) from None

    def _perform(self, step: Any) -> bool:
        """Do what a step says; whether that took its time, so that it is somebody else's turn."""
        self._reply = None
        match step:
            case Take(frame, state):
                self._deliver(frame, self._clock())
                self.taken += not state
                return False
            case Tell(share, reached):
                self.share = max(self.share, share)
                self.reached = self.reached if reached is None else reached
                return False
            case Known(at):
                self._reply = self._known_open(at)
                return False
            case Wait(length):
                self._reply = self.not_before = self._clock() + length
                return True
            case Ask():
                self._reply = self._asked(step)
                return True
        raise AssertionError(step)

    def _asked(self, step: Ask) -> Answer | Refusal:
        """The answer, if need be after one that is under way; the next request is sent on its way."""
        before, self._ahead = self._ahead, None
        plain = replace(step, ahead=None)
        self.requests += 1
        answer = before[1].result() if before is not None and before[0] == plain else self._ask(plain)
        if step.ahead is not None:
            self._ahead = step.ahead, _begun(self._ask, step.ahead)
        return answer

    def _ask(self, step: Ask) -> Answer | Refusal:
        try:
            if step.method == "GET":
                found: Any = self._api.get(step.path, step.params)
            else:
                found = self._api.post(step.path, step.document, step.params)
        except ForbiddenError as error:
            return Refusal(error.status or 403, str(error), self._clock(), error.permissions)
        except RequestError as error:
            return Refusal(error.status, str(error), self._clock())
        return Answer(found if isinstance(found, Mapping) else {}, self._clock())


def _begun(ask: Callable[[Ask], Answer | Refusal], step: Ask) -> Future[Answer | Refusal]:
    """The request under way, in a thread of its own."""
    future: Future[Answer | Refusal] = Future()

    def run() -> None:
        try:
            future.set_result(ask(step))
        except BaseException as error:  # noqa: BLE001  it is raised again where the answer is wanted
            future.set_exception(error)

    threading.Thread(target=run, name="journeymap-backfill-ahead", daemon=True).start()
    return future


def _in_our_words(refusal: Refusal) -> ForbiddenError | RequestError:
    if refusal.status == 403:
        return ForbiddenError(refusal.message, refusal.status, permissions=refusal.permissions)
    return RequestError(refusal.message, refusal.status)
