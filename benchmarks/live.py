"""The whole product as a newcomer has it: `journeymap run` in a process, a platform in another, customers in mid-visit."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from benchmarks.processes import Command, until
from benchmarks.sender import Sender


class Live(NamedTuple):
    """Both processes, with the first customers' journeys in the store."""

    sender: Sender
    command: Command

    @property
    def address(self) -> str:
        """Where the page is."""
        return self.command.address

    def status(self) -> dict[str, float]:
        """The ingest side's status document."""
        found: dict[str, float] = httpx.get(f"{self.address}/api/v1/status").json()
        return found


@contextlib.contextmanager
def running(customers: int, *, rough: bool) -> Iterator[Live]:
    """`journeymap run --source eventstreams` with so many journeys open, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as folder, Sender() as sender:
        arguments = ("run", "--source", "eventstreams", "--store", f"disk:{folder}/store", "--port", "0")
        with Command(*arguments, environment=sender.environment) as command:
            live = Live(sender, command)
            sender.do("connected")
            sender.do("open", size=customers, rough=rough)
            until(lambda: live.status()["open_journeys"] >= customers, "the open journeys")
            yield live
