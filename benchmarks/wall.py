"""The wall for half an hour: 10,000 open journeys, 500 events a second, 20 viewers; figures against budgets 3 and 4, and memory
over time. `python -m benchmarks.wall --minutes 30 --journeys 10000 --rate 500 --viewers 20`

`journeymap run` and the platform are processes of their own. Two of the viewers are real Chromium pages: one with 60 rows in
sight, whose ticks and heap are measured, and one filtered to customers whose events are timed from sending to paint. The
others (`benchmarks.viewers`) are as real to the server, but draw nothing: twenty browsers on a machine of two cores would
measure the machine.

A line a minute; the times of the first minute do not count. Ends with 1 where something was wrong: nothing painted,
an answer that is not as it must be, events lost, threads or descriptors that grow. A figure that misses its budget is said
and nothing more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from playwright.sync_api import Browser

from benchmarks.browser import FLAGS, browsing, chromium, heap, look_on, take, visit
from benchmarks.live import Live, running
from benchmarks.processes import PATIENCE, process_cpu, resident
from benchmarks.report import Figure, Result, machine, median, number, percentile, table
from benchmarks.tick import Tick, ticks, trace
from benchmarks.viewers import EVERY, Seen, Viewers

MINUTE = 60.0
TRACED = 10.0
"""Seconds of each minute in which Chromium traces: its traces are large."""

ROWS = 60
MARKED = 24
MARKS_A_SECOND = 4.0
PAGES = 2
WARM_UP = 1
"""Minutes whose times do not count; growth counts from the end of the next."""

LEAST = WARM_UP + 2

ENDING = 3.0
"""Seconds in which what was marked last is painted."""

IN_USE = 12
"""Descriptors that may be open for a moment: connections of pages, and files of the store."""

SETTINGS = {"JOURNEYMAP_IDLE_AFTER": "1m", "JOURNEYMAP_CLOSE_AFTER": "3m"}
"""The crowd lives several times faster than customers do, and so do its time-outs: else ever more journeys were open that nobody
ended."""

LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push(Math.round(entry.duration));
}).observe({ type: "longtask" });
"""


class Held(msgspec.Struct, frozen=True):
    """What the server's process and the page hold at the end of a minute. Memory in bytes."""

    resident: int
    anonymous: int
    threads: int
    descriptors: int
    journeys: int
    open_journeys: int
    hot_journeys: int
    heap: int
    nodes: int
    listeners: int


class Minute(msgspec.Struct):
    """What one minute brought. Times in ms, `lags` with the customer each is of; `server` is a share of one core."""

    held: Held
    lags: list[tuple[str, float]]
    own: list[float]
    marks: int
    ticks: list[Tick]
    bytes: list[int]
    long_tasks: list[int]
    seen: Seen
    server: float


