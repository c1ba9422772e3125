"""The journal's promises: what was appended comes back, whole and in order, whatever happened to the files."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from journeymap.errors import JournalError, JournalFullError
from journeymap.journal.journal import Journal
from journeymap.journal.replay import read_journal
from journeymap.journal.segment import LEAD, MAGIC, segments
from journeymap.model.record import Record
from tests.contract.journal.filling import FRAMES, ROOT, filled


def test_what_was_appended_comes_back(path: Path) -> None:
    journal = Journal.open(path)
    ends = [journal.append("a", b"one", 5), journal.append("ü" * 300, b"", 6), journal.append("", b"\0\xff", 2**63)]
    assert ends == sorted(set(ends))
    assert journal.end == ends[-1]
    found = list(journal.replay(0))
    assert [(one.data, one.arrived_at, one.end) for one in found] == [
        (b"one", 5, ends[0]),
        (b"", 6, ends[1]),
        (b"\0\xff", 2**63, ends[2]),
    ]
    assert found[0].source == "a"
    assert found[1].source.startswith("ü" * 127)
    journal.close()
    assert path.stat().st_mode & 0o777 == 0o700


def test_replay_begins_behind_the_position(path: Path) -> None:
    records = filled(path, 40)
    journal = Journal.open(path, segment_bytes=1_000)
    assert len(segments(path)) > 3
    for number in (0, 1, 7, 8, 9, 20, 39):
        assert list(journal.replay(records[number].end)) == records[number + 1 :]
    assert list(journal.replay(10**9)) == []
    assert journal.replay(0).missing == 0
    journal.close()


def test_a_position_inside_a_record_does_not_lead_astray(path: Path) -> None:
    records = filled(path, 20)
    for number in (3, 12):
        for back in (1, 50):
            assert list(read_journal(path, records[number].end - back)) == records[number:]


def test_replay_ends_where_the_journal_ended_when_it_began(path: Path) -> None:
    journal = Journal.open(path, segment_bytes=300)
    for number in range(10):
        journal.append("s", b"%d" % number, 0)
    seen = []
    for record in journal.replay(0):
        seen.append(record.data)
        journal.append("s", b"later", 0)
    assert seen == [b"%d" % number for number in range(10)]
    journal.close()


def test_opening_again_goes_on_where_it_ended(path: Path) -> None:
    records = filled(path, 5)
    journal = Journal.open(path, segment_bytes=1_000)
    assert (journal.end, journal.torn_bytes) == (records[-1].end, 0)
    journal.append("es", b"more", 1)
    assert [one.data for one in journal.replay(0)] == [*(one.data for one in records), b"more"]
    journal.close()


@pytest.mark.parametrize("left", [1, 7, 8, 9, 16, 30, 100])
def test_a_torn_tail_is_cut_and_counted(path: Path, left: int) -> None:
    records = filled(path, 5, segment_bytes=10_000)
    file = segments(path)[-1].path
    before = records[-2].end
    os.truncate(file, before + left)
    assert list(read_journal(path)) == records[:-1]
    assert read_journal(path).damage.bytes == 0
    journal = Journal.open(path)
    assert (journal.torn_bytes, journal.end) == (left, before)
    journal.append("es", b"new", 9)
    replay = journal.replay(0)
    assert [one.data for one in replay] == [*(one.data for one in records[:-1]), b"new"]
    assert replay.damage.bytes == 0
    journal.close()


def test_a_segment_torn_in_its_first_bytes_is_begun_again(path: Path) -> None:
    records = filled(path, 5, segment_bytes=10_000)
    (path / f"{records[-1].end:020d}.journal").write_bytes(MAGIC[:3])
    journal = Journal.open(path)
    journal.append("es", b"new", 9)
    assert [one.data for one in journal.replay(records[-1].end)] == [b"new"]
    journal.close()


def test_a_wrong_checksum_costs_one_record(path: Path) -> None:
    records = filled(path, 20)
    file = segments(path)[0].path
    at = records[2].end - 5
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    replay = read_journal(path)
    assert list(replay) == records[:2] + records[3:]
    assert replay.damage.stretches == 1
    assert replay.damage.bytes == records[2].end - records[1].end


def test_a_wrong_length_costs_the_rest_of_the_segment(path: Path) -> None:
    records = filled(path, 20)
    first, second = segments(path)[:2]
    data = bytearray(first.path.read_bytes())
    data[records[2].end + 3] = 0x7F
    first.path.write_bytes(data)
    replay = read_journal(path)
    assert list(replay) == [one for one in records if one.end <= records[2].end or one.end > second.base]
    assert (replay.damage.stretches, replay.damage.bytes) == (1, len(data) - records[2].end)
    assert list(read_journal(path, records[4].end)) == [one for one in records if one.end > records[4].end]


def test_a_segment_that_ends_too_soon_is_damage_even_where_its_records_are_whole(path: Path) -> None:
    records = filled(path, 20)
    first, second = segments(path)[:2]
    os.truncate(first.path, records[2].end)
    replay = read_journal(path)
    assert list(replay) == [one for one in records if one.end <= records[2].end or one.end > second.base]
    assert (replay.damage.stretches, replay.damage.bytes) == (1, second.base - records[2].end)


def test_what_a_segment_holds_beyond_the_base_of_the_next_one_is_damage(path: Path) -> None:
    records = filled(path, 20)
    first, second = segments(path)[:2]
    stray = second.path.read_bytes()[len(MAGIC) :]
    first.path.write_bytes(first.path.read_bytes() + stray)
    replay = read_journal(path)
    assert list(replay) == records
    assert (replay.damage.stretches, replay.damage.bytes) == (1, len(stray))


def test_a_last_segment_of_another_kind_is_left_alone(path: Path) -> None:
    records = filled(path, 3)
    file = segments(path)[-1].path
    data = b"other" + file.read_bytes()[5:]
    file.write_bytes(data)
    journal = Journal.open(path)
    assert journal.append("es", b"new", 1) > records[-1].end
    replay = journal.replay(0)
    assert [one.data for one in replay] == [b"new"]
    assert replay.damage.bytes == len(data) == file.stat().st_size
    journal.close()


def test_forgetting_deletes_whole_segments_only_and_tells(path: Path) -> None:
    records = filled(path, 40)
    journal = Journal.open(path, segment_bytes=1_000)
    found = segments(path)
    total = journal.size()
    assert journal.forget(found[2].base + 1, total) == 0
    assert journal.forget(found[2].base + 1, 0) == found[2].base
    assert [one.base for one in segments(path)] == [one.base for one in found[2:]]
    replay = journal.replay(10)
    assert (replay.start, replay.missing) == (found[2].base, found[2].base - 10)
    assert list(replay) == [one for one in records if one.end > found[2].base]
    assert journal.forget(10**9, 2_500) > 0
    assert 1_500 < journal.size() <= 2_500
    journal.forget(10**9, 0)
    assert len(segments(path)) == 1
    journal.append("es", b"new", 1)
    journal.close()


def test_the_oldest_record_is_told(path: Path) -> None:
    with contextlib.closing(Journal.open(path, segment_bytes=1_000)) as journal:
        assert journal.oldest_at() is None
        for number in range(40):
            journal.append("es", b"x" * 100, 5_000 + number)
            assert journal.oldest_at() == 5_000
        kept = segments(path)[2].base
        journal.forget(kept, 0)
        assert journal.oldest_at() == next(read_journal(path)).arrived_at > 5_000
        journal.pack()
        journal.forget(journal.end, 0)
        assert journal.oldest_at() == next(read_journal(path)).arrived_at


def test_what_is_old_is_forgotten_whatever_the_size(path: Path) -> None:
    filled(path, 80)
    with contextlib.closing(Journal.open(path, segment_bytes=1_000)) as journal:
        journal.pack()
        found = segments(path)
        for number, segment in enumerate(found):
            os.utime(segment.packed if segment.packed.exists() else segment.path, ns=(0, number * 10**9))
        assert journal.forget(found[3].base, 2**40, written_before=10 * 1_000) > 0
        assert segments(path) == found[3:]  # the rest is not in the store
        journal.forget(journal.end, 2**40, written_before=5 * 1_000)
        assert segments(path) == found[5:]
        journal.forget(journal.end, 2**40, written_before=10**12)
        assert segments(path) == found[-1:]


def test_a_segment_ends_by_age_too(path: Path) -> None:
    with contextlib.closing(Journal.open(path)) as journal:
        assert not journal.rotate(10**12)  # there is nothing in it
        ends = [journal.append("es", b"one", 5_000)]
        assert not journal.rotate(5_000)
        assert journal.rotate(5_001)
        assert not journal.rotate(5_001)
        ends.append(journal.append("es", b"two", 6_000))
        assert [one.end for one in journal.replay(0)] == ends
        assert [one.end for one in journal.replay(ends[0])] == ends[1:]
        assert len(segments(path)) == 2


def test_new_records_never_lie_before_what_is_committed(path: Path) -> None:
    records = filled(path, 3)
    committed = records[-1].end + 500
    journal = Journal.open(path, not_before=committed)
    end = journal.append("es", b"new", 1)
    assert end > committed
    assert [one.data for one in journal.replay(committed)] == [b"new"]
    assert [one.data for one in journal.replay(0)] == [*(one.data for one in records), b"new"]
    journal.close()
    shutil.rmtree(path)
    journal = Journal.open(path, not_before=end)
    assert journal.append("es", b"newer", 1) > end
    assert [one.data for one in journal.replay(end)] == [b"newer"]
    journal.close()


def test_a_second_process_is_refused(path: Path) -> None:
    journal = Journal.open(path)
    with pytest.raises(JournalError, match="another process"):
        Journal.open(path)
    journal.close()
    journal.close()
    Journal.open(path).close()


def test_no_journal_is_a_clear_error(path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        read_journal(path)
    path.write_text("a file")
    with pytest.raises(JournalError, match="failed"):
        Journal.open(path)


def test_sync_and_append_at_the_same_time(path: Path) -> None:
    journal = Journal.open(path, segment_bytes=2_000)
    done = threading.Event()
    syncs = 0

    def sync() -> None:
        nonlocal syncs
        while not done.is_set():
            journal.sync()
            syncs += 1

    thread = threading.Thread(target=sync)
    thread.start()
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for number in range(2_000):
        journal.append("s", b"%d" % number, number)
    done.set()
    thread.join(20)
    journal.sync()
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
    assert [one.arrived_at for one in journal.replay(0)] == list(range(2_000))
    assert syncs > 0
    journal.close()


def test_a_kill_loses_nothing_that_append_returned_from(path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from journeymap.journal.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[2]), segment_bytes=100_000)\n"
        "for number in range(10**9):\n"
        "    print(journal.append('s', b'x' * 500, number), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(ROOT), str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ends = [int(process.stdout.readline()) for _ in range(500)]
        process.send_signal(signal.SIGKILL)
        ends += [int(line) for line in process.stdout if line.endswith(b"\n")]
    journal = Journal.open(path)
    found = [one.end for one in journal.replay(0)]
    assert found[: len(ends)] == ends
    assert len(found) - len(ends) <= 1
    journal.close()


def test_a_full_disk_leaves_the_journal_valid(tmp_path: Path) -> None:
    """A limit on the size of files does to writes what a full disk does: they come back short, then fail."""
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from tests.contract.journal.filling import fill_up\n"
        "fill_up(Path(sys.argv[2]))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(ROOT), str(tmp_path / "journal")], check=True, timeout=30)


def test_a_new_segment_that_does_not_fit_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.open(path, segment_bytes=300)
    journal.append("s", b"x" * 250, 1)

    def no_space(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("journeymap.journal.journal.os.write", no_space)
    with pytest.raises(JournalFullError):
        journal.append("s", b"x" * 250, 2)
    monkeypatch.undo()
    assert len(segments(path)) == 1
    journal.append("s", b"x" * 250, 3)
    assert [one.arrived_at for one in journal.replay(0)] == [1, 3]
    journal.close()


@hypothesis_settings(max_examples=150, deadline=None)
@given(frames=FRAMES, segment_bytes=st.integers(20, 400), data=st.data())
def test_replay_gives_exactly_the_intact_records(
    frames: list[tuple[str, bytes, int]], segment_bytes: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        journal = Journal.open(path, segment_bytes=segment_bytes)
        records = [Record(frame, source, at, journal.append(source, frame, at)) for source, frame, at in frames]
        assert list(journal.replay(0)) == records
        journal.close()
        harm = data.draw(st.sampled_from(["none", "torn", "flipped"]))
        chosen = data.draw(st.sampled_from(segments(path)))
        content = bytearray(chosen.path.read_bytes())
        lost: list[Record] = []
        if harm == "torn":
            chosen = segments(path)[-1]
            size = chosen.path.stat().st_size
            at = data.draw(st.integers(0, size - 1))
            os.truncate(chosen.path, at)
            lost = [one for one in records if one.end > chosen.base + at]
        elif harm == "flipped":
            at = data.draw(st.integers(0, len(content) - 1))
            content[at] ^= 1 << data.draw(st.integers(0, 7))
            chosen.path.write_bytes(content)
            inside = [one for one in records if chosen.base < one.end <= chosen.base + len(content)]
            behind = [one for one in inside if one.end > chosen.base + at]
            start = chosen.base + len(MAGIC) if len(behind) == len(inside) else inside[-len(behind) - 1].end
            in_length = behind and 0 <= chosen.base + at - start < LEAD.size // 2
            if at < len(MAGIC):
                lost = inside
            elif in_length:
                # The wrong length may lead nowhere, or by chance to a later record.
                found = list(read_journal(path))
                lost = [one for one in behind if one not in found]
                assert behind[0] in lost
            else:
                lost = behind[:1]
        expected = [one for one in records if one not in lost]
        assert list(read_journal(path)) == expected
        journal = Journal.open(path, segment_bytes=segment_bytes)
        assert list(journal.replay(0)) == expected
        more = Record(b"more", "a", 1, journal.append("a", b"more", 1))
        assert list(journal.replay(0)) == [*expected, more]
        journal.close()
        assert list(read_journal(path)) == [*expected, more]
        for one in expected:
            assert list(read_journal(path, one.end)) == [*(other for other in expected if other.end > one.end), more]
