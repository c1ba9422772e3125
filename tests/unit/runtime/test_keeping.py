"""The journal is kept safe and small."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from journeymap.errors import JournalError
from journeymap.journal.journal import Journal
from journeymap.journal.segment import segments
from journeymap.model.time import DAY, MINUTE
from journeymap.runtime.keeping import AGE_SHARE, JournalKeeper
from journeymap.testing import ManualClock


class Kept:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.journal = Journal.open(folder / "journal", segment_bytes=1_000)
        self.committed = 0
        self.keeper = JournalKeeper(self.journal, lambda: self.committed, 2_500, 7 * DAY, self.clock.now)

    def append(self, count: int) -> None:
        for _ in range(count):
            self.journal.append("one", Random(self.journal.end).randbytes(100), self.clock.now())
        for segment in segments(self.journal.directory):  # as if written by the test's clock
            if segment.path.exists():
                os.utime(segment.path, ns=(0, self.clock.now() * 1_000_000))

    def tidy(self) -> None:
        self.keeper.tidy(lambda: True)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.journal.close()


def test_finished_segments_are_packed(kept: Kept) -> None:
    kept.append(60)
    before = list(kept.journal.replay(0))
    kept.tidy()
    found = segments(kept.journal.directory)
    assert len(found) > 4
    assert [segment.packed.exists() for segment in found] == [True] * (len(found) - 1) + [False]
    assert list(kept.journal.replay(0)) == before


def test_only_what_is_in_the_store_is_forgotten(kept: Kept) -> None:
    kept.append(60)
    found = segments(kept.journal.directory)
    kept.committed = found[2].base
    kept.tidy()
    assert segments(kept.journal.directory) == found[2:]
    kept.committed = kept.journal.end
    kept.tidy()
    assert kept.journal.size() <= 2_500


def test_what_is_old_goes_and_the_segment_that_is_written_to_ends_so_that_it_can(kept: Kept) -> None:
    kept.append(2)
    kept.committed = kept.journal.end
    first = segments(kept.journal.directory)
    kept.clock.advance(7 * DAY // AGE_SHARE)
    kept.tidy()
    assert segments(kept.journal.directory) == first
    kept.clock.advance(MINUTE)
    kept.tidy()
    assert len(segments(kept.journal.directory)) == 2
    kept.clock.advance(6 * DAY)
    kept.tidy()
    assert segments(kept.journal.directory)[0] == first[0]
    kept.clock.advance(DAY)
    kept.tidy()
    assert segments(kept.journal.directory)[0] != first[0]
    assert kept.journal.oldest_at() is None


def test_a_failing_tidying_is_said_once_and_tried_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept.append(60)

    def fail(_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("journeymap.journal.packed.os.fsync", fail)
        kept.tidy()
        kept.tidy()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    kept.tidy()
    assert segments(kept.journal.directory)[0].packed.exists()


def test_a_sync_waits_for_room_and_raises_all_else(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    synced: list[int] = []
    number = 28

    def sync(file: int) -> None:
        if number:
            raise OSError(number, os.strerror(number))
        synced.append(file)

    kept.append(20)
    monkeypatch.setattr("journeymap.journal.journal.os.fsync", sync)
    kept.keeper.sync()
    kept.keeper.sync()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    number = 5
    with pytest.raises(JournalError, match="Input/output error"):
        kept.keeper.sync()
    number = 0
    kept.keeper.sync()
    assert len(synced) >= len(segments(kept.journal.directory)) + 1  # what failed before, and the directory
