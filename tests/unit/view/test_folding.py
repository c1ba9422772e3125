"""Which idle stretches of a journey fold, and the folded scale against the golden cases that the page's JavaScript passes too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.view.folding import Fold, Folded, folded, folded_scale, folded_ticks
from journeymap.view.labels import folded_tick_label

CASES = json.loads((Path(__file__).parents[2] / "data" / "folding_cases.json").read_text(encoding="utf-8"))
START = 1_764_000_000_000


def scale_of(case: dict[str, Any]) -> Any:
    folds = [Fold(*edges) for edges in case["folds"]]
    return folded_scale(case["start"], case["end"], case["width"], folds, expanded=case["expanded"])


@pytest.mark.parametrize("case", CASES)
def test_time_becomes_pixels(case: dict[str, Any]) -> None:
    scale = scale_of(case)
    for time, x in case["points"]:
        assert scale.x(time) == pytest.approx(x, abs=1e-6)
    assert scale.break_width == pytest.approx(case["break_width"])


@pytest.mark.parametrize("case", CASES)
def test_ticks_stand_on_round_local_times_and_where_pieces_begin(case: dict[str, Any]) -> None:
    left, right, offset, apart = case["ticked"]
    found = folded_ticks(scale_of(case), left, right, offset=offset, apart=apart)
    assert (found.step, list(found.times)) == (case["step"], case["ticks"])


def test_a_journey_of_one_sitting_does_not_fold() -> None:
    talk = [(START, START + 5 * MINUTE), (START + 11 * MINUTE, START + 20 * MINUTE)]
    assert folded(talk) == Folded()
    assert folded([]) == Folded()
    assert folded([], [START]) == Folded()


def test_days_between_contacts_fold_and_say_how_long() -> None:
    first, second = START, START + 2 * DAY + 3 * HOUR + 10 * MINUTE
    found = folded([(first, first + 10 * MINUTE), (second, second + 4 * MINUTE)])
    assert [fold.label for fold in found.folds] == ["2 d 3 h"]
    assert found.threshold == DAY


def test_the_threshold_goes_down_until_the_idle_time_is_little() -> None:
    talks = [
        (START, START + 10 * MINUTE),
        (START + 50 * MINUTE, START + HOUR),
        (START + 2 * DAY, START + 2 * DAY + MINUTE),
    ]
    found = folded(talks)
    assert [fold.label for fold in found.folds] == ["40 min", "1 d 23 h"]
    assert found.threshold == 30 * MINUTE


def test_what_happens_in_between_divides_a_break() -> None:
    talks = [(START, START + 10 * MINUTE), (START + DAY, START + DAY + 10 * MINUTE)]
    found = folded(talks, [START + 10 * MINUTE, START + 12 * HOUR])
    assert [fold.label for fold in found.folds] == ["11 h 50 min", "12 h"]


def test_a_mail_that_waits_overnight_is_idle_but_a_long_call_is_not() -> None:
    mail = [(START, START + 14 * HOUR), (START + 14 * HOUR, START + 14 * HOUR + 10 * MINUTE)]
    assert [fold.label for fold in folded(mail, [START]).folds] == ["14 h"]
    call = [(START, START + 110 * MINUTE)]
    assert folded(call) == Folded()


def test_a_second_is_three_pixels_wide_however_short_it_is() -> None:
    scale = folded_scale(START, START + 2 * HOUR, 1_000)
    assert scale.bar(START + HOUR, START + HOUR + SECOND) == (500, 3)
    assert scale.bar(START, START + HOUR) == (0, 500)


def test_nothing_but_breaks_shares_the_width() -> None:
    scale = folded_scale(START, START + 3 * DAY, 900, [Fold(START, START + DAY), Fold(START + DAY, START + 3 * DAY)])
    assert [scale.x(START + days * DAY) for days in (0, 1, 2, 3)] == [0, 450, 675, 900]
    assert scale.time(450) == START + DAY
    assert (scale.x(START - 1), scale.time(-5)) == (0, START)
    assert folded_ticks(scale, 0, 900).times == [START, START + DAY]


def test_a_tick_off_the_grid_says_the_time_of_day() -> None:
    noon = 1_764_028_800_000 + 12 * HOUR
    assert folded_tick_label(noon, DAY) == "12:00"
    assert folded_tick_label(noon + 12 * HOUR, DAY) == "26 Nov"
    assert folded_tick_label(noon + 90 * MINUTE, HOUR) == "13:30"
    assert folded_tick_label(noon + 7 * SECOND, 30 * SECOND) == "12:00:07"
