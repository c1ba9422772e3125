"""Filters, questions and how people write times."""

from __future__ import annotations

import pytest

from journeymap.errors import InputError
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.facts import facts
from journeymap.view.filters import Filter, make_filter, parse_query
from journeymap.view.labels import clock_time, date_and_time, duration, iso, parse_length, parse_moment
from journeymap.view.masking import Viewer
from journeymap.view.question import parse_question

START = 1_700_000_000_000
ROW = JourneyRow(
    "j-1", "ACME-Straße-7", START, START + 1_000, 0, 1, 1, 2,
    (InteractionRow("I-99", "voice", "ACTIVE", START, START + 1_000, None, "Sold", "Support DE", "Ann", (), "inbound"),), (),
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
        ("q=straSSe", True),
        ("q=j-1", True),
        ("q=i-9", True),
        ("q=ann", True),
        ("q=port d", True),
        ("q=sold", False),
        ("q=7 i", False),
        ("agent=ANN", True),
        ("agent=an", False),
        ("disposition=refused&disposition=sold", True),
        ("direction=outbound", False),
        ("direction=Inbound", True),
        ("flag=handed-over", True),
        ("flag=anonymous&flag=large", False),
        ("min_duration=1s&max_duration=1s", True),
        ("min_duration=1001", False),
        ("max_duration=0.9s", False),
        ("min_transfers=2", True),
        ("min_transfers=3", False),
        ("q=&queue=&min_duration=&from=", True),
    ],
)
def test_a_row_meets_a_filter(query: str, matches: bool) -> None:
    pairs = [tuple(part.split("=", 1)) for part in query.split("&") if part]
    known = facts(ROW, ClockReading(START + 1_000, Timeouts()))
    assert parse_query(pairs).matches(known) is matches  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("state", "SLEEPING")], "state is .sleeping."),
        ([("from", "yesterday")], "from is 'yesterday'"),
        ([("to", "1950-01-01")], "outside the years"),
        ([("from", "99999999999999999999")], "outside the years"),
        ([("from", str(START)), ("to", str(START))], "earlier"),
        ([("customer", "x" * 300)], "300 characters"),
        ([("customer", "a"), ("customer", "b")], "more than once"),
        ([("channel", f"c{n}") for n in range(65)], "65 channels"),
        ([("agent", f"c{n}") for n in range(65)], "65 agents"),
        ([("flag", "red")], "allowed are waiting-long, abandoned"),
        ([("min_duration", "soon")], "min_duration is 'soon'; use a length such as 90s"),
        ([("min_duration", "2m"), ("max_duration", "1m")], "shorter"),
        ([("min_transfers", "-1")], "use a whole number"),
        ([("min_transfers", "1"), ("min_transfers", "2")], "more than once"),
        ([("q", "x" * 257)], "q has 257 characters"),
    ],
)
def test_a_wrong_filter_says_what_is_wrong(pairs: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_query(pairs)


def test_filters_that_mean_the_same_are_equal() -> None:
    assert make_filter(
        text=" T", customer=" A ", choices={"channels": ["Voice", ""], "states": ["idle"], "queues": ["X"]}
    ) == make_filter(
        text="t", customer="a", choices={"channels": ["voice", "voice"], "states": ["IDLE", " "], "queues": ["x "]}
    )
    assert make_filter() == Filter() == parse_question({"customer": None, "channels": [], "states": None}).filter()


@pytest.mark.parametrize(
    "question",
    [
        {"count": 201},
        {"count": -1},
        {"have": [["a"]]},
        {"hold": ["x"] * 2_001},
        {"version": "1"},
        {"pinned": ["x"] * 101},
        {"overview": [0, 10, 0]},
        {"overview": [0, 10, 1_001]},
        {"overview": [0, 10, 11]},
        {"overview": [10, 0, 1]},
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


@pytest.mark.parametrize(
    ("text", "length"),
    [("1500", 1_500), ("1.5s", 1_500), (" 2m ", 120_000), ("2 min", 120_000), ("1h", 3_600_000), ("1d", 86_400_000)],
)
def test_lengths_are_read(text: str, length: int) -> None:
    assert parse_length(text, "x") == length


@pytest.mark.parametrize("text", ["", "-1", "1w", "s", "1h30m", "9" * 14, "١s"])
def test_what_is_no_length_says_so(text: str) -> None:
    with pytest.raises(InputError, match="use a length"):
        parse_length(text, "x")


@pytest.mark.parametrize(
    ("customer", "hidden", "seen"),
    [("+49 151 2345678", "234567", "78"), ("Ann@Example.com", "ann@", "a•••@"), ("%2B491512345678", "12345", "•••78")],
)
def test_nothing_is_found_by_what_a_viewer_may_not_see(customer: str, hidden: str, seen: str) -> None:
    known = facts(JourneyRow("j-1", customer, START, START, 0, 1, 1, 0, (), ()), ClockReading(START, Timeouts()))
    for field in ("text", "customer"):
        of_hidden, of_seen = make_filter(**{field: hidden}), make_filter(**{field: seen})  # type: ignore[arg-type]
        assert of_hidden.seen_by(Viewer()).matches(known)
        assert not of_hidden.seen_by(Viewer(sees_identifiers=False)).matches(known)
        assert of_seen.seen_by(Viewer(sees_identifiers=False)).matches(known)
    assert make_filter(text="j-1").seen_by(Viewer(sees_identifiers=False)).matches(known)


@pytest.mark.parametrize("change", [{"sort": "size"}, {"group": "agent"}])
def test_an_unknown_order_says_what_is_allowed(change: dict[str, str]) -> None:
    with pytest.raises(InputError, match="allowed are"):
        parse_question(change).order(Viewer())


def test_times() -> None:
    assert iso(START + 120) == "2023-11-14T22:13:20.120Z"
    assert parse_moment(iso(START + 120), "from") == START + 120
    assert clock_time(START) == "22:13:20"
    assert date_and_time(START) == "2023-11-14 22:13:20 +00:00"
