"""The token bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journeymap.protocol.bucket import Bucket


def test_a_burst_passes_and_then_one_at_a_time() -> None:
    bucket = Bucket(rate=10, burst=3)
    assert [bucket.take(1_000) for _ in range(4)] == [0, 0, 0, 100]
    assert bucket.take(1_099) == 1
    assert bucket.take(1_100) == 0
    assert bucket.take(1_100) == 100
    assert [bucket.take(99_000) for _ in range(4)] == [0, 0, 0, 100]


def test_a_clock_that_stands_still_or_runs_back_gives_nothing() -> None:
    bucket = Bucket(rate=1, burst=1)
    assert bucket.take(5_000) == 0
    assert bucket.take(4_000) == 1_000
    assert bucket.take(4_500) == 1_000
    assert bucket.take(5_500) == 500


@given(st.integers(1, 1_000), st.integers(1, 50), st.lists(st.integers(0, 3_000), max_size=200))
def test_never_more_than_rate_and_burst_and_the_wait_is_enough(rate: int, burst: int, pauses: list[int]) -> None:
    bucket, now = Bucket(rate, burst), 0
    for passed, pause in enumerate(pauses, 1):
        now += pause
        wait = bucket.take(now)
        if wait:
            now += wait
            assert bucket.take(now) == 0
        assert passed <= burst + now * rate / 1_000
