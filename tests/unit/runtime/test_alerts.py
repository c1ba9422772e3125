"""Which hard errors people are told of, and when each begins and ends."""

from __future__ import annotations

from typing import Any

import pytest

from journeymap.model.status import Alert, AlertCounts, SourceReport
from journeymap.model.time import MINUTE, SECOND
from journeymap.runtime.alerts import DISCONNECTED_FOR, STORE_FOR, Alerts

NOW = 1_700_000_000_000


class Box:
    """A hook that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def counts(self) -> AlertCounts:
        return AlertCounts(delivered=len(self.messages))

    def close(self, patience: float) -> None:
        assert patience > 0

    def take(self) -> list[tuple[str, str, str | None]]:
        """What has come since the last time, in short."""
        found = [(each["kind"], each["state"], each["source"]) for each in self.messages]
        self.messages.clear()
        return found


def report(state: str = "OPEN", **fields: Any) -> SourceReport:
    return SourceReport(name="eventstreams", state=state, since=NOW, **fields)


class Bench:
    def __init__(self) -> None:
        self.box = Box()
        self.alerts = Alerts(self.box, "prod")
        self.now = NOW

    def look(
        self, *reports: SourceReport, after: int = 0, disk: str | None = None, store: str | None = None
    ) -> list[tuple[str, str, str | None]]:
        self.now += after
        self.alerts.look(self.now, reports or (report(),), disk, store)
        return self.box.take()


def test_refused_credentials_are_told_at_once_and_over_when_it_is_open() -> None:
    bench = Bench()
    refused = report("DISCONNECTED", refused=True, error="invalid_client", down_since=NOW)
    assert bench.look(refused) == [("refused", "firing", "eventstreams")]
    assert bench.look(refused, after=MINUTE) == []
    assert bench.look(report("CONNECTING", down_since=NOW), after=MINUTE) == [], "tried again is not accepted"
    assert bench.look(refused) == []
    assert bench.look(report(), after=MINUTE) == [("refused", "resolved", "eventstreams")]
    assert bench.look(report()) == []


def test_a_source_is_told_of_after_five_minutes_however_often_it_tries() -> None:
    bench = Bench()
    assert bench.look(report("DISCONNECTED", down_since=NOW), after=DISCONNECTED_FOR) == []
    later = report("CONNECTING", down_since=NOW, error="no route")
    assert bench.look(later, after=1) == [("disconnected", "firing", "eventstreams")]
    assert bench.look(report("DISCONNECTED", down_since=NOW), after=MINUTE) == []
    assert bench.look(report()) == [("disconnected", "resolved", "eventstreams")]


def test_a_source_that_is_held_for_the_disk_is_told_of_once() -> None:
    bench = Bench()
    held = report("DISCONNECTED", down_since=NOW)
    assert bench.look(held, disk="little room") == [("disk", "firing", None)]
    assert bench.look(held, disk="less room", after=10 * MINUTE) == []
    assert bench.look(report()) == [("disk", "resolved", None)]


def test_a_store_that_fails_for_a_moment_is_nobodys_trouble() -> None:
    bench = Bench()
    assert bench.look(store="full") == []
    assert bench.look(after=STORE_FOR - 1) == []
    assert bench.look(store="full") == []
    assert bench.look(store="full", after=STORE_FOR) == []
    assert bench.look(store="full", after=1) == [("store", "firing", None)]
    assert bench.look(store="full", after=MINUTE) == []
    assert bench.look() == [("store", "resolved", None)]


def test_a_message_says_where_what_and_what_to_do_and_no_secret() -> None:
    bench = Bench()
    error = "the answer was 400 invalid_client, client_secret=abcdefgh, Authorization: Basic YWJjOmRlZmdo"
    bench.alerts.look(NOW + SECOND, [report("DISCONNECTED", refused=True, error=error)], None, None)
    (message,) = bench.box.messages
    assert message["id"] == "journeymap/prod/eventstreams/refused"
    assert (message["kind"], message["state"], message["environment"]) == ("refused", "firing", "prod")
    assert (message["source"], message["since"], message["at"]) == ("eventstreams", NOW, NOW + SECOND)
    assert "platform refuses access to the source eventstreams" in message["summary"]
    assert "JOURNEYMAP_CLIENT_ID" in message["summary"]
    assert message["text"].startswith("[journeymap prod/eventstreams] firing: the platform refuses")
    assert message["text"].endswith("(since 2023-11-14T22:13:20.000Z)")
    for text in (message["summary"], message["text"], bench.alerts.firing()[0].summary):
        assert "abcdefgh" not in text
        assert "YWJj" not in text


def test_a_failure_is_told_and_over_when_ingest_looks_again() -> None:
    bench = Bench()
    bench.alerts.fail(NOW, "no space left for the journal")
    assert "no space left for the journal" in bench.box.messages[0]["summary"]
    assert bench.box.take() == [("failed", "firing", None)]
    again = Alerts(bench.box, "prod")
    again.recall(bench.alerts.firing())
    again.look(NOW + MINUTE, [report("CONNECTING")], None, None)
    assert bench.box.take() == [("failed", "resolved", None)]


@pytest.mark.parametrize(
    ("reports", "over"),
    [
        ([report("CONNECTING", down_since=NOW)], False),
        ([report("DISCONNECTED", down_since=NOW, refused=True)], False),
        ([report("OPEN")], True),
        ([report("OPEN", refused=True)], False),
        ([report("DISCONNECTED", finished=True)], True),
        ([SourceReport(name="another", state="CONNECTING")], True),
    ],
)
def test_what_an_earlier_process_told_of_is_told_of_once_and_ended(reports: list[SourceReport], over: bool) -> None:
    bench = Bench()
    bench.alerts.recall([Alert("refused", "eventstreams", NOW - MINUTE, "old")])
    assert bench.look(*reports) == ([("refused", "resolved", "eventstreams")] if over else [])
    assert bool(bench.alerts.firing()) is not over


def test_sources_are_told_of_each() -> None:
    bench = Bench()
    other = SourceReport(name="notifications", state="DISCONNECTED", refused=True)
    assert bench.look(report("DISCONNECTED", refused=True), other) == [
        ("refused", "firing", "eventstreams"),
        ("refused", "firing", "notifications"),
    ]
    assert bench.look(report(), other) == [("refused", "resolved", "eventstreams")]
