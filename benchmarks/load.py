"""Budgets 6 and 7: what the page loads, first and again, and how soon it can be used: `python -m benchmarks.load`.

The bytes are those that came over the wire, compressed, with their heads; the page's questions are left out. The page can be used
when its first rows are painted: its controls are tied by then. The server has answered once before.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.browser import browsing
from benchmarks.live import running
from benchmarks.report import Report, median

JOURNEYS = 1_000
QUESTIONS = "_dash-update-component"
SETTLED = 1_500
"""Milliseconds after the first paint in which the page may load what is not needed for it."""

PAINTED = """
new MutationObserver((_, watching) => {
  if (!Number(document.body?.dataset.rows)) return;
  window.paintedAt = performance.now();
  watching.disconnect();
}).observe(document, { subtree: true, childList: true, attributeFilter: ["data-rows"] });
"""

BLOCKING = """
performance.getEntriesByType("resource").filter((one) => one.renderBlockingStatus === "blocking").map((one) => one.name)
"""


class Load:
    """One load of the page: bytes by the name of each file, and when the first rows were painted (ms)."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.bytes: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        page = context.new_page()
        page.add_init_script(PAINTED)
        session = context.new_cdp_session(page)
        session.on("Network.responseReceived", self._begun)
        session.on("Network.loadingFinished", self._ended)
        session.send("Network.enable")
        page.goto(address, wait_until="commit", timeout=120_000)
        page.wait_for_function("window.paintedAt !== undefined", timeout=120_000)
        self.painted = float(page.evaluate("window.paintedAt"))
        page.wait_for_timeout(SETTLED)
        self.blocking = _blocking(page)
        page.close()

    def _begun(self, found: dict[str, Any]) -> None:
        self._names[found["requestId"]] = found["response"]["url"].partition("?")[0].rpartition("/")[2] or "the page"

    def _ended(self, found: dict[str, Any]) -> None:
        name = self._names.get(found["requestId"], QUESTIONS)
        if name != QUESTIONS:
            self.bytes[name] += int(found["encodedDataLength"])

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(self.bytes.values())


def _blocking(page: Page) -> list[str]:
    """Names of files that the first paint had to wait for."""
    found: list[str] = page.evaluate(BLOCKING)
    return [name.partition("?")[0].rpartition("/")[2] for name in found]


def loads(browser: Browser, address: str) -> tuple[Load, Load]:
    """The first load of a new viewer, and the next."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    first, again = Load(context, address), Load(context, address)
    context.close()
    return first, again


def main() -> None:
    """Measure and print."""
    report = Report("load", __doc__)
    repeats = int(report.pick(5, 1))
    with running(round(report.pick(JOURNEYS, 200)), rough=False) as live, browsing() as browser:
        loads(browser, live.address)
        found = [loads(browser, live.address) for _ in range(repeats)]
    first, again = found[-1]
    report.add("first load", first.total / 1e6, "MB", most=2.4, limit="1.5 MB")
    for name, size in first.bytes.most_common(4):
        report.add(f"  of it {name}", size / 1e3, "KB")
    report.add("repeat load", again.total / 1e3, "KB", most=50)
    report.add("files that hold up the first paint", len(first.blocking), "")
    report.add("first load, until rows are painted", median(each.painted for each, _ in found), "ms", most=2_000)
    report.add("repeat load, until rows are painted", median(each.painted for _, each in found), "ms", most=2_000)
    report.note(f"hold up the first paint: {', '.join(first.blocking) or 'none'}")
    report.finish()


if __name__ == "__main__":
    main()
