"""Runs inputs in blocks that can be had again one by one."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.fuzz.mutate import Mutator
from benchmarks.fuzz.targets import TARGETS

BLOCK = 1_000
"""Inputs of one block."""


class Block(NamedTuple):
    """Inputs that follow from these three and from nothing else."""

    target: str
    seed: int
    number: int


class Found(NamedTuple):
    """An input that broke a promise."""

    block: Block
    data: bytes
    error: BaseException


class Ran(NamedTuple):
    """What came of a block: how often what was made of an input, and the first that broke a promise."""

    block: Block
    outcomes: Counter[str]
    found: Found | None

    @property
    def inputs(self) -> int:
        """How many were tried."""
        return self.outcomes.total() + (self.found is not None)


def blocks(inputs: int, seed: int) -> Iterator[Block]:
    """Blocks of so many inputs in all, the targets mixed in their shares."""
    deck = [name for name, share in TARGETS.items() for _ in range(share.percent)]
    Random(seed).shuffle(deck)
    for number in range(-(-inputs // BLOCK)):
        yield Block(deck[number % len(deck)], seed, number)


def run(block: Block, inputs: int = BLOCK) -> Ran:
    """Try the inputs of a block."""
    rng = Random(f"{block.target} {block.seed} {block.number}")
    outcomes: Counter[str] = Counter()
    memory = Path("/dev/shm")  # where files cost nothing
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
        target = TARGETS[block.target].make(Path(scratch))
        mutate = Mutator(target.corpus, rng)
        for _ in range(inputs):
            data = mutate()
            try:
                outcomes[target.check(data, rng)] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked for
                return Ran(block, outcomes, Found(block, data, error))
    return Ran(block, outcomes, None)
