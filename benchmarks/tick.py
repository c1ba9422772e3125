"""Budget 4: what a tick costs the browser, with 60 rows in sight and 2,000 events a second: `python -m benchmarks.tick`.

Main-thread time is read from Chromium's own trace: all tasks of the page's main thread between the arrival of an answer and
the frame that shows it. The heap is compared after forced collections.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page

from benchmarks.browser import browsing, heap, look_on, take, visit
from benchmarks.live import running
from benchmarks.report import Report, median, percentile

CUSTOMERS = 10_000
RATE = 2_000
ROWS = 60
TASK = "ThreadControllerImpl::RunTask"
CATEGORIES = ["toplevel", "blink.user_timing"]


class Tick(NamedTuple):
    """Main-thread time (ms) of one tick: all its tasks, the longest of them, and CPU time."""

    whole: float
    longest: float
    cpu: float


def main() -> None:
    """Measure ticks first, then the heap over the rest of the time."""
    report = Report("tick", __doc__)
    warm_up, traced, seconds = report.pick(20, 4), report.pick(60, 6), report.pick(300, 6)
    customers = round(report.pick(CUSTOMERS, 1_000))
    with running(customers, rough=True) as live, browsing() as browser:
        live.sender.order("send", rate=RATE, seconds=warm_up + traced + seconds + 25, frame=1)
        page = visit(browser, live.address, rows=ROWS)
        session = page.context.new_cdp_session(page)
        look_on(page, warm_up)
        take(page, "bytes")
        with_trace = trace(browser, page, traced)
        before = heap(session)
        look_on(page, seconds)
        after = heap(session)
        sizes = take(page, "bytes")
        rows = page.evaluate("Number(document.body.dataset.rows)")
        found = ticks(with_trace)
        open_at_end = live.status()["open_journeys"]
    whole = [tick.whole for tick in found]
    report.add("main thread a tick, p50", median(whole), "ms", limit="45-50 ms")
    report.add("main thread a tick, p95", percentile(whole, 0.95), "ms", most=80, limit="65 ms")
    report.add("main thread a tick, longest", max(whole, default=0.0), "ms", most=150)
    report.add("of this CPU, p95", percentile([tick.cpu for tick in found], 0.95), "ms")
    report.add("longest single task in a tick", max((tick.longest for tick in found), default=0.0), "ms")
    report.add("payload a tick, p50", median(sizes) / 1000, "KB")
    report.add("payload a tick, p95", percentile(sizes, 0.95) / 1000, "KB", most=20)
    report.add("payload a tick, largest", max(sizes, default=0) / 1000, "KB")
    report.add(f"heap growth in {seconds:g} s", (after - before) / 1e6, "MB", most=3, limit="0.6-1.1 MB")
    report.note(
        f"{len(found)} ticks traced, {len(sizes)} answers sized (bodies as sent), {rows} rows in sight,"
        f" heap {before / 1e6:.1f} MB, {open_at_end:,} journeys open at the end"
    )
    report.finish()


def trace(browser: Browser, page: Page, seconds: float) -> list[dict[str, Any]]:
    """What Chromium traces in this time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        browser.start_tracing(page=page, path=path, categories=CATEGORIES)
        look_on(page, seconds)
        browser.stop_tracing()
        found: list[dict[str, Any]] = json.loads(path.read_bytes())["traceEvents"]
    return found


def ticks(events: list[dict[str, Any]]) -> list[Tick]:
    """Each tick, from the marks that `browser.WATCH` leaves."""
    marks = sorted(
        (event["ts"], event["name"], (event["pid"], event["tid"]))
        for event in events
        if "blink.user_timing" in event.get("cat", "") and event.get("name") in ("answer", "painted")
    )
    if not marks:
        return []
    thread = marks[0][2]
    tasks = sorted(
        (event["ts"], event["dur"], event.get("tdur", 0))
        for event in events
        if event.get("name") == TASK and event.get("ph") == "X" and (event["pid"], event["tid"]) == thread
    )
    found = []
    answered, place = None, 0
    for at, name, _ in marks:
        if name == "answer":
            answered = answered or at
        elif answered is not None:
            spent = []
            while place < len(tasks) and tasks[place][0] < at:
                began, length, cpu = tasks[place]
                if began + length > answered:
                    spent.append((length, cpu))
                place += 1
            if spent:
                whole, cpus = sum(each[0] for each in spent), sum(each[1] for each in spent)
                found.append(Tick(whole / 1000, max(each[0] for each in spent) / 1000, cpus / 1000))
            answered = None
    return found


if __name__ == "__main__":
    main()
