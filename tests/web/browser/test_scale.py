"""The scale of the page's JavaScript against the golden cases."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

CASES = json.loads((Path(__file__).parents[2] / "data" / "scale_cases.json").read_text())
RUN = """async (cases) => {
  const { TimeScale, ticks, zoomed } = await import("/assets/base/scale.mjs");
  return {
    scale: cases.scale.map(({ start, end, width, points }) => {
      const scale = new TimeScale(start, end, width);
      return points.map(([time]) => [time, scale.x(time), scale.time(scale.x(time))]);
    }),
    ticks: cases.ticks.map(({ start, end, width, offset }) => ticks(start, end, width, offset)),
    zoom: cases.zoom.map(({ start, end, factor, anchor }) => zoomed(start, end, factor, anchor)),
  };
}"""


def test_time_becomes_pixels_as_the_golden_cases_say(context: BrowserContext, serve, visit) -> None:
    page = visit(serve(5).url)
    found = page.evaluate(RUN, CASES)
    for case, points in zip(CASES["scale"], found["scale"], strict=True):
        for (time, x), (_, seen, back) in zip(case["points"], points, strict=True):
            assert abs(seen - x) < 1e-6
            assert abs(back - time) < 1e-3
    for case, ticks in zip(CASES["ticks"], found["ticks"], strict=True):
        assert (ticks["step"], ticks["ticks"][0], len(ticks["ticks"])) == (case["step"], case["first"], case["count"])
    for case, window in zip(CASES["zoom"], found["zoom"], strict=True):
        assert [window["start"], window["end"]] == case["to"]


def test_a_missing_browser_fails_with_one_line(monkeypatch, browser: Browser) -> None:
    import pytest

    from tests.web.browser.conftest import browser_path

    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(pytest.fail.Exception, match="install"):
        browser_path()
