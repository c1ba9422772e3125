"""What doctor finds at the public platform, for the source `notifications`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from journeymap.runtime.clock import SystemClock
from journeymap.runtime.doctor.examination import Listener, Result, examine
from journeymap.runtime.doctor.notifications import judge_channels, judge_queues, notification_checks
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.publicapi.config import PublicApiConfig
from tests.doctoring import Doctor
from tests.integration.process import until
from tests.public_client import CHANNELS, PublicClient

PATIENCE = 2_000


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(queues=1_100, rate_limit=10_000, rate=1.0) as platform:
        yield platform


@pytest.fixture
def config(platform: SimulatedPlatform) -> PublicApiConfig:
    """Of the platform as it is at first: without faults, and without the channels of the tests before."""
    platform.reset_faults()
    platform.expire_tokens()
    until(lambda: platform.stats()["public"]["channels"] == 0, "the end of all channels")
    return config_of(platform)


def config_of(platform: SimulatedPlatform) -> PublicApiConfig:
    return PublicApiConfig(
        platform.login_url, platform.api_url, platform.stream_url, platform.client_id, platform.client_secret
    )


def examined(config: PublicApiConfig, patience: int = PATIENCE) -> list[Result]:
    with notification_checks(config, "Source notifications", SystemClock().now, patience) as checks:
        return examine(checks, Listener())


def found(results: list[Result], name: str, about: str = "") -> Result:
    return next(each for each in results if each.name == name and about in each.about)


def wrong(results: list[Result]) -> dict[str, tuple[str, str, str]]:
    """What is not well: name to grade, what was found, remedy."""
    return {
        each.name: (each.grade, each.found, each.remedy or "") for each in results if each.grade in ("warn", "fail")
    }


def test_all_is_well_and_nothing_is_left(config: PublicApiConfig, platform: SimulatedPlatform) -> None:
    results = examined(config, patience=20_000)
    assert wrong(results) == {}
    said = {each.name: each.found for each in results}
    assert said["organisation"].startswith("Simulated Contact Centre (")
    assert said["queues"] == "1,100 found, for which 2 channels will do"
    assert said["topics"].startswith("snapshots of conversations in queues, and 16 kinds of detail events; they need ")
    assert "Conversation > Communication > View" in said["topics"]
    assert said["channels"] == "0 of 20 were there, and one more was made for this trial"
    assert said["subscription"] == "3 topics granted"
    assert re.fullmatch("a ping was answered after .*", said["first-sign"])
    assert re.fullmatch(r"the newest record began .* ago; records are to be had of 34 days and more", said["analytics"])
    permissions = {each.about for each in results if each.name == "permission"}
    assert {"Routing > Queue > View", "Directory > User > View", "Architect > Flow > View"} < permissions
    assert platform.stats()["public"]["topics"] == 0


@pytest.mark.parametrize(
    ("faults", "check", "grade", "says", "does"),
    [
        (
            {"refuse_tokens": "400"},
            "token",
            "fail",
            "knows no client",
            "a right client of another region is unknown here too",
        ),
        (
            {"refuse_tokens": "401"},
            "token",
            "fail",
            "is known, but the secret is wrong",
            "Admin > Integrations > OAuth",
        ),
        (
            {"refuse_tokens": "403"},
            "token",
            "fail",
            "may not have a token in this way",
            "grant type Client Credentials",
        ),
        ({"fail_api": "429"}, "organisation", "fail", "429", "try again in 2 s, as it asks for"),
        ({"fail_api": "503"}, "organisation", "fail", "503", "status page"),
        ({"fail_api": "401"}, "organisation", "fail", "401", "are of one region"),
        (
            {"missing_permissions": "routing:queue:view"},
            "permission",
            "fail",
            "the client's roles lack Routing > Queue > View: queues are not found",
            "add it to a role (Admin > People & Permissions > Roles / Permissions)",
        ),
        (
            {"missing_permissions": "directory:user:view"},
            "permission",
            "warn",
            "lack Directory > User > View: agents are shown by their ids",
            "Admin > Integrations > OAuth, the client, Roles",
        ),
        (
            {"missing_permissions": "analytics:conversationAggregate:view"},
            "permission",
            "warn",
            "lack Analytics > Conversation Aggregate > View: conversations in progress",
            "add it to a role",
        ),
        (
            {"missing_permissions": "conversation:communication:view"},
            "subscription",
            "fail",
            "lack Conversation > Communication > View: conversations in queues are not heard of (v2.routing.queues.{id}.conv",
            "add it to a role",
        ),
        (
            {"missing_permissions": "externalContacts:contact:view"},
            "subscription",
            "warn",
            "lack External Contacts > Contact > View: merges of contacts are not heard of",
            "add it to a role",
        ),
    ],
    ids=lambda value: "-".join(f"{name}-{what}" for name, what in value.items()) if isinstance(value, dict) else "",
)
def test_a_fault_is_found_where_it_is(
    config: PublicApiConfig,
    platform: SimulatedPlatform,
    faults: dict[str, Any],
    check: str,
    grade: str,
    says: str,
    does: str,
) -> None:
    platform.set_faults(**faults)
    problems = wrong(examined(config))
    assert list(problems) == [check]
    assert problems[check][0] == grade
    assert says in problems[check][1]
    assert does in problems[check][2]


def test_a_socket_that_says_nothing_is_found() -> None:
    with SimulatedPlatform(notification_heartbeat=3_600) as platform:  # where nothing happens either
        platform.set_faults(pong_loss=True)
        grade, says, does = wrong(examined(config_of(platform), 300))["first-sign"]
    assert grade == "fail"
    assert "neither an answer to a ping nor a heartbeat" in says
    assert "--timeout waits longer" in does


def test_a_missing_record_permission_is_named_and_nothing_is_asked_of_the_records(
    config: PublicApiConfig, platform: SimulatedPlatform
) -> None:
    platform.set_faults(missing_permissions="analytics:conversationDetail:view")
    results = examined(config)
    assert found(results, "permission", "Conversation Detail").grade == "fail"
    assert (
        found(results, "analytics").found == "needs permission, which failed for Analytics > Conversation Detail > View"
    )
    assert found(results, "subscription").grade == "warn", "nor are detail events to be had"


@pytest.mark.parametrize(
    ("changes", "check", "says", "does"),
    [
        ({"client_id": "nobody"}, "token", "knows no client nobody", "compare CLIENT_ID"),
        ({"client_secret": "wrong"}, "token", "the secret is wrong", "copy the secret again"),
        ({"api_url": "http://127.0.0.1:9"}, "tcp", "nothing listens", "check host and port in the URL"),
        ({"stream_url": "ws://localhost:9"}, "tcp", "nothing listens", "check host and port in the URL"),
    ],
)
def test_what_is_set_wrong_is_found_where_it_is(
    config: PublicApiConfig, changes: dict[str, str], check: str, says: str, does: str
) -> None:
    problems = wrong(examined(replace(config, **changes)))
    assert says in problems[check][1]
    assert does in problems[check][2]


def test_a_socket_at_another_host_is_said(config: PublicApiConfig, platform: SimulatedPlatform) -> None:
    elsewhere = platform.stream_url.replace("127.0.0.1", "localhost")
    problems = wrong(examined(replace(config, stream_url=elsewhere)))
    assert list(problems) == ["channels"]
    assert problems["channels"][2].startswith("set REGION, or STREAM_URL to wss://127.0.0.1:")


def test_a_running_channel_is_never_pushed_out(config: PublicApiConfig, platform: SimulatedPlatform) -> None:
    with PublicClient(platform) as client:
        there = len(client.get(CHANNELS, includechannels="oauthclient")["entities"])
        mine = [client.post(CHANNELS)["id"] for _ in range(20 - there)]
        results = examined(config)
        assert found(results, "channels").grade == "warn"
        assert "none is made for a trial" in found(results, "channels").found
        assert {found(results, name).grade for name in ("subscription", "socket", "first-sign")} == {"skip"}
        assert [client.call("HEAD", f"{CHANNELS}/{each}").status_code for each in mine] == [200] * len(mine)


def test_detail_events_by_eventbridge_only(config: PublicApiConfig, platform: SimulatedPlatform) -> None:
    platform.set_faults(no_detail_topics=True)
    assert "detail events only by the source eventbridge" in found(examined(config), "topics").found


def test_the_figures_of_queues_and_channels() -> None:
    assert judge_queues(0).grade == "fail"
    assert "divisions" in str(judge_queues(0).remedy)
    assert judge_queues(1).found == "1 found, for which 1 channel will do"
    assert judge_queues(40_000).found == "40,000, of which 19,000 (47 %) find room in 19 channels"
    assert (judge_queues(40_000).grade, judge_channels(17, 2_500).grade, judge_channels(16, 2_500).grade) == (
        "warn",
        "warn",
        "ok",
    )


def test_the_command_checks_the_source(doctor: Doctor, config: PublicApiConfig, platform: SimulatedPlatform) -> None:
    doctor.use(platform, source="notifications")
    platform.set_faults(missing_permissions="architect:flow:view")
    code, checks = doctor.find("--timeout", "5s")
    assert (code, checks["first-sign"]["grade"]) == (0, "ok")
    assert (checks["permission"]["about"], checks["permission"]["grade"]) == ("Architect > Flow > View", "warn")
    platform.set_faults(missing_permissions="routing:queue:view")
    code, said = doctor.say("--only", "queues")
    assert code == 1
    assert "FAIL  permission    Routing > Queue > View: the client's roles lack Routing > Queue > View" in said
    assert "skip  queues        needs permission, which failed for Routing > Queue > View" in said


def test_what_is_not_set_at_all(doctor: Doctor) -> None:
    doctor.set(source="notifications", region="eu_west_1")
    code, checks = doctor.find("--only", "token")
    assert code == 1
    assert checks["credentials"]["grade"] == "fail"
    assert "CLIENT_ID and CLIENT_SECRET" in checks["credentials"]["found"]
    doctor.set(source="notifications", client_id="a", client_secret="b", login_url="http://elsewhere.example")
    code, out = doctor.say()
    assert code == 2, "a line that others can read is refused before anything is sent"
    assert "LOGIN_URL" in out


def test_eventbridge_asks_for_records_and_names_where_it_can(
    doctor: Doctor, config: PublicApiConfig, platform: SimulatedPlatform
) -> None:
    doctor.use(platform, source="eventbridge", eventbridge_key="k" * 16 + "0123456789abcdef")
    platform.set_faults(missing_permissions="routing:queue:view+analytics:conversationDetail:view")
    code, checks = doctor.find("--timeout", "2s")
    assert (code, checks["organisation"]["grade"], "subscription" in checks) == (1, "ok", False)
    assert checks["permission"]["about"] == "Analytics > Conversation Detail > View"
    _, said = doctor.say("--only", "permission")
    assert (
        "warn  permission    Routing > Queue > View: the client's roles lack Routing > Queue > View: queues are shown"
        in said
    )
    platform.reset_faults()
    doctor.set(source="notifications,eventbridge")
    _, said = doctor.say("--only", "organisation")
    assert said.count("ok    organisation") == 1, "what one source has found need not be asked for the other"
