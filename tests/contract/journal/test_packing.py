"""The journal's promises once its finished segments are packed: the same records at the same offsets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from pathlib import Path
from zlib import crc32

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from journeymap.errors import JournalError, JournalFullError
from journeymap.journal import packed
from journeymap.journal.replay import Following, end_of_journal, is_written, read_journal
from journeymap.journal.segment import LEAD, MAGIC, Damage, segments
from journeymap.model.record import Record
from tests.contract.journal.filling import FRAMES, ROOT, filled
from tests.contract.journal.packing import KILLED_WHILE_PACKING, blocks_of, names, opened


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "BLOCK", 400)


def test_packing_changes_no_offset(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    written = [segment.path.read_bytes() for segment in segments(path)]
    with opened(path) as journal:
        before = journal.size()
        saved = journal.pack()
        assert journal.size() == before - saved < before
        assert names(path) == ["journal", *["journal.zst"] * (len(written) - 1)]
        assert journal.pack() == 0
        for start in (0, *(one.end for one in records)):
            assert list(journal.replay(start)) == [one for one in records if one.end > start]
        journal.append("es", b"more", 1)
        assert [one.data for one in journal.replay(records[-1].end)] == [b"more"]
    found = segments(path)
    for segment, raw in zip(found[:-1], written, strict=False):
        # Any program that knows Zstandard makes the segment again.
        with segment.packed.open("rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            assert reader.read(-1) == raw
    assert found[0].packed.stat().st_mode & 0o777 == 0o600


def test_a_stretch_that_begins_and_ends_inside_of_packed_segments(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    with opened(path) as journal:
        journal.pack()
        for first, last in ((0, 1), (3, 3), (5, 30), (17, 59)):
            stretch = journal.replay(records[first].end, records[last].end)
            assert list(stretch) == records[first + 1 : last + 1]
        assert list(read_journal(path, records[10].end - 7)) == records[10:]


def test_records_longer_than_a_block(path: Path) -> None:
    with opened(path, 5_000) as journal:
        sizes = [10, 3_000, 0, 399, 400, 401, 2_000, 4_000, 9_000, 1, 1]
        ends = [journal.append("es", b"x" * size, size) for size in sizes]
        journal.rotate(2**40)
        journal.pack()
        assert [(len(one.data), one.end) for one in journal.replay(0)] == list(zip(sizes, ends, strict=True))
        assert [len(one.data) for one in journal.replay(ends[7])] == [9_000, 1, 1]


def test_an_older_journal_is_read_beside_packed_segments(path: Path) -> None:
    records = filled(path, 40, segment_bytes=2_000)
    with opened(path) as journal:
        packed.pack(segments(path)[1])
        assert list(journal.replay(0)) == records
        assert "journal.zst" in names(path)


def test_forgetting_takes_both_forms(path: Path) -> None:
    filled(path, 60, segment_bytes=2_000)
    with opened(path) as journal:
        packed.pack(segments(path)[0])
        last = segments(path)[-1]
        assert journal.forget(journal.end, 0) > 2_000
        assert [file.name for file in path.iterdir() if file.name != "lock"] == [last.path.name]


def test_what_a_crash_leaves_behind(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    first, second = segments(path)[:2]
    raw = first.path.read_bytes()
    packed.pack(first)
    first.path.write_bytes(raw)  # just before the written file goes
    first.packed.write_bytes(first.packed.read_bytes()[:100])  # and whatever the packed one may be
    second.part.write_bytes(b"half")
    assert list(read_journal(path)) == records
    with opened(path) as journal:
        assert not second.part.exists()
        assert list(journal.replay(0)) == records
        journal.pack()
        assert list(journal.replay(0)) == records
        assert names(path).count("journal") == 1


@pytest.mark.parametrize("place", ["head", "content"])
def test_damage_costs_a_block(path: Path, place: str) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    first, second = segments(path)[:2]
    packed.pack(first)
    data = bytearray(first.packed.read_bytes())
    blocks = blocks_of(bytes(data))
    assert len(blocks) > 3
    at = blocks[1] + (20 if place == "head" else 80)
    data[at] ^= 0x40
    first.packed.write_bytes(data)
    replay = read_journal(path)
    found = list(replay)
    lost = [one for one in records if one not in found]
    assert found == [one for one in records if one not in lost]
    assert replay.damage.stretches == 1
    if place == "content":
        assert replay.damage.bytes == sum(len(one.data) + LEAD.size + 11 for one in lost) <= 400
    else:
        assert replay.damage.bytes == second.base - lost[0].end + len(lost[0].data) + LEAD.size + 11
        assert all(one.end <= second.base for one in lost)


def test_a_cut_off_segment_is_read_as_far_as_it_goes(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    first, second = segments(path)[:2]
    packed.pack(first)
    size = first.packed.stat().st_size
    for left in range(size - 1, -1, -37):
        os.truncate(first.packed, left)
        replay = read_journal(path)
        found = list(replay)
        inside = [one for one in found if one.end <= second.base]
        assert inside == records[: len(inside)]
        assert found[len(inside) :] == [one for one in records if one.end > second.base]
        assert replay.damage.stretches > 0
        if inside:
            assert replay.damage.bytes == second.base - inside[-1].end


def test_no_damage_makes_it_take_more_memory_than_a_block(path: Path) -> None:
    filled(path, 30, segment_bytes=2_000)
    first = segments(path)[0]
    packed.pack(first)
    # A block that unpacks to more than it says: intact by all checksums.
    bomb = zstandard.ZstdCompressor(write_checksum=True).compress(bytes(1 << 26))
    facts = packed._FACTS.pack(packed._SKIPPABLE, packed._HEAD - 8, packed.TAG, 400, 0, 400, len(bomb))
    first.packed.write_bytes(facts + crc32(facts).to_bytes(4, "little") + bomb)
    damage = Damage()
    tracemalloc.start()
    try:
        assert list(packed.read_packed(first, 0, None, damage)) == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert damage.bytes == 400


def test_damage_from_before_stays_what_it_was(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    first, second = segments(path)[:2]
    data = bytearray(first.path.read_bytes())
    data[records[2].end - 5] ^= 1
    data[records[5].end + 3] = 0x7F  # a length that leads nowhere
    first.path.write_bytes(data)
    before = read_journal(path)
    expected = list(before)
    assert expected == [
        one for one in records if one.end > second.base or (one.end <= records[5].end and one != records[2])
    ]
    with opened(path) as journal:
        journal.pack()
        after = journal.replay(0)
        assert list(after) == expected
        assert after.damage.bytes == before.damage.bytes


def test_a_segment_of_another_kind_is_not_packed(path: Path) -> None:
    filled(path, 30, segment_bytes=2_000)
    first = segments(path)[0]
    first.path.write_bytes(b"other" + first.path.read_bytes()[5:])
    with opened(path) as journal:
        journal.pack()
        assert names(path)[:2] == ["journal", "journal"]
        assert first.path.exists()


def test_packing_stops_when_told(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    asked = iter([True, True, False])
    with opened(path) as journal:
        assert journal.pack(lambda: next(asked, False)) == 0
        assert "journal.part" not in names(path)
        assert "journal.zst" not in names(path)
        assert list(journal.replay(0)) == records


def test_no_space_to_pack_leaves_it_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = filled(path, 60, segment_bytes=2_000)

    def no_space(_: object) -> None:
        raise OSError(28, "No space left on device")

    with opened(path) as journal:
        monkeypatch.setattr("journeymap.journal.packed.os.fsync", no_space)
        with pytest.raises(JournalFullError, match="make room"):
            journal.pack()
        monkeypatch.undo()
        assert "journal.zst" not in names(path)
        assert "journal.part" not in names(path)
        assert list(journal.replay(0)) == records


def test_a_segment_that_is_packed_while_it_is_about_to_be_read(path: Path) -> None:
    records = filled(path, 60, segment_bytes=2_000)
    with opened(path) as journal:
        replay = journal.replay(0)
        found = [next(replay)]
        journal.pack()
        found += replay
        assert found == records
        assert (replay.missing, replay.damage.bytes) == (0, 0)


def test_a_journal_whose_last_segment_is_packed_goes_on_behind_it(path: Path) -> None:
    records = filled(path, 40, segment_bytes=2_000)
    first, *_, last = segments(path)
    packed.pack(last)
    assert end_of_journal(path) == records[-1].end
    with opened(path) as journal:
        assert journal.append("es", b"new", 1) > records[-1].end
        assert [one.data for one in journal.replay(0)] == [*(one.data for one in records), b"new"]
    assert first.path.exists()


def test_appending_packing_and_reading_at_the_same_time(path: Path) -> None:
    done = threading.Event()
    wrong: list[object] = []
    with opened(path, 3_000) as journal:

        def keep_packing() -> None:
            while not done.is_set():
                journal.pack()

        def keep_reading() -> None:
            while not done.is_set():
                end = journal.end
                replay = journal.replay(0, end)
                found = [one.arrived_at for one in replay]
                in_order = found == list(range(len(found)))
                if not in_order or replay.missing or replay.damage.bytes or replay.reached < end - len(MAGIC):
                    wrong.append((found, replay.missing, replay.damage))

        journal.append("s", b"", 0)
        threads = [threading.Thread(target=work) for work in (keep_packing, keep_reading)]
        for thread in threads:
            thread.start()
        for number in range(1, 3_000):
            journal.append("s", b"%d" % number, number)
        done.set()
        for thread in threads:
            thread.join(20)
        assert wrong == []
        assert [one.arrived_at for one in journal.replay(0)] == list(range(3_000))


def test_following_a_journal_that_is_written_packed_and_forgotten(path: Path) -> None:
    with opened(path, 1_000) as journal:
        for number in range(20):
            journal.append("s", b"before", number)
        following = Following(path, end_of_journal(path))
        rounds = 0

        def go_on() -> bool:
            nonlocal rounds
            rounds += 1
            for number in range(30):
                journal.append("s", b"x" * 50, 1_000 * rounds + number)
            if rounds % 2:
                journal.pack()
            if rounds % 3 == 0:
                journal.forget(following.position, 0)
            return rounds < 12

        found = [one.arrived_at for one in following.follow(go_on)]
        assert found == [1_000 * turn + number for turn in range(1, 12) for number in range(30)]
        assert (following.missing, following.damage.bytes) == (0, 0)


def test_a_follower_that_was_too_slow_says_what_it_missed(path: Path) -> None:
    with opened(path, 1_000) as journal:
        ends = [journal.append("s", b"x" * 100, number) for number in range(60)]
        following = Following(path, ends[5])
        journal.forget(journal.end, 0)
        turns = iter([True, True, False])
        found = list(following.follow(lambda: next(turns)))
        assert [one.end for one in found] == [end for end in ends if end > segments(path)[0].base]
        assert following.missing == segments(path)[0].base - ends[5]


def test_a_journal_knows_whether_it_is_written(path: Path) -> None:
    assert not is_written(path)
    with opened(path):
        assert is_written(path)
    assert not is_written(path)


def test_no_journal_to_follow_is_a_clear_error(path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        end_of_journal(path)


def test_a_kill_at_any_step_of_rotating_and_packing_loses_nothing(tmp_path: Path) -> None:
    """Ended before one step after the other that touches a file, until one gets through."""
    whole = False
    for steps in range(0, 200, 7):
        path = tmp_path / str(steps)
        command = [sys.executable, "-c", KILLED_WHILE_PACKING, str(ROOT), str(path), str(steps)]
        run = subprocess.run(command, capture_output=True, check=False, timeout=30)
        whole = run.returncode == 0
        assert whole or run.returncode == -signal.SIGKILL, run.stderr
        ends = [int(line) for line in run.stdout.split() if line != b"done"]
        for _ in range(2):
            with opened(path) as journal:
                replay = journal.replay(0)
                found = [one.end for one in replay]
                assert found[: len(ends)] == ends
                assert len(found) - len(ends) <= 1
                assert (replay.damage.bytes, journal.torn_bytes) == (0, 0)
                journal.pack()
        if whole:
            break
    assert whole


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    frames=FRAMES,
    segment_bytes=st.integers(20, 400),
    block=st.integers(16, 200),
    flip=st.one_of(st.none(), st.tuples(st.integers(0, 10**6), st.integers(0, 7))),
)
def test_what_is_intact_comes_back_whatever_was_packed_and_damaged(
    frames: list[tuple[str, bytes, int]], segment_bytes: int, block: int, flip: tuple[int, int] | None
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "BLOCK", block)
        path = Path(folder) / "journal"
        with opened(path, segment_bytes) as journal:
            records = [Record(frame, source, at, journal.append(source, frame, at)) for source, frame, at in frames]
            journal.pack()
            assert list(journal.replay(0)) == records
            done = [segment for segment in segments(path) if segment.packed.exists()]
            if flip is None or not done:
                return
            chosen = done[flip[0] % len(done)]
            data = bytearray(chosen.packed.read_bytes())
            at = flip[0] // len(done) % len(data)
            data[at] ^= 1 << flip[1]
            chosen.packed.write_bytes(data)
            following = segments(path)[segments(path).index(chosen) + 1].base
            replay = journal.replay(0)
            found = list(replay)
            assert [one for one in records if one in found] == found
            lost = [one for one in records if one not in found]
            assert all(chosen.base < one.end <= following for one in lost)
            assert bool(lost) == bool(replay.damage.bytes) or len(frames) > len(set(frames))
            for one in found:
                assert list(journal.replay(one.end)) == found[found.index(one) + 1 :]
