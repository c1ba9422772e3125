"""`journeymap backfill` against the simulated platform: counted, by itself, and through a running ingest."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from journeymap.cli import main
from journeymap.journal.replay import read_journal
from journeymap.simulator.server import SimulatedPlatform
from journeymap.store.disk import open_disk_reader
from tests.integration.process import Command


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings that lead to nowhere yet, with a store of its own."""
    found = {
        "SOURCE": "eventbridge",
        "EVENTBRIDGE_KEY": "a-key-of-many-letters-and-digits-0123456789",
        "STORE": f"disk:{tmp_path / 'store'}",
        "CLIENT_ID": "nobody",
        "CLIENT_SECRET": "nothing",
        **dict.fromkeys(("LOGIN_URL", "API_URL"), "http://127.0.0.1:9"),
        "STREAM_URL": "ws://127.0.0.1:9",
        "INGEST_PORT": "0",
        "BACKFILL": "off",
    }
    return {f"JOURNEYMAP_{name}": value for name, value in found.items()}


def test_a_period_is_counted_fetched_and_fetched_by_ingest(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"

    def said(*arguments: str, code: int = 0) -> str:
        assert main(["backfill", *arguments]) == code
        return capsys.readouterr().err

    with SimulatedPlatform(rate=1.0) as platform:
        environment |= {
            "JOURNEYMAP_CLIENT_ID": platform.client_id,
            "JOURNEYMAP_CLIENT_SECRET": platform.client_secret,
            "JOURNEYMAP_LOGIN_URL": platform.login_url,
            "JOURNEYMAP_API_URL": platform.api_url,
            "JOURNEYMAP_STREAM_URL": platform.stream_url,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        counted = re.match(
            r"([\d,]+) conversations: ([\d,]+) events in them, nothing written", said("--last", "5m", "--dry-run")
        )
        assert counted and not (store / "journal").exists()
        fetched = re.match(
            r"([\d,]+) conversations: ([\d,]+) new events, ([\d,]+) known already;", said("--last", "5m")
        )
        assert fetched and int(fetched[2].replace(",", "")) > 0
        assert {record.source for record in read_journal(store / "journal")} == {"backfill"}
        with contextlib.closing(open_disk_reader(store)) as reader:
            assert reader.count() > 0
        again = re.match(r"[\d,]+ conversations: ([\d,]+) new events?, ([\d,]+) known already;", said("--last", "4m"))
        assert again and int(again[1].replace(",", "")) < int(again[2].replace(",", ""))
        platform.set_faults(missing_permissions="analytics:conversationDetail:view")
        assert "analytics:conversationDetail:view" in said("--last", "1m", code=1)
        platform.reset_faults()
        with Command("ingest", log=tmp_path / "log", **environment) as ingest:
            assert ingest.address
            through = said("--last", "1m")
        assert "Ingest is running (process " in through
        assert re.search(r"[\d,]+ conversations? with news, [\d,]+ without, \d+ requests", through)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--from TIME or --last TIME must be given"),
        (("--from", "yesterday"), "--from is 'yesterday'; use milliseconds"),
        (("--last", "1h", "--to", "2026-01-01"), "--last says all about the time"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "--from must lie before --to"),
        (("--from", "2026-01-02", "--to", "2099-01-01"), "--to lies in the future"),
        (("--last", "1h", "--source", "eventstreams"), "SOURCE is eventstreams: records are asked of the platform"),
    ],
)
def test_what_cannot_be_is_said(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backfill", *arguments, "--store", f"disk:{tmp_path / 'store'}"]) != 0
    assert words in capsys.readouterr().err
