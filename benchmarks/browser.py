"""The page in a headless Chromium, watched from outside its own code."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")
ROW_HEIGHT = 28

# Runs before the page's own scripts. It notes when answers to the page's question come in, when the frame that shows
# them is on the screen (the page says its version on the body after that frame), and what rows were in them.
WATCH = """
(() => {
  const seen = (window.watched = { rows: [], answers: 0, lags: [], bytes: [], follow: false });
  const waiting = [];
  const plain = window.fetch.bind(window);
  window.fetch = async (...call) => {
    const response = await plain(...call);
    if (!/"output":"answer.data"/.test(call[1]?.body ?? "") || response.status !== 200) return response;
    performance.mark("answer");
    performance.clearMarks("answer");
    seen.answers += 1;
    if (seen.follow) {
      response.clone().json().then((body) => {
        const answer = body.response.answer.data;
        for (const row of answer.rows) waiting.push([answer.version, row[2], row[4] + row[5]]);
      });
    }
    return response;
  };
  const painted = () => {
    performance.mark("painted");
    performance.clearMarks("painted");
    const at = Date.now();
    const shown = Number(document.body.dataset.version);
    while (waiting.length && waiting[0][0] <= shown) {
      const [, customer, happened] = waiting.shift();
      seen.rows.push([customer, happened, at]);
    }
  };
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(painted).observe(document.body, { attributeFilter: ["data-version"] });
    new MutationObserver(() => seen.lags.push(Number(document.body.dataset.lagMs)))
      .observe(document.body, { attributeFilter: ["data-lag-ms"] });
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.name.includes("_dash-update-component") && entry.encodedBodySize) seen.bytes.push(entry.encodedBodySize);
    }
    performance.clearResourceTimings();
  }).observe({ type: "resource" });
})();
"""


def chromium() -> str:
    """Where the browser is."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise SystemExit("no browser found: install Debian's `chromium`, or name one with CHROMIUM=/path/to/it")
    return found


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """A browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def visit(browser: Browser, address: str, rows: int = 0) -> Page:
    """The page at an address, with its first rows painted; `rows` of them in sight if that many are asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("document.body.dataset.version !== undefined", timeout=60_000)
    if rows:
        height = page.evaluate("document.getElementById('timeline-rows').clientHeight")
        page.set_viewport_size({"width": 1280, "height": 800 + rows * ROW_HEIGHT - height})
        page.wait_for_function("rows => Number(document.body.dataset.rows) >= rows", arg=rows, timeout=60_000)
    return page


def look_on(page: Page, seconds: float) -> None:
    """Let the page go on."""
    page.wait_for_timeout(seconds * 1000)


def take(page: Page, name: str) -> list[Any]:
    """What was noted under a name since the last time."""
    found: list[Any] = page.evaluate("name => window.watched[name].splice(0)", name)
    return found


def heap(session: CDPSession) -> int:
    """Bytes of JavaScript that are still in use after a collection."""
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])
