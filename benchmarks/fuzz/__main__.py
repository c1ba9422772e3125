"""Fuzzes frame and event decoding and all other readers: `python -m benchmarks.fuzz --inputs 10000000 --seed 1`.

Ends with 1 where a promise was broken or memory grew. A failure names its block; `--block TARGET/NUMBER` runs that one again.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from typing import NamedTuple

from benchmarks.fuzz.running import BLOCK, Block, Ran, blocks, run
from benchmarks.fuzz.targets import TARGETS
from benchmarks.processes import resident

WARM_UP = 0.2
"""After this share of the inputs memory may not grow any more."""

GROWTH = 8 << 20
"""Bytes by which a process may be larger at its end than after the warm-up: the allocator's unrest, not a leak."""


class Work(NamedTuple):
    """A block done, and how large the process was after it."""

    ran: Ran
    pid: int
    bytes: int


def work(block: Block) -> Work:
    """Run a block in a process of the pool."""
    ran = run(block)
    gc.collect()
    return Work(ran, os.getpid(), resident())


def say(ran: Ran) -> None:
    """Show a broken promise, and how to have it again."""
    assert ran.found is not None
    data, error = ran.found.data, ran.found.error
    sys.stderr.write("".join(traceback.format_exception(error)))
    sys.stderr.write(
        f"{ran.block.target}: {data[:2_000]!r} ({len(data):,} bytes)\n"
        f"again: python -m benchmarks.fuzz --seed {ran.block.seed} --block {ran.block.target}/{ran.block.number}\n"
    )


def fuzz(inputs: int, seed: int, processes: int) -> int:
    """Run them all; how many promises were broken, and 1 more for memory that grew."""
    began = time.monotonic()
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in TARGETS}
    sizes: dict[int, list[int]] = {}
    done = broken = 0
    shown = began
    with multiprocessing.Pool(processes) as pool:
        for item in pool.imap_unordered(work, blocks(inputs, seed)):
            done += item.ran.inputs
            outcomes[item.ran.block.target] += item.ran.outcomes
            sizes.setdefault(item.pid, [])
            if done >= inputs * WARM_UP:
                sizes[item.pid].append(item.bytes)
            if item.ran.found is not None:
                broken += 1
                say(item.ran)
            if (now := time.monotonic()) - shown > 10:
                shown = now
                print(f"  {done:,} inputs, {done / (now - began):,.0f} a second", file=sys.stderr, flush=True)
    for name, counted in outcomes.items():
        made = ", ".join(f"{outcome} {count:,}" for outcome, count in counted.most_common())
        print(f"{name}: {counted.total():,} inputs: {made}")
    grown = max(sum(seen[-5:]) / len(seen[-5:]) - seen[0] for seen in sizes.values() if seen)
    print(
        f"{done:,} inputs with seed {seed} in {time.monotonic() - began:.0f} s: {broken} broken promises; memory after the"
        f" warm-up grew by {grown / 1e6:.1f} MB at most, to {max(max(seen) for seen in sizes.values() if seen) / 1e6:.0f} MB"
    )
    return broken + (grown > GROWTH)


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="how many, a multiple of 1,000 [200000]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs [1]")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="how many at once [as many as cores]"
    )
    parser.add_argument("--block", metavar="TARGET/NUMBER", help="run this block only, as a failure names it")
    given = parser.parse_args()
    if given.block is not None:
        target, _, number = given.block.partition("/")
        ran = run(Block(target, given.seed, int(number)))
        if ran.found is not None:
            say(ran)
        return int(ran.found is not None)
    assert given.inputs >= BLOCK, "at least a block"
    return int(fuzz(given.inputs, given.seed, given.processes) > 0)


if __name__ == "__main__":
    sys.exit(main())
