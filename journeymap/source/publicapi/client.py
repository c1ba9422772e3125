"""A client of the platform's public REST APIs.

It obeys the limits on requests before they are reached (`protocol.budget`), renews its token, tries again what may pass,
and says of everything else whose fault it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import tenacity

from journeymap.errors import RefusedError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.budget import Budget
from journeymap.source.publicapi.config import PublicApiConfig
from journeymap.source.publicapi.lines import GIVEN_UP, Lines
from journeymap.source.publicapi.problems import TOO_MANY, asked_for, problem, told
from journeymap.source.publicapi.tokens import Grant, Tokens
from journeymap.source.steady import monotonic_ms
from journeymap.source.transport import Answer, HttpClient, tls_context

__all__ = ["Grant", "PublicApi", "PublicApiConfig"]

LARGEST_ANSWER: Final = 32 << 20
"""Bytes. A hundred conversations with all that happened in them are some megabytes."""

URGENT_ATTEMPTS: Final = 2

_LONGEST_WAIT: Final = 60.0
_NONE: Final[Mapping[str, str | int]] = {}

Params = Mapping[str, str | int]


class PublicApi:
    """Asks one platform as one OAuth client; safe to use from several threads, which share its token and its budget.

    `clock` is wall time, for dates in answers; `steady` measures waits and is never set. A call waits until the limit on
    requests lets it go; those that are `urgent` may use up all of it, others leave a fifth. What may pass is tried again;
    what is urgent only once, for a live source has a patience of its own.

    Calls raise `RefusedError` for credentials (or a fresh token) that are not accepted, `ForbiddenError` where the client's
    roles lack a permission, `RequestError` for a request that the platform does not take, and `TransientSourceError`
    where it did not come about for a reason that may pass, or after `abort`.
    """

    def __init__(
        self,
        config: PublicApiConfig,
        clock: Callable[[], Millis],
        random: Random,
        steady: Callable[[], Millis] = monotonic_ms,
    ) -> None:
        self._config = config = config.checked()
        self._random = random.random
        self._steady = steady
        tls = tls_context()
        make = partial(HttpClient, timeout=config.request_timeout, tls=tls, clock=clock)
        self._login = make(config.login_url, setting="REGION or LOGIN_URL")
        self._lines = Lines(
            partial(make, config.api_url, setting="REGION or API_URL", most=LARGEST_ANSWER), config.lines
        )
        self._where = self._login.where if config.api_url == config.login_url else config.api_url.partition("//")[2]
        self._tokens = Tokens(
            config.login_url, (config.client_id, config.client_secret), self._login, self._random, steady
        )
        self._given_up = threading.Event()
        self._turn = threading.Condition()
        self._budget = Budget()
        self.waited: Millis = 0
        """How long calls have waited for the limit on requests, all together."""

    @property
    def grant(self) -> Grant | None:
        """The token in use; None before the first call."""
        return self._tokens.grant

    def renew(self, older: int) -> Grant:
        """A token with a higher number than `older`, in use from now on. Tried once."""
        return self._tokens.newer(older)

    def get(self, path: str, params: Params = _NONE, *, urgent: bool = False) -> dict[str, Any]:
        """The JSON object at this path (`/api/v2/…`)."""
        found: dict[str, Any] = self._ask("GET", path, params, None, urgent, want=dict)
        return found

    def post(self, path: str, document: Any = None, params: Params = _NONE, *, urgent: bool = False) -> Any:
        """What the platform answers to this document; None if it is nothing."""
        return self._ask("POST", path, params, document, urgent)

    def put(self, path: str, document: Any = None, params: Params = _NONE, *, urgent: bool = False) -> Any:
        """As `post`."""
        return self._ask("PUT", path, params, document, urgent)

    def delete(self, path: str, params: Params = _NONE, *, urgent: bool = False) -> None:
        """Delete what is at this path."""
        self._ask("DELETE", path, params, None, urgent)

    def head(self, path: str, *, urgent: bool = False) -> int:
        """200 if there is such a thing, 404 if not."""
        found: int = self._tried(partial(self._existing, path, urgent), urgent)
        return found

    def pages(
        self, path: str, params: Params = _NONE, page_size: int = 100, *, urgent: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The entities of a listing in pages, one after the other. What changes meanwhile may come twice or not at all."""
        number = 1
        while True:
            page = self.get(path, {**params, "pageSize": page_size, "pageNumber": number}, urgent=urgent)
            entities = [entity for entity in page.get("entities") or () if isinstance(entity, dict)]
            yield from entities
            count = page.get("pageCount")
            if not entities or not ((isinstance(count, int) and number < count) or page.get("nextUri")):
                return
            number += 1

    def abort(self) -> None:
        """End every request and every wait under way, and all later ones, with `TransientSourceError`."""
        self._given_up.set()
        self._login.abort()
        self._lines.abort()
        with self._turn:
            self._turn.notify_all()

    def close(self) -> None:
        """Give back what it holds, once no call is under way any more."""
        self.abort()
        self._login.close()

    # How a request is made.

    def _ask(self, method: str, path: str, params: Params, document: Any, urgent: bool, want: type = object) -> Any:
        address = f"{path}?{urlencode(params)}" if params else path
        return self._tried(partial(self._exchange, method, address, document, urgent, want), urgent)

    def _tried(self, ask: Callable[[], Any], urgent: bool) -> Any:
        attempts = min(URGENT_ATTEMPTS, self._config.attempts) if urgent else self._config.attempts
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientSourceError),
            wait=self._wait,
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(attempts),
                tenacity.stop_before_delay(self._config.patience / SECOND),
                tenacity.stop_when_event_set(self._given_up),
            ),
            sleep=tenacity.sleep_using_event(self._given_up),
            reraise=True,
        )
        return tries(ask)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Full jitter, after what the platform asked for: who is told the same must not come at the same time."""
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after if isinstance(error, TransientSourceError) else None
        return float(asked or 0) + self._random() * min(2.0 ** (state.attempt_number - 1), _LONGEST_WAIT)

    def _existing(self, path: str, urgent: bool) -> int:
        answer = self._answered("HEAD", path, None, urgent)
        if answer.status == 404 or 200 <= answer.status < 300:
            return answer.status
        raise self._problem(answer, "HEAD", path)

    def _exchange(self, method: str, address: str, document: Any, urgent: bool, want: type) -> Any:
        answer = self._answered(method, address, document, urgent)
        if not 200 <= answer.status < 300:
            raise self._problem(answer, method, address)
        if not answer.body and want is object:
            return None
        try:
            return msgspec.json.decode(answer.body, type=want)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            path = address.partition("?")[0]
            raise TransientSourceError(f"{self._where} answered {method} {path} with what is not JSON") from None

    def _answered(self, method: str, address: str, document: Any, urgent: bool) -> Answer:
        """An answer with a token that is accepted, if there is one: after a 401 one fresh token, one try."""
        grant, secret = self._tokens_now()
        answer = self._send(method, address, document, urgent, secret)
        if answer.status == 401:
            self._tokens.newer(grant.number)
            _, secret = self._tokens_now()
            answer = self._send(method, address, document, urgent, secret)
        return answer

    def _tokens_now(self) -> tuple[Grant, str]:
        if self._given_up.is_set():
            raise TransientSourceError(GIVEN_UP)
        return self._tokens.current()

    def _send(self, method: str, address: str, document: Any, urgent: bool, secret: str) -> Answer:
        self._wait_for_turn(urgent)
        try:
            with self._lines.one(urgent) as line:
                answer = line.request(method, self._config.api_url + address, document=document, bearer=secret)
        except BaseException:
            with self._turn:
                self._budget.lost()
                self._turn.notify_all()
            raise
        now = self._steady()
        with self._turn:
            if answer.status == TOO_MANY:
                self._budget.refused(now, asked_for(answer) or 0)
            else:
                self._budget.answered(now, told(answer))
            self._turn.notify_all()
        return answer

    def _wait_for_turn(self, urgent: bool) -> None:
        with self._turn:
            while not self._given_up.is_set():
                now = self._steady()
                at = self._budget.next_at(now, urgent)
                if at <= now:
                    self._budget.take(now)
                    return
                self._turn.wait((at - now) / SECOND)
                self.waited += self._steady() - now
        raise TransientSourceError(GIVEN_UP)

    def _problem(self, answer: Answer, method: str, address: str) -> Exception:
        error = problem(answer, f"{method} {address.partition('?')[0]}", self._where)
        if type(error) is RefusedError:
            return RefusedError(
                f"{error}; a fresh token was not accepted either: check that the OAuth client is active, then try again",
                error.status,
                error.code,
            )
        return error
