"""The public platform's REST side: the OAuth client, its organisation, what its roles allow, and the analytics records."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import SystemRandom
from typing import Any, Final, NamedTuple

from journeymap.decode.timestamp import read_timestamp
from journeymap.errors import (
    ConfigurationError,
    ForbiddenError,
    RefusedError,
    RequestError,
    SourceError,
    TransientSourceError,
)
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, Millis
from journeymap.runtime.doctor.account import AccountChecks
from journeymap.runtime.doctor.examination import Check, Progress
from journeymap.runtime.doctor.outcome import Grade, Outcome, fail, failed, ok, warn
from journeymap.runtime.doctor.way import Way, proxy_check, way_to
from journeymap.source.publicapi.client import PublicApi
from journeymap.source.publicapi.config import PublicApiConfig
from journeymap.source.transport import HttpClient, tls_context
from journeymap.view.labels import duration, iso
from journeymap.view.permissions import permission_words

CLIENTS: Final = "Admin > Integrations > OAuth"
ROLES: Final = "Admin > People & Permissions > Roles / Permissions"
"""Where in the platform's own pages."""

WHERE_TO_GRANT: Final = (
    f"add it to a role ({ROLES}) that the OAuth client has ({CLIENTS}, the client, Roles), for all divisions that are to be"
    " seen"
)
REACH: Final = 34 * DAY
"""As far back records are asked for: 35 days are quoted."""
PATIENCE: Final = 10 * SECOND
ATTEMPTS: Final = 2

DETAILS_QUERY: Final = "/api/v2/analytics/conversations/details/query"
ACTIVITY_QUERY: Final = "/api/v2/analytics/conversations/activity/query"
DETAILS: Final = "analytics:conversationDetail:view"


class Needed(NamedTuple):
    """A permission that is found out by one call, what is not to be had without it, and whether ingest can do without."""

    permission: str
    without: str
    dispensable: bool
    ask: Callable[[PublicApi, Millis], object]


def _details(api: PublicApi, start: Millis, end: Millis) -> dict[str, Any]:
    """The newest of the records of that time."""
    asked = {"interval": f"{iso(start)}/{iso(end)}", "order": "desc", "orderBy": "conversationStart"}
    found = api.post(DETAILS_QUERY, asked | {"paging": {"pageSize": 1, "pageNumber": 1}})
    return found if isinstance(found, dict) else {}


def _first_page(path: str) -> Callable[[PublicApi, Millis], object]:
    return lambda api, _: api.get(path, {"pageSize": 1})


QUEUES: Final = Needed(
    "routing:queue:view",
    "queues are not found, so their conversations are not heard of, and queues are shown by their ids",
    False,
    _first_page("/api/v2/routing/queues"),
)
NAMED_QUEUES: Final = QUEUES._replace(without="queues are shown by their ids", dispensable=True)
"""Where events come without anybody asking for the queues' topics."""

RECORDS: Final = (
    Needed(
        DETAILS,
        "gaps are not filled from the records",
        False,
        lambda api, now: _details(api, now - HOUR, now - MINUTE),
    ),
    Needed(
        "analytics:conversationAggregate:view",
        "conversations in progress at the start are found only when something happens to them",
        True,
        lambda api, _: api.post(ACTIVITY_QUERY, {"metrics": [{"metric": "oInteracting", "details": True}]}),
    ),
)
NAMES: Final = tuple(
    Needed(permission, f"{what} are shown by their ids", True, _first_page(path))
    for permission, what, path in (
        ("directory:user:view", "agents", "/api/v2/users"),
        ("routing:wrapupCode:view", "outcomes", "/api/v2/routing/wrapupcodes"),
        ("architect:flow:view", "flows", "/api/v2/flows"),
    )
)


@dataclass(frozen=True, slots=True)
class PublicPart:
    """The checks of the REST side, and what those need that come after. `way` is not known where the addresses are of no use:
    then `checks` say so and nothing else can be checked."""

    checks: Sequence[Check]
    api: PublicApi | None = None
    way: Way | None = None
    organisation: Check | None = None


@contextlib.contextmanager
def public_part(
    config: PublicApiConfig,
    section: str,
    clock: Callable[[], Millis],
    patience: Millis,
    needed: Sequence[Needed],
    needs: tuple[Check, ...] = (),
    credentials: tuple[Check, ...] = (),
) -> Iterator[PublicPart]:
    """The checks of the REST side of the public platform, of the permissions `needed` too. All of them need the checks `needs`,
    those with a token also `credentials`."""
    limit = min(PATIENCE, patience)
    config = replace(
        config, request_timeout=min(config.request_timeout, limit), attempts=ATTEMPTS, patience=min(2 * SECOND, limit)
    )
    urls = [("LOGIN_URL", config.login_url), ("API_URL", config.api_url)]
    urls += [("STREAM_URL", config.stream_url)] if config.stream_url else []
    proxies = proxy_check(urls, section, needs)
    with contextlib.ExitStack() as closing:
        try:
            way = way_to(urls, section, clock, config.request_timeout, proxies)
            login = HttpClient(config.login_url, config.request_timeout, tls_context(), clock, "REGION or LOGIN_URL")
            closing.callback(login.close)
            # Without credentials no check asks it for anything.
            known = replace(config, client_id=config.client_id or "?", client_secret=config.client_secret or "?")
            api = PublicApi(known, clock, SystemRandom())
            closing.callback(api.close)
        except ConfigurationError:
            yield PublicPart([proxies])  # which says the same, with its remedy
            return
        account = AccountChecks(config, login, clock, partial(judge_credentials, config))
        metadata = Check(section, "metadata", account.metadata, (way.secure(config.login_url),))
        token = Check(section, "token", account.grant, (metadata, *credentials))
        belongs = (token, way.secure(config.api_url))
        organisation = Check(section, "organisation", partial(organisation_of, api, config), belongs)
        permissions = [
            Check(
                section,
                "permission",
                partial(allowed, api, each, clock),
                (organisation,),
                permission_words(each.permission),
            )
            for each in needed
        ]
        records = [check for check, each in zip(permissions, needed, strict=True) if each.permission == DETAILS]
        if records:
            permissions.append(Check(section, "analytics", partial(analytics_of, api, clock), tuple(records)))
        first = [proxies, *way.checks, Check(section, "clock", account.clock, (way.secure(config.login_url),))]
        yield PublicPart([*first, metadata, token, organisation, *permissions], api, way, organisation)


