"""Starts that cannot succeed, and ends in a hurry: one clear line each, the right exit code, and nothing left behind."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from journeymap.store.disk import open_disk_store

from .process import Command, platforms, until


def a_file(path: Path) -> None:
    path.write_text("not a directory")


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("not a directory")


def corrupt(path: Path) -> None:
    path.mkdir(mode=0o700)
    (path / "cache.db").write_bytes(b"this is no database" * 1_000)


def of_another_source(path: Path) -> None:
    open_disk_store(path, source="eventstreams", environment="dev", now=1).close()


def with_a_journal_that_is_a_file(path: Path) -> None:
    path.mkdir(mode=0o700)
    (path / "journal").write_text("not a directory")


@pytest.mark.parametrize("command", ["run", "ingest"])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (a_file, "the store in {path} failed"),
        (below_a_file, "the store in {path} failed"),
        (corrupt, "the store in {path} cannot be read"),
        (of_another_source, "belongs to source 'eventstreams', not to 'simulator'"),
        (with_a_journal_that_is_a_file, "the journal in {path}/journal failed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_store_of_no_use_is_one_clear_line(tmp_path: Path, command: str, spoil, says: str) -> None:
    path = tmp_path / "parent" / "store"
    path.parent.mkdir()
    spoil(path)
    seed = str(random.randrange(10**9, 10**12))
    port = "--port" if command == "run" else "--ingest-port"
    arguments = (command, port, "0", "--seed", seed, "--store", f"disk:{path}")
    with Command(*arguments, log=tmp_path / "log") as refused:
        assert refused.process.wait(20) == 1
        assert says.format(path=path) in refused.output
        assert refused.output.count("\n") == 1
        assert platforms(seed) == []


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGINT)], ids=["once", "twice"])
def test_an_end_in_the_middle_of_history(tmp_path: Path, signals: tuple[signal.Signals, ...]) -> None:
    seed = str(random.randrange(10**9, 10**12))
    store = tmp_path / "store"
    arguments = ("run", "--port", "0", "--rate", "500", "--history", "40s", "--seed", seed, "--store", f"disk:{store}")
    with Command(*arguments, log=tmp_path / "log") as running:
        until(lambda: running.status().get("counts", {}).get("events", 0) > 1_000, "the history")
        for number in signals[:-1]:
            running.process.send_signal(number)
        assert running.stop(signals[-1]) == 0
        assert "Traceback" not in running.output
        assert " error " not in running.output
    assert platforms(seed) == []
