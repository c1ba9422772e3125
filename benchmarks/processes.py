"""Processes and threads under measurement: commands of `journeymap`, CPU time, memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0


def until(holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until it holds; its value. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:g} s")
        time.sleep(0.01)
    return value


class Command:
    """A `journeymap` command that serves, until the block ends."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "journeymap", *arguments],
            cwd=CHECKOUT,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self._said.extend(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if kind is not None:
            sys.stderr.write("".join(self._said[-20:]))

    @property
    def address(self) -> str:
        """Where it serves, as soon as it has said so."""
        found = until(lambda: re.search(r"at (http://\S+) ", "".join(self._said)), "an address")
        return str(found[1])


def thread_cpu(*beginnings: str) -> dict[str, float]:
    """CPU seconds of this process's threads whose names begin so."""
    return {
        thread.name: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None and thread.name.startswith(beginnings)
    }


def process_cpu(pid: int) -> float:
    """CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that a process takes up, without the files that are mapped into it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024
