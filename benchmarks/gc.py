"""Budget 8: pauses of the garbage collector with 50,000 open journeys, in `journeymap run` itself: `python -m benchmarks.gc`.

The process is the real one, ingest and web side, with a page's questions put to it; only the collector's own callback is
added. The platform sends 2,000 events a second from another process.
"""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import threading
import time
from typing import Any

import httpx

from benchmarks.browser import browsing, look_on, visit
from benchmarks.processes import resident, until
from benchmarks.report import Report, percentile
from benchmarks.sender import Sender

RATE = 2_000


class Pauses:
    """How long (ms) each collection took, by generation; and the CPU time of each, for a machine with other work to do."""

    def __init__(self) -> None:
        self._began = self._cpu = 0.0
        self.cpu: list[float] = []
        self.found: dict[int, list[float]] = {0: [], 1: [], 2: []}

    def __call__(self, phase: str, information: dict[str, Any]) -> None:
        """What the collector calls."""
        if phase == "start":
            self._began, self._cpu = time.perf_counter(), time.thread_time()
        else:
            self.cpu.append((time.thread_time() - self._cpu) * 1000)
            self.found[information["generation"]].append((time.perf_counter() - self._began) * 1000)


def main() -> None:
    """Be `journeymap run`, and measure from a thread beside it."""
    report = Report("gc", __doc__)
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as folder, Sender() as sender:
        os.environ.update({name: value for name, value in sender.environment.items() if name.startswith("JOURNEYMAP_")})
        from journeymap import bootstrap
        from journeymap.settings import load

        settings = load({"source": "eventstreams", "store": f"disk:{folder}/store", "port": str(free_port())})
        failures: list[BaseException] = []

        def beside() -> None:
            try:
                measure(report, sender, f"http://127.0.0.1:{settings.port}")
            except BaseException as error:  # noqa: BLE001 - told in the main thread
                failures.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=beside).start()
        bootstrap.run(settings)
        if failures:
            raise failures[0]
    report.finish()


def measure(report: Report, sender: Sender, address: str) -> None:
    """Fill it, then listen to the collector."""
    size = round(report.pick(50_000, 2_000))
    seconds = report.pick(60, 5)
    sender.do("connected")
    sender.do("open", size=size, rough=True)

    def opened() -> bool:
        with httpx.Client() as client:
            return bool(client.get(f"{address}/api/v1/status").json()["open_journeys"] >= size)

    until(opened, "the open journeys", patience=120)
    with browsing() as browser:
        page = visit(browser, address)
        pauses = Pauses()
        gc.callbacks.append(pauses)
        sender.order("send", rate=RATE, seconds=seconds, frame=1)
        look_on(page, seconds)
        sender.answer()
        gc.callbacks.remove(pauses)
        painted = page.evaluate("window.watched.answers")
        hot = httpx.get(f"{address}/api/v1/status").json()["hot_journeys"]
        whole = collection()
    found = [pause for each in pauses.found.values() for pause in each]
    report.add(
        f"longest pause in {seconds:g} s", max(found, default=0.0), "ms", most=20, limit="0 ms frozen, 548 ms unfrozen"
    )
    report.add("longest by CPU time", max(pauses.cpu, default=0.0), "ms")
    report.add("95th percentile of the pauses", percentile(found, 0.95), "ms")
    report.add("share of the time", sum(found) / seconds / 10, "%")
    report.add("a full collection by force, for comparison", whole, "ms")
    counts = ", ".join(f"{len(each)} of generation {generation}" for generation, each in pauses.found.items())
    report.note(
        f"{hot:,} journeys in memory at the end, {resident() / 2**20:,.0f} MiB; collections: {counts}; {painted} answers drawn"
    )


def collection() -> float:
    """How long (ms) a full collection takes now."""
    began = time.perf_counter()
    gc.collect()
    return (time.perf_counter() - began) * 1000


def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


if __name__ == "__main__":
    main()
