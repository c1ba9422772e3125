"""Random faults against ingest at a steady rate, with `kill -9`, then a comparison: `python -m benchmarks.chaos --seed 7`.

Ends with 1 where the store does not hold exactly what was delivered, where ingest ended by itself, or where it did not settle.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.chaos.plan import plan
from benchmarks.chaos.rig import Rig
from benchmarks.chaos.verdict import Evidence, Verdict, judge, stitch

SETTLING = 120.0
"""Seconds within which all has to be well again: the longest wait of the client between two attempts, twice."""


class Outcome(NamedTuple):
    """What came of a run. `wrong` says in sentences what should not be."""

    faults: int
    kills: int
    starts: int
    settled: float
    verdict: Verdict
    wrong: list[str]


def chaos(seed: int, seconds: float, rate: int, folder: Path, show: bool = True) -> Outcome:
    """Run it in an empty `folder`."""
    began = time.monotonic()

    def say(text: str) -> None:
        if show:
            print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)

    faults: Counter[str] = Counter()
    with Rig(folder, seed, rate, say) as rig:
        rig.settle(SETTLING)
        began = time.monotonic()
        for planned in plan(seed, seconds):
            rig.run(began + planned.at - time.monotonic())
            say(str(planned))
            rig.do(planned)
            faults[planned.what] += 1
        rig.run(began + seconds - time.monotonic())
        wrong = []
        try:
            settled = rig.settle(SETTLING)
        except TimeoutError as error:
            settled = SETTLING
            wrong.append(str(error))
        say(f"settled after {settled:.1f} s")
        rig.finish()
        evidence = Evidence(
            rig.store, rig.platform.sent, rig.platform.acknowledged, rig.environment, time.time_ns() // 1_000_000
        )
        verdict = judge(evidence, stitch)
        wrong += rig.failures + verdict.wrong
        return Outcome(faults.total(), rig.kills, rig.starts, settled, verdict, wrong)


def summary(seed: int, seconds: float, rate: int, outcome: Outcome) -> str:
    """All of it, and how to have it again."""
    verdict = outcome.verdict
    lines = [
        (
            f"seed {seed}: {seconds:g} s at {rate} events/s, {outcome.faults} faults, {outcome.kills} times kill -9,"
            f" {outcome.starts} starts, settled in {outcome.settled:.1f} s"
        ),
        (
            f"  events: sent {verdict.sent:,}, acknowledged {verdict.acknowledged:,}, received {verdict.received:,},"
            f" stored {verdict.stored:,}: missing {verdict.missing}, doubled {verdict.doubled}, never sent {verdict.invented}"
        ),
        (
            f"  journeys: {verdict.journeys:,}, differing from `journeymap stitch` {verdict.differing}; rows differing"
            f" {verdict.rows_differing}"
        ),
        *(f"  WRONG: {sentence}" for sentence in outcome.wrong),
        f"  the same plan again: python -m benchmarks.chaos --seed {seed} --minutes {seconds / 60:g} --rate {rate}",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same faults [1]")
    parser.add_argument("--seeds", type=int, default=1, help="so many runs, with this seed and those after it [1]")
    parser.add_argument("--minutes", type=float, default=2, help="of each run, before it settles [2]")
    parser.add_argument("--rate", type=int, default=500, help="events a second [500]")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep store and logs in this folder, which must not be there"
    )
    parser.add_argument("--plan", action="store_true", help="only say what would go wrong")
    given = parser.parse_args()
    seconds = given.minutes * 60
    failed = 0
    for seed in range(given.seed, given.seed + given.seeds):
        if given.plan:
            print(*(f"{planned.at:7.1f} s  {planned}" for planned in plan(seed, seconds)), sep="\n")
            continue
        with tempfile.TemporaryDirectory(prefix="journeymap-chaos-") as scratch:
            folder = Path(scratch)
            if given.keep is not None:
                folder = given.keep / f"seed-{seed}"
                folder.mkdir(parents=True)
            outcome = chaos(seed, seconds, given.rate, folder)
        print(summary(seed, seconds, given.rate, outcome), flush=True)
        failed += bool(outcome.wrong)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
