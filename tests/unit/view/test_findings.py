"""What is found wrong, in which order, and in which words."""

from __future__ import annotations

import msgspec
import pytest

from journeymap.model.names import NamesReport
from journeymap.model.status import IngestStatus, SourceReport
from journeymap.model.time import MINUTE, SECOND
from journeymap.view.findings import findings, reports_of

NOW = 1_700_000_000_000
WELL = IngestStatus(written_at=NOW, source="eventstreams", state="OPEN", since=NOW - MINUTE)


def found(problem: str | None = None, **changes: object) -> list[tuple[str, bool]]:
    status = msgspec.structs.replace(WELL, **changes)
    return [(each.code, each.unready) for each in findings(status, problem, NOW)]


def source(**fields: object) -> SourceReport:
    return SourceReport(**{"name": "eventstreams", "state": "OPEN", "since": NOW - MINUTE, **fields})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"lag_ms": 5_000}, []),
        ({"lag_ms": 6_000}, [("behind", False)]),
        ({"lag_ms": 31_000}, [("behind", True)]),
        ({"state": "CONNECTING", "since": NOW - 5 * SECOND}, [("connection", False)]),
        ({"state": "CONNECTING", "since": NOW - 2 * MINUTE}, [("connection", True)]),
        ({"refused": True, "state": "DISCONNECTED"}, [("refused", True)]),
        ({"written_at": NOW - 6 * SECOND, "refused": True, "lag_ms": 60_000}, [("stopped", True)]),
        ({"reading_stopped": "the disk is nearly full", "state": "DISCONNECTED"}, [("reading", True), ("connection", False)]),
        ({"reading_stopped": "disk", "error": "disk", "state": "DISCONNECTED"}, [("reading", True)]),
        ({"journal_damaged_bytes": 12, "stitching_outdated": "IDLE_AFTER"}, [("damaged", False), ("outdated", False)]),
    ],
)  # fmt: skip
def test_what_is_wrong(changes: dict[str, object], expected: list[tuple[str, bool]]) -> None:
    assert found(**{"since": NOW - SECOND, **changes}) == expected


HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"last_frame_at": NOW - 5 * MINUTE}, []),
        ({"last_frame_at": NOW - 5 * MINUTE - 1}, [("silent", True)]),
        ({"last_frame_at": NOW - 6 * MINUTE, "since": NOW - MINUTE}, []),  # connected anew since
        ({"last_frame_at": NOW - 6 * MINUTE, "live": False}, []),
        ({"last_frame_at": NOW - 6 * MINUTE, "finished": True, "state": "DISCONNECTED"}, []),
        ({"token_obtained_at": NOW - HOUR, "token_expires_at": NOW + 3 * MINUTE}, []),
        ({"token_obtained_at": NOW - HOUR, "token_expires_at": NOW + 2 * MINUTE}, [("token", True)]),
        ({"token_obtained_at": NOW - HOUR, "token_expires_at": NOW - 1}, [("token", True)]),
        ({"token_obtained_at": NOW - 50 * SECOND, "token_expires_at": NOW + 10 * SECOND}, []),
        ({"token_obtained_at": NOW - 56 * SECOND, "token_expires_at": NOW + 4 * SECOND}, [("token", True)]),
        ({"token_expires_at": NOW + 2 * MINUTE}, [("token", True)]),
        ({"state": "CONNECTING", "since": NOW - SECOND, "token_expires_at": NOW}, [("connection", False)]),
        ({"state": "CONNECTING", "since": NOW - SECOND, "down_since": NOW - 2 * MINUTE}, [("connection", True)]),
    ],
)
def test_what_is_wrong_with_a_source(fields: dict[str, object], expected: list[tuple[str, bool]]) -> None:
    assert found(sources=[source(**{"since": NOW - HOUR, **fields})]) == expected


def test_it_says_how_long_the_token_lasts() -> None:
    for left, words in ((90 * SECOND, "expires in 1 min 30 s"), (-1, "has expired")):
        status = msgspec.structs.replace(WELL, sources=[source(token_expires_at=NOW + left)])
        (finding,) = findings(status, None, NOW)
        assert finding.text(NOW) == f"the access token of the source {words} and could not be renewed"


def test_what_keeps_the_store_from_being_read_goes_before_all() -> None:
    assert found("store: gone", lag_ms=6_000) == [("store", True), ("behind", False)]


def test_whether_ingest_runs_is_not_known_while_the_store_cannot_be_read() -> None:
    assert [each.code for each in findings(None, "store: gone", NOW)] == ["store"]
    assert found("store: gone", written_at=NOW - MINUTE) == [("store", True)]


def test_each_source_is_named_where_there_are_several() -> None:
    bad = source(name="kafka", state="DISCONNECTED", error="no broker")
    (only,) = findings(msgspec.structs.replace(WELL, sources=[bad]), None, NOW)
    assert only.sentence == "the source is not connected (DISCONNECTED): no broker"
    (named,) = findings(msgspec.structs.replace(WELL, sources=[source(), bad]), None, NOW)
    assert named.text(NOW) == "the source kafka is not connected (DISCONNECTED): no broker, for 1 min"


def test_a_source_that_has_delivered_all_is_not_disconnected() -> None:
    done = source(state="DISCONNECTED", finished=True)
    assert found(state="DISCONNECTED", sources=[done]) == []
    assert found(sources=[msgspec.structs.replace(done, error="line 3 is no JSON")]) == [("input", False)]


def test_an_older_ingest_without_reports_is_one_source() -> None:
    (report,) = reports_of(msgspec.structs.replace(WELL, reconnects=3, error="x", token_expires_at=NOW))
    assert (report.name, report.state, report.reconnects, report.error) == ("eventstreams", "OPEN", 3, "x")
    assert report.token_expires_at == NOW


def test_names_that_cannot_be_read_are_said_with_what_is_missing_and_are_no_reason_to_be_unready() -> None:
    lacking = NamesReport("user", error="no", missing="Directory > User > View")
    also = NamesReport("flow", error="no", missing="Architect > Flow > View")
    busy = NamesReport("queue", known=5, error="the platform answered with status 503")
    told = findings(msgspec.structs.replace(WELL, names=[busy, lacking, also, NamesReport("wrapup-code")]), None, NOW)
    assert [(each.code, each.unready) for each in told] == [("names", False)] * 2
    assert told[0].sentence == (
        "the names of users, flows cannot be read: the OAuth client's roles lack Directory > User > View and"
        " Architect > Flow > View"
    )
    assert told[1].sentence == "the names of queues cannot be read: the platform answered with status 503"
