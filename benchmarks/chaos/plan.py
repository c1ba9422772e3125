"""What goes wrong when, drawn from a seed alone: the same seed makes the same plan, on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

LEAST_GAP, MOST_GAP = 0.3, 4.0
"""Seconds between the beginnings of two faults. They overlap: most last longer."""


class Planned(NamedTuple):
    """Something that goes wrong: `at` seconds after the beginning, for so many seconds (0: it only happens)."""

    at: float
    what: str
    how: dict[str, Any]
    lasts: float = 0.0

    def __str__(self) -> str:
        how = " ".join(f"{name}={value}" for name, value in self.how.items())
        lasts = f" for {self.lasts:.1f} s" if self.lasts else ""
        return f"{self.what} {how}".rstrip() + lasts


class Kind(NamedTuple):
    """A kind of fault: how often it comes compared with others, what may be said of it, and how long it may last."""

    weight: int
    choices: dict[str, Sequence[Any]]
    lasts: tuple[float, float] = (0.0, 0.0)


_CODES = (1000, 1001, 1008, 1011, 1012, 1013, 3000, 4401)
_PASSING = ("429", "500", "503", "hang", "garbage")

KINDS: dict[str, Kind] = {
    # the process
    "kill -9": Kind(30, {"when": ("now", "flowing", "flowing", "flowing"), "after": (0.0, 0.02, 0.05, 0.1, 0.15, 0.3, 0.7)}),
    "terminate": Kind(4, {}),
    "stop": Kind(8, {}, (0.3, 5.0)),
    # sockets
    "drop": Kind(12, {"how": ("reset", "fin")}),
    "close": Kind(12, {"code": _CODES}),
    "half_open": Kind(3, {}),
    "break_protocol": Kind(2, {}),
    "expire_tokens": Kind(5, {}),
    "silence_subscriptions": Kind(1, {}),
    # single frames, single events
    "garbage": Kind(4, {}),
    "huge_frame": Kind(2, {"fragments": (1, 7)}),
    "burst": Kind(4, {"events": (1_000, 5_000)}),
    "repeat": Kind(4, {"events": (100, 1_000), "shuffled": (False, True)}),
    "throttle_frame": Kind(1, {}),
    # the platform as a whole
    "stop platform": Kind(5, {}, (0.3, 4.0)),
    "restart platform": Kind(2, {}),
    # the platform's answers; what concerns new connections comes with a reason to make one
    "token_life": Kind(4, {"value": (2, 3, 6)}, (3.0, 8.0)),
    "refuse_credentials": Kind(2, {"value": (True,), "then": ("drop", "expire_tokens")}, (0.5, 3.0)),
    "refuse_tokens": Kind(3, {"value": ("400", "401", "403:1"), "then": ("expire_tokens",)}, (0.5, 3.0)),
    "fail_tokens": Kind(6, {"value": _PASSING, "then": ("expire_tokens",)}, (0.5, 5.0)),
    "fail_metadata": Kind(3, {"value": ("404", "500", "hang", "garbage"), "then": ("expire_tokens",)}, (0.5, 5.0)),
    "refuse_handshakes": Kind(4, {"value": ("401:1", "401:2", "403"), "then": ("drop", "close")}, (0.5, 3.0)),
    "fail_handshakes": Kind(6, {"value": _PASSING[:-1], "then": ("drop", "close")}, (0.5, 5.0)),
    "no_greeting": Kind(3, {"value": (True,), "then": ("drop",)}, (1.0, 5.0)),
    "refuse_subscriptions": Kind(3, {"value": ("401:1", "403:1", "409"), "then": ("drop",)}, (0.5, 3.0)),
    "fail_subscriptions": Kind(6, {"value": _PASSING, "then": ("drop", "close")}, (0.5, 5.0)),
    "fail_cleanup": Kind(3, {"value": _PASSING[:-1], "then": ("close",)}, (0.5, 5.0)),
    "mismatched_subscriptions": Kind(3, {"value": ("connection:1", "callback:2", "callback"), "then": ("drop",)}, (0.5, 4.0)),
    "silent_subscriptions": Kind(2, {"value": (True,), "then": ("drop",)}, (0.5, 2.0)),
    # what comes on the stream
    "duplicates": Kind(3, {"value": (0.2, 0.8)}, (1.0, 6.0)),
    "late": Kind(2, {"value": (0.2, 0.8)}, (1.0, 6.0)),
    "reordering": Kind(3, {"value": (0.3, 3.0)}, (1.0, 6.0)),
    "fragments": Kind(2, {"value": (3, 20)}, (1.0, 6.0)),
    "frame_size": Kind(2, {"value": (1, 500)}, (1.0, 6.0)),
    "padding": Kind(2, {"value": (500, 3_000)}, (1.0, 4.0)),
    "pong_loss": Kind(2, {"value": (True,)}, (2.0, 8.0)),
    "heartbeat_loss": Kind(2, {"value": (True,)}, (2.0, 8.0)),
    "throttle": Kind(3, {"value": (20, 100, 300)}, (1.0, 6.0)),
    "clock_skew": Kind(3, {"value": (-90, -5, 30, 600)}, (1.0, 6.0)),
    "latency": Kind(4, {"value": (0.05, 0.5, 2.0)}, (1.0, 6.0)),
    "slow_frames": Kind(3, {"value": (0.2, 1.0, 3.0)}, (1.0, 6.0)),
    # the store's side
    "lock store": Kind(6, {}, (0.5, 7.0)),
    "full disk": Kind(5, {}, (0.3, 4.0)),
}  # fmt: skip
"""All kinds. `flowing` waits until events flow, so that there is something to lose. Names that are not `rig`'s own are
faults and actions of the simulated platform (docs/simulator.md)."""


def plan(seed: int, seconds: float) -> list[Planned]:
    """What goes wrong in so many seconds, in order."""
    rng = Random(f"chaos {seed}")
    names = list(KINDS)
    weights = [kind.weight for kind in KINDS.values()]
    planned: list[Planned] = []
    at = 1.0
    while at < seconds:
        name = rng.choices(names, weights)[0]
        kind = KINDS[name]
        how = {field: rng.choice(values) for field, values in kind.choices.items()}
        if how.get("code") == 1013:
            how["reason"] = rng.choice(("", "retry after 1", "retry after 3"))
        least, most = kind.lasts
        planned.append(Planned(round(at, 2), name, how, round(rng.uniform(least, most), 1)))
        at += rng.uniform(LEAST_GAP, MOST_GAP)
    return planned
