"""No secret gets out: not of a run that goes well, nor of one whose credentials are refused, even when debugging."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.integration.process import Command, until
from tests.integration.test_hook import KEY, Server

SECRET = "s3cr3t-of-the-client-0x5eed"


@pytest.fixture
def hook() -> Iterator[Server]:
    with Server(200) as server:
        yield server


def command(directory: Path, platform: SimulatedPlatform, hook: Server, secret: str, *more: str) -> Command:
    variables = {
        "SOURCE": "eventstreams",
        "STORE": f"disk:{directory / 'store'}",
        "CLIENT_ID": platform.client_id,
        "CLIENT_SECRET": secret,
        "LOGIN_URL": platform.login_url,
        "API_URL": platform.api_url,
        "STREAM_URL": platform.stream_url,
        "ALERT_URL": hook.url,
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
    }
    named = {f"JOURNEYMAP_{name}": value for name, value in variables.items()}
    return Command(*more, log=directory / "log", **named)


def everything_in(directory: Path) -> bytes:
    """All that was logged and stored, also what the store's database holds in pages that are not written out yet."""
    for database in directory.rglob("*.db"):
        with sqlite3.connect(database) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_run_that_goes_well_and_one_that_is_refused(tmp_path: Path, hook: Server) -> None:
    with SimulatedPlatform(rate=50, token_life=600, client_secret=SECRET) as platform:
        assert platform.client_secret == SECRET
        shown = ""
        with command(tmp_path, platform, hook, SECRET, "run", "--port", "0") as running:
            until(lambda: running.status().get("state") == "OPEN", "the connection")
            platform.send(b'{"access_token": "%s"}' % SECRET.encode())
            until(lambda: running.status()["counts"]["quarantined"] and running.status()["counts"]["events"], "events")
            for path in ("/metrics", "/api/v1/status", "/api/v1/quarantine", "/readyz"):
                answer = running.get(path)
                assert answer is not None
                shown += answer.text
            assert '"sample":"{\\"access_token\\": \\"******\\"}"' in shown
            tokens = list(platform.platform.tokens)
            assert running.stop() == 0
        wrong = SECRET + "-which-is-wrong"
        with command(tmp_path, platform, hook, wrong, "run", "--port", "0") as running:
            until(lambda: running.status().get("refused"), "the refusal")
            ready = until(lambda: running.get("/readyz"), "an answer")
            assert ready.status_code == 503
            shown += ready.text
            until(lambda: hook.received, "the alert")
            assert running.stop() == 0
            assert '"level": "error"' in running.output
        with command(tmp_path, platform, hook, SECRET, "config", "--json") as config:
            assert config.process.wait(30) == 0
            shown += config.output
            assert "ALERT_URL" in config.output
    assert [(each["kind"], each["state"]) for each in hook.received] == [("refused", "firing")]
    assert tokens
    held = everything_in(tmp_path) + shown.encode() + repr(hook.received).encode()
    assert b"event stream: CONNECTING -> OPEN" in held
    for name, secret in {
        "secret": SECRET,
        "hook": KEY,
        **{f"token {n}": token for n, token in enumerate(tokens)},
    }.items():
        # The journal holds what was received as it came; the frame above is in it, and nowhere else.
        expected = 1 if name == "secret" else 0
        assert held.count(secret.encode()) == expected, name
