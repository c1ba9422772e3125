"""Minutes of `run` at a steady rate: is what the HTTP interface says what `stitch` makes of the delivered events, and is
memory flat? `python -m benchmarks.soak --minutes 10 --rate 500`

Memory follows the number of journeys in it, and that of open ones settles only after the longest time-out has passed; so
the run begins with some minutes of history and closes what was quiet for a few minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

CHECKOUT = Path(__file__).resolve().parents[1]
SAMPLES = 500
WARM_UP = 0.4  # of the time; memory is compared after it


def journeymap(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A command as a process of its own, with its output as text."""
    return subprocess.Popen([sys.executable, "-m", "journeymap", *arguments], cwd=CHECKOUT, text=True, **options)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024


def listed(address: str) -> dict[str, dict[str, Any]]:
    """All journeys that the HTTP interface lists, by id."""
    found: dict[str, dict[str, Any]] = {}
    cursor = None
    with httpx.Client(base_url=address, timeout=60) as client:
        while True:
            parameters = {"limit": "1000", **({"cursor": cursor} if cursor else {})}
            page = client.get("/api/v1/journeys", params=parameters).raise_for_status().json()
            found.update((journey["journey_id"], journey) for journey in page["journeys"])
            cursor = page["next"]
            if cursor is None:
                return found


def watch(pid: int, address: str, seconds: float) -> list[float]:
    """Memory of a process every ten seconds, shown beside the number of journeys in its memory."""
    samples = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(10, max(0.1, end - time.monotonic())))
        samples.append(resident_mb(pid))
        status = httpx.get(f"{address}/api/v1/status", timeout=30).json()
        print(
            f"  {len(samples) * 10:5d} s  {samples[-1]:7.1f} MB  {status['hot_journeys']:,} journeys in memory,"
            f" {status['journeys']:,} stored, {status['lag_ms']} ms behind",
            flush=True,
        )
    return samples


def differences(address: str, stitched: Path) -> tuple[int, int, int]:
    """How many journeys there are, how many differ from the stitched ones, and how many were compared in full."""
    found = listed(address)
    expected = {}
    differing = compared = 0
    with stitched.open() as lines, httpx.Client(base_url=address, timeout=60) as client:
        for number, line in enumerate(lines):
            journey = json.loads(line)
            expected[journey["journey_id"]] = True
            have = found.get(journey["journey_id"])
            same = have is not None and all(
                have[name] == (len(journey[name]) if name in ("events", "interactions", "transfers") else journey[name])
                for name in (
                    "customer_id",
                    "started_at",
                    "last_event_at",
                    "events",
                    "interactions",
                    "transfers",
                    "channels",
                )
            )
            if same and number % max(1, len(found) // SAMPLES) == 0:
                compared += 1
                whole = client.get(f"/api/v1/journeys/{journey['journey_id']}").raise_for_status().json()
                same = all(whole[name] == journey[name] for name in ("customer_id", "transfers", "events")) and (
                    closed_segments(whole) == closed_segments(journey)
                )
            differing += not same
    return len(expected), differing + len(found.keys() - expected.keys()), compared


def closed_segments(journey: dict[str, Any]) -> list[Any]:
    """What other programs compare: ids, channels, and the segments that have ended."""
    return [
        (
            item["interaction_id"],
            item["channel"],
            [segment for segment in item["segments"] if segment["end"] is not None],
        )
        for item in journey["interactions"]
    ]


def main() -> int:
    """Run it, and say what came out; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--history", default="10m", help="history at the start")
    parser.add_argument("--close-after", default="3m", help="CLOSE_AFTER of all channels")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        delivered, stitched = Path(folder, "delivered.jsonl"), Path(folder, "stitched.jsonl")
        simulated = journeymap(
            "simulate", "--port", "0", "--json", "--rate", str(given.rate), "--history", given.history,
            "--log", str(delivered), stdout=subprocess.PIPE,
        )  # fmt: skip
        assert simulated.stdout is not None
        access = json.loads(simulated.stdout.readline())
        settings = {f"JOURNEYMAP_{name.upper()}": access[name] for name in
                    ("login_url", "api_url", "stream_url", "client_id", "client_secret")}  # fmt: skip
        settings |= {
            "JOURNEYMAP_MAX_EVENTS_PER_SECOND": "10000",
            "JOURNEYMAP_IDLE_AFTER": "1m",
            "JOURNEYMAP_CLOSE_AFTER": given.close_after,
        }
        running = journeymap(
            "run", "--source", "eventstreams", "--store", f"disk:{folder}/store", "--port", "0",
            stderr=subprocess.PIPE, env={**os.environ, **settings},
        )  # fmt: skip
        try:
            assert running.stderr is not None
            address = running.stderr.readline().split(" at ")[1].split()[0]
            samples = watch(running.pid, address, given.minutes * 60)
            simulated.terminate()
            simulated.wait()
            time.sleep(3)  # the last flush
            subprocess.run(
                [sys.executable, "-m", "journeymap", "stitch", str(delivered), "-o", str(stitched),
                 "--as-of", str(time.time_ns() // 1_000_000)], cwd=CHECKOUT, check=True,
                env={**os.environ, **settings},
            )  # fmt: skip
            journeys, differing, compared = differences(address, stitched)
            status = httpx.get(f"{address}/api/v1/status").json()
        finally:
            for process in (simulated, running):
                process.terminate()
                process.wait()
        settled = samples[int(len(samples) * WARM_UP) :]
        print(f"events {status['counts']['events']:,}, late {status['counts']['late']:,}, "
              f"duplicate {status['counts']['duplicate']:,}, quarantined {status['counts']['quarantined']}")  # fmt: skip
        print(f"journeys {journeys:,}; differing {differing}; {compared} of them compared event by event")
        print(f"memory after warm-up: {settled[0]:.0f} MB to {settled[-1]:.0f} MB, most {max(settled):.0f} MB")
        return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