class Watched:
    """The two pages."""

    def __init__(self, browser: Browser, other: Browser, live: Live) -> None:
        self._browser = browser
        self.page = visit(browser, live.address, rows=ROWS)
        self.page.evaluate(LONG_TASKS)
        self._session = self.page.context.new_cdp_session(self.page)
        self.marked = visit(other, f"{live.address}/?customer=marked")
        self.marked.evaluate("window.watched.follow = true")
        # The same event may come again in a later answer; the first time counts.
        self._painted: set[tuple[str, int]] = set()
        self._since = self.marked.evaluate("Date.now()")

    def question(self) -> dict[str, Any]:
        """The body of a whole question as the page asks it: one that asks for counts too."""
        asked: list[dict[str, Any]] = []

        def note(request: Any) -> None:
            body = request.post_data or ""
            if '"output":"answer.data"' in body and (call := json.loads(body))["inputs"][0]["value"]["facets"]:
                asked.append(call)

        self.page.on("request", note)
        for _ in range(round(PATIENCE / EVERY)):
            look_on(self.page, EVERY)
            if asked:
                break
        self.page.remove_listener("request", note)
        if not asked:
            raise TimeoutError(f"the page asked nothing within {PATIENCE:g} s")
        return asked[0]

    def traced(self) -> list[Tick]:
        """Ticks of the page with the rows."""
        return ticks(trace(self._browser, self.page, TRACED))

    def lags(self) -> list[tuple[str, float]]:
        """From sending to paint, of the marked events that were painted since the last time. Of two of one customer in one
        answer, only the later one is seen."""
        found = []
        for customer, happened, at in take(self.marked, "rows"):
            if customer.startswith("marked-") and happened >= self._since and (customer, happened) not in self._painted:
                self._painted.add((customer, happened))
                found.append((customer, at - happened))
        return found

    def long_tasks(self) -> list[int]:
        """Tasks of over 50 ms since the last time."""
        found: list[int] = self.page.evaluate("window.longTasks.splice(0)")
        return found

    def holds(self) -> tuple[int, int, int]:
        """Heap after forced collections, DOM nodes and listeners."""
        used = heap(self._session)
        counters = self._session.send("Memory.getDOMCounters")
        self.page.evaluate("window.longTasks.splice(0)")  # the collection itself is one
        return used, int(counters["nodes"]), int(counters["jsEventListeners"])


def held(live: Live, watched: Watched) -> Held:
    """How it stands now."""
    process = Path(f"/proc/{live.command.process.pid}")
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    status: dict[str, float] = {}
    with contextlib.suppress(httpx.TimeoutException):  # `wrong` says so
        status = live.status()
    return Held(
        int(lines["VmRSS"].split()[0]) * 1024,
        resident(live.command.process.pid),
        int(lines["Threads"]),
        sum(1 for _ in (process / "fd").iterdir()),
        int(status.get("journeys", 0)),
        int(status.get("open_journeys", 0)),
        int(status.get("hot_journeys", 0)),
        *watched.holds(),
    )


def hear(live: Live, told: dict[str, Any]) -> None:
    """The platform's next answer, by what it is of."""
    answer = live.sender.answer()
    told[answer["done"]] = answer


def minute(live: Live, watched: Watched, viewers: Viewers, ends: float, told: dict[str, Any]) -> Minute:
    """What happens until `ends`, on the clock of `time.perf_counter`."""
    began, cpu = time.perf_counter(), process_cpu(live.command.process.pid)
    live.sender.order("mark", customers=MARKED, rate=MARKS_A_SECOND, seconds=ends - began - ENDING)
    found = watched.traced()
    look_on(watched.page, max(0.0, ends - time.perf_counter()))
    told.pop("mark", None)
    while "mark" not in told:
        hear(live, told)
    server = (process_cpu(live.command.process.pid) - cpu) / (time.perf_counter() - began)
    long_tasks = watched.long_tasks()
    return Minute(
        held(live, watched),
        watched.lags(),
        take(watched.page, "lags"),
        int(told["mark"]["marks"]),
        found,
        take(watched.page, "bytes"),
        long_tasks,
        viewers.seen(),
        server,
    )


HEAD = (
    "min   server rss / anonymous  threads fds  journeys    open in memory   heap    nodes  paint p50 / p95 / p99"
    "  tick p95 / most  answer p95  server CPU  load"
)


def spelled(place: int, one: Minute) -> str:
    """A minute as a line under `HEAD`."""
    now, whole = one.held, [tick.whole for tick in one.ticks]
    paint = " / ".join(f"{percentile([lag for _, lag in one.lags], share):5.0f}" for share in (0.5, 0.95, 0.99))
    return (
        f"{place:3} {now.resident / 1e6:11.1f} / {now.anonymous / 1e6:6.1f} MB {now.threads:8} {now.descriptors:3}"
        f" {now.journeys:9,} {now.open_journeys:7,} {now.hot_journeys:9,} {now.heap / 1e6:5.1f}M {now.nodes:7,}  {paint} ms"
        f" {percentile(whole, 0.95):6.0f} / {max(whole, default=0):3.0f} ms {percentile(one.seen.took, 0.95):8.0f} ms"
        f" {one.server * 100:9.0f} %  {os.getloadavg()[0]:.1f}"
    )


