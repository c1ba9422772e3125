"""The keeper of names: what it asks for, what it keeps, and what it says where it may not ask."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from journeymap.errors import ForbiddenError, RequestError, SourceError, TransientSourceError
from journeymap.model.names import Name, NamesReport, decode_names
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import HOUR, MINUTE
from journeymap.runtime.names import AT_ONCE, MOST_SOUGHT, NamesKeeper
from journeymap.testing import ManualClock

START = 1_700_000_000_000
QUEUES, USERS, CODES, FLOWS = "/api/v2/routing/queues", "/api/v2/users", "/api/v2/routing/wrapupcodes", "/api/v2/flows"


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


class Listed:
    """An organisation as its lists and single entities tell it; `fails` by path."""

    def __init__(self, **lists: dict[str, str]) -> None:
        self.lists = {path: lists.get(name, {}) for name, path in ORDER.items()}
        self.single: dict[str, str] = {}
        self.fails: dict[str, SourceError] = {}
        self.asked: list[str] = []

    def pages(self, path: str, params: Mapping[str, str | int] = {}) -> Iterator[dict[str, Any]]:
        self.asked.append(path)
        for place, (each, name) in enumerate(self.lists[path].items()):
            if place and path in self.fails:
                raise self.fails[path]
            yield {"id": each, "name": name}
        if path in self.fails:
            raise self.fails[path]

    def get(self, path: str, params: Mapping[str, str | int] = {}) -> dict[str, Any]:
        self.asked.append(path)
        listing, _, each = path.rpartition("/")
        if listing in self.fails:
            raise self.fails[listing]
        if each not in self.single:
            raise RequestError("there is none", 404)
        return {"id": each, "name": self.single[each]}

    def abort(self) -> None:
        pass


ORDER = {"queues": QUEUES, "codes": CODES, "users": USERS, "flows": FLOWS}


def row(queue: str | None = None, agent: str | None = None, code: str | None = None) -> JourneyRow:
    part = InteractionRow("i", "voice", "ACTIVE", START, START, None, code, queue, agent, ())
    return JourneyRow("j", "Customer", START, START, 0, 1, 1, 0, (part,), ())


class Kept:
    """A keeper whose turns are taken by hand."""

    def __init__(self, listed: Listed, stored: bytes | None = None, **options: Any) -> None:
        self.clock = ManualClock(START)
        self.keeper = NamesKeeper(listed, self.clock.now, stored, **options)

    def turn(self, later: int = 0) -> None:
        self.clock.advance(later)
        self.keeper.turn()

    def names(self) -> dict[str, str]:
        return {each.id: each.name for each in decode_names(self.keeper.document())}

    def report(self, kind: str) -> NamesReport:
        return next(each for each in self.keeper.reports() if each.kind == kind)


def test_all_lists_are_read_at_first_and_every_hour() -> None:
    listed = Listed(
        queues={"q": "Sales"}, users={"u": "Ann\nLee \x00"}, codes={"c": "Sold"}, flows={"f": "Main", "g": " "}
    )
    kept = Kept(listed)
    kept.turn()
    assert kept.names() == {"q": "Sales", "c": "Sold", "u": "Ann Lee", "f": "Main"}
    assert kept.report("queue") == NamesReport("queue", 1, START)
    document = kept.keeper.document()
    listed.lists[QUEUES] = {"q": "Sales EU"}
    kept.turn(HOUR - 1)
    assert (kept.keeper.document() is document, listed.asked) == (True, list(ORDER.values()))
    kept.turn(1)
    assert kept.names()["q"] == "Sales EU"
    assert kept.keeper.document() != document


def test_who_is_not_listed_any_more_keeps_the_name() -> None:
    listed = Listed(queues={"q": "Sales", "r": "Support"})
    kept = Kept(listed)
    kept.turn()
    listed.lists[QUEUES] = {"r": "Support"}
    kept.turn(HOUR)
    assert kept.names() == {"q": "Sales", "r": "Support"}
    after = Kept(Listed(), kept.keeper.document())
    assert after.names() == kept.names(), "also in the next process, before anything is read"
    assert after.report("queue").known == 2


def test_names_are_bounded_and_the_oldest_of_the_most_go() -> None:
    kept = Kept(listed := Listed(queues={"q": "Sales"}, users={f"u{n}": f"User {n}" for n in range(5)}), most=4)
    kept.turn()
    assert kept.names() == {"q": "Sales", "u1": "User 1", "u2": "User 2", "u3": "User 3"}
    listed.lists[USERS] = {"u3": "User 3", "u9": "User 9"}
    kept.turn(HOUR)
    assert kept.names() == {"q": "Sales", "u2": "User 2", "u3": "User 3", "u9": "User 9"}


def test_a_missing_permission_is_said_once_and_concerns_one_kind(caplog: pytest.LogCaptureFixture) -> None:
    listed = Listed(queues={"q": "Sales"}, users={"u": "Ann"})
    listed.fails[USERS] = ForbiddenError("no", 403, "missing.permissions", ("directory:user:view",))
    kept = Kept(listed)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            kept.turn(HOUR)
    assert kept.names() == {"q": "Sales"}
    assert (kept.report("user").missing, kept.report("queue").error) == ("Directory > User > View", None)
    assert len(caplog.records) == 1
    assert "Directory > User > View" in caplog.text
    kept.keeper.see([row(agent=uuid(1))])
    kept.turn()
    assert f"{USERS}/{uuid(1)}" not in listed.asked, "nor is a single one asked for"
    del listed.fails[USERS]
    kept.keeper.retry()
    kept.turn()
    assert (kept.names()["u"], kept.report("user").missing, kept.report("user").error) == ("Ann", None, None)


def test_what_may_pass_is_tried_again_sooner_and_half_a_list_is_none() -> None:
    listed = Listed(users={"u": "Ann", "v": "Ben"})
    listed.fails[USERS] = TransientSourceError("busy")
    kept = Kept(listed, msgspec.json.encode([Name("user", "u", "Ann of old")]))
    kept.turn()
    assert (kept.names(), kept.report("user").error) == ({"u": "Ann of old"}, "busy")
    del listed.fails[USERS]
    kept.turn(5 * MINUTE - 1)
    assert listed.asked.count(USERS) == 1
    kept.turn(1)
    assert kept.names() == {"u": "Ann", "v": "Ben"}
    assert listed.asked.count(QUEUES) == 1


def test_ids_in_no_list_are_looked_up_a_few_at_a_time_and_once() -> None:
    listed = Listed()
    listed.single = {uuid(1): "Closed queue", uuid(2): "Left", uuid(3): "Old code"}
    kept = Kept(listed)
    kept.turn()
    listed.asked.clear()
    kept.keeper.see([row(uuid(1), uuid(2), uuid(3)), row("Support", "Ann", "Sold"), row(uuid(4))])
    kept.turn()
    assert kept.names() == {uuid(1): "Closed queue", uuid(2): "Left", uuid(3): "Old code"}
    assert listed.asked == [f"{QUEUES}/{uuid(1)}", f"{USERS}/{uuid(2)}", f"{CODES}/{uuid(3)}", f"{QUEUES}/{uuid(4)}"]
    kept.keeper.see([row(uuid(1)), row(uuid(4))])
    kept.turn()
    assert len(listed.asked) == 4, "what is not there is not asked for again before the lists are read again"
    kept.keeper.see([row(uuid(number)) for number in range(100, 100 + 2 * MOST_SOUGHT)])
    kept.turn()
    assert len(listed.asked) == 4 + AT_ONCE
    kept.turn(HOUR)
    kept.keeper.see([row(uuid(4))])
    for _ in range(MOST_SOUGHT // AT_ONCE + 1):
        kept.turn()
    assert listed.asked.count(f"{QUEUES}/{uuid(4)}") == 2
    assert len(listed.asked) <= 4 + 4 + MOST_SOUGHT + AT_ONCE


def test_the_more_names_there_are_the_more_seldom_single_ones_are_published() -> None:
    listed = Listed(users={f"u{number}": "Ann" for number in range(2_000)})
    listed.single = {uuid(1): "Closed queue", uuid(2): "Another"}
    kept = Kept(listed)
    kept.turn()
    kept.keeper.see([row(uuid(1))])
    kept.turn(1_999)
    assert uuid(1) not in kept.names()
    kept.turn(2)  # a millisecond for each that is known by now
    assert kept.names()[uuid(1)] == "Closed queue"
    kept.keeper.see([row(uuid(2))])
    kept.turn(1)
    assert uuid(2) not in kept.names()
    kept.turn(HOUR)
    assert kept.names()[uuid(2)] == "Another"


def test_names_that_cannot_be_read_are_no_reason_not_to_start(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(Listed(queues={"q": "Sales"}), b"{not json")
    assert "cannot be read" in caplog.text
    kept.turn()
    assert kept.names() == {"q": "Sales"}
