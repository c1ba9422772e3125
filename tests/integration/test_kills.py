"""`kill -9` while the journal absorbs, is replayed, ends segments and packs them: nothing that was taken is lost or doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from journeymap.journal.journal import Journal
from journeymap.journal.replay import read_journal
from journeymap.runtime.pipeline import JOURNAL

from .ingest import CLOCK, Running, assert_holds, source
from .killed import event_frame, opened_store
from .process import CHECKOUT, until

MOMENTS = (900, 1, 400, 1)
"""After so many events each process is killed. What the one before has left behind is replayed for longer than one event."""


def deliver_and_die(directory: Path, began: int, first: int, count: int) -> int:
    """Run the process until it has taken so many events and a segment is packed, kill it; the number of the last event that it
    took."""
    command = [sys.executable, "-m", "tests.integration.killed", str(directory), str(began), str(first)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            taken: list[int] = []
            while len(taken) < count or not list((directory / "journal").glob("*.zst")):
                taken.append(int(process.stdout.readline()))
        finally:
            process.kill()
        taken += [int(line) for line in process.stdout if line.endswith(b"\n")]
    return taken[-1]


def test_kills_while_the_journal_absorbs_and_is_replayed(tmp_path: Path) -> None:
    began, taken = CLOCK.now(), -1
    for count in MOMENTS:
        before = taken
        taken = deliver_and_die(tmp_path, began, taken + 1, count)
        assert taken >= before + count
        store = opened_store(tmp_path)
        committed = store.positions().get(JOURNAL, 0)
        store.close()
        replay = read_journal(tmp_path / "journal", committed)
        waiting = [record.data for record in replay]
        assert len(waiting) > 100  # far more than memory would take: the journal has it
        assert (replay.missing, replay.damage.bytes) == (0, 0)
        assert event_frame(began, taken) in waiting[-2:]  # the very last one may have been taken without being told
    store = opened_store(tmp_path)
    try:
        journal = Journal.open(tmp_path / "journal", not_before=store.positions().get(JOURNAL, 0))
        received = [record.data for record in journal.replay(0)]
        with Running(tmp_path, store, source(), journal=journal) as running:
            assert running.ingest.wait_until_replayed(30)
            until(lambda: not running.ingest._inbox.waiting_bytes, "nothing waits")
        assert set(received) >= {event_frame(began, number) for number in range(taken + 1)}
        assert len(received) <= taken + 1 + len(MOMENTS)
        assert_holds(store, received)
    finally:
        store.close()
