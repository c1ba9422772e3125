"""Filters, questions and how people write times."""

from __future__ import annotations

import pytest

from journeymap.errors import InputError
from journeymap.model.journey import State
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.view.filters import Filter, make_filter, parse_query
from journeymap.view.labels import clock_time, date_and_time, duration, iso, parse_moment
from journeymap.view.question import parse_question

START = 1_700_000_000_000
ROW = JourneyRow(
    "j-1", "ACME-Straße-7", START, START + 1_000, 0, 1, 1, 0,
    (InteractionRow("i", "voice", "ACTIVE", START, START + 1_000, None, None, "Support DE", None, ()),), (),
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        ("customer=acme", True),
        ("customer=STRASSE", True),
        ("customer=nobody", False),
        ("channel=chat", False),
        ("channel=chat&channel=VOICE", True),
        ("state=closed", False),
        ("state=closed&state=active", True),
        ("queue=support de", True),
        ("queue=support", False),
        (f"from={START + 1_000}", True),
        (f"from={START + 1_001}", False),
        (f"to={START}", False),
        (f"to={START + 1}", True),
        ("from=2023-11-14T22:13:20Z&to=2023-11-14T22:13:21+00:00", True),
        ("other=thing", True),
    ],
)
def test_a_row_meets_a_filter(query: str, matches: bool) -> None:
    pairs = [tuple(part.split("=", 1)) for part in query.split("&") if part]
    assert parse_query(pairs).matches(ROW, State.ACTIVE) is matches  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("state", "SLEEPING")], "SLEEPING"),
        ([("from", "yesterday")], "from is 'yesterday'"),
        ([("to", "1950-01-01")], "outside the years"),
        ([("from", "99999999999999999999")], "outside the years"),
        ([("from", str(START)), ("to", str(START))], "earlier"),
        ([("customer", "x" * 300)], "300 characters"),
        ([("customer", "a"), ("customer", "b")], "more than once"),
        ([("channel", f"c{n}") for n in range(65)], "65 channels"),
    ],
)
def test_a_wrong_filter_says_what_is_wrong(pairs: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_query(pairs)


def test_filters_that_mean_the_same_are_equal() -> None:
    assert make_filter(" A ", ["Voice", ""], ["idle"]) == make_filter("a", ["voice", "voice"], ["IDLE", " "])
    assert make_filter() == Filter() == parse_question({"customer": None, "channels": [], "states": None}).filter()


@pytest.mark.parametrize(
    "question",
    [
        {"count": 201},
        {"count": -1},
        {"have": [["a"]]},
        {"hold": ["x"] * 2_001},
        {"version": "1"},
        [],
        None,
        b"{",
        b"\xff",
    ],
)
def test_what_is_no_question_is_an_input_error(question: object) -> None:
    with pytest.raises(InputError):
        parse_question(question)


def test_a_question_in_full() -> None:
    question = parse_question(b'{"version":3,"at":1,"hold":["a"],"have":[["a",7]],"count":10,"later":true}')
    assert (question.version, question.hold, question.have, question.offset) == (3, ["a"], [("a", 7)], 0)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (850, "850 ms"),
        (42_000, "42 s"),
        (185_000, "3 min 5 s"),
        (7_200_000, "2 h"),
        (100_800_000, "1 d 4 h"),
    ],
)
def test_durations(length: int, text: str) -> None:
    assert duration(length) == text


def test_times() -> None:
    assert iso(START + 120) == "2023-11-14T22:13:20.120Z"
    assert parse_moment(iso(START + 120), "from") == START + 120
    assert clock_time(START) == "22:13:20"
    assert date_and_time(START) == "2023-11-14 22:13:20 +00:00"
