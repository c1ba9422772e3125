"""The line to the platform is cut for a while: when is the gap shown, when is it filled, is anything lost or doubled?
`python -m benchmarks.outage --seconds 90 --rate 100`

The simulated platform is a process of its own, behind a relay that can be cut, requests and sockets alike; so is `journeymap run`
with the source `notifications`. What it shows is read off its HTTP interface. At the end the store is compared
with the platform's script of all conversations that were open in the gap.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx
import msgspec

from benchmarks.processes import Command, process_cpu, until
from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.shelf import events_of
from journeymap.simulator.delivery import Delivery
from journeymap.simulator.load import day_factor
from journeymap.simulator.platform import STREAM_PATH
from journeymap.simulator.publicapi.chronicle import Chronicle
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS, Conversation
from journeymap.simulator.publicapi.details import body, topic_of
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.snapshots import snapshot
from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.story import Story
from journeymap.store.base import Query, StoreReader
from journeymap.store.disk import open_disk_reader

SHOWN_WITHIN: Millis = 5 * SECOND
FILLED_WITHIN: Millis = 10 * SECOND
SEED = 1
TOLD = 2.7
"""So many events the public APIs tell of conversations for which the story counts one, at a time of mean traffic."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the status; figures of times are that coarse."""
CLOCK = SystemClock()

Told = tuple[str, str]
"""An event: its conversation and its id."""


class Relay:
    """A line to a port of this machine that can be cut: nothing gets through then, and what is open is reset."""

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        """Let nothing through any more."""
        _end(self._listener)
        with self._lock:
            ends, self._open = self._open, set()
        for one in ends:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _end(one)

    def mend(self) -> None:
        """Let all through again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            with self._lock:
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        with self._lock:
            self._open -= {one, other}
        _end(one)
        _end(other)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


class Verdict(NamedTuple):
    """Of what happened in the gap, by the platform's script: how many events that were, in how many conversations; those that the
    store does not have, and what it has that the script does not know."""

    conversations: int
    due: int
    lost: list[Told]
    doubled: list[Told]


def judge(held: Iterable[Told], story: Story, start: Millis, end: Millis, now: Millis) -> Verdict:
    """Compare what is held with the script of all conversations that were open from `start` to `end`, as of `now`."""
    chronicle = Chronicle(story)
    by_conversation: dict[str, set[str]] = {}
    for conversation_id, event_id in held:
        by_conversation.setdefault(conversation_id, set()).add(event_id)
    due = conversations = 0
    lost: list[Told] = []
    doubled: list[Told] = []
    for found in chronicle.open_between(start, end):
        one = chronicle.conversation(found)
        told = _events([record(one, now)], now)
        wanted = {name for name, at in told.items() if start <= at < end}
        has = by_conversation.get(one.conversation_id, set())
        due += len(wanted)
        conversations += bool(wanted)
        lost += [(one.conversation_id, name) for name in wanted - has]
        if unknown := has - told.keys():
            unknown -= _events([*_details(one, now), *_snapshots(one, now)], now).keys()
            doubled += [(one.conversation_id, name) for name in unknown]
    return Verdict(conversations, due, lost, doubled)


def _details(one: Conversation, now: Millis) -> Iterator[dict[str, Any]]:
    for moment in one.moments:
        if moment.kind in DETAIL_KINDS and moment.at <= now:
            yield {"topicName": topic_of(one, moment), "eventBody": body(one, moment)}


def _snapshots(one: Conversation, now: Millis) -> Iterator[dict[str, Any]]:
    for at in sorted({moment.at for moment in one.moments if moment.at <= now}):
        yield {"topicName": "v2.routing.queues.q.conversations", "eventBody": snapshot(one, at)}


def _events(messages: Iterable[dict[str, Any]], now: Millis) -> dict[str, Millis]:
    """The times of events by their ids."""
    memory = Snapshots()
    frames = (msgspec.json.encode(message) for message in messages)
    return {event.event_id: event.timestamp for frame in frames for event in decode_frame(frame, now, memory)[0]}


def held_in(store: StoreReader) -> Iterator[Told]:
    """All events of a store."""
    after = None
    while rows := store.query(Query(after=after, limit=1000)):
        for found in store.find_many([row.journey_id for row in rows]).values():
            for event in events_of(found, store):
                yield event.interaction_id, event.event_id
        after = (rows[-1].last_event_at, rows[-1].journey_id)


class Outage(NamedTuple):
    """What was seen; times on our clock."""

    cut: Millis
    shown: Millis
    mended: Millis
    start: Millis
    end: Millis
    filled: Millis
    seen_filled: Millis
    conversations: int
    requests: int
    cpu: tuple[float, float]
    """Seconds of a processor that ingest with the page, and the platform, took from the first look after the end to the fill."""


def serve(rate: float, seed: int, front: int, ready: Connection) -> None:
    """The platform, in a process of its own, known by the relay's port; it ends when the other end of `ready` is closed."""
    with SimulatedPlatform(rate=rate, seed=seed, keep_acknowledged=False) as platform:
        platform.platform.base_url = f"http://127.0.0.1:{front}"
        ready.send((platform.port, platform.client_id, platform.client_secret))
        with contextlib.suppress(EOFError):
            ready.recv()


