"""The row on the wire."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from journeymap.model.journey import WAITING, Kind
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import MINUTE
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.looks import KIND_LOOKS
from journeymap.view.summary import summary
from journeymap.view.tracks import KINDS, wire_row

START = 1_700_000_000_000
ONE = InteractionRow(
    "i1", "voice", "WRAPUP", START, START + 3_000, START + 3_000, None, "Support", "Ann",
    (("wait", START, START + 1_000), ("interact", START + 1_000, START + 3_000), ("wrapup", START + 3_000, None)),
    "inbound",
)  # fmt: skip
TWO = InteractionRow(
    "i2", "pigeon", "ACTIVE", START + 3_000, START + 60_000, None, "sold", None, "Bob",
    (("interact", START + 3_000, None),),
)  # fmt: skip
ROW = JourneyRow(
    "j-1", "+49 151 234567", START, START + 60_000, START + 60_123, 7, 2, 2, (ONE, TWO),
    ((START + 2_000, "i1", "i2"), (START + 4_000, "i2", None)),
)  # fmt: skip


def at(now: int) -> ClockReading:
    return ClockReading(now, Timeouts())


def test_a_row_word_for_word() -> None:
    row = wire_row(ROW, at(START + 61_000))
    assert list(row[:1] + row[2:]) == [
        "j-1", "+49 151 234567", "ACTIVE", START, 60_000, START + 60_123, 7, 2,
        [
            ("i1", "voice", "WRAPUP", 0, 0, 3_000, 3_000, None, "Support", "Ann",
             (0, 0, 1_000), (1, 1_000, 2_000), (3, 3_000, -1)),
            ("i2", "pigeon", "ACTIVE", 0, 3_000, 60_000, None, "sold", None, "Bob", (1, 3_000, -1)),
        ],
        [(2_000, 0, 1), (4_000, 1, None)],
        1_000,
        ["handed-over"],
        ["inbound", None],
        2,
    ]  # fmt: skip


def test_timed_out_interactions_end_at_their_last_event() -> None:
    later = wire_row(ROW, at(START + 60_000 + 30 * MINUTE))
    first, second = later[9]
    assert later[3] == "CLOSED"
    assert first[2:7] == ("CLOSED", 1, 0, 3_000, 3_000)
    assert first[10:] == ((0, 0, 1_000), (1, 1_000, 2_000)), "the wrap-up would have no length"
    assert second[6] == 60_000
    assert second[10:] == ((1, 3_000, 57_000),)


def test_the_tag_changes_with_anything_and_with_nothing_else() -> None:
    tag = wire_row(ROW, at(START + 61_000))[1]
    assert tag == wire_row(ROW, at(START + 62_000))[1]
    assert 0 <= tag < 2**53, "JavaScript must keep it exactly"
    others = [
        wire_row(ROW, at(START + 60_000 + 5 * MINUTE))[1],
        wire_row(msgspec.structs.replace(ROW, customer_id="•••"), at(START + 61_000))[1],
        wire_row(msgspec.structs.replace(ROW, arrived_at=1), at(START + 61_000))[1],
        wire_row(msgspec.structs.replace(ROW, transfers=()), at(START + 61_000))[1],
    ]
    assert len({tag, *others}) == 5


def test_transfers_whose_source_was_cut_away_are_left_out() -> None:
    cut = msgspec.structs.replace(ROW, interactions=(TWO,))
    assert wire_row(cut, at(START + 61_000))[10] == [(4_000, 0, None)]


def test_every_kind_has_a_number_and_a_name_which_the_page_shares() -> None:
    assert set(KINDS) == {kind.value for kind in Kind}
    words = (Path(__file__).parents[3] / "assets" / "base" / "words.mjs").read_text(encoding="utf-8")
    (listed,), (named,), (waiting,) = (
        re.findall(pattern, words)
        for pattern in (r"KINDS = \[(.*?)\];", r"KIND_LABELS = \{([^}]*)\}", r"WAITING = new Set\(\[(.*?)\]\)")
    )
    assert {name: number for number, name in enumerate(re.findall(r'"(\w+)"', listed))} == KINDS
    assert dict(re.findall(r'(\w+): "([^"]+)"', named)) == {name: look.label for name, look in KIND_LOOKS.items()}
    assert set(re.findall(r'"(\w+)"', waiting)) == WAITING


def test_a_summary() -> None:
    waiting = msgspec.structs.replace(ONE, state="INITIATED", ended_at=None, segments=(("wait", START, None),))
    row = msgspec.structs.replace(ROW, interactions=(waiting, TWO))
    told = summary(row, at(START + 61_000))
    assert told.state == "ACTIVE"
    assert (told.interactions, told.transfers, told.events) == (2, 2, 7)
    assert (told.channels, told.queues, told.agents) == (["voice", "pigeon"], ["Support"], ["Ann", "Bob"])
    assert (told.dispositions, told.longest_wait_ms, told.timed_out) == (["sold"], 61_000, 0)
    closed = summary(row, at(START + 60_000 + 30 * MINUTE))
    assert (closed.state, closed.longest_wait_ms, closed.timed_out) == ("CLOSED", 3_000, 2)
    assert summary(msgspec.structs.replace(ROW, interactions=(TWO,)), at(START)).longest_wait_ms is None
