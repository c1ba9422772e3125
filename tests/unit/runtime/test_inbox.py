"""The queue between receiving and stitching: in memory up to a bound, and behind that in the journal."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.journal.journal import Journal
from journeymap.journal.replay import Replay
from journeymap.journal.segment import segments
from journeymap.model.record import Record
from journeymap.runtime.inbox import WORTHWHILE, Inbox


class Received:
    """A journal and an inbox behind it, as the receiving threads see them. `interrupt` is called wherever another thread
    might come in between while the journal is read."""

    def __init__(self, journal: Journal, **bounds: int) -> None:
        self.journal = journal
        self.records: list[Record] = []
        self.taken: list[Record] = []
        self.interrupt: Callable[[], None] = lambda: None
        self.inbox = Inbox(self._replay, 0, journal.end, **bounds)

    def _replay(self, start: int, end: int) -> Replay:
        self.interrupt()
        outer = self

        class Interrupted(Replay):
            def __next__(self) -> Record:
                outer.interrupt()
                return super().__next__()

        return Interrupted(self.journal.directory, start, end)

    def put(self, size: int = 10, source: str = "one") -> None:
        number = len(self.records)
        data = b"%d" % number + b"x" * size
        end = self.journal.append(source, data, 1_000 + number)
        self.records.append(Record(data, source, 1_000 + number, end))
        self.inbox.put(self.records[-1])

    def take(self, *handful: int) -> list[int]:
        """Which are taken, by their numbers."""
        taken = self.inbox.take(*handful)
        self.taken += taken
        return [record.arrived_at - 1_000 for record in taken]

    def take_all(self) -> None:
        while self.inbox.waiting_bytes:
            self.take()


@contextlib.contextmanager
def received(folder: Path, **bounds: int) -> Iterator[Received]:
    with contextlib.closing(Journal.open(folder / "journal", segment_bytes=2_000)) as journal:
        yield Received(journal, **bounds)


def test_gives_back_in_order_what_was_put_in(tmp_path: Path) -> None:
    with received(tmp_path) as box:
        assert (box.take(), box.inbox.waiting_bytes) == ([], 0)
        for size in range(5):
            box.put(size)
        assert box.take() == [0, 1, 2, 3, 4]
        assert (box.take(), box.inbox.waiting_bytes) == ([], 0)
        assert box.taken == box.records


def test_takes_about_a_handful_at_once_and_at_least_one(tmp_path: Path) -> None:
    with received(tmp_path, batch=3) as box:
        for _ in range(8):
            box.put(9)
        assert box.take(15) == [0, 1]
        assert box.take(1) == [2]
        assert box.take() == [3, 4, 5]  # a batch
        assert box.inbox.waiting_bytes == box.journal.end - box.records[5].end


def test_tells_since_when_the_oldest_waits(tmp_path: Path) -> None:
    with received(tmp_path, max_records=2) as box:
        assert box.inbox.waiting_since() is None
        for _ in range(4):
            box.put()
            assert box.inbox.waiting_since() == 1_000
        for number in range(4):
            assert box.inbox.waiting_since() == 1_000 + number
            assert box.take(1) == [number]
        assert box.inbox.waiting_since() is None


@pytest.mark.parametrize("bounds", [{"max_records": 3}, {"max_bytes": 33}], ids=["records", "bytes"])
def test_what_finds_no_room_waits_in_the_journal_and_nobody_waits_for_it(
    tmp_path: Path, bounds: dict[str, int]
) -> None:
    with received(tmp_path, **bounds) as box:
        for _ in range(9):
            box.put()
        assert box.inbox.waiting_bytes == box.journal.end - segments(box.journal.directory)[0].base - 8
        assert box.take() == [0, 1, 2]
        assert box.inbox.waiting_bytes == box.journal.end - box.records[2].end
        assert not box.inbox.replaying
        assert box.take(1) == [3]
        assert box.inbox.replaying
        box.put()  # there is room again, and it comes after what is still read
        assert box.take() == [4, 5, 6, 7, 8]
        assert not box.inbox.replaying
        assert box.take() == [9]
        assert box.taken == box.records
        assert box.inbox.waiting_bytes == 0


def test_one_record_always_finds_room(tmp_path: Path) -> None:
    with received(tmp_path, max_bytes=5) as box:
        box.put(100)
        assert not box.inbox.replaying
        assert box.take() == [0]


def test_what_the_journal_held_before_comes_first(tmp_path: Path) -> None:
    with received(tmp_path) as before:
        for _ in range(5):
            before.put()
        box = Received(before.journal, batch=2)
        assert box.inbox.replaying
        assert box.inbox.has_batch
        assert box.inbox.waiting_since() == 1_000
        box.records = list(before.records)
        box.put()
        assert [box.take() for _ in range(4)] == [[0, 1], [2, 3], [4], [5]]


def test_what_cannot_be_read_is_counted_and_does_not_wait_for_ever(tmp_path: Path) -> None:
    with received(tmp_path, max_records=2) as box:
        for _ in range(200):
            box.put(100)
        first, second = segments(box.journal.directory)[1:3]
        data = bytearray(first.path.read_bytes())
        data[60] ^= 1
        first.path.write_bytes(data)
        second.delete()
        box.take_all()
        lost = [record for record in box.records if record not in box.taken]
        assert box.taken == [record for record in box.records if record not in lost]
        third = segments(box.journal.directory)[2]
        assert [one for one in lost if not second.base < one.end <= third.base] == lost[:1]
        assert box.inbox.damage.bytes == len(lost[0].data) + 20 + third.base - second.base


def test_a_batch_ends_the_wait(tmp_path: Path) -> None:
    with received(tmp_path, batch=3) as box:
        assert not box.inbox.wait(0)
        for _ in range(2):
            box.put()
        assert not box.inbox.wait(0)
        waited: list[bool] = []
        thread = threading.Thread(target=lambda: waited.append(box.inbox.wait(30)), daemon=True)
        thread.start()
        box.put()
        thread.join(10)
        assert waited == [True]
        box.take()
        assert not box.inbox.has_batch


def test_many_bytes_and_a_journal_that_is_ahead_end_the_wait_too(tmp_path: Path) -> None:
    with received(tmp_path, max_records=2) as box:
        box.put(WORTHWHILE - 10)
        assert not box.inbox.wait(0)
        box.put()
        assert box.inbox.wait(0)
        box.take()
        for _ in range(3):
            box.put()
        assert box.inbox.wait(0)


def test_nobody_waits_once_it_is_woken(tmp_path: Path) -> None:
    with received(tmp_path) as box:
        box.inbox.wake()
        assert box.inbox.wait(30)


@settings(max_examples=150, deadline=None)
@given(
    before=st.integers(0, 5),
    steps=st.lists(st.tuples(st.sampled_from(["put", "take", "pack"]), st.integers(0, 120)), max_size=40),
    interruptions=st.lists(st.integers(0, 3), max_size=60),
    bounds=st.fixed_dictionaries(
        {"batch": st.integers(1, 6), "max_records": st.integers(1, 6), "max_bytes": st.integers(1, 300)}
    ),
)
def test_whenever_the_others_come_in_between_nothing_is_taken_twice_or_left_out(
    before: int, steps: list[tuple[str, int]], interruptions: list[int], bounds: dict[str, int]
) -> None:
    """Two sources receive, also at every point where reading the journal lets other threads run."""
    with tempfile.TemporaryDirectory() as folder, received(Path(folder)) as earlier:
        for _ in range(before):
            earlier.put()
        box = Received(earlier.journal, **bounds)
        box.records = list(earlier.records)
        left = iter(interruptions)

        def others() -> None:
            for number in range(next(left, 0)):
                box.put(number * 20, ("one", "two")[number % 2])

        box.interrupt = others
        for step, size in steps:
            if step == "put":
                box.put(size, ("one", "two")[size % 2])
            elif step == "take":
                box.take(max(1, size))
            else:
                box.journal.pack()
            waiting = [record for record in box.records if record not in box.taken]
            assert box.taken == box.records[: len(box.taken)]
            assert box.inbox.waiting_since() == (waiting[0].arrived_at if waiting else None)
            assert bool(box.inbox.waiting_bytes) == bool(waiting)
            assert len(box.inbox._records) <= bounds["max_records"]
            assert box.inbox._bytes <= max(bounds["max_bytes"], 130)
        box.take_all()
        assert box.taken == box.records
        assert (box.inbox.missing, box.inbox.damage.bytes) == (0, 0)


def test_tells_when_little_waits(tmp_path: Path) -> None:
    with received(tmp_path, batch=2) as box:
        assert box.inbox.wait_for_fewer(0, 0)
        for _ in range(5):
            box.put(size=50)
        waiting = box.inbox.waiting_bytes
        assert not box.inbox.wait_for_fewer(waiting - 1, 0)
        assert box.inbox.wait_for_fewer(waiting, 0)
        came = threading.Event()

        def patient() -> None:
            if box.inbox.wait_for_fewer(waiting // 2, 30):
                came.set()

        with contextlib.closing(_Thread(patient)):
            box.take_all()
            assert came.wait(30)


class _Thread:
    def __init__(self, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
