"""The operations view's document: what it tells of the status, the gaps and the connection's history."""

from __future__ import annotations

import json

from msgspec.structs import replace

from journeymap.model.status import ConnectionChange, Gap, IngestStatus, Quarantined, SourceReport
from journeymap.model.time import DAY, MINUTE, SECOND
from journeymap.view.operations import MOST_LISTED, missing, operations

NOW = 1_700_000_000_000
WELL = IngestStatus(
    written_at=NOW,
    pid=4711,
    source="eventstreams",
    state="OPEN",
    since=NOW - MINUTE,
    sources=[SourceReport(name="eventstreams", state="OPEN", since=NOW - MINUTE)],
)


def gap(start: int, end: int | None, kind: str = "disconnected", dropped: int = 0) -> Gap:
    return Gap("eventstreams", kind, NOW + start, None if end is None else NOW + end, dropped)


def test_it_stands_without_anything_and_can_be_sent() -> None:
    document = operations(None, None, (), (), (), NOW)
    assert (document["running"], document["status"], document["sources"]) == (False, None, [])
    assert [each["code"] for each in document["findings"]] == ["stopped"]
    full = operations(
        WELL, None, [gap(-9, -5)], [ConnectionChange(NOW, "a", "OPEN")], [Quarantined("x", 1, NOW - DAY)], NOW
    )
    assert json.loads(json.dumps(full)) == full
    assert full["running"]
    assert full["findings"] == []


def test_the_process_id_stays_inside_and_sources_stand_apart() -> None:
    document = operations(WELL, None, (), (), (), NOW)
    assert document["status"].keys().isdisjoint({"pid", "sources"})
    assert [each["name"] for each in document["sources"]] == ["eventstreams"]


def test_lists_are_newest_first_and_bounded() -> None:
    many = [gap(n, n + 1) for n in range(-1000, -1)]
    changes = [ConnectionChange(NOW - 1000 + n, "a", "OPEN") for n in range(999)]
    unusable = [Quarantined("old", 9, NOW - 5), Quarantined("new", 1, NOW)]
    document = operations(WELL, None, many, changes, unusable, NOW)
    assert [each["start"] for each in document["gaps"]] == [NOW - 2 - n for n in range(MOST_LISTED)]
    assert len(document["connections"]) == MOST_LISTED
    assert document["connections"][0]["at"] == NOW - 2
    assert [each["reason"] for each in document["quarantine"]] == ["new", "old"]


def test_a_state_ends_with_the_next_one_of_the_same_source() -> None:
    changes = [
        ConnectionChange(1, "a", "CONNECTING"),
        ConnectionChange(2, "b", "CONNECTING"),
        ConnectionChange(5, "a", "OPEN"),
    ]
    told = operations(WELL, None, (), changes, (), NOW)["connections"]
    assert [(each["source"], each["at"], each["until"]) for each in told] == [
        ("a", 5, None),
        ("b", 2, None),
        ("a", 1, 5),
    ]


def test_missing_time_is_counted_once_and_within_the_span() -> None:
    gaps = [
        gap(-2 * DAY, -DAY + 10 * SECOND),
        gap(-60_000, -30_000),
        gap(-50_000, -20_000, "stopped"),
        gap(-5_000, None),
        gap(-3_000, -2_000, "dropped", 120),
        gap(-2 * DAY, -DAY - 1, "dropped", 7),
        gap(-3 * DAY, -2 * DAY),
        gap(SECOND, None),
    ]
    assert missing(gaps, NOW - DAY, NOW) == {"ms": 10_000 + 40_000 + 5_000, "gaps": 4, "dropped": 120}


def test_posts_that_were_not_taken_are_summed_up() -> None:
    brought = SourceReport(name="eventbridge", state="OPEN", posts_refused={"wrong-key": 2, "closed": 3})
    status = replace(WELL, sources=[brought, SourceReport(name="file")])
    document = operations(status, None, [], [], [], NOW)
    assert [each["posts_turned_away"] for each in document["sources"]] == [5, None]
