"""The commands as processes: from the simulated platform to the HTTP interface, through kills and stops."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from journeymap.bootstrap import stitch_options
from journeymap.settings import load
from journeymap.stitch.options import StitchOptions

from .process import (
    CHECKOUT,
    Command,
    platforms,
    received_events,
    received_frames,
    received_journeys,
    stored_journeys,
    until,
)

KILLS = int(os.environ.get("KILLS", "3"))
"""How often `run` is killed. The acceptance run takes 20."""

MUCH = 500_000
"""So many bytes are stored at a stop in a moment, on a busy machine too."""


@pytest.fixture
def options() -> StitchOptions:
    return stitch_options(load({"source": "simulator"}))


def run(store: Path, *more: str) -> Command:
    return Command("run", "--port", "0", "--store", f"disk:{store}", *more, log=store.parent / "run.log")


def test_run_shows_history_at_once_and_goes_on_live(tmp_path: Path) -> None:
    with run(tmp_path / "store", "--rate", "20") as command:
        status = until(
            lambda: (found := command.status()).get("journeys", 0) > 500 and found, "half an hour of history"
        )
        assert status["state"] == "OPEN"
        assert status["counts"]["quarantined"] == 0
        until(lambda: command.status()["counts"]["events"] > status["counts"]["events"] + 20, "live events")
        assert command.get("/readyz").status_code == 200  # type: ignore[union-attr]
        assert b"journeymap_journeys" in command.get("/metrics").content  # type: ignore[union-attr]
        assert command.stop(signal.SIGINT) == 0


def test_a_clean_stop_stores_everything_received(tmp_path: Path, options: StitchOptions) -> None:
    store = tmp_path / "store"
    with run(store, "--rate", "300", "--history", "1m") as command:
        until(lambda: command.status().get("counts", {}).get("events", 0) > 3_000, "events")
        assert command.stop() == 0
    assert len(received_events(store)) > 3_000
    assert stored_journeys(store, options) == received_journeys(store, options)


@pytest.mark.timeout(60 + 15 * KILLS)
def test_kills_at_any_moment_lose_and_double_nothing(tmp_path: Path, options: StitchOptions) -> None:
    store = tmp_path / "store"
    chance = random.Random(4)
    starts = []
    for _ in range(KILLS):
        with run(store, "--rate", "300", "--history", "1m") as command:
            until(lambda: command.status().get("journeys", 0), "journeys")
            starts.append(time.monotonic() - command.began)
            time.sleep(chance.uniform(0, 2))
            command.kill()
        committed = {event.event_id for journey in stored_journeys(store, options) for event in journey.events}
    with run(store, "--rate", "300", "--history", "1m") as command:
        until(lambda: command.status().get("counts", {}).get("events"), "events")
        # A stop leaves to the next start what it cannot store in time.
        until(lambda: command.status().get("waiting_bytes", MUCH) < MUCH, "the backlog is folded")
        assert command.stop() == 0
    held = [event.event_id for journey in stored_journeys(store, options) for event in journey.events]
    assert len(held) == len(set(held))
    assert committed <= set(held)
    assert stored_journeys(store, options) == received_journeys(store, options)
    print(f"started in (s): {', '.join(f'{seconds:.2f}' for seconds in starts)}")


def test_ingest_and_serve_share_a_store(tmp_path: Path) -> None:
    store = f"disk:{tmp_path / 'store'}"
    with Command("serve", "--port", "0", "--store", store, log=tmp_path / "serve.log") as serving:
        until(lambda: serving.get("/healthz"), "serve before there is a store")
        assert serving.get("/readyz").status_code == 503  # type: ignore[union-attr]
        arguments = ("ingest", "--ingest-port", "0", "--store", store, "--rate", "50")
        with Command(*arguments, log=tmp_path / "ingest.log") as ingesting:
            until(lambda: serving.status().get("journeys", 0) > 100, "journeys at the other process")
            assert serving.get("/readyz").status_code == 200  # type: ignore[union-attr]
            assert ingesting.get("/readyz").status_code == 200  # type: ignore[union-attr]
            with Command(*arguments, log=tmp_path / "second.log") as second:
                assert second.process.wait(20) == 1
                assert str(ingesting.process.pid) in second.output
                assert second.output.count("\n") == 1
            assert ingesting.stop() == 0
        page = until(lambda: serving.get("/api/v1/journeys?limit=1000"), "the list").json()
        listed = page["journeys"][0]
        detail = serving.get(f"/api/v1/journeys/{listed['journey_id']}").json()  # type: ignore[union-attr]
        assert detail["customer_id"] == listed["customer_id"]
        until(lambda: not serving.status()["ingest_running"], "that ingest has ended is seen")
        assert serving.stop() == 0


def test_recorded_events_stitch_and_import_to_the_same(tmp_path: Path) -> None:
    recorded = tmp_path / "events.jsonl"
    elsewhere = ("--store", f"disk:{tmp_path / 'nowhere'}", "--rate", "200", "--history", "1m")
    with Command("record", "-o", str(recorded), *elsewhere, log=tmp_path / "log") as recording:
        until(lambda: recorded.exists() and recorded.stat().st_size > 500_000, "recorded events")
        assert recording.stop() == 0

    def journeymap(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "journeymap", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True)

    stitched = [json.loads(line) for line in journeymap("stitch", str(recorded)).stdout.splitlines()]
    store = f"disk:{tmp_path / 'imported'}"
    for _ in range(2):  # importing twice does no harm
        journeymap("import", str(recorded), "--store", store)
    with Command("serve", "--port", "0", "--store", store, log=tmp_path / "serve.log") as serving:
        until(lambda: serving.get("/healthz"), "serve")
        for journey in stitched[:20]:
            document = serving.get(f"/api/v1/journeys/{journey['journey_id']}").json()  # type: ignore[union-attr]
            assert document["events"] == journey["events"]
            assert document["transfers"] == journey["transfers"]


def test_record_copies_the_journal_of_a_running_ingest(tmp_path: Path) -> None:
    store, seed = tmp_path / "store", str(random.randrange(10**9, 2 * 10**9))
    over = ("--store", f"disk:{store}", "--seed", seed)
    whole, live = tmp_path / "whole.jsonl", tmp_path / "live.jsonl"

    def frames(file: Path) -> list[bytes]:
        return file.read_bytes().splitlines() if file.exists() else []

    arguments = ("ingest", "--ingest-port", "0", "--rate", "100", "--history", "1m", *over)
    with Command(*arguments, log=tmp_path / "ingest.log") as ingesting:
        until(lambda: len(received_frames(store)) > 50, "received frames")
        with (
            Command("record", "--all", "-o", str(whole), *over, log=tmp_path / "whole.log") as copying,
            Command("record", "-o", str(live), *over, log=tmp_path / "live.log") as following,
        ):
            until(lambda: frames(live) and len(frames(whole)) > 50, "recorded frames")
            assert len(platforms(seed)) == 1  # nobody else has connected
            assert ingesting.stop() == 0
            received = received_frames(store)
            until(lambda: len(frames(whole)) == len(received), "all that was received")
            until(lambda: frames(live)[-1] == received[-1], "the last that was received")
            for recording in (copying, following):
                assert recording.stop(signal.SIGINT) == 0
                assert "recording from its journal" in recording.output
    assert frames(whole) == received
    assert 0 < len(frames(live)) < len(received)
    assert frames(live) == received[-len(frames(live)) :]
    # With nobody there to copy from it takes what is kept, and then connects itself.
    again = tmp_path / "again.jsonl"
    with Command("record", "--all", "-o", str(again), *over, log=tmp_path / "again.log") as recording:
        until(lambda: len(frames(again)) > len(received), "frames of its own")
        assert recording.stop() == 0
        assert "No ingest is running" in recording.output
    assert frames(again)[: len(received)] == received


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with run(tmp_path / "store") as command:
        port = command.address.rpartition(":")[2]
        second = Command("run", "--port", port, "--store", f"disk:{tmp_path / 'other'}", log=tmp_path / "second.log")
        with second:
            assert second.process.wait(20) == 2
            assert "PORT" in second.output
            assert second.output.count("\n") == 1


def test_faults_of_the_simulated_platform_are_seen(tmp_path: Path) -> None:
    with run(tmp_path / "store", "--simulator-faults", "refuse_tokens=401, no_greeting") as command:
        status = until(lambda: "401" in ((found := command.status()).get("error") or "") and found, "a refusal")
        assert status["state"] == "DISCONNECTED"
    with run(tmp_path / "store", "--simulator-faults", "refuse_tokens=200") as command:
        assert command.process.wait(20) == 2
        assert "SIMULATOR_FAULTS: refuse_tokens is '200', allowed are 400, 401, 403" in command.output
