import gzip
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.errors import ConfigurationError, InputError
from journeymap.source.base import ConnectionState
from journeymap.source.file import FileSource
from journeymap.source.pacing import Pace, timestamp_of
from journeymap.testing import ManualClock, frame
from tests.running import Running

START = 1_764_000_000_000


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        (b"1764000000000", START),
        (b"1764000000000.75", START),
        (b'"2025-11-24T16:00:00Z"', START),
        (b'"2025-11-24T16:00:00.25Z"', START + 250),
        (b'"2025-11-24T17:00:00.123456789+01:00"', START + 123),
        (b'"2025-11-24 10:30:00-0530"', START),
        (b'"2025-11-24T16:00:00"', START),
        (b'"2025-13-24T16:00:00Z"', None),
        (b'"yesterday"', None),
        (b"1e400", None),
        (b"9" * 400, None),
        (b"-5", None),
        (b"null", None),
        (b"[]", None),
    ],
)
def test_timestamp_at_a_glance(stamp, at):
    event = b'{"type":"x","timestamp":' + stamp + b"}"
    assert timestamp_of(event) == at
    assert timestamp_of(b" [" + event + b"]") == at
    assert timestamp_of(b'{"events":[' + event + b"]}") == at


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_timestamp_never_raises(line):
    timestamp_of(line)


def test_pace():
    pace = Pace(10)
    lines = [frame("x", START + offset, "i") for offset in (0, 5_000, 2_000)]
    assert pace.wait(b"garbage", 90) == 0
    assert pace.wait(lines[0], 100) == 0
    assert pace.wait(lines[1], 200) == 400
    assert pace.wait(lines[2], 600) == 0  # out of order: at once
    pace.skip()
    assert pace.wait(lines[1], 700) == 0
    assert Pace(0).wait(lines[1], 0) == 0


def test_a_file_ends_finished(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"1\n\n2\n")
    source = FileSource(path, 0, ManualClock(5).now)
    with Running(source) as running:
        running.join()
    status = source.status()
    assert (running.frames, running.arrivals, source.line) == ([b"1", b"2"], [5, 5], 3)
    assert (status.finished, status.state, status.received) == (True, ConnectionState.DISCONNECTED, 2)


def test_a_truncated_file_is_delivered_as_far_as_it_goes(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b"1\n2\n" + bytes(range(32, 127)) * 9)[:-9])
    source = FileSource(path, 0, ManualClock().now)
    with Running(source) as running:
        running.join()
    assert isinstance(running.error, InputError)
    assert running.frames[:2] == [b"1", b"2"]
    assert source.status().finished
    assert "truncated" in source.status().error


def test_speed_holds_lines_back_and_stop_and_retry_end_the_wait(tmp_path):
    path = tmp_path / "f"
    hour = 3_600_000
    lines = [frame("x", START + offset, "i") for offset in (0, hour, 2 * hour)]
    path.write_bytes(b"\n".join(lines))
    source = FileSource(path, 1, ManualClock().now)
    with Running(source) as running:
        running.wait_for_frames(1)
        assert source.status().state is ConnectionState.OPEN
        source.retry()
        running.wait_for_frames(2)
        assert running.stop(1) < 0.5
    assert running.frames == lines[:2]
    assert not source.status().finished


def test_twice_as_fast(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"\n".join(frame("x", START + offset, "i") for offset in range(0, 1_001, 100)))
    times = []
    steady = ManualClock(0)

    def deliver(_frame, _at):
        times.append(source._steady())

    source = FileSource(path, 10, steady.now)
    source._steady = lambda: (steady.advance(1), steady.now())[1]
    source._news.wait = lambda seconds: steady.advance(round(seconds * 1_000))
    source.run(deliver)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert times[-1] - times[0] == pytest.approx(100, abs=25)
    assert all(gap <= 15 for gap in gaps)


@pytest.mark.parametrize("speed", [-1, float("nan"), float("inf")])
def test_a_speed_that_is_none(speed):
    with pytest.raises(ConfigurationError, match="--speed"):
        FileSource("f", speed, ManualClock().now)
