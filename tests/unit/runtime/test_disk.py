"""The guard of the disk, with disks that have as much room as the test says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journeymap.journal.journal import Journal
from journeymap.journal.segment import segments
from journeymap.runtime.disk import DiskGuard, free_space
from journeymap.testing import ManualClock, ScriptedSource

RESERVE = 100 << 20


class Disks:
    """Free bytes by the name of the directory; what the journal gives back is added where that lies."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._at_first = journal.size()
        self.free: dict[str, float] = {"journal": 2 * RESERVE, "store": 2 * RESERVE}
        self.gone = False

    def __call__(self, path: Path) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        given_back = self._at_first - self._journal.size() if path.name == "journal" else 0
        return int(self.free[path.name]) + given_back


class Guarded:
    def __init__(self, folder: Path) -> None:
        self.journal = Journal.open(folder / "journal", segment_bytes=1_000)
        for number in range(40):
            self.journal.append("one", b"x" * 100, number)
        self.disks = Disks(self.journal)
        self.sources = [ScriptedSource(clock=ManualClock().now, name=name) for name in ("one", "two")]
        self.committed = 0
        self.guard = DiskGuard(
            self.journal, folder / "store", RESERVE, self.sources, lambda: self.committed, self.disks
        )

    @property
    def held(self) -> list[str | None]:
        return [source._held for source in self.sources]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    guarded = Guarded(tmp_path)
    yield guarded
    guarded.journal.close()


def test_room_enough_is_told_and_nothing_else(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    guarded.disks.free["store"] = RESERVE
    guarded.guard.look()
    assert (guarded.guard.free_bytes, guarded.guard.reading_stopped, guarded.held) == (RESERVE, None, [None, None])
    assert caplog.records == []


@pytest.mark.parametrize("full", ["journal", "store"])
def test_below_the_reserve_all_sources_are_held_until_there_is_clearly_more(
    guarded: Guarded, full: str, caplog: pytest.LogCaptureFixture
) -> None:
    guarded.disks.free[full] = RESERVE - 1
    guarded.guard.look()
    reason = guarded.guard.reading_stopped
    assert reason is not None
    assert reason.endswith(
        f"/{full} has 100.0 MiB free, less than the 100.0 MiB that are kept (DISK_RESERVE): make room there"
    )
    assert guarded.held == [reason, reason]
    for free in (RESERVE // 2, RESERVE, 1.09 * RESERVE):
        guarded.disks.free[full] = free
        guarded.guard.look()
        assert (guarded.guard.reading_stopped, guarded.guard.free_bytes) == (reason, int(free))
        assert guarded.held == [reason, reason]
    guarded.disks.free[full] = 1.1 * RESERVE
    guarded.guard.look()
    assert (guarded.guard.reading_stopped, guarded.held) == (None, [None, None])
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"reading is stopped: {reason}"),
        ("WARNING", "reading goes on: the disk has 110.0 MiB free again"),
    ]


def test_what_is_in_the_store_goes_before_reading_stops(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    found = segments(guarded.journal.directory)
    guarded.committed = found[3].base
    guarded.disks.free["journal"] = RESERVE - 1_000  # two segments would do, but not for long
    guarded.guard.look()
    assert segments(guarded.journal.directory) == found[3:]
    assert (guarded.guard.reading_stopped, guarded.held) == (None, [None, None])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "of the journal that are in the store were dropped" in caplog.text


def test_only_as_much_goes_as_has_to(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    guarded.guard._reserve, guarded.guard._enough = 10_000, 11_000
    guarded.disks.free = {"journal": 9_500, "store": 50_000}
    guarded.committed = guarded.journal.end
    found = segments(guarded.journal.directory)
    guarded.guard.look()
    assert segments(guarded.journal.directory) == found[2:]
    assert 11_000 <= (guarded.guard.free_bytes or 0) < 12_500
    guarded.journal.close()


def test_the_journal_is_left_alone_where_another_disk_is_full(guarded: Guarded) -> None:
    guarded.committed = guarded.journal.end
    guarded.disks.free["store"] = 0
    size = guarded.journal.size()
    guarded.guard.look()
    assert guarded.guard.reading_stopped is not None
    assert guarded.journal.size() == size


def test_room_is_made_while_reading_is_stopped_too(guarded: Guarded) -> None:
    guarded.guard._reserve, guarded.guard._enough = 10_000, 11_000
    guarded.disks.free = {"journal": 9_000, "store": 50_000}
    guarded.guard.look()
    assert guarded.guard.reading_stopped is not None
    guarded.disks.free["journal"] = 10_500
    guarded.committed = guarded.journal.end  # what was received is in the store by now
    guarded.guard.look()
    assert guarded.guard.reading_stopped is None


def test_a_disk_that_cannot_be_asked_stops_nothing(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    guarded.disks.gone = True
    for _ in range(3):
        guarded.guard.look()
    assert (guarded.guard.free_bytes, guarded.held) == (None, [None, None])
    assert len(caplog.records) == 1
    guarded.disks.gone = False
    guarded.guard.look()
    assert guarded.guard.free_bytes == 2 * RESERVE


def test_a_real_disk_tells(tmp_path: Path) -> None:
    assert free_space(tmp_path) > 0
    with pytest.raises(OSError, match="No such file"):
        free_space(tmp_path / "nowhere")