def wrong(minutes: Sequence[Minute], lost: int) -> list[str]:
    """What must not be, whatever the machine."""
    rest = minutes[WARM_UP:]
    first, last = minutes[WARM_UP].held, minutes[-1].held
    painted = {customer for one in rest for customer, _ in one.lags}
    found = sorted({sentence for one in minutes for sentence in one.seen.wrong})
    if len(painted) < MARKED:
        found.append(f"of {MARKED} marked customers only {len(painted)} were painted")
    found += [f"in minute {place} nothing was painted" for place, one in enumerate(minutes, 1) if not one.bytes]
    found += [
        f"in minute {place} no viewer was answered" for place, one in enumerate(minutes, 1) if not one.seen.answers
    ]
    found += [
        f"in minute {place} the server did not say how it stands"
        for place, one in enumerate(minutes, 1)
        if not one.held.journeys
    ]
    if not any(one.ticks for one in rest):
        found.append("no tick was traced")
    if lost:
        found.append(f"{lost:,} events more were sent than counted")
    if last.threads > first.threads + 1:
        found.append(f"threads have grown from {first.threads} to {last.threads}")
    if last.descriptors > first.descriptors + IN_USE:
        found.append(f"descriptors have grown from {first.descriptors} to {last.descriptors}")
    return found


def figures(minutes: Sequence[Minute]) -> Result:
    """All of it against the budgets."""
    result = Result("wall")

    def add(name: str, measured: float, unit: str, most: float | None = None) -> None:
        ok = None if most is None else measured <= most
        budget = "" if most is None else f"<= {number(most)} {unit}"
        result.figures.append(Figure(name, measured, unit, budget, ok=ok))

    rest = minutes[WARM_UP:]
    lags, own = [lag for one in rest for _, lag in one.lags], [lag for one in rest for lag in one.own]
    for share, most in ((0.5, 430), (0.95, 650), (0.99, 1_000)):
        add(f"event to paint, p{share * 100:.0f}", percentile(lags, share), "ms", most)
    add("event to paint, longest", max(lags, default=0), "ms")
    add("the page's own figure, p95", percentile(own, 0.95), "ms")
    whole = [tick.whole for one in rest for tick in one.ticks]
    add("main thread a tick, p50", median(whole), "ms")
    add("main thread a tick, p95", percentile(whole, 0.95), "ms", 80)
    add("main thread a tick, longest", max(whole, default=0), "ms", 150)
    cpus = [tick.cpu for one in rest for tick in one.ticks]
    add("  of this CPU, p95", percentile(cpus, 0.95), "ms")
    add("  of this CPU, longest", max(cpus, default=0), "ms")
    long_tasks = [task for one in rest for task in one.long_tasks]
    add("tasks of the page over 50 ms", len(long_tasks), "")
    add("  longest of them", max(long_tasks, default=0), "ms", 150)
    sizes = [size for one in rest for size in one.bytes]
    add("payload a tick, p95", percentile(sizes, 0.95) / 1000, "KB", 20)
    took = [took for one in rest for took in one.seen.took]
    add("answer to a viewer, p50", median(took), "ms")
    add("answer to a viewer, p95", percentile(took, 0.95), "ms", 250)
    add("answer to a viewer, p99", percentile(took, 0.99), "ms")
    add("CPU of the server", sum(one.server for one in rest) / len(rest) * 100, "% of a core")
    first, last = minutes[WARM_UP].held, minutes[-1].held
    span = len(minutes) - 1 - WARM_UP
    grown = last.heap - first.heap
    add("heap of the page at the end", last.heap / 1e6, "MB")
    add(f"heap growth in {span} minutes", grown / 1e6, "MB", 3)
    add(f"DOM nodes, growth in {span} minutes", last.nodes - first.nodes, "")
    add(f"listeners, growth in {span} minutes", last.listeners - first.listeners, "")
    more = last.journeys - first.journeys
    add("memory of the server at the end, anonymous", last.anonymous / 1e6, "MB")
    add(f"  growth in {span} minutes", (last.anonymous - first.anonymous) / 1e6, "MB")
    add("  a journey that has come", (last.anonymous - first.anonymous) / 1024 / max(more, 1), "KiB")
    add(f"  journeys in the memory of ingest, growth in {span} minutes", last.hot_journeys - first.hot_journeys, "")
    marks = sum(one.marks for one in rest)
    result.notes.append(
        f"{len(lags):,} of {marks:,} marked events painted (two of one row may come in one answer), {len(whole):,} ticks traced,"
        f" {len(sizes):,} answers of the page sized, {len(took):,} answers to the other viewers; {last.journeys:,} journeys at"
        f" the end, {last.open_journeys:,} of them open, {last.hot_journeys:,} in the memory of ingest"
    )
    return result


