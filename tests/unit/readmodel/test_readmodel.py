"""What the read model answers and when: rows once and again, orders, filters, held pages, memory."""

from __future__ import annotations

import msgspec
import pytest

from journeymap.errors import InputError
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.readmodel.answer import OverTime
from journeymap.view.masking import Viewer
from journeymap.view.question import Overview, Question
from tests.unit.readmodel.bench import EVERYONE, START, Bench, names, row


def test_an_empty_store_is_answered_too() -> None:
    answer = Bench().told()
    assert (answer.version, answer.total, answer.order, answer.rows, answer.channels) == (0, 0, [], [], {})
    assert (answer.status.state, answer.status.ingest_running) == ("DISCONNECTED", False)
    assert answer.status.error == "ingest is not running"


def test_rows_come_once_and_again_when_they_change() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 2))
    answer = bench.told()
    assert (answer.order, names(answer), answer.total, answer.open) == (["b", "a"], ["b", "a"], 2, 2)
    assert bench.ask() is None
    bench.commit(row("a", START + 3))
    answer = bench.told()
    assert (answer.order, names(answer), answer.version) == (["a", "b"], ["a"], 2)
    assert answer.committed_at == bench.clock.now() - 2
    assert bench.ask() is None


def test_a_time_out_is_told_when_it_falls_due_and_not_before() -> None:
    bench = Bench()
    bench.commit(row("a", START + MINUTE))
    bench.told()
    bench.clock.advance(5 * MINUTE - 5)
    assert bench.ask() is None
    bench.clock.advance(1)
    answer = bench.told()
    assert (answer.rows[0][3], answer.open) == ("IDLE", 1)
    assert bench.ask() is None
    bench.clock.advance(30 * MINUTE)
    answer = bench.told()
    assert (answer.rows[0][3], answer.open) == ("CLOSED", 0)
    assert bench.ask() is None


def test_filters_and_facets() -> None:
    bench = Bench()
    bench.commit(
        row("a", START, channel="voice", customer="ACME 1"),
        row("b", START + 1, channel="chat", customer="acme 2"),
        row("c", START + 2, state="CLOSED", channel="chat", customer="Other"),
    )
    answer = bench.told(customer="Acme")
    assert (answer.order, answer.matched, answer.total) == (["b", "a"], 2, 3)
    answer = bench.told(at=0, channels=["chat"], customer=None)
    assert (answer.order, answer.matched) == (["c", "b"], 2)
    assert answer.channels == {"chat": 2, "voice": 1}, "facets count what the other filters let through"
    assert bench.told(at=0, states=["CLOSED"], channels=[]).order == ["c"]
    assert bench.told(at=0, states=["closed", "active"], customer="o", channels=["pigeon"]).order == []
    assert bench.told(at=0, states=None, customer=None, channels=None, offset=1, count=1).order == ["b"]
    with pytest.raises(InputError):
        bench.ask(states=["ASLEEP"])


def test_kept_filters_follow_changes() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 1))
    assert bench.told(states=["ACTIVE"]).order == ["b", "a"]
    bench.commit(row("a", START + 5, state="CLOSED"), row("c", START + 4))
    assert bench.told().order == ["c", "b"]
    bench.commit(row("a", START + 6, channel="chat"), gone={"b": "a"})
    answer = bench.told()
    assert (answer.order, answer.gone, answer.channels) == (["a", "c"], {"b": "a"}, {"chat": 1, "voice": 1})


def test_pinned_rows_come_whether_they_match_or_not_and_stand_above_the_others() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 1, channel="chat"), row("c", START + 2))
    answer = bench.told(channels=["voice"], pinned=["b", "c", "never", "b"], group="state")
    assert (answer.pinned, answer.order, names(answer)) == (["b", "c"], ["a"], ["b", "c", "a"])
    assert (answer.matched, answer.listed, answer.groups) == (2, 1, [("ACTIVE", 1)])
    assert answer.gone == {"never": None}
    bench.commit(row("d", START + 3), gone={"b": "d"})
    answer = bench.told(pinned=["b", "c"], hold=["c", "a"])
    assert (answer.pinned, answer.order, answer.gone) == (["c"], ["a"], {"b": "d"})


def test_watched_rows_come_wherever_they_stand_and_keep_their_place() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 1, channel="chat"), row("c", START + 2))
    answer = bench.told(channels=["voice"], count=1, watched=["b", "a", "never"])
    assert (answer.order, names(answer), answer.listed) == (["c"], ["c", "b", "a"], 2)
    assert answer.gone == {"never": None}
    have = [(each[0], each[1]) for each in answer.rows]
    assert bench.ask(watched=["b", "a"], have=have) is None
    bench.commit(row("b", START + 3, channel="chat"))
    assert names(bench.told(watched=["b", "a"], have=have)) == ["b"]
    bench.commit(gone={"a": "b"})
    assert bench.told(watched=["a"]).gone["a"] == "b"


