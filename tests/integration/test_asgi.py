"""The application under a server of one's own: what `app:server` starts, and when, and how many of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from journeymap.model.status import IngestStatus, decode_status
from journeymap.store.disk import open_disk_reader

from .process import CHECKOUT, Command, platforms, until

# Imports the application as a server does, and says what that must not do.
IMPORT = """
import sys, threading
sys.dont_write_bytecode = True
doing = []
def watch(event, arguments):
    if event in {"socket.bind", "socket.connect", "subprocess.Popen", "os.mkdir", "os.fork", "os.posix_spawn"}:
        doing.append(f"{event} {arguments}")
    elif event == "open" and any(letter in str(arguments[1] or "") for letter in "wax+"):
        doing.append(f"open {arguments}")
sys.addaudithook(watch)
import app
assert callable(app.server)
print(doing, [thread.name for thread in threading.enumerate()])
"""


def environment(directory: Path, **more: str) -> dict[str, str]:
    return {
        "JOURNEYMAP_STORE": f"disk:{directory / 'store'}",
        "JOURNEYMAP_SIMULATOR_RATE": "20",
        "JOURNEYMAP_SIMULATOR_HISTORY": "30s",
        **more,
    }


def uvicorn(directory: Path, *more: str, **variables: str) -> Command:
    arguments = ("app:server", "--port", "0", *more)
    return Command(*arguments, log=directory / "log", module="uvicorn", **environment(directory, **variables))


def status_in(directory: Path) -> IngestStatus:
    """What ingest last wrote, read off the store."""
    reader = open_disk_reader(directory / "store")
    try:
        document = reader.document("status")
        return IngestStatus() if document is None else decode_status(document)
    finally:
        reader.close()


def test_importing_the_application_starts_nothing(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=CHECKOUT,
        env={**os.environ, **environment(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (answer.stdout, answer.stderr) == (b"[] ['MainThread']\n", b"")
    assert list(tmp_path.iterdir()) == []


def test_one_of_two_workers_ingests_and_the_other_takes_over(tmp_path: Path) -> None:
    seed = str(random.randrange(10**9, 10**12))
    with uvicorn(tmp_path, "--workers", "2", JOURNEYMAP_SIMULATOR_SEED=seed) as server:
        until(lambda: status_in(tmp_path).counts.events > 100, "events")
        first = status_in(tmp_path)
        assert len(platforms(seed)) == 1
        until(lambda: server.get("/readyz").status_code == 200, "readiness")  # type: ignore[union-attr]
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: status_in(tmp_path).pid not in (0, first.pid), "another worker ingests", 15)
        second = status_in(tmp_path)
        until(lambda: status_in(tmp_path).counts.events > 20, "events again")
        assert second.pid != first.pid
        until(lambda: len(platforms(seed)) == 1, "the dead worker's platform is gone")
        assert server.stop() in (0, -signal.SIGTERM)
        assert status_in(tmp_path).error == "ingest was stopped"
        assert "Traceback" not in server.output
    until(lambda: not platforms(seed), "the platform is gone", 5)


def test_a_worker_whose_ingest_cannot_start_says_why_and_ends(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a directory")
    with uvicorn(tmp_path) as server:
        server.process.wait(20)
        assert "ingest cannot start" in server.output
        assert "Traceback" not in server.output


def test_a_single_worker_ends_with_everything_stored(tmp_path: Path) -> None:
    seed = str(random.randrange(10**9, 10**12))
    with uvicorn(tmp_path, JOURNEYMAP_SIMULATOR_SEED=seed) as server:
        until(lambda: server.status().get("journeys", 0) > 20, "journeys")
        assert server.stop(signal.SIGINT) in (0, -signal.SIGINT, 130)
        assert "Traceback" not in server.output
    status = status_in(tmp_path)
    assert (status.error, status.journal_lag_bytes) == ("ingest was stopped", 0)
    until(lambda: not platforms(seed), "the platform is gone", 5)


def test_the_application_file_is_the_run_command(tmp_path: Path) -> None:
    def answer(*arguments: str) -> str:
        command = [sys.executable, *arguments, "--help"]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True, text=True).stdout

    assert answer("app.py") == answer("-m", "journeymap", "run")
    assert "Commands:" in answer("-m", "journeymap")
