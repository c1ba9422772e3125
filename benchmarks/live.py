"""The whole product as a newcomer has it: `journeymap run` in a process, a platform in another, customers in mid-visit."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
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
        found: dict[str, float] = httpx.get(f"{self.address}/api/v1/status", timeout=60).json()
        return found


@contextlib.contextmanager
def running(customers: int, *, rough: bool, settings: Mapping[str, str] | None = None) -> Iterator[Live]:
    """`journeymap run --source eventstreams` with so many journeys open, until the block ends; `settings` by their names."""
    with tempfile.TemporaryDirectory(prefix="journeymap-bench-") as folder, Sender() as sender:
        arguments = ("run", "--source", "eventstreams", "--store", f"disk:{folder}/store", "--port", "0")
        environment = {**sender.environment, **(settings or {})}
        with Command(*arguments, environment=environment) as command:
            live = Live(sender, command)
            sender.do("connected")
            sender.do("open", size=customers, rough=rough)
            until(lambda: live.status()["open_journeys"] >= customers, "the open journeys")
            yield live
