"""The fault matrix: `faults` is the table, `cell` runs one cell and says what has to hold, `defects` shows that it would tell.

Cells mostly wait, so a few processes run them beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.integration.cell import LAW, SCALE, outcome
from tests.integration.defects import DEFECTS, outcome_with
from tests.integration.faults import CELLS, FAULTS, MOMENTS, UNNOTICED, senseless

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WORKERS = 4
REAL = [
    ("socket half-open", "mid-stream"),
    ("subscription brings nothing", "before token"),
    ("subscriptions fall silent", "mid-stream"),
]
"""Cells that are also run in real time."""


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[tuple[object, ...], Future[str]]]:
    """What comes of each cell that this run of the tests wants."""
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = [parameters["asked"] for parameters in calls if "asked" in parameters]
    pool = ProcessPoolExecutor(WORKERS, get_context("spawn"))
    beside = ProcessPoolExecutor(len(REAL), get_context("spawn"))
    try:
        yield {
            asked: (beside if asked[-1] == 1 else pool).submit(
                *((outcome_with,) if len(asked) == 1 else (outcome,)), *asked
            )
            for asked in wanted
        }
    finally:
        for executor in (pool, beside):
            executor.shutdown(cancel_futures=True)


def named(asked: tuple[object, ...]) -> str:
    return ", ".join(str(part) for part in asked)


@pytest.mark.parametrize("asked", [(*where, 1) for where in REAL] + [(*where, SCALE) for where in CELLS], ids=named)
def test_nothing_is_lost_the_page_tells_the_truth_and_all_settles(
    asked: tuple[object, ...], outcomes: dict[tuple[object, ...], Future[str]]
) -> None:
    wrong = outcomes[asked].result()
    assert not wrong, wrong


@pytest.mark.parametrize("asked", [(name,) for name in DEFECTS], ids=named)
def test_a_defect_would_be_told(asked: tuple[str], outcomes: dict[tuple[object, ...], Future[str]]) -> None:
    assert DEFECTS[asked[0]].word in outcomes[asked].result()


def test_a_cell_is_left_out_only_for_a_reason() -> None:
    left_out = {(name, moment): senseless(name, moment) for name in FAULTS for moment in MOMENTS}
    reasons = {reason for reason in left_out.values() if reason}
    assert len(reasons) == 3
    assert len(CELLS) == sum(not reason for reason in left_out.values()) > 250
    for name in FAULTS:
        assert not left_out[name, "mid-stream"]
        assert not left_out[name, "during refresh"]
        assert not left_out[name, "during flush"]
    assert UNNOTICED * 1000 > LAW
