"""Time that goes by at once, for the page and for its server, so that a minute of ticks takes seconds."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page

from tests.web.double import LeapingClock
from tests.web.served import Served
from tests.web.stories import Story

TICK = 500
VERSION = "version => Number(document.body.dataset.version) >= version"


class FastTime:
    """Two clocks that leap together. Make it before the page: `clock` is for the server, `served` is what it serves."""

    def __init__(self, context: BrowserContext) -> None:
        self.clock = LeapingClock()
        self.served: Served
        self._context = context
        context.clock.install()

    def ticks(self, page: Page, count: int, spared: Callable[[Story], bool] = lambda _: False) -> None:
        """At each tick some journeys move on, and the page paints what is new before the next; `spared` ones stay as they are."""
        model = self.served.read_model
        for _ in range(count):
            with model.lock:
                movable = [story for story in model.stories.values() if not story.closed and not spared(story)]
                moved = model.dice.sample(movable, 3)
                for story in moved:
                    story.move(self.clock(), model.dice)
                model.commit(moved)
            self.pass_by(TICK)
            page.wait_for_function(VERSION, arg=model.store.head())

    def pass_by(self, ms: int) -> None:
        """Nothing happens for so long."""
        self.clock.leap(ms)
        self._context.clock.fast_forward(ms)