@contextlib.contextmanager
def platform_behind(relay: Relay, rate: float, seed: int) -> Iterator[tuple[int, dict[str, str]]]:
    """The simulated platform behind a relay: its process, and the settings that lead to it."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(rate, seed, relay.port, theirs), daemon=True)
    process.start()
    relay.target, client_id, secret = ours.recv()
    base = f"127.0.0.1:{relay.port}"
    try:
        assert process.pid is not None
        yield (
            process.pid,
            {
                "JOURNEYMAP_SOURCE": "notifications",
                "JOURNEYMAP_LOGIN_URL": f"http://{base}",
                "JOURNEYMAP_API_URL": f"http://{base}",
                "JOURNEYMAP_STREAM_URL": f"ws://{base}{STREAM_PATH}",
                "JOURNEYMAP_CLIENT_ID": client_id,
                "JOURNEYMAP_CLIENT_SECRET": secret,
            },
        )
    finally:
        ours.send(None)
        process.join(20)
        ours.close()


def watch(status: Any, relay: Relay, seconds: float, cpu: Callable[[], tuple[float, float]]) -> Outage:
    """Cut the line for so long, and see what is said of it. `status` asks for the status document."""

    def gap_of(after: Millis) -> Any:
        gaps = [gap for gap in status().get("gaps", ()) if gap["kind"] == "disconnected" and gap["start"] >= after]
        return gaps[-1] if gaps else None

    begun = CLOCK.now() - SECOND
    relay.cut()
    cut = CLOCK.now()
    until(lambda: gap_of(begun - MINUTE), "the gap to be shown")
    shown = CLOCK.now()
    time.sleep(max(0.0, seconds - (shown - cut) / SECOND))
    relay.mend()
    mended = CLOCK.now()
    until(lambda: (gap_of(begun - MINUTE) or {}).get("end"), "a connection", 180)
    used = cpu()
    until(lambda: (gap_of(begun - MINUTE) or {}).get("filled_at"), "the gap to be filled", 180)
    seen = CLOCK.now()
    taken = cpu()
    gap = gap_of(begun - MINUTE)
    requests = (status()["backfill"] or {}).get("requests", 0)
    return Outage(
        cut,
        shown,
        mended,
        gap["start"],
        gap["end"],
        gap["filled_at"],
        seen,
        gap["conversations"],
        requests,
        (taken[0] - used[0], taken[1] - used[1]),
    )


def measure(seconds: float, rate: float, warm: float, reach: str) -> int:
    """Run it, print figures, and answer how many things are not as they should be."""
    pace = rate / TOLD / day_factor(CLOCK.now())
    with (
        tempfile.TemporaryDirectory() as folder,
        Relay() as relay,
        platform_behind(relay, pace, SEED) as (platform_pid, settings),
    ):
        store = Path(folder) / "store"
        environment = {
            **os.environ,
            **settings,
            "JOURNEYMAP_STORE": f"disk:{store}",
            "JOURNEYMAP_BACKFILL_REACH": reach,
        }
        with (
            Command("run", "--port", "0", environment=environment) as command,
            httpx.Client(base_url=command.address, timeout=30) as client,
        ):

            def status() -> Any:
                time.sleep(LOOK_EVERY)  # who measures must not be the load
                return client.get("/api/v1/status").json()

            until(lambda: status()["state"] == "OPEN", "a connection")
            if reach != "0s":
                until(lambda: (status()["backfill"] or {}).get("filled"), "the time before the start", 600)
            time.sleep(warm)
            before = status()["backfill"]["requests"]
            pids = command.process.pid, platform_pid
            outage = watch(status, relay, seconds, lambda: (process_cpu(pids[0]), process_cpu(pids[1])))
            until(lambda: status()["state"] == "OPEN", "a connection")
        with contextlib.closing(open_disk_reader(store)) as reader:
            held = list(held_in(reader))
    story = Story(SEED, pace, Delivery(0.0, 0.0))
    verdict = judge(held, story, outage.start, outage.end, CLOCK.now())
    shown, closed = outage.shown - outage.cut, outage.seen_filled - outage.end
    told = verdict.due * SECOND / (outage.end - outage.start)
    print(f"cut for {(outage.mended - outage.cut) / SECOND:.1f} s at {told:.0f} events/s")
    print(f"gap shown {shown / SECOND:.2f} s after the cut")
    print(f"connected again {(outage.end - outage.mended) / SECOND:.2f} s after the line was mended")
    print(
        f"gap closed {closed / SECOND:.2f} s after that: {outage.conversations:,} conversations by"
        f" {outage.requests - before} requests, with {outage.cpu[0]:.1f} s of processor time here and"
        f" {outage.cpu[1]:.1f} s of the platform's; load of the machine {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{verdict.due:,} events of {verdict.conversations:,} conversations in the gap:"
        f" {len(verdict.lost)} lost, {len(verdict.doubled)} doubled"
    )
    for name in (*verdict.lost[:5], *verdict.doubled[:5]):
        print("  ", *name)
    wrong = [shown > SHOWN_WITHIN, closed > FILLED_WITHIN, bool(verdict.lost), bool(verdict.doubled), not verdict.due]
    print("ok" if not any(wrong) else "MISS")
    return sum(wrong)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=90.0, help="how long the line is cut")
    parser.add_argument("--rate", type=float, default=100.0, help="events a second that the public APIs tell, about")
    parser.add_argument("--warm", type=float, default=60.0, help="seconds of quiet before it")
    parser.add_argument("--reach", default="5m", help="BACKFILL_REACH at the start")
    given = parser.parse_args()
    return min(1, measure(given.seconds, given.rate, given.warm, given.reach))


if __name__ == "__main__":
    sys.exit(main())