def test_orders_and_groups_follow_changes_and_are_forgotten_when_nobody_asks() -> None:
    bench = Bench()
    bench.commit(row("a", START + 9), row("b", START + 5), row("c", START + 7, "CLOSED"))
    ask = {"sort": "duration", "group": "state"}
    answer = bench.told(**ask)
    assert (answer.order, answer.groups) == (["a", "b", "c"], [("ACTIVE", 2), ("CLOSED", 1)])
    bench.commit(row("b", START + 20), row("a", START + 10, "CLOSED"))
    answer = bench.told(**ask)
    assert (answer.order, answer.groups) == (["b", "a", "c"], [("ACTIVE", 1), ("CLOSED", 2)])
    matches = bench.model._table.matching(Question().filter())
    assert list(matches._orderings) == [("duration", "state")]
    bench.clock.advance(MINUTE)
    bench.commit(row("d", START + 30))
    bench.told(sort="activity", group=None, at=0)
    assert not matches._orderings


def test_orders_and_counts_are_not_made_anew_for_a_page_that_is_answered_slowly() -> None:
    bench = Bench()
    bench.commit(row("a", START + 9), row("b", START + 5))
    ask = {"sort": "duration", "facets": True, "overview": Overview(START, START + MINUTE, 6)}
    bench.told(**ask)
    matches = bench.model._table.matching(Question().filter())
    made = [*matches._orderings.values(), *matches._tallies.values(), matches._density]
    assert len(made) > 3
    for later in range(3):
        bench.clock.advance(15 * SECOND)
        bench.commit(row("b", START + 20 + later))
        bench.told(**ask)
    assert [*matches._orderings.values(), *matches._tallies.values(), matches._density] == made


def test_a_facet_does_not_count_by_its_own_choice() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 1, channel="chat"), row("c", START + 2, "CLOSED", "chat"))
    answer = bench.told(channels=["chat"], queues=["None of them"], facets=True)
    assert answer.facets is not None
    assert answer.facets["queue"] == [("Support", 2), ("none of them", 0)]
    assert answer.facets["channel"] == [("chat", 0)]
    answer = bench.told(channels=["chat"], queues=[], facets=True, at=0)
    assert answer.facets is not None
    assert answer.facets["channel"] == [("chat", 2), ("voice", 1)]
    assert (answer.facets["state"], answer.facets["flag"]) == ([("ACTIVE", 1), ("CLOSED", 1)], [])
    assert bench.told(at=0, facets=False).facets is None


def test_a_facet_names_the_values_of_the_most_journeys_and_those_that_are_chosen() -> None:
    bench = Bench()
    bench.commit(*(row(f"{n}-{k}", START, channel=f"c{n:02}") for n in range(40) for k in range(1 + (n > 20))))
    answer = bench.told(channels=["c15"], facets=True)
    assert answer.facets is not None
    channels = [name for name, _ in answer.facets["channel"]]
    assert channels == [f"c{n:02}" for n in [*range(21, 40), *range(11), 15]]


def test_counts_that_a_page_has_missed_are_told_although_nothing_new_happened() -> None:
    bench = Bench()
    asks = {"facets": True, "overview": Overview(START, START + 2 * MINUTE, 2)}
    bench.commit(row("a", START))
    answer = bench.told(**asks)
    assert answer.overview == OverTime(START, START + 2 * MINUTE, [1, 1], [0, 0], START)
    told_at = answer.counted
    assert told_at == answer.now
    bench.commit(row("b", START))
    assert bench.told(facets=False, overview=None).counted is None
    answer = bench.told(**asks, counted=told_at)
    assert answer.overview == OverTime(START, START + 2 * MINUTE, [2, 2], [0, 0], START)
    assert bench.ask(**asks, counted=answer.counted) is None
    bench.clock.advance(MINUTE)
    assert bench.ask(**asks, counted=answer.counted) is not None, "what goes on has reached another bin"


def test_a_page_that_left_the_present_is_told_how_many_have_moved_on() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 5), row("c", START + 9, channel="chat"))
    assert bench.told().news is None
    assert bench.told(left=START + 6, at=0).news == 1
    bench.commit(row("a", START + 8), row("d", START + 7))
    assert bench.told(left=START + 6).news == 3
    assert bench.told(left=START + 6, channels=["chat"], at=0).news == 1


def test_the_overview_says_from_when_on_there_is_something_to_see() -> None:
    bench = Bench()
    asks = {"overview": Overview(START + MINUTE, START + 2 * MINUTE, 2), "counted": 0}
    answer = bench.told(**asks)
    assert answer.overview is not None and answer.overview.first is None
    bench.commit(row("a", START + 5), row("b", START))
    answer = bench.told(**asks)
    assert answer.overview is not None and answer.overview.first == START


