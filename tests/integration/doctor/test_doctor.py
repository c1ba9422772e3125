"""`journeymap doctor` against platforms that are well, and against platforms that are not: the right check says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.doctoring import Doctor
from tests.integration.process import platforms

SOON = ("--timeout", "5s")


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(tmp_path, monkeypatch, capfd)


@pytest.fixture
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(heartbeat=0.1) as running:
        yield running


# All is well


def test_all_is_well(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform)
    code, said = doctor.say("--store", "disk:store", "--skip", "throttle")
    where = platform.api_url.removeprefix("http://")
    said = said.replace(where, "HOST:PORT").replace(str(doctor.directory), "DIRECTORY")
    for pattern, name in (
        (r"\d+(\.\d+)? (min|ms|s|d|h)\b", "TIME"),
        (r"\b(ahead of|behind)\b", "APART FROM"),
        (r"±[\d,]+ ms", "±TIME"),
        (r"\d+(\.\d)? (GiB|TiB|MiB)\b", "SIZE"),
        (r"\bsub-[0-9a-f]{16}\b", "SUBSCRIPTION"),
        (r"\b[0-9a-f]{16}\b", "CONNECTION"),
        (r"[\d,]+ open files", "MANY open files"),
        (r"is in \S+ \(UTC[+-]\d{4}\)", "is in ZONE"),
    ):
        said = re.sub(pattern, name, said)
    assert (
        said
        == f"""\
Settings
  ok    configuration SOURCE = eventstreams (environment variable JOURNEYMAP_SOURCE); STORE = disk:store (command line, \
--store); ENVIRONMENT = dev (default); also set: CLIENT_ID, CLIENT_SECRET, LOGIN_URL, API_URL, STREAM_URL, PORT, INGEST_PORT
  ok    credentials   CLIENT_ID {platform.client_id}, secret from environment variable JOURNEYMAP_CLIENT_SECRET
  ok    addresses     LOGIN_URL = http://HOST:PORT (environment variable JOURNEYMAP_LOGIN_URL); API_URL = http://HOST:PORT \
(environment variable JOURNEYMAP_API_URL); STREAM_URL = ws://HOST:PORT/stream (environment variable JOURNEYMAP_STREAM_URL)

Source eventstreams
  ok    proxy         none in use
  ok    dns           127.0.0.1: an address, no name to look up
  ok    tcp           HOST:PORT: connected to 127.0.0.1 in TIME
  skip  tls           HOST:PORT: plain text, which is allowed on this machine only
  ok    clock         this clock is TIME APART FROM the platform's (±TIME)
  ok    metadata      token endpoint http://HOST:PORT/oauth/token, from http://HOST:PORT/.well-known/oauth-authorization-server
  ok    token         granted, good for TIME, renewed after TIME
  ok    scopes        eventstream.read interaction.read: all that were asked for
  ok    handshake     ws://HOST:PORT/stream is open after TIME
  ok    greeting      connection CONNECTION, callback URL ws://HOST:PORT/stream/api/v2/eventstreams/callbacks/CONNECTION
  ok    subscription  SUBSCRIPTION matches the connection, at most 50 events/s as asked for
  ok    first-sign    a heartbeat after TIME; no event yet
  skip  throttle      left out by --skip
  ok    deletion      subscription SUBSCRIPTION is deleted (status 204)

Store disk:store
  ok    store         DIRECTORY/store is not there yet; the first start makes it
  skip  integrity     there is no store yet
  skip  stitching     there is no store yet
  ok    lock          free: there is no store yet
  skip  ingest        no ingest is running on this store
  ok    journal       not there yet; the first start makes it
  ok    disk          SIZE free at DIRECTORY, DISK_RESERVE is 256MiB

This machine
  ok    time-zone     the browser's, since TIME_ZONE is not set; this machine is in ZONE
  ok    descriptors   MANY open files and sockets are allowed
  ok    port          PORT = 0: any free one
  ok    ingest-port   INGEST_PORT = 0: any free one