def counted(live: Live) -> int:
    """Different events that the server has counted, in its own status."""
    counts: Any = live.status()["counts"]
    return int(counts["events"] - sum(counts[name] for name in ("duplicate", "conflicting", "expired")))


def settled(live: Live) -> int:
    """The same once nothing is on its way any more."""
    before = -1
    while before != (now := counted(live)):
        before = now
        time.sleep(4)  # the status is written every second
    return now


def measure(minutes: int, journeys: int, rate: float, count: int) -> tuple[list[Minute], int]:
    """Every minute, and how many events more were sent than counted by the server (below 0: fewer)."""
    with running(journeys, rough=True, settings=SETTINGS) as live, browsing() as browser, another(browser) as other:
        before = settled(live)
        watched = Watched(browser, other, live)
        with Viewers(live.address, watched.question(), count - PAGES) as viewers:
            print(HEAD, flush=True)
            began, done, told = time.perf_counter(), [], dict[str, Any]()
            live.sender.order("send", rate=rate, seconds=minutes * MINUTE, frame=1)
            for place in range(1, minutes + 1):
                done.append(minute(live, watched, viewers, began + place * MINUTE, told))
                print(spelled(place, done[-1]), flush=True)
        while "send" not in told:
            hear(live, told)
        sent = told["send"]["unique"] + sum(one.marks for one in done) + live.sender.do("rest")["unique"]
        print(f"the sender was up to {told['send']['behind_ms']:.0f} ms late", flush=True)
        return done, int(sent) - (settled(live) - before)


@contextlib.contextmanager
def another(browser: Browser) -> Iterator[Browser]:
    """A second browser of the same kind: traces are of a whole browser."""
    other = browser.browser_type.launch(executable_path=chromium(), args=FLAGS)
    yield other
    other.close()


def main() -> int:
    """Run it, and say what came out."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.wall", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=30, help=f"{LEAST} at least [30]")
    parser.add_argument("--journeys", type=int, default=10_000, help="open at any time [10000]")
    parser.add_argument("--rate", type=float, default=500, help="events a second [500]")
    parser.add_argument("--viewers", type=int, default=20, help=f"{PAGES} of them are Chromium pages [20]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures of every minute to a file")
    given = parser.parse_args()
    if given.minutes < LEAST or given.viewers <= PAGES:
        parser.error(f"at least {LEAST} minutes and {PAGES + 1} viewers are needed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that processes are ended
    before = machine(os.getloadavg()[0])
    minutes, lost = measure(given.minutes, given.journeys, given.rate, given.viewers)
    result = figures(minutes)
    if given.json is not None:
        given.json.write_bytes(msgspec.json.encode({"machine": before, "result": result, "minutes": minutes}) + b"\n")
    print(before)
    print(table([result]))
    sentences = wrong(minutes, lost)
    for sentence in sentences:
        print(f"WRONG: {sentence}")
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
