"""The wall display: large rows and no chrome, scrolling slowly where motion is welcome and turning pages where it is not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.served import Served

Serve = Callable[..., Served]
Visit = Callable[..., Page]
SCROLLED = "() => document.getElementById('timeline-rows').scrollTop"
BEGIN = """async () => {
  const { address } = await import("/assets/state/address.mjs");
  address.change({ display: null });
  document.getElementById("timeline-rows").scrollTop = 0;
  address.change({ display: "wall" });
}"""
VISIBLE = """() => [...document.querySelectorAll('button, input, select, a')]
  .filter(each => each.checkVisibility({ visibilityProperty: true }) && !each.closest('.row-head')).map(each => each.outerHTML)"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_wall_display_needs_nobody(serve: Serve, visit: Visit, context: BrowserContext, motion: str) -> None:
    context.clock.install()
    served = serve(22)
    page = visit(f"{served.url}/?display=wall", rows=0)
    page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    page.wait_for_function("() => { return Number(document.body.dataset.rows) > 5 }")
    bar = page.locator("#display-bar")
    expect(bar.locator("[data-part=clock]")).to_contain_text(":")
    expect(bar.locator("[data-part=connection]")).to_have_text("OPEN")
    expect(bar.locator("[data-part=word]")).to_have_text("LIVE")
    assert page.evaluate(VISIBLE) == []
    assert page.evaluate("() => getComputedStyle(document.querySelector('.row-customer')).fontSize") == "18px"
    assert page.evaluate("() => document.querySelector('.row-head:not([hidden])').offsetHeight") == 44

    # It rests, goes on, rests at the end, and comes back, without anybody's doing. The page may have taken long to load:
    # it begins anew, and time goes by only as it is told from here on.
    context.clock.pause_at(page.evaluate("() => Date.now()") / 1_000 + 20)
    page.evaluate(BEGIN)
    context.clock.run_for(9_000)
    assert page.evaluate(SCROLLED) == 0
    end = page.evaluate(
        "() => { const rows = document.getElementById('timeline-rows'); return rows.scrollHeight - rows.clientHeight }"
    )
    seen = []
    for _ in range(30):
        context.clock.run_for(3_000)
        seen.append(page.evaluate(SCROLLED))
        if end in seen and seen[-1] == 0:
            break
    steps = [abs(after - before) for before, after in pairwise(seen)]
    assert end in seen
    assert seen[-1] == 0
    assert max(steps) <= (60 if motion == "no-preference" else 800)
    assert steps.count(0) >= 2, "it rests"
    page.keyboard.press("Escape")
    expect(page.locator("#health-strip")).to_be_visible()
    assert "display" not in page.url
