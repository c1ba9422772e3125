"""The scale of exports against the golden cases that the page's JavaScript passes too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from journeymap.model.time import DAY
from journeymap.view.scale import LONGEST_SPAN, TimeScale, tick_step, ticks, zoomed

CASES = json.loads((Path(__file__).parents[2] / "data" / "scale_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES["scale"])
def test_time_becomes_pixels(case: dict[str, Any]) -> None:
    scale = TimeScale(case["start"], case["end"], case["width"])
    for time, x in case["points"]:
        assert scale.x(time) == pytest.approx(x, abs=1e-6)
        assert scale.time(scale.x(time)) == pytest.approx(time, abs=1e-3)


@pytest.mark.parametrize("case", CASES["ticks"])
def test_ticks_stand_on_round_local_times(case: dict[str, Any]) -> None:
    found = ticks(case["start"], case["end"], case["width"], case["offset"])
    assert (found.step, found.times[0], len(found.times)) == (case["step"], case["first"], case["count"])


@pytest.mark.parametrize("case", CASES["zoom"])
def test_zoom_keeps_the_anchor(case: dict[str, Any]) -> None:
    assert list(zoomed(case["start"], case["end"], case["factor"], case["anchor"])) == case["to"]


def test_however_long_the_span_there_is_a_step() -> None:
    assert tick_step(1_000 * DAY, 10) == 28 * DAY
    assert zoomed(0, LONGEST_SPAN, 10, 0) == (0, LONGEST_SPAN)
