"""Names in what pages are told: from the store's document, when it changes, and nothing else."""

from __future__ import annotations

import msgspec

from journeymap.model.names import NAMES, Name, mark_of
from journeymap.model.row import JourneyRow
from journeymap.model.time import SECOND
from journeymap.readmodel.stored import arranged_rows, named_rows, sorted_rows
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.filters import Filter
from journeymap.view.masking import Viewer
from tests.unit.readmodel.bench import START, Bench, names, row

QUEUE, ANN, LINE = "q-1", "u-1", "u-2"
KNOWN = [Name("queue", QUEUE, "Sales"), Name("user", ANN, "Ann Lee"), Name("user", LINE, "Desk +43 1 2345678")]


def named_by_ids(name: str, last: int, agent: str = ANN) -> JourneyRow:
    plain = row(name, last)
    (part,) = plain.interactions
    return msgspec.structs.replace(plain, interactions=(msgspec.structs.replace(part, queue=QUEUE, agent=agent),))


def tell(bench: Bench, known: list[Name]) -> None:
    document = msgspec.json.encode(known)
    bench.store.write_documents({NAMES: document})
    bench.report(names_mark=mark_of(document))
    bench.clock.advance(SECOND)


def filled() -> Bench:
    bench = Bench()
    bench.commit(named_by_ids("a", START), named_by_ids("b", START + 1, LINE), row("c", START + 2))
    return bench


def test_rows_are_named_and_named_anew_when_the_names_change() -> None:
    bench = filled()
    bench.report()
    assert {part[8] for each in bench.told().rows for part in each[9]} == {QUEUE, "Support"}
    tell(bench, KNOWN)
    answer = bench.told()
    assert names(answer) == ["b", "a"], "those alone come again that have names now"
    assert [each[9][0][8:10] for each in answer.rows] == [("Sales", "Desk +43 1 2345678"), ("Sales", "Ann Lee")]
    assert bench.ask() is None
    tell(bench, [Name("queue", QUEUE, "Sales"), Name("user", ANN, "Ann Lee-Wu"), KNOWN[2]])
    assert [each[9][0][9] for each in bench.told().rows] == ["Ann Lee-Wu"]
    bench.commit(named_by_ids("a", START + 9))
    assert [each[9][0][9] for each in bench.told().rows] == ["Ann Lee-Wu"]
    bench.clock.advance(400 * SECOND)
    assert {each[9][0][8] for each in bench.told().rows} == {"Sales", "Support"}, "also once they read IDLE"
    tell(bench, [])
    assert {each[9][0][8] for each in bench.told().rows} == {QUEUE}, "and what is not named any more is an id again"


def test_the_document_is_read_only_when_its_mark_is_another() -> None:
    bench = filled()
    tell(bench, KNOWN)
    bench.told()
    before = bench.model.names
    bench.store.write_documents({NAMES: b"not read"})
    bench.clock.advance(SECOND)
    bench.report(names_mark=mark_of(msgspec.json.encode(KNOWN)))
    bench.ask()
    assert bench.model.names is before


def test_facets_groups_search_and_filters_see_names() -> None:
    bench = filled()
    tell(bench, KNOWN)
    answer = bench.told(group="queue", facets=True)
    assert answer.groups == [("Sales", 2), ("Support", 1)]
    assert answer.facets is not None
    assert answer.facets["queue"] == [("Sales", 2), ("Support", 1)]
    bench.page = msgspec.structs.replace(bench.page, group=None, facets=False, have=[])
    for asked in ({"queues": [QUEUE]}, {"queues": ["sales"]}, {"text": "sale"}, {"text": QUEUE}):
        assert names(bench.told(at=0, have=[], **asked)) == ["b", "a"], asked
        bench.page = msgspec.structs.replace(bench.page, queues=None, text=None)
    assert bench.told(at=0, queues=["Q-1", "sales"], agents=[ANN]).named == {"Q-1": "Sales", ANN: "Ann Lee"}
    assert bench.told(at=0, queues=["sales"], agents=None).named is None


def test_who_may_not_see_numbers_does_not_see_them_in_names() -> None:
    bench = filled()
    tell(bench, KNOWN)
    shown = {each[0]: each[9][0][9] for each in bench.told(Viewer(sees_identifiers=False)).rows}
    assert (shown["a"], shown["b"]) == ("Ann Lee", "Desk •••78")


def test_rows_from_the_store_are_named_too() -> None:
    bench = filled()
    tell(bench, KNOWN)
    bench.told()
    from tests.contract.commits import kept, record

    stored = [named_by_ids("a", START), named_by_ids("b", START + 1)]
    for each in stored:
        bench.store.commit(kept(msgspec.structs.replace(record(each.journey_id), row=each)))
    known, reading = bench.model.names, ClockReading(START, Timeouts())
    wanted = Filter(queues=frozenset({"q-1"}))
    found = list(sorted_rows(bench.store, wanted, reading, "queue", names=known))
    assert [each.interactions[0].queue for each in found] == ["Sales", "Sales"]
    grouped = arranged_rows(bench.store, wanted, reading, "activity", group="queue", pinned=["a"], most=9, names=known)
    assert [each.interactions[0].queue for each in grouped.rows] == ["Sales", "Sales"]
    assert grouped.groups is not None
    assert grouped.groups.sizes == [("Sales", 1)]
    assert named_rows(bench.store, ["a"], known)[0][0].interactions[0].agent == "Ann Lee"
