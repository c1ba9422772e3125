"""Frames to a file: from sources, and from the journal of another process."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from journeymap.errors import InputError
from journeymap.journal.journal import Journal
from journeymap.journal.replay import end_of_journal
from journeymap.journal.segment import segments
from journeymap.runtime import recording
from journeymap.runtime.recording import Recording, Writer, record_journal, record_sources
from journeymap.source.base import Source
from journeymap.testing import ABORT, EOF, PAUSE, ManualClock, ScriptAbortedError, ScriptedSource

CLOCK = ManualClock().now


def record_to(out: Path, sources: Sequence[Source], progress: Callable[[int], None] = lambda _: None) -> int:
    with contextlib.closing(Recording(out, progress)) as file:
        record_sources(file, sources)
    return file.frames


def test_a_line_a_frame_appended_and_counted(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    out.write_bytes(b"before\n")
    heard: list[int] = []
    source = ScriptedSource(b'{"a": 1}', b'{\r\n"b":\n2}', b"\xff", EOF, clock=CLOCK)
    assert record_to(out, [source], heard.append) == 3
    assert out.read_bytes() == b'before\n{"a": 1}\n{  "b": 2}\n\xff\n'
    assert heard == [1, 2, 3]


def test_ends_when_all_sources_have(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    sources = [ScriptedSource(*[b"%d" % n] * 500, EOF, clock=CLOCK) for n in range(3)]
    assert record_to(out, sources) == 1_500
    assert sorted(out.read_bytes().split()) == [b"0"] * 500 + [b"1"] * 500 + [b"2"] * 500


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_well_by_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    source = ScriptedSource(b"1", PAUSE, b"2", clock=CLOCK)

    def interrupt() -> None:
        source.wait_for_pause()
        os.kill(os.getpid(), number)

    threading.Thread(target=interrupt, daemon=True).start()
    assert record_to(tmp_path / "out", [source]) == 1
    assert signal.getsignal(number) is before


def test_one_source_that_fails_ends_all_and_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    sources = [ScriptedSource(b"1", PAUSE, clock=CLOCK), ScriptedSource(b"2", ABORT, clock=CLOCK)]
    with pytest.raises(ScriptAbortedError):
        record_to(out, sources)
    assert b"2" in out.read_bytes().split()


def test_a_full_disk_is_one_clear_error() -> None:
    with pytest.raises(InputError, match=rf"cannot write /dev/full: {os.strerror(errno.ENOSPC)}"):
        record_to(Path("/dev/full"), [ScriptedSource(b"1", b"2", clock=CLOCK)])


# From a journal


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recording, "LOOK_INTERVAL", 0.005)
    monkeypatch.setattr(recording, "WRITER_LOOKS", 1)
    return tmp_path / "journal"


def copied(
    out: Path,
    directory: Path,
    start: int,
    *,
    follow: bool,
    meanwhile: Callable[[Callable[[int], None]], None] | None = None,
) -> tuple[list[bytes], list[str]]:
    """What stands in the file in the end, and what was said. `meanwhile` runs beside it; it is given a way to wait until so
    many frames are recorded, and afterwards the recording is told to stop."""
    reached = threading.Condition()
    count = 0
    said: list[str] = []

    def progress(frames: int) -> None:
        nonlocal count
        with reached:
            count = frames
            reached.notify_all()

    def wait(frames: int) -> None:
        with reached:
            assert reached.wait_for(lambda: count >= frames, 20), count

    def work() -> None:
        try:
            if meanwhile is not None:
                meanwhile(wait)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    with contextlib.closing(Recording(out, progress)) as file:
        thread = threading.Thread(target=work, daemon=True)
        if follow:
            thread.start()
        record_journal(file, directory, start, said.append, follow=follow)
        if follow:
            thread.join(10)
    return out.read_bytes().splitlines(), said


def test_a_running_journal_is_followed_from_now_on(tmp_path: Path, journal: Path) -> None:
    with contextlib.closing(Journal.open(journal, segment_bytes=1_000)) as writing:
        for _ in range(30):
            writing.append("one", b"before", 0)

        def meanwhile(wait: Callable[[int], None]) -> None:
            for number in range(5):
                for frame in range(20):
                    writing.append(("one", "two")[frame % 2], b"%d\n%d" % (number, frame), 0)
                if number % 2:
                    writing.pack()
                wait(20 * number)
                writing.forget(segments(journal)[-2].base, 0)
            wait(100)

        lines, said = copied(tmp_path / "out", journal, end_of_journal(journal), follow=True, meanwhile=meanwhile)
    assert lines == [b"%d %d" % (number, frame) for number in range(5) for frame in range(20)]
    assert said == []


def test_a_journal_is_copied_from_the_oldest_record_that_it_keeps(tmp_path: Path, journal: Path) -> None:
    with contextlib.closing(Journal.open(journal, segment_bytes=1_000)) as writing:
        for number in range(100):
            writing.append("one", b"%d" % number, number)
        writing.pack()
        writing.forget(segments(journal)[1].base, 0)
        kept = [record.data for record in writing.replay(0)]
        first = segments(journal)[0].base
    assert 0 < len(kept) < 100
    assert copied(tmp_path / "out", journal, 0, follow=False) == (
        kept,
        [f"{first} bytes of the journal had been deleted before they were recorded, and 0 could not be read"],
    )


def test_what_was_forgotten_too_soon_is_said(tmp_path: Path, journal: Path) -> None:
    with contextlib.closing(Journal.open(journal, segment_bytes=1_000)) as writing:
        start = [writing.append("one", b"%d" % number, number) for number in range(100)][5]
        writing.forget(writing.end, 0)
        first = segments(journal)[0].base
    lines, said = copied(tmp_path / "out", journal, start, follow=False)
    assert 0 < len(lines) < 50
    assert said == [
        f"{first - start:,} bytes of the journal had been deleted before they were recorded, and 0 could not be read"
    ]


def test_a_writer_that_goes_and_comes_again_is_told(journal: Path) -> None:
    writer = Writer(journal)
    with contextlib.closing(Journal.open(journal)):
        assert writer.look() is None
    assert writer.look() == "ingest has ended: nothing comes until it is started again"
    assert writer.look() is None
    with contextlib.closing(Journal.open(journal)):
        assert writer.look() == "ingest is running again"
        assert writer.look() is None


def test_a_journal_onto_a_full_disk_is_one_clear_error(journal: Path) -> None:
    with contextlib.closing(Journal.open(journal)) as writing:
        writing.append("one", b"1", 0)
    with pytest.raises(InputError, match="cannot write /dev/full"):
        copied(Path("/dev/full"), journal, 0, follow=False)
