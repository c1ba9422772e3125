"""`journeymap doctor` as it is called, in this process: its exit code, its lines, and its document."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from journeymap.cli import main
from journeymap.simulator.server import SimulatedPlatform

QUIET = ("--port", "0", "--ingest-port", "0")
"""Ports that are always free."""


class Doctor:
    """Calls the command in a directory of its own, with nothing of this machine's environment in the way."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        monkeypatch.chdir(directory)
        for name in [name for name in os.environ if name.startswith("JOURNEYMAP_") or name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)

    def set(self, **settings: str) -> None:
        """Set these settings in the environment."""
        for name, value in settings.items():
            self._monkeypatch.setenv(f"JOURNEYMAP_{name.upper()}", value)

    def use(self, platform: SimulatedPlatform, **changes: str) -> None:
        """Have it check this platform."""
        names = ("login_url", "api_url", "stream_url", "client_id", "client_secret")
        self.set(**{"source": "eventstreams", **{name: getattr(platform, name) for name in names}, **changes})

    def say(self, *arguments: str) -> tuple[int, str]:
        """Exit code and all it says."""
        code = main(("doctor", *QUIET, *arguments))
        out, err = self._capfd.readouterr()
        assert err == ""
        return code, out

    def find(self, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Exit code and the checks by name; of several of one name, the worst."""
        code, out = self.say("--json", *arguments)
        badness = ("skip", "ok", "warn", "fail")
        checks: dict[str, dict[str, Any]] = {}
        for check in sorted(json.loads(out)["checks"], key=lambda check: badness.index(check["grade"])):
            checks[check["name"]] = check
        return code, checks

    def wrong(self, *arguments: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
        """Exit code and what is not well: name to grade, what was found, remedy."""
        code, checks = self.find(*arguments)
        return code, {
            name: (check["grade"], check["found"], check["remedy"])
            for name, check in checks.items()
            if check["grade"] in ("warn", "fail")
        }
