"""Actions at random: the faults that end in `_every`."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from typing import Final

from journeymap.simulator.actions import (
    Action,
    BreakProtocol,
    Burst,
    Close,
    Drop,
    ExpireTokens,
    Garbage,
    HalfOpen,
    Only,
    SilenceSubscriptions,
)
from journeymap.simulator.faults import Faults
from journeymap.simulator.platform import Platform

_STEP: Final = 0.1
"""Seconds between two throws of the dice."""
_CODES: Final = (1000, 1001, 1008, 1011, 1012, 1013, 4401)
_STREAMS: Final[tuple[Only, ...]] = ("oldest", "newest")


def _drop(rng: random.Random) -> Action:
    return Drop(how=rng.choice(("reset", "fin")), only=rng.choice(_STREAMS))


def _close(rng: random.Random) -> Action:
    code = rng.choice(_CODES)
    return Close(code=code, reason="retry after 1" if code == 1013 else "", only=rng.choice(_STREAMS))


EVERY: Final[dict[str, Callable[[random.Random], Action]]] = {
    "drop_every": _drop,
    "close_every": _close,
    "half_open_every": lambda rng: HalfOpen(only=rng.choice(_STREAMS)),
    "break_protocol_every": lambda rng: BreakProtocol(only=rng.choice(_STREAMS)),
    "expire_tokens_every": lambda _: ExpireTokens(),
    "silence_subscriptions_every": lambda _: SilenceSubscriptions(),
    "garbage_every": lambda _: Garbage(),
    "burst_every": lambda _: Burst(),
}
"""The action that each of these faults brings, as chance will have it."""


def strikes(faults: Faults, rng: random.Random) -> list[Action]:
    """The actions that chance brings in one step."""
    actions = []
    for name, action in EVERY.items():
        mean = getattr(faults, name)
        if mean and rng.random() < -math.expm1(-_STEP / mean):
            actions.append(action(rng))
    return actions


async def strike(platform: Platform) -> None:
    """Let actions happen at random as the faults ask; until cancelled."""
    seed, rng = -1, random.Random()
    while True:
        await asyncio.sleep(_STEP)
        if platform.faults.chance_seed != seed:
            seed = platform.faults.chance_seed
            rng = random.Random(f"chance {seed}")
        for action in strikes(platform.faults, rng):
            action.on(platform)
