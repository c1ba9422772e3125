"""A short run of the fuzzer (`make fuzz` is the long one), and proof that it would find something."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from benchmarks.fuzz import targets
from benchmarks.fuzz.mutate import Mutator
from benchmarks.fuzz.running import BLOCK, Block, blocks, run
from benchmarks.fuzz.targets import TARGETS
from journeymap.decode.event import decode_frame
from journeymap.journal.replay import read_journal
from journeymap.model.record import Rejected
from journeymap.protocol.frames import Heartbeat, classify
from journeymap.protocol.websocket import MessageReader

SEED = 1
SHORT = 50_000
FEW_OBJECTS = 3_000
"""So many more objects may be left after a run: caches of the standard library, not something kept of every input."""


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_a_promise_and_nothing_is_kept(target: str) -> None:
    chosen = [block for block in blocks(SHORT, SEED) if block.target == target] or [Block(target, SEED, 0)]
    made = set()
    for number, block in enumerate(chosen):
        ran = run(block)
        assert ran.found is None, f"{ran.found}; python -m benchmarks.fuzz --block {target}/{block.number}"
        assert ran.inputs == BLOCK
        made.update(ran.outcomes)
        if number == min(2, len(chosen) - 2):
            gc.collect()
            before = sys.getallocatedblocks()
    if len(chosen) > 1:
        gc.collect()
        assert sys.getallocatedblocks() - before < FEW_OBJECTS
    assert len(made) > 1, "the inputs are all alike"


def test_the_shares_add_up() -> None:
    assert sum(share.percent for share in TARGETS.values()) == 100
    assert len(list(blocks(SHORT, SEED))) * BLOCK == SHORT


def test_the_same_seed_makes_the_same_inputs() -> None:
    def made(seed: int) -> list[bytes]:
        mutate = Mutator([b'{"a":1,"b":[1,2]}', b"bytes"], Random(seed))
        return [mutate() for _ in range(200)]

    assert made(1) == made(1) != made(2)


# Defects put in on purpose: each must be found within one share of the short run.


def raises_on_bad_text(frame: bytes, arrived_at: int = 0) -> Any:
    frame.decode()
    return decode_frame(frame, arrived_at)


def loses_one_of_an_array(frame: bytes, arrived_at: int = 0) -> Any:
    events, rejected = decode_frame(frame, arrived_at)
    return (events[:-1], rejected) if len(events) == 1 else (events, rejected)


def rejects_without_a_known_reason(frame: bytes, arrived_at: int = 0) -> Any:
    events, rejected = decode_frame(frame, arrived_at)
    return events, [Rejected("strange", item.detail, item.sample) for item in rejected]


def eats_events(frame: bytes) -> Any:
    return Heartbeat() if b'"queueName":"Sales"' in frame else classify(frame)


class ForgetsTheRest(MessageReader):
    def feed(self, data: bytes) -> Any:
        if len(data) < 3 and not self._missing:
            return []
        return super().feed(data)


class HasNoLimit(MessageReader):
    def __init__(self, limit: int) -> None:
        super().__init__(1 << 20)


def waits_forever(value: str | None, _: int) -> int | None:
    return int(value) * 1000 if value is not None and value.isdecimal() else None


class KeepsQuiet:
    def __init__(self, folder: Any) -> None:
        self._replay = read_journal(folder)
        self.damage = type("Damage", (), {"bytes": 0})
        self.missing = 0

    def __iter__(self) -> Any:
        return self._replay


def cannot_open(*_: Any, **__: Any) -> Any:
    raise OSError("not one of ours")


@pytest.mark.parametrize(
    ("target", "name", "defect"),
    [
        ("frames", "decode_frame", raises_on_bad_text),
        ("frames", "decode_frame", loses_one_of_an_array),
        ("frames", "decode_frame", rejects_without_a_known_reason),
        ("frames", "classify", eats_events),
        ("streams", "MessageReader", ForgetsTheRest),
        ("streams", "MessageReader", HasNoLimit),
        ("headers", "parse_retry_after", waits_forever),
        ("answers", "life_of", lambda value: int(float(value or 1)) * 1000),
        ("folding", "journeys", lambda events, _: []),
        ("samples", "sample_text", lambda data, cut=False: repr(data)),
        ("lines", "read_lines", cannot_open),
        ("journals", "read_journal", KeepsQuiet),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_defect_is_found(monkeypatch: pytest.MonkeyPatch, target: str, name: str, defect: Callable[..., Any]) -> None:
    monkeypatch.setattr(targets, name, defect)
    assert any(run(Block(target, SEED, number)).found is not None for number in range(5))
