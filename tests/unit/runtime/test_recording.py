"""Sources to a file."""

from __future__ import annotations

import errno
import os
import signal
import threading
from pathlib import Path

import pytest

from journeymap.errors import InputError
from journeymap.runtime.recording import record_to
from journeymap.testing import ABORT, EOF, PAUSE, ManualClock, ScriptAbortedError, ScriptedSource

CLOCK = ManualClock().now


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
