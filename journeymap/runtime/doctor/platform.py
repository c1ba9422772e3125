"""All checks of one platform, in the order in which a client goes through its doors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from journeymap.errors import ConfigurationError
from journeymap.model.time import Millis
from journeymap.runtime.doctor.account import AccountChecks, judge_refused
from journeymap.runtime.doctor.examination import Check
from journeymap.runtime.doctor.stream import StreamChecks
from journeymap.runtime.doctor.way import proxy_check, way_to
from journeymap.source.config import EventStreamsConfig
from journeymap.source.transport import HttpClient, tls_context


@contextlib.contextmanager
def platform_checks(
    config: EventStreamsConfig,
    section: str,
    clock: Callable[[], Millis],
    patience: Millis,
    needs: tuple[Check, ...] = (),
    credentials: tuple[Check, ...] = (),
) -> Iterator[list[Check]]:
    """The checks of the platform of this configuration. What they have made on the platform is gone at the end.

    All of them need the checks `needs`, those with a token also `credentials`. `patience` is how long the first event or
    heartbeat is waited for; no other step takes longer either.
    """
    config = replace(config, request_timeout=min(config.request_timeout, patience))
    proxies = proxy_check(_urls(config), section, needs)
    try:
        way = way_to(_urls(config), section, clock, config.request_timeout, proxies)
        tls = tls_context()
        login = HttpClient(config.login_url, config.request_timeout, tls, clock, "REGION or LOGIN_URL")
        api = HttpClient(config.api_url, config.request_timeout, tls, clock, "REGION or API_URL")
    except ConfigurationError:
        yield [proxies]  # which says the same, with its remedy
        return
    account = AccountChecks(config, login, clock, partial(judge_refused, config.scopes), config.scopes)
    stream = StreamChecks(config, account, api, tls, clock, patience)

    metadata = Check(section, "metadata", account.metadata, (way.secure(config.login_url),))
    token = Check(section, "token", account.grant, (metadata, *credentials))
    handshake = Check(section, "handshake", stream.handshake, (token, way.secure(config.stream_url)))
    greeting = Check(section, "greeting", stream.greeting, (handshake,))
    subscription = Check(section, "subscription", stream.subscription, (greeting, way.secure(config.api_url)))
    first_sign = Check(section, "first-sign", stream.first_sign, (subscription,))
    try:
        yield [
            proxies,
            *way.checks,
            Check(section, "clock", account.clock, (way.secure(config.login_url),)),
            metadata,
            token,
            Check(section, "scopes", account.scopes, (token,)),
            handshake,
            greeting,
            subscription,
            first_sign,
            Check(section, "throttle", stream.throttle, (first_sign,)),
            Check(section, "deletion", stream.deletion, (handshake,)),
        ]
    finally:
        stream.close()
        login.close()
        api.close()


def _urls(config: EventStreamsConfig) -> list[tuple[str, str]]:
    return [("LOGIN_URL", config.login_url), ("API_URL", config.api_url), ("STREAM_URL", config.stream_url)]
