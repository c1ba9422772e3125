"""What doctor finds at a platform."""

from __future__ import annotations

import re
from typing import Any

import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.doctoring import Doctor
from tests.integration.doctor.waiting import WAIT


@pytest.mark.parametrize(
    ("faults", "check", "found", "remedy"),
    [
        ({"clock_skew": 3}, "clock", r"this clock is [23],\d{3} ms behind the platform's \(±\d+ ms\)", "by NTP"),
        ({"clock_skew": -3}, "clock", r"this clock is [23],\d{3} ms ahead of the platform's \(±\d+ ms\)", "by NTP"),
        ({"clock_skew": 90}, "clock", r"this clock is (89|90),\d{3} ms behind the platform's \(±\d+ ms\)", "by NTP"),
        ({"token_life": 60}, "token", "granted, good for 1 min, renewed after 50 s", "tokens of half an hour or more"),
        ({"fail_metadata": "hang"}, "metadata", "no answer from HOST in time", "if it stays so, ask"),
        (
            {"refuse_tokens": "400"},
            "token",
            r"refused with status 400.*: the client is unknown there, or the request not understood",
            "check CLIENT_ID",
        ),
        (
            {"refuse_tokens": "401"},
            "token",
            r"refused with status 401.*: the secret is wrong, or this login server does not know the client",
            "check CLIENT_SECRET",
        ),
        (
            {"refuse_tokens": "403"},
            "token",
            r"refused with status 403.*: the client is known but may not have a token",
            "have the client enabled on the platform",
        ),
        (
            {"fail_tokens": "503"},
            "token",
            "HOST answered the token request with status 503",
            "try again in 1 s, as it asks for",
        ),
        ({"fail_tokens": "garbage"}, "token", "HOST .*", "try again in a while"),
        (
            {"missing_scope": "interaction.read"},
            "scopes",
            r"not granted: interaction\.read; granted: eventstream\.read",
            "add interaction.read to the client on the platform",
        ),
        (
            {"refuse_handshakes": "401"},
            "handshake",
            "refused with status 401: the stream does not take the token that the login server granted",
            "LOGIN_URL and STREAM_URL are of one region",
        ),
        (
            {"refuse_handshakes": "403"},
            "handshake",
            "refused with status 403: this client may not.*",
            "the right to read event streams",
        ),
        (
            {"fail_handshakes": "503"},
            "handshake",
            "refused with status 503; it asks to wait 1 s",
            "too many clients use this account",
        ),
        ({"fail_handshakes": "hang"}, "handshake", "no answer from HOST in time", "if it stays so, ask"),
        (
            {"refuse_subscriptions": "403"},
            "subscription",
            "HOST answered the subscription with status 403.*",
            "the right to make event stream subscriptions",
        ),
        (
            {"refuse_subscriptions": "409"},
            "subscription",
            "HOST answered the subscription with status 409.*",
            "delete subscriptions left over",
        ),
        (
            {"mismatched_subscriptions": "connection"},
            "subscription",
            "SUBSCRIPTION does not match the connection: another connection id",
            "the platform would send the events elsewhere",
        ),
        (
            {"mismatched_subscriptions": "callback"},
            "subscription",
            "SUBSCRIPTION does not match the connection: another callback URL",
            "the platform would send the events elsewhere",
        ),
        (
            {"silent_subscriptions": True},
            "first-sign",
            "neither event nor heartbeat within 2 s",
            "the subscription is made but brings nothing",
        ),
        (
            {"fail_cleanup": "503"},
            "deletion",
            "subscription SUBSCRIPTION could not be deleted: answered with status 503",
            "most platforms end it with its connection",
        ),
    ],
    ids=lambda value: "-".join(f"{name}-{what}" for name, what in value.items()) if isinstance(value, dict) else "",
)
def test_a_fault_is_found_where_it_is(
    doctor: Doctor, platform: SimulatedPlatform, faults: dict[str, Any], check: str, found: str, remedy: str
) -> None:
    platform.set_faults(**faults)
    doctor.use(platform)
    code, wrong = doctor.wrong(*WAIT)
    assert list(wrong) == [check]
    grade, says, does = wrong[check]
    warning = check == "deletion" or faults in ({"clock_skew": 3}, {"clock_skew": -3}, {"token_life": 60})
    assert (grade, code) == (("warn", 0) if warning else ("fail", 1))
    said = re.sub(r"\bsub-[0-9a-f]{16}\b", "SUBSCRIPTION", says).replace(
        platform.api_url.removeprefix("http://"), "HOST"
    )
    assert re.fullmatch(found, said), said
    assert remedy in does
    platform.reset_faults()
    assert check == "deletion" or platform.stats()["subscriptions"] == 0


def test_what_depends_on_a_failed_check_is_passed_over(doctor: Doctor, platform: SimulatedPlatform) -> None:
    platform.refuse_credentials()
    doctor.use(platform)
    code, checks = doctor.find()
    assert code == 1
    passed_over = {name for name, check in checks.items() if check["found"] == "needs token, which failed"}
    assert passed_over == {"scopes", "handshake", "greeting", "subscription", "first-sign", "throttle", "deletion"}


def test_a_platform_without_metadata_and_greeting_will_do(doctor: Doctor, platform: SimulatedPlatform) -> None:
    platform.set_faults(fail_metadata="404", no_greeting=True)
    doctor.use(platform)
    code, checks = doctor.find("--skip", "throttle")
    assert code == 0
    assert checks["metadata"]["found"] == f"none; the usual place stands: {platform.login_url}/oauth/token"
    assert checks["greeting"]["found"].startswith(
        "none within 2 s; the configured callback URL stands: ws://127.0.0.1:"
    )
    assert checks["first-sign"]["grade"] == "ok"


def and_send(platform: SimulatedPlatform, *frames: bytes) -> None:
    """Have these frames follow each new subscription at once."""
    subscribe = platform.platform.subscribe

    def subscribe_and_send(*arguments: Any) -> Any:
        subscription = subscribe(*arguments)
        for each in frames:
            platform.platform.send_raw(each)
        return subscription

    platform.platform.subscribe = subscribe_and_send  # type: ignore[method-assign]


def test_throttling(doctor: Doctor, platform: SimulatedPlatform) -> None:
    and_send(platform, b'{"type":"throttle","dropped":7}')
    doctor.use(platform, max_events_per_second="20")
    code, wrong = doctor.wrong("--only", "throttle")
    assert code == 0
    grade, found, remedy = wrong["throttle"]
    assert grade == "warn"
    assert re.fullmatch(r"1 throttle frame within [2-9] s( \d+ ms)?, 7 events left out", found), found
    assert remedy.startswith("raise MAX_EVENTS_PER_SECOND above 20")


def test_frames_that_hold_no_event(doctor: Doctor) -> None:
    with SimulatedPlatform(heartbeat=60) as platform:
        doctor.use(platform)
        and_send(platform, b'{"type":"x"}', b"{")
        code, wrong = doctor.wrong(*WAIT, "--only", "first-sign")
        assert code == 1
        assert "no event in them can be read: " in wrong["first-sign"][1]


def test_the_first_event_is_named(doctor: Doctor) -> None:
    with SimulatedPlatform(rate=200, heartbeat=60) as platform:
        doctor.use(platform, max_events_per_second="1000")
        code, checks = doctor.find("--only", "first-sign")
        assert code == 0
        assert re.match(r"the first event after \d+ (ms|s): \d+ ", checks["first-sign"]["found"])