def judge_credentials(config: PublicApiConfig, status: int | None, code: str) -> Outcome:
    """What a refused token request means: the public platform tells an unknown client (400) from a wrong secret (401)."""
    found = f"refused with status {status}" + (f" ({code})" if code else "")
    where = config.login_url.partition("//")[2]
    if status == 400:
        return fail(
            f"{found}: {where} knows no client {config.client_id}",
            f"compare CLIENT_ID with {CLIENTS}; a right client of another region is unknown here too, so compare REGION (or"
            f" LOGIN_URL, {where}) with the address at which that page is opened",
        )
    if status == 401:
        return fail(
            f"{found}: the client {config.client_id} is known, but the secret is wrong",
            f"copy the secret again from {CLIENTS}, the client, Client Secret; if a new one was generated there, the old one is"
            " no longer good",
        )
    return fail(
        f"{found}: the client {config.client_id} may not have a token in this way",
        f"have the client in {CLIENTS} use the grant type Client Credentials, and see that it is active and has a role",
    )


def organisation_of(api: PublicApi, config: PublicApiConfig, _: Progress) -> Outcome:
    """Whose platform it is, and whether the API takes the token."""
    try:
        found = api.get("/api/v2/organizations/me")
    except ForbiddenError:
        return ok("may not be named to this client, but the API takes its token")
    except RefusedError as error:
        return fail(
            f"{error}",
            f"see that LOGIN_URL ({config.login_url}) and API_URL ({config.api_url}) are of one region",
        )
    except RequestError as error:
        return failed(error, f"see that API_URL ({config.api_url}) is the platform's API, without a path")
    except TransientSourceError as error:
        return _passing(error)
    return ok(f"{found.get('name') or 'without a name'} ({found.get('id') or 'without an id'})")


def allowed(api: PublicApi, needed: Needed, clock: Callable[[], Millis], _: Progress) -> Outcome:
    """Whether the client's roles bring a permission."""
    try:
        needed.ask(api, clock())
    except ForbiddenError as error:
        missing = [permission_words(each) for each in error.permissions or (needed.permission,)]
        return lacking(missing, needed.without, dispensable=needed.dispensable)
    except RequestError as error:
        return warn(f"not found out: {error}", "tell the platform's support what it says, with its id")
    except TransientSourceError as error:
        return _passing(error)
    return ok("granted")


def lacking(missing: Sequence[str], without: str, *, dispensable: bool) -> Outcome:
    """A permission that is missing, in the platform's words, and what is not to be had without it."""
    outcome = fail(f"the client's roles lack {' and '.join(missing)}: {without}", WHERE_TO_GRANT)
    return replace_grade(outcome, Grade.WARN) if dispensable else outcome


def replace_grade(outcome: Outcome, grade: Grade) -> Outcome:
    """The same outcome, taken less hard."""
    return Outcome(grade, outcome.found, outcome.remedy)


def analytics_of(api: PublicApi, clock: Callable[[], Millis], _: Progress) -> Outcome:
    """How new the newest record is, and how far back records can be asked for."""
    now = clock()
    try:
        newest: Any = next(iter(_details(api, now - HOUR, now).get("conversations") or ()), None)
        reach = _reach(api, now)
    except TransientSourceError as error:
        return _passing(error)
    except SourceError as error:
        return failed(error, "tell the platform's support what it says, with its id")
    began = read_timestamp(newest.get("conversationStart")) if isinstance(newest, dict) else None
    lag = "no record of the last hour" if began is None else f"the newest record began {duration(now - began)} ago"
    return ok(f"{lag}; {reach}")


def _reach(api: PublicApi, now: Millis) -> str:
    try:
        _details(api, now - REACH, now - REACH + HOUR)
    except RequestError as error:
        return f"records of {REACH // DAY} days ago only by a job ({error})"
    return f"records are to be had of {REACH // DAY} days and more"


def guarded(examine: Callable[[Progress], Outcome]) -> Callable[[Progress], Outcome]:
    """The same check; what a call fails with is its outcome."""

    def examined(progress: Progress) -> Outcome:
        try:
            return examine(progress)
        except TransientSourceError as error:
            return _passing(error)
        except ForbiddenError as error:
            return lacking([permission_words(each) for each in error.permissions], "this is refused", dispensable=False)
        except SourceError as error:
            return failed(error, "tell the platform's support what it says, with its id")

    return examined


def _passing(error: TransientSourceError) -> Outcome:
    wait = "in a while" if error.retry_after is None else f"in {error.retry_after:g} s, as it asks for"
    return failed(error, f"try again {wait}; if it stays so, see the platform's status page")
