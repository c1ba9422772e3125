"""`journeymap` commands as processes of their own, and what a store and a journal on disk hold."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from journeymap.decode.event import decode_frame
from journeymap.journal.replay import read_journal
from journeymap.model.event import Event
from journeymap.model.journey import Journey
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions
from journeymap.store.disk import open_disk_reader
from tests.stored import journeys_in

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until a condition holds; its value. Fails loudly when it never does."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience} s")
        time.sleep(0.02)


class Command:
    """A running `journeymap` command, or one of another `module`. `address` is where it serves, as it says itself."""

    def __init__(self, *arguments: str, log: Path, module: str = "journeymap", **environment: str) -> None:
        self.log = log
        self.began = time.monotonic()
        with log.open("ab") as output:
            self._from = output.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=CHECKOUT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # The whole group: workers of a server outlive it otherwise.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def output(self) -> str:
        """What it has printed."""
        return self.log.read_bytes()[self._from :].decode(errors="replace")

    @property
    def address(self) -> str:
        """Where it serves, as soon as it has said so."""
        found = until(
            lambda: re.search(r"(?:at|on) (http://\S+?)[\s.]*(?:\(|\s|$)", self.output) or self._ended(), "an address"
        )
        return str(found[1])

    def _ended(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.output}")

    def get(self, path: str) -> httpx.Response | None:
        """The answer to a request, None while nobody answers."""
        self._ended()
        try:
            return httpx.get(self.address + path, timeout=10)
        except httpx.TransportError:
            return None

    def status(self) -> dict[str, Any]:
        """What `/api/v1/status` says, {} while nobody answers."""
        answer = self.get("/api/v1/status")
        return answer.json() if answer is not None and answer.status_code == 200 else {}

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def platforms(seed: str) -> list[int]:
    """Simulated platforms that run with this seed."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"simulate" in words and seed.encode() in words:
            found.append(int(path.parent.name))
    return found


def stored_journeys(store: Path, options: StitchOptions) -> list[Journey]:
    """All journeys of a store, folded again from the events it holds."""
    reader = open_disk_reader(store)
    try:
        return journeys_in(reader, options)
    finally:
        reader.close()


def received_frames(store: Path) -> list[bytes]:
    """All frames in the journal beside a store, in the order in which they came; none while there is no journal."""
    journal = store / "journal"
    return [record.data for record in read_journal(journal)] if journal.exists() else []


def received_events(store: Path) -> list[Event]:
    """All events in the journal beside a store, in the order in which they came."""
    return [event for data in received_frames(store) for event in decode_frame(data)[0]]


def received_journeys(store: Path, options: StitchOptions) -> list[Journey]:
    """What the events in the journal mean by definition."""
    return journeys(received_events(store), options)
