"""The simulated platform as a child process, played by a few lines of Python."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from journeymap.errors import SourceError
from journeymap.runtime import simulated
from journeymap.runtime.simulated import Access, PlatformProcess, SimulatedSource
from journeymap.source.base import ConnectionState, Source
from journeymap.testing import EOF, ManualClock, ScriptedSource
from tests.integration.process import until
from tests.running import Running

ACCESS = Access("http://localhost:1", "http://localhost:2", "ws://localhost:3", "id", "secret")
SAY = f"print('{json.dumps({f: getattr(ACCESS, f) for f in ACCESS.__struct_fields__})}', flush=True)"
READY = f"import sys; {SAY}; sys.stdin.read()"
SILENT = "import sys; sys.stdin.read()"
STUBBORN = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SAY}; time.sleep(60)"


class Made:
    """Makes the source and remembers what it was given."""

    def __init__(self, code: str, *script: bytes) -> None:
        self.access: list[Access] = []
        self.inner = ScriptedSource(*script, clock=ManualClock().now)
        self.platform = PlatformProcess([sys.executable, "-S", "-c", code], dict(os.environ))
        self.source = SimulatedSource(self.platform, self._connect)

    def _connect(self, access: Access) -> Source:
        self.access.append(access)
        return self.inner

    @property
    def pid(self) -> int:
        assert self.platform._child is not None
        return self.platform._child.pid


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_reads_from_the_platform_where_it_says_it_is_and_ends_with_it_gone() -> None:
    made = Made(READY, b"1", b"2")
    assert made.source.status().state is ConnectionState.DISCONNECTED
    with Running(made.source) as running:
        assert running.wait_for_frames(2) == [b"1", b"2"]
        assert made.access == [ACCESS]
        assert running.wait(lambda status: status.received == 2).state is ConnectionState.OPEN
        made.source.retry()
        assert made.inner.retries == 1
        assert is_there(made.pid)
    assert running.error is None
    assert not is_there(made.pid)


def test_launched_before_it_starts_one_platform() -> None:
    made = Made(READY, b"1")
    made.source.launch()
    pid = made.pid
    with Running(made.source) as running:
        running.wait_for_frames(1)
        assert made.pid == pid


def test_a_stop_before_the_start_starts_nothing() -> None:
    made = Made(READY)
    made.source.stop()
    made.source.launch()
    with Running(made.source) as running:
        running.join()
    assert made.platform._child is None
    assert running.error is None


def test_a_stop_while_the_platform_comes_up() -> None:
    made = Made(SILENT)
    with Running(made.source) as running:
        until(lambda: made.platform._child, "the child")
        assert running.stop(5) < 3
    assert running.error is None
    assert not is_there(made.pid)
    made.source.stop()


def test_a_platform_that_does_not_come_up_is_a_clear_error() -> None:
    made = Made("raise SystemExit(3)")
    with Running(made.source) as running:
        running.join()
        assert isinstance(running.error, SourceError)
        assert "journeymap simulate" in str(running.error)


def test_a_platform_that_does_not_want_to_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "STOP_PATIENCE", 0.2)
    made = Made(STUBBORN, b"1")
    with Running(made.source) as running:
        running.wait_for_frames(1)
        began = time.monotonic()
        made.source.stop()
        assert time.monotonic() - began < 3
        assert not is_there(made.pid)


def test_stopping_from_several_threads_at_once_leaves_no_descriptors() -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    for _ in range(3):
        made = Made(READY, b"1")
        with Running(made.source) as running:
            running.wait_for_frames(1)
            threads = [threading.Thread(target=made.source.stop) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(5)
                assert not thread.is_alive()
        assert running.error is None
    assert descriptors() == before


def test_the_platform_is_left_out_of_ctrl_c() -> None:
    made = Made(READY, b"1", b"2")
    with Running(made.source) as running:
        running.wait_for_frames(2)
        assert os.getpgid(made.pid) != os.getpgid(0)


def test_a_finished_source_ends_the_run() -> None:
    made = Made(READY)
    made.inner.add(b"1", EOF)
    with Running(made.source) as running:
        running.join()
        assert made.source.status().finished


def test_a_platform_that_died_is_no_obstacle_to_stopping() -> None:
    made = Made(READY, b"1")
    with Running(made.source) as running:
        running.wait_for_frames(1)
        os.kill(made.pid, signal.SIGKILL)
    assert running.error is None
    assert not is_there(made.pid)


def test_a_hold_before_the_platform_is_there_is_handed_on() -> None:
    made = Made(READY, b"1", b"2")
    made.source.hold("no room")
    with Running(made.source) as running:
        status = running.wait(lambda status: status.error == "no room")
        assert status.state is ConnectionState.DISCONNECTED
        assert running.frames == []
        made.source.release()
        assert running.wait_for_frames(2) == [b"1", b"2"]
        made.source.hold("again")
        running.wait(lambda status: status.error == "again")
    assert running.error is None
