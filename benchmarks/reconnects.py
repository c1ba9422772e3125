"""Thousands of reconnects of one source: do threads, descriptors or memory stay behind?
`python -m benchmarks.reconnects --count 10000`

The simulated platform, a process of its own, closes streams, breaks them off, lets them go dead, turns handshakes,
subscriptions and tokens away, throttles. The source waits as little as it may and has small limits, so that one reconnect takes
milliseconds; what it does is what it does in a week of outages.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.chaos.rig import Platform
from benchmarks.processes import resident, until
from journeymap.protocol.limits import Limits
from journeymap.runtime.clock import SystemClock
from journeymap.source.base import ConnectionState, SourceStatus
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource

WARM_UP = 100
"""Reconnects after which the first look is taken: caches and pools are as large as they get then."""

LIMITS = Limits(
    token=5_000, opening=5_000, answer=5_000, proof=10_000, ping=300, silence=1_500, drain=2_000, settle=20, health=1
)
OBJECTS_MOST = 500
MEMORY_MOST = 4 * 2**20
"""What 10,000 reconnects may leave, for caches of the interpreter and fragments of memory: 400 bytes each."""


class Hasty(random.Random):
    """Waits as little as the backoff allows."""

    def random(self) -> float:
        return 0.0


class Held(NamedTuple):
    """What this process holds."""

    threads: int
    descriptors: int
    objects: int
    memory: int

    @classmethod
    def now(cls) -> Held:
        """Count, after a collection."""
        gc.collect()
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return cls(threading.active_count(), descriptors, len(gc.get_objects()), resident())

    def grown(self, before: Held) -> list[str]:
        """What has grown by more than it may."""
        allowed = Held(0, 0, OBJECTS_MOST, MEMORY_MOST)
        pairs = zip(self._fields, self, before, allowed, strict=True)
        return [name for name, after, first, most in pairs if after > first + most]


Way = Callable[[Platform, EventStreamsSource], None]


def acting(name: str, **how: object) -> Way:
    """Something happens once."""
    return lambda platform, _: platform.act(name, how)


def failing(fault: str, value: str) -> Way:
    """Something is wrong when the source comes back from a stream that was broken off."""

    def way(platform: Platform, _: EventStreamsSource) -> None:
        platform.set_fault(fault, value)
        platform.act("drop", {})

    return way


def held(_: Platform, source: EventStreamsSource) -> None:
    """Reading is stopped and goes on."""
    source.hold("for a moment")
    until(lambda: source.status().state is ConnectionState.DISCONNECTED, "the hold")
    source.release()


def throttled(platform: Platform, _: EventStreamsSource) -> None:
    """Another rate is asked for, and in the midst of that the stream is closed."""
    platform.act("throttle_frame", {})
    platform.act("close", {"code": 1012})


def expiring(platform: Platform, _: EventStreamsSource) -> None:
    """All tokens end, and the next one does not come at once."""
    platform.set_fault("fail_tokens", "500:1")
    platform.act("expire_tokens", {})


COMMON: dict[str, Way] = {
    **{f"close {code}": acting("close", code=code) for code in (1000, 1001, 1008, 1011, 1012, 4401)},
    "close 1013": acting("close", code=1013, reason="retry after 0"),
    "reset": acting("drop", how="reset"),
    "fin": acting("drop", how="fin"),
    "broken protocol": acting("break_protocol"),
    "handshake 503": failing("fail_handshakes", "503:1"),
    "handshake 401": failing("refuse_handshakes", "401:1"),
    "subscription 500": failing("fail_subscriptions", "500:1"),
    "subscription 409": failing("refuse_subscriptions", "409:1"),
    "subscription garbage": failing("fail_subscriptions", "garbage:1"),
    "subscription mismatched": failing("mismatched_subscriptions", "connection:2"),
    "deletion 503": failing("fail_cleanup", "503:1"),
    "tokens expire": acting("expire_tokens"),
    "tokens expire, no new one": expiring,
    "held": held,
    "throttled": throttled,
}
RARE: dict[str, Way] = {"half open": acting("half_open"), "handshake hangs": failing("fail_handshakes", "hang:1")}
"""What takes a second or more each."""

RARELY = 0.005


@contextlib.contextmanager
def reading(platform: Platform) -> Iterator[EventStreamsSource]:
    """A source at work, until the block ends."""
    names = ("login_url", "api_url", "stream_url", "client_id", "client_secret")
    access = {name: platform.access[name] for name in names}
    config = EventStreamsConfig(**access, request_timeout=1_000, limits=LIMITS)
    source = EventStreamsSource(config, SystemClock().now, Hasty())
    thread = threading.Thread(target=source.run, args=(lambda *_: None,), name="reading")
    thread.start()
    try:
        yield source
    finally:
        source.stop()
        thread.join()


def reconnect(source: EventStreamsSource, platform: Platform, count: int, chance: random.Random) -> Counter[str]:
    """Let the connection end in so many ways, one after another, each time until it is OPEN again; how often which."""
    done: Counter[str] = Counter()
    for _ in range(count):
        ways = RARE if chance.random() < RARELY else COMMON
        name = chance.choice(list(ways))
        before = source.status().reconnects
        ways[name](platform, source)
        wait_for(source, lambda status, before=before: status.reconnects > before)
        done[name] += 1
    return done


def wait_for(source: EventStreamsSource, holds: Callable[[SourceStatus], bool]) -> None:
    """Wait until the source is OPEN and this holds. A refusal is what an operator would take back."""
    deadline = time.monotonic() + 60
    while not ((status := source.status()).state is ConnectionState.OPEN and holds(status)):
        if status.refused:
            source.retry()
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come back within a minute: {status}")
        time.sleep(0.001)


def settled(source: EventStreamsSource, most: Held | None = None) -> Held:
    """What is held once nothing is under way any more, or, if it is more than before, after ten seconds."""
    deadline = time.monotonic() + 10
    wait_for(source, lambda _: True)
    before = Held.now()
    while True:
        time.sleep(0.5)
        found = Held.now()
        same = (found.threads, found.descriptors) == (before.threads, before.descriptors)
        if (same and not (most and found.grown(most))) or time.monotonic() > deadline:
            return found
        before = found


def measure(folder: Path, count: int, seed: int, warm_up: int = WARM_UP) -> tuple[Held, Held, Counter[str]]:
    """What is held after the warm-up and at the end, and how the connection ended how often."""
    platform = Platform(folder, seed, 20)
    try:
        platform.set_fault("retry_after", 0)
        chance = random.Random(seed)
        with reading(platform) as source:
            wait_for(source, lambda _: True)
            reconnect(source, platform, warm_up, chance)
            before = settled(source)
            done = reconnect(source, platform, count, chance)
            return before, settled(source, before), done
    finally:
        platform.end()


def main() -> int:
    """Run it, and say what came out; 1 if anything has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.getLogger("journeymap").setLevel(logging.CRITICAL)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as folder:
        before, after, done = measure(Path(folder), given.count, given.seed)
    for name, times in done.most_common():
        print(f"  {times:6,} {name}")
    print(f"{given.count:,} reconnects in {time.monotonic() - began:,.0f} s, seed {given.seed}")
    for name, first, last in zip(Held._fields, before, after, strict=True):
        print(f"  {name:12} {first:12,} -> {last:12,}")
    grown = after.grown(before)
    print(f"grown: {', '.join(grown)}" if grown else "nothing has grown")
    return int(bool(grown))


if __name__ == "__main__":
    sys.exit(main())
