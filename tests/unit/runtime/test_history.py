"""Each change of a connection is told once, also of one that changes faster than anybody looks."""

from __future__ import annotations

from msgspec.structs import replace

from journeymap.model.status import ConnectionChange, IngestStatus, SourceReport
from journeymap.runtime.history import DIED, MAX_CHANGES, STOPPED, Changes, ConnectionLog
from journeymap.source.base import CHANGES_KEPT, ConnectionState, SourceStatus, followed

OPEN, CLOSED, CONNECTING = ConnectionState.OPEN, ConnectionState.DISCONNECTED, ConnectionState.CONNECTING
NOW = 1_700_000_000_000


def gone_through(status: SourceStatus, *states: ConnectionState, error: str | None = None) -> SourceStatus:
    """The status after these states, a millisecond each."""
    for state in states:
        status = followed(status, replace(status, state=state, since=status.since + 1, error=error))
    return status


def test_every_change_between_two_looks_is_seen_once() -> None:
    changes, log = Changes(), ConnectionLog()
    status = gone_through(SourceStatus(since=NOW), CONNECTING, OPEN)
    assert changes.are_there(status)
    log.look({"s": changes.since_last(status)})
    assert not changes.are_there(status)
    log.look({"s": changes.since_last(status)})
    status = gone_through(status, OPEN, CLOSED, CONNECTING, error="timed out")
    status = gone_through(status, OPEN)
    log.look({"s": changes.since_last(status)})
    assert log.changes() == [
        ConnectionChange(NOW + 1, "s", "CONNECTING"),
        ConnectionChange(NOW + 2, "s", "OPEN"),
        ConnectionChange(NOW + 4, "s", "DISCONNECTED", "timed out"),
        ConnectionChange(NOW + 5, "s", "CONNECTING"),
        ConnectionChange(NOW + 6, "s", "OPEN"),
    ]


def test_of_very_many_changes_the_latest_are_known() -> None:
    changes = Changes()
    status = gone_through(SourceStatus(), *[CONNECTING, CLOSED] * CHANGES_KEPT)
    latest = changes.since_last(status)
    assert len(latest) == CHANGES_KEPT
    assert latest[-1].at == 2 * CHANGES_KEPT


def test_sources_are_told_in_the_order_of_time_and_bounded() -> None:
    log = ConnectionLog()
    one = gone_through(SourceStatus(since=NOW), CONNECTING, OPEN)
    other = gone_through(SourceStatus(since=NOW + 1), CONNECTING)
    log.look({"one": one.changes, "other": other.changes})
    assert [(change.source, change.at - NOW) for change in log.changes()] == [("one", 1), ("one", 2), ("other", 2)]
    for _ in range(MAX_CHANGES):
        log.look({"other": other.changes})
    assert len(log.changes()) == MAX_CHANGES
    assert {change.source for change in log.changes()} == {"other"}


def test_a_stop_and_a_crash_are_told_as_such() -> None:
    log = ConnectionLog()
    status = gone_through(SourceStatus(since=NOW), OPEN)
    log.look({"s": status.changes})
    log.stop_begins()
    log.look({"s": gone_through(status, CLOSED).changes[1:]})
    assert log.changes()[-1] == ConnectionChange(NOW + 2, "s", "DISCONNECTED", STOPPED)
    reports = [SourceReport(name="s", state="OPEN"), SourceReport(name="t", state="DISCONNECTED")]
    again = ConnectionLog(log.changes(), IngestStatus(written_at=NOW + 9, sources=reports))
    assert again.changes() == [*log.changes(), ConnectionChange(NOW + 9, "s", "DISCONNECTED", DIED)]
