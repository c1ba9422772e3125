"""The platform's process: the simulated platform's doors, and behind them a crowd that sends as fast as it is told.

Started with `python -m benchmarks.sender`; it says its addresses as a line of JSON, takes orders as lines of JSON on its
standard input and answers each with a line when it is done. `Sender` is the other end of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from benchmarks.crowd import Crowd
from journeymap.simulator.platform import Manner, Platform
from journeymap.simulator.server import Access, Server

CHECKOUT = Path(__file__).resolve().parents[1]
TICK = 0.005
OPENING_FRAME = 50
SEATS = 1.25
"""So many customers for each journey that is to be open: some are between two contacts, or done."""


class Sender:
    """The platform in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sender"], cwd=CHECKOUT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.access: dict[str, str] = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead `journeymap` here."""
        named = {f"JOURNEYMAP_{name.upper()}": value for name, value in self.access.items()}
        return {**os.environ, **named, "JOURNEYMAP_MAX_EVENTS_PER_SECOND": "10000"}

    def order(self, what: str, **details: Any) -> None:
        """Have something done: `connected`, `open`, `send`, `rest`, `mark`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **details}) + "\n")

    def answer(self) -> dict[str, Any]:
        """Wait for the end of what was ordered; what is said of it."""
        return self._read()

    def do(self, what: str, **details: Any) -> dict[str, Any]:
        """Order it and wait for its end."""
        self.order(what, **details)
        return self.answer()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the platform's process has ended")
        found: dict[str, Any] = json.loads(line)
        return found


def frame_of(payload: bytes) -> bytes:
    """A WebSocket text frame as a server sends it."""
    if len(payload) < 126:
        return bytes((0x81, len(payload))) + payload
    if len(payload) < 1 << 16:
        return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload
    return b"\x81\x7f" + len(payload).to_bytes(8, "big") + payload


def array_of(events: Sequence[bytes]) -> bytes:
    """Events as one message."""
    return events[0] if len(events) == 1 else b"[" + b",".join(events) + b"]"


class Player:
    """Carries out orders on the platform's event loop."""

    def __init__(self) -> None:
        self.platform = Platform(Manner(rate=0))
        self._crowd = Crowd(1)
        self._rng = random.Random(7)
        self._tasks: set[asyncio.Task[None]] = set()

    def ready(self, access: Access) -> None:
        """Say so, and listen to orders from now on."""
        say(access._asdict())
        loop = asyncio.get_running_loop()

        def listen() -> None:
            for line in sys.stdin:
                loop.call_soon_threadsafe(self._begin, json.loads(line))
            os._exit(0)

        threading.Thread(target=listen, daemon=True).start()

    def _begin(self, order: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(getattr(self, "_" + order.pop("do"))(**order))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            print(f"the platform broke down: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)

    async def _connected(self) -> None:
        while not any(known.is_live for known in self.platform.subscriptions.values()):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)
        say({"done": "connected"})

    async def _open(self, size: int, rough: bool, rate: float = 10_000) -> None:
        """A new crowd with `size` open journeys, in the middle of their visits."""
        self._crowd = crowd = Crowd(round(SEATS * size), first=self._rng.randrange(1 << 30), rough=rough)
        events = crowd.opening(self.platform.now())
        for place in range(0, len(events), OPENING_FRAME):
            await self._write(frame_of(array_of(events[place : place + OPENING_FRAME])))
            await asyncio.sleep(OPENING_FRAME / rate)
        say({"done": "open", "unique": crowd.unique, "sent": crowd.sent})

    async def _send(self, rate: float, seconds: float, frame: int) -> None:
        """Events at a steady rate, `frame` of them in each frame."""
        crowd = self._crowd
        unique, sent = crowd.unique, crowd.sent
        behind = 0
        cpu = time.process_time()
        began = time.perf_counter()
        done, total = 0, round(rate * seconds)
        while done < total:
            due = min(total, int((time.perf_counter() - began) * rate))
            due -= due % frame if due < total else 0
            behind = max(behind, due - done)
            if due > done:
                due = min(due, done + 2_000)  # at most so many at once: heartbeats and marks must get through
                now = self.platform.now()
                sizes = [min(frame, due - place) for place in range(done, due, frame)]
                done = due
                frames = [frame_of(array_of([crowd.next(now) for _ in range(size)])) for size in sizes]
                await self._write(b"".join(frames))
            await asyncio.sleep(TICK if due == done else 0)
        took = time.perf_counter() - began
        say({
            "done": "send", "seconds": took, "behind_ms": behind / rate * 1000, "cpu": (time.process_time() - cpu) / took,
            "unique": crowd.unique - unique, "sent": crowd.sent - sent,
        })  # fmt: skip

    async def _rest(self) -> None:
        """What would still have come late."""
        before = self._crowd.unique
        events = self._crowd.rest()
        for place in range(0, len(events), OPENING_FRAME):
            await self._write(frame_of(array_of(events[place : place + OPENING_FRAME])))
        say({"done": "rest", "unique": self._crowd.unique - before})

    async def _mark(self, customers: int, rate: float, seconds: float) -> None:
        """Events of some marked customers at random moments, each timed as it leaves."""
        began = time.perf_counter()
        number = 0
        while time.perf_counter() - began < seconds:
            await asyncio.sleep(self._rng.expovariate(rate))
            number += 1
            who = number % customers
            event = {
                "eventId": f"mark-{os.getpid()}-{began:.3f}-{number}",
                "type": "conversation.started",
                "timestamp": self.platform.now(),
                "payload": {
                    "customerId": f"marked-{who:03d}",
                    "interactionId": f"mark-{who:03d}",
                    "channelType": "chat",
                },
            }
            await self._write(frame_of(msgspec.json.encode(event)))
        say({"done": "mark", "marks": number})

    async def _write(self, data: bytes) -> None:
        """Straight into the socket, frames made here: sending each through the platform takes longer than receiving it."""
        for subscription in self.platform.subscriptions.values():
            connection = subscription.connection
            await connection.room()
            connection._socket.transport.write(data)  # type: ignore[attr-defined]  # noqa: SLF001


def say(document: dict[str, Any]) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Be the platform until standard input ends."""
    player = Player()
    Server(player.platform, "127.0.0.1", 0, player.ready).run_until_stopped()


if __name__ == "__main__":
    main()
