"""What the login server says: its clock, where tokens are asked for, the token and what it grants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from journeymap.errors import RefusedError, TransientSourceError
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.protocol.token import schedule
from journeymap.runtime.doctor.examination import Progress
from journeymap.runtime.doctor.outcome import Outcome, fail, failed, ok, skip, warn
from journeymap.source.oauth import Token, TokenClient
from journeymap.source.transport import HttpClient
from journeymap.view.labels import duration

SKEW_NOTICED: Final = 2 * SECOND
SKEW_TOO_GREAT: Final = MINUTE
SHORT_LIFE: Final = 2 * MINUTE
SET_THE_CLOCK: Final = (
    "set this machine's clock by NTP (`timedatectl set-ntp true`, or chrony); if it is right, the platform's is wrong."
    " Journeys read IDLE and CLOSED, and the page's now-line stands, by this clock, while events carry the platform's time"
)


class Account(Protocol):
    """What a login server is told."""

    @property
    def login_url(self) -> str:
        """Where it is."""

    @property
    def client_id(self) -> str:
        """Who asks."""

    @property
    def client_secret(self) -> str:
        """And how that is known."""


class AccountChecks:
    """The checks of the login server. `token` is the one that was granted, for the checks that come after.

    `judge` says what a refused token request means, by its status and the registered name of its error.
    """

    def __init__(
        self,
        config: Account,
        http: HttpClient,
        clock: Callable[[], Millis],
        judge: Callable[[int | None, str], Outcome],
        scopes: Sequence[str] = (),
    ) -> None:
        self._config = config
        self._judge = judge
        self._scopes = scopes
        self._http = http
        self._clock = clock
        self._oauth = TokenClient(config.login_url, config.client_id, config.client_secret, scopes, http)
        self.token: Token | None = None

    def clock(self, _: Progress) -> Outcome:
        """How far the two clocks are apart, by the Date header of any answer."""
        began = self._clock()
        try:
            answer = self._http.request("GET", self._config.login_url)
        except TransientSourceError as error:
            return failed(error, "see that LOGIN_URL is a web server")
        return judge_clock(began, self._clock(), answer.date)

    def metadata(self, _: Progress) -> Outcome:
        """Where tokens are asked for."""
        try:
            endpoint = self._oauth.discover()
        except TransientSourceError as error:
            return failed(error, "check LOGIN_URL; if it is right, the platform's OAuth metadata is wrong or slow")
        if endpoint.metadata is None:
            return ok(f"none; the usual place stands: {endpoint.url}")
        return ok(f"token endpoint {endpoint.url}, from {endpoint.metadata}")

    def grant(self, _: Progress) -> Outcome:
        """Whether the credentials get a token. It is asked for once."""
        try:
            self.token = token = self._oauth.fetch()
        except RefusedError as error:
            return self._judge(error.status, error.code)
        except TransientSourceError as error:
            wait = "in a while" if error.retry_after is None else f"in {error.retry_after:g} s, as it asks for"
            return failed(error, f"try again {wait}; if it stays so, ask whoever runs the platform")
        refresh = duration(schedule(0, token.life, 0.0).refresh_at)
        found = f"granted, good for {duration(token.life)}, renewed after {refresh}"
        if token.life < SHORT_LIFE:
            return warn(found, "have the platform grant tokens of half an hour or more: each renewal moves the stream")
        return ok(found)

    def scopes(self, _: Progress) -> Outcome:
        """Whether the token grants what was asked for."""
        if self.token is None:
            return skip("needs a token")
        return judge_scopes(self._scopes, self.token.scopes)


def judge_clock(began: Millis, ended: Millis, date: Millis | None) -> Outcome:
    """Our clock at question and answer, and the server's, which it tells to the second."""
    if date is None:
        return skip("the login server does not say what time it has")
    skew = (began + ended) // 2 - (date + SECOND // 2)
    give = (ended - began + SECOND) // 2
    found = f"this clock is {abs(skew):,} ms {'ahead of' if skew > 0 else 'behind'} the platform's (±{give:,} ms)"
    if abs(skew) <= max(SKEW_NOTICED, give):
        return ok(found)
    if abs(skew) - give > SKEW_TOO_GREAT:
        return fail(found, SET_THE_CLOCK)
    return warn(found, SET_THE_CLOCK)


def judge_refused(scopes: Sequence[str], status: int | None, code: str) -> Outcome:
    """What a refused token request means."""
    named = f" ({code})" if code else ""
    found = f"refused with status {status}{named}"
    if code == "invalid_scope":
        return fail(found, f"give the client these scopes on the platform: {' '.join(scopes)}")
    if status == 401:
        return fail(
            f"{found}: the secret is wrong, or this login server does not know the client",
            "check CLIENT_SECRET (a new one may have been made), that CLIENT_ID is of this environment, and REGION or LOGIN_URL",
        )
    if status == 403:
        return fail(
            f"{found}: the client is known but may not have a token",
            "have the client enabled on the platform, with a role, and see whether only some networks are let in",
        )
    return fail(
        f"{found}: the client is unknown there, or the request not understood",
        "check CLIENT_ID and that REGION or LOGIN_URL is where the client was made; the client must be of the kind client"
        " credentials",
    )


def judge_scopes(asked: Sequence[str], granted: Sequence[str] | None) -> Outcome:
    """Scopes asked for against those granted; None means that the platform did not say, which means all (RFC 6749)."""
    if granted is None:
        return ok(f"asked for {' '.join(asked)}; the platform names none, so they are granted")
    missing = [scope for scope in asked if scope not in granted]
    if missing:
        return fail(
            f"not granted: {' '.join(missing)}; granted: {' '.join(granted) or 'none'}",
            f"add {' and '.join(missing)} to the client on the platform",
        )
    return ok(f"{' '.join(granted)}: all that were asked for")
