"""Backoff, Retry-After and the life of tokens."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.protocol.backoff import MAX_RETRY_AFTER, backoff, parse_retry_after, retry_after_in
from journeymap.protocol.httpdate import parse_http_date
from journeymap.protocol.token import LONGEST_LIFE, UNKNOWN_LIFE, Verdict, judge, life_of, schedule

NOW = 1_764_000_000_000  # 2025-11-24T16:00:00Z


def test_backoff_ceilings_double_to_a_minute():
    assert list(islice(backoff(lambda: 0.999_999), 9)) == [
        pytest.approx(ceiling * SECOND, abs=1) for ceiling in (1, 2, 4, 8, 16, 32, 60, 60, 60)
    ]


def test_backoff_jitter_is_full():
    assert list(islice(backoff(lambda: 0.0), 3)) == [0, 0, 0]
    assert list(islice(backoff(lambda: 0.5), 3)) == [500, 1_000, 2_000]


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7_000),
        (" 7 ", 7_000),
        ("0", 0),
        ("7.5", 7_000),
        ("99999999", MAX_RETRY_AFTER),
        ("9" * 50, None),
        ("-3", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("٣", None),
        ("Mon, 24 Nov 2025 16:00:10 GMT", 10_000),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0),
        ("Mon, 24 Nov 2036 16:00:00 GMT", MAX_RETRY_AFTER),
        ("Mon, 99 Nov 99999 16:00:00 GMT", None),
    ],
)
def test_retry_after(value, wait):
    assert parse_retry_after(value, NOW) == wait


@given(st.text())
def test_retry_after_never_raises(value):
    wait = parse_retry_after(value, NOW)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER
    retry_after_in(value)


def test_retry_after_in_a_reason():
    assert retry_after_in("try again in 5 s") == 5_000
    assert retry_after_in("5") == 5_000
    assert retry_after_in("between 5 and 10") is None
    assert retry_after_in("later") is None


def test_token_is_renewed_five_minutes_before_its_end_or_at_five_sixths():
    assert schedule(NOW, HOUR, 0.0).refresh_at == NOW + 55 * MINUTE
    assert schedule(NOW, 30 * MINUTE, 0.0).refresh_at == NOW + 25 * MINUTE
    assert schedule(NOW, 60 * SECOND, 0.0).refresh_at == NOW + 50 * SECOND
    assert schedule(NOW, HOUR, 0.99).refresh_at > NOW + 54 * MINUTE
    assert schedule(NOW, HOUR, 0.5).expires_at == NOW + HOUR


@given(st.integers(1, LONGEST_LIFE), st.floats(0, 1, exclude_max=True))
def test_token_schedule_is_never_a_storm(life, jitter):
    times = schedule(NOW, life, jitter)
    assert times.refresh_at >= NOW + SECOND
    assert times.expires_at == NOW + life
    assert times.refresh_at < times.expires_at or life <= 2 * SECOND


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (3600, HOUR),
        ("3600", HOUR),
        (59.5, 59_500),
        (0.001, SECOND),
        (None, UNKNOWN_LIFE),
        ("soon", UNKNOWN_LIFE),
        (-1, UNKNOWN_LIFE),
        (0, UNKNOWN_LIFE),
        (True, UNKNOWN_LIFE),
        (float("nan"), UNKNOWN_LIFE),
        (float("inf"), UNKNOWN_LIFE),
        (10**30, LONGEST_LIFE),
        (10**400, LONGEST_LIFE),
        (-(10**400), UNKNOWN_LIFE),
        ([], UNKNOWN_LIFE),
    ],
)
def test_life_of_a_token(expires_in, life):
    assert life_of(expires_in) == life


def test_which_answers_are_final():
    assert judge(200) is Verdict.GRANTED
    assert {status for status in range(201, 600) if judge(status) is Verdict.REFUSED} == {400, 401, 403}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 24 Nov 2025 16:00:00 GMT", NOW),
        ("Mon, 24 Nov 2025 17:00:00 +0100", NOW),
        ("Monday, 24-Nov-25 16:00:00 GMT", NOW),
        ("24 Nov", None),
        ("Mon, 24 Nov 99999999999 16:00:00 GMT", None),
        ("x" * 200, None),
        ("", None),
        (None, None),
    ],
)
def test_dates_of_http(text, moment):
    assert parse_http_date(text) == moment