23 ok, 0 warnings, 0 failed, 5 skipped
"""
    )
    assert code == 0
    assert platform.stats()["subscriptions"] == 0
    assert not (doctor.directory / "store").exists()


def test_a_newcomer_sees_a_platform_of_our_own(doctor: Doctor) -> None:
    doctor.set(simulator_seed="987654321012", simulator_history="1m")
    code, checks = doctor.find(*SOON, "--skip", "throttle")
    assert code == 0
    assert {name: check["grade"] for name, check in checks.items() if check["grade"] not in ("ok", "skip")} == {}
    assert checks["start"]["found"].startswith("a simulated platform of our own is at http://127.0.0.1:")
    assert checks["first-sign"]["found"].startswith("the first event after ")
    assert platforms("987654321012") == []


def test_the_document(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform)
    code, out = doctor.say("--json", "--only", "token")
    document = json.loads(out)
    assert code == 0
    assert document["ok"] is True
    assert sum(document["counts"].values()) == len(document["checks"])
    assert [check["name"] for check in document["checks"]] == [
        "credentials", "addresses", "proxy", "dns", "tcp", "tls", "metadata", "token",
    ]  # fmt: skip
    assert set(document["checks"][0]) == {"section", "name", "about", "grade", "found", "remedy", "ms"}


def test_neither_secret_nor_token_is_ever_said(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform)
    tokens = []
    issue = platform.platform.issue_token
    platform.platform.issue_token = lambda: tokens.append(issue()) or tokens[-1]  # type: ignore[method-assign,func-returns-value]
    for arguments in ((), ("--json",)):
        _, said = doctor.say("--skip", "throttle", *arguments)
        assert platform.client_secret not in said
        assert tokens[-1] not in said
    assert len(tokens) == 2


# Settings


@pytest.mark.parametrize(
    ("settings", "found", "remedy"),
    [
        (
            {"speed": "fast"},
            "SPEED = fast (environment variable JOURNEYMAP_SPEED)",
            "allowed is a number from 0 to 1e+06 (0: as fast as it goes)",
        ),
        (
            {"prot": "1"},
            "JOURNEYMAP_PROT is not a setting, did you mean JOURNEYMAP_PORT?",
            "correct it there; `journeymap config` shows all settings and where each came from",
        ),
        (
            {"login_url": "http://login.example"},
            "LOGIN_URL = http://login.example (environment variable JOURNEYMAP_LOGIN_URL)",
            "allowed is https://HOST, or http:// for a host that is loopback; without user name, query or fragment",
        ),
    ],
)
def test_settings_that_cannot_be_read(doctor: Doctor, settings: dict[str, str], found: str, remedy: str) -> None:
    doctor.set(**settings)
    code, out = doctor.say()
    assert code == 2
    summary = "0 ok, 0 warnings, 1 failed (configuration), 0 skipped"
    assert out == f"Settings\n  FAIL  configuration {found}\n        → {remedy}\n\n{summary}\n"


def test_missing_credentials_and_addresses_are_all_named(doctor: Doctor) -> None:
    doctor.set(source="eventstreams")
    code, wrong = doctor.wrong()
    assert code == 1
    assert {name: found for name, (_, found, _) in wrong.items()} == {
        "credentials": "CLIENT_ID and CLIENT_SECRET are not set",
        "addresses": "LOGIN_URL, API_URL, STREAM_URL not set",
    }
    assert doctor.find()[1]["proxy"]["found"] == "needs addresses, which failed"


def test_the_way_is_checked_without_credentials_too(doctor: Doctor, platform: SimulatedPlatform) -> None:
    doctor.use(platform, client_secret="")
    code, checks = doctor.find()
    assert code == 1
    assert checks["credentials"]["found"] == "CLIENT_SECRET is not set"
    assert checks["metadata"]["grade"] == "ok"
    assert checks["token"]["found"] == "needs credentials, which failed"
    assert checks["deletion"]["found"] == "needs credentials, which failed"


def test_a_secret_that_others_can_read(doctor: Doctor, platform: SimulatedPlatform) -> None:
    secret = doctor.directory / "secret"
    secret.write_text(platform.client_secret)
    secret.chmod(0o644)
    doctor.use(platform, client_secret="", client_secret_file=str(secret))
    assert doctor.wrong("--only", "token") == (
        0,
        {
            "credentials": (
                "warn",
                f"CLIENT_ID {platform.client_id}, secret from {secret} (mode 0644), which every user can read",
                f"chmod 600 {secret}",
            )
        },
    )
    secret.chmod(0o600)
    assert doctor.wrong("--only", "token") == (0, {})
