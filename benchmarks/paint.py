"""Budget 3: from an event to its painted bar, with 10,000 open journeys: `python -m benchmarks.paint`.

The independent measure: customers of our own are marked, the page is filtered to them, and their events leave the platform
at random moments. An event counts as painted in the frame in which the page says that it shows the answer that brought it.
The event's timestamp is the moment at which it leaves. Beside it the page's own figure, unfiltered.
"""

from __future__ import annotations

from playwright.sync_api import Browser

from benchmarks.browser import browsing, look_on, take, visit
from benchmarks.live import Live, running
from benchmarks.report import Report, percentile

CUSTOMERS = 10_000
RATES = (50, 2_000)
MARKED = 24
MARKS_A_SECOND = 6.0
WARM_UP = 5.0
LIMITS = ((0.5, 430, "380"), (0.95, 650, "605"), (0.99, 1_000, "625"))
"""Share, budget and the physical limit (ms)."""


def main() -> None:
    """Measure at both rates."""
    report = Report("paint", __doc__)
    seconds = report.pick(120, 6)
    customers = round(report.pick(CUSTOMERS, 1_000))
    with running(customers, rough=False) as live, browsing() as browser:
        for rate in RATES:
            live.sender.order("send", rate=rate, seconds=2 * (seconds + WARM_UP), frame=1)
            own = page_figure(browser, live, seconds)
            lags, marks = marked(browser, live, seconds)
            live.sender.answer()
            for share, most, limit in LIMITS:
                found = percentile(lags, share)
                report.add(f"{rate:,} events/s, p{share * 100:.0f}", found, "ms", most=most, limit=f"{limit} ms")
            report.add(f"{rate:,} events/s, longest", max(lags, default=0.0), "ms")
            report.add(f"{rate:,} events/s, the page's own figure, p50", percentile(own, 0.5), "ms")
            report.add(f"{rate:,} events/s, the page's own figure, p95", percentile(own, 0.95), "ms")
            report.note(
                f"{rate:,} events/s: {marks} marked events sent, {len(lags)} of them painted (two of one row may come in one"
                f" answer); {len(own)} figures of the page, each for its newest event; {live.status()['open_journeys']:,} open"
            )
    report.finish()


def page_figure(browser: Browser, live: Live, seconds: float) -> list[float]:
    """What the page says itself: arrival to paint of the newest event in sight."""
    page = visit(browser, live.address)
    look_on(page, WARM_UP)
    take(page, "lags")
    look_on(page, seconds)
    found = take(page, "lags")
    page.close()
    return found


def marked(browser: Browser, live: Live, seconds: float) -> tuple[list[float], int]:
    """From sending to paint (ms) for events of marked customers; and how many were sent."""
    page = visit(browser, f"{live.address}/?customer=marked")
    live.sender.order("mark", customers=MARKED, rate=MARKS_A_SECOND, seconds=seconds)
    since = page.evaluate("window.watched.follow = true, Date.now()")
    look_on(page, seconds)
    sent = live.sender.answer()["marks"]
    look_on(page, 1.5)
    shown = take(page, "rows")
    page.close()
    # The same event may come again in a later answer; the first time counts.
    first: dict[tuple[str, int], float] = {}
    for customer, happened, at in shown:
        if customer.startswith("marked-") and happened >= since:
            first.setdefault((customer, happened), at - happened)
    return list(first.values()), sent


if __name__ == "__main__":
    main()