def test_a_flag_is_told_when_it_falls_due() -> None:
    bench = Bench()
    part = InteractionRow(
        "i", "email", "INITIATED", START, START + 4 * MINUTE, None, None, None, None, (("wait", START, None),)
    )
    bench.commit(JourneyRow("a", "Ann", START, START + 4 * MINUTE, 0, 1, 1, 0, (part,), ()))
    bench.clock.advance(4 * MINUTE - 100)
    assert bench.told().rows[0][12] == []
    assert bench.told(at=0, flags=["waiting-long"]).matched == 0
    bench.clock.advance(100)
    answer = bench.told(flags=["waiting-long"])
    assert (answer.matched, answer.rows[0][12]) == (1, ["waiting-long"])


def test_a_viewer_finds_nothing_by_what_they_may_not_see() -> None:
    bench = Bench()
    bench.commit(row("a", START, customer="+4915112345678"))
    stranger = Viewer(sees_identifiers=False)
    for field in ("text", "customer"):
        assert bench.told(**{field: "1234567"}, at=0).matched == 1
        assert bench.told(stranger, **{field: "1234567"}, at=0).matched == 0
        assert bench.told(stranger, **{field: "78"}, at=0).matched == 1
        assert bench.told(**{field: None}, at=0).matched == 1


def test_since_bounds_the_rows_and_rows_leave_as_it_moves() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 30 * SECOND))
    assert bench.told(since=START).order == ["b", "a"]
    bench.clock.advance(SECOND)
    answer = bench.told(since=START + SECOND)
    assert (answer.order, answer.matched, answer.channels) == (["b"], 1, {"voice": 1})
    bench.clock.advance(SECOND)
    assert bench.ask(since=START + 2 * SECOND) is None


def test_a_held_order_stays_and_says_who_is_gone() -> None:
    bench = Bench()
    bench.commit(row("a", START), row("b", START + 1), row("c", START + 2))
    assert bench.told().order == ["c", "b", "a"]
    bench.commit(row("a", START + 9), gone={"b": "c"})
    answer = bench.told(hold=["c", "b", "a", "never"])
    assert (answer.order, names(answer)) == (["c", "a"], ["a"])
    assert answer.gone == {"b": "c", "never": None}
    bench.commit(row("d", START + 10), gone={"c": "d"})
    assert bench.told(hold=["c", "b"], have=[]).gone == {"c": "d", "b": "d"}, "the way is followed to its end"


def test_a_page_that_lost_an_answer_gets_its_rows() -> None:
    bench = Bench()
    bench.commit(row("a", START))
    answer = bench.told()
    lost = Question(version=answer.version, at=answer.now)
    again = bench.model.answer(lost, EVERYONE, bench.clock.now() + 1)
    assert again is not None
    assert names(again) == ["a"]


def test_a_page_ahead_of_this_process_is_left_alone_until_the_store_must_be_another() -> None:
    bench = Bench()
    bench.commit(row("a", START))
    bench.told()
    ahead = msgspec.structs.replace(bench.page, version=9)
    assert bench.model.answer(ahead, EVERYONE, bench.clock.now() + SECOND) is None
    assert bench.model.answer(ahead, EVERYONE, bench.clock.now() + 3 * SECOND) is not None


def test_closed_journeys_leave_first_and_the_least_recently_active_of_them() -> None:
    bench = Bench(limit=3)
    bench.commit(row("old-open", START), row("c1", START + 1, "CLOSED"), row("c2", START + 2, "CLOSED"))
    bench.told()
    bench.commit(row("c3", START + 3, "CLOSED"), row("open", START + 4))
    assert bench.told().order == ["open", "c3", "old-open"]
    bench.commit(row("o1", START + 5), row("o2", START + 6))
    answer = bench.told()
    assert (answer.order, answer.total, answer.open) == (["o2", "o1", "open"], 3, 3)


def test_closed_journeys_leave_when_the_window_has_passed() -> None:
    bench = Bench(window=HOUR)
    bench.commit(row("closed", START, "CLOSED"), row("open", START + 5 * MINUTE))
    assert bench.told().total == 2
    bench.clock.advance(HOUR)
    answer = bench.told()
    assert (answer.order, answer.gone) == (["open"], {"closed": None})
    bench.clock.advance(HOUR)
    assert bench.told().total == 0


def test_memory_stays_flat() -> None:
    bench = Bench(limit=50, window=HOUR)
    for n in range(400):
        bench.clock.advance(SECOND)
        bench.commit(*(row(f"{n}-{k}", bench.clock.now(), "CLOSED" if k % 2 else "ACTIVE") for k in range(10)))
        bench.told(states=["ACTIVE"])
    table = bench.model._table
    assert len(table.held) == 50
    assert len(table._dues) < 1_300
    assert len(table._changed) < 1_300


def test_a_viewer_without_the_right_sees_no_number() -> None:
    bench = Bench()
    bench.commit(row("a", START, customer="+4915112345678"))
    answer = bench.told(viewer=Viewer(sees_identifiers=False))
    masked = answer.rows[0]
    assert masked[2] == "•••78"
    assert b"12345678" not in answer.encode()
    clear = bench.told(have=[]).rows[0]
    assert clear[2] == "+4915112345678"
    assert clear[1] != masked[1]
