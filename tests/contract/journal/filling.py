"""Journals with records in them."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import strategies as st

from journeymap.errors import JournalFullError
from journeymap.journal.journal import Journal
from journeymap.journal.segment import segments
from journeymap.model.record import Record

ROOT = Path(__file__).parents[3]


def filled(path: Path, count: int, *, segment_bytes: int = 1_000, frame: bytes = b"x" * 100) -> list[Record]:
    journal = Journal.open(path, segment_bytes=segment_bytes)
    records = []
    for number in range(count):
        data = b"%d:" % number + frame
        records.append(Record(data, "es", number, journal.append("es", data, number)))
    journal.close()
    return records


def fill_up(path: Path) -> None:
    journal = Journal.open(path)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    kept: list[int] = []
    with pytest.raises(JournalFullError, match="make room"):  # noqa: PT012 # how many fit is counted
        for number in range(1_000):
            kept.append(journal.append("s", b"x" * (100 + number), number))
    assert kept
    for _ in range(3):
        with pytest.raises(JournalFullError):
            journal.append("s", b"x" * 1_000, 0)
    assert [one.end for one in journal.replay(0)] == kept
    assert segments(path)[-1].path.stat().st_size == kept[-1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    kept.append(journal.append("s", b"x" * 1_000, 0))
    journal.close()
    journal = Journal.open(path)
    assert journal.torn_bytes == 0
    assert [one.end for one in journal.replay(0)] == kept
    journal.close()


FRAMES = st.lists(st.tuples(st.sampled_from(["a", "bb"]), st.binary(max_size=60), st.integers(0, 2**40)), max_size=25)
