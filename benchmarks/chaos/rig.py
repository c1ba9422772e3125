"""The two processes, and whoever does something to them."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from benchmarks.chaos.plan import Planned
from benchmarks.processes import CHECKOUT
from journeymap.errors import JourneymapError
from journeymap.model.status import STATUS, IngestStatus, decode_status
from journeymap.model.time import Millis
from journeymap.simulator.actions import ACTIONS
from journeymap.store.cache import DATABASE
from journeymap.store.disk import open_disk_reader

RESTART = 0.2
"""Seconds after which ingest is started again, as a service manager would."""

IMPATIENT: Millis = 3_000
"""How long a connection may be away before somebody presses "try again"."""

UP = b"Ingesting into"
"""What ingest writes once its store is open."""

FLOWING = 5.0
"""Seconds that are waited at most for events to flow."""


class Platform:
    """`journeymap simulate` as a process of its own; its port, and what a client needs to come in, outlive restarts."""

    def __init__(self, folder: Path, seed: int, rate: int) -> None:
        self.sent, self.acknowledged = folder / "sent.jsonl", folder / "acknowledged.jsonl"
        self._command = [
            sys.executable, "-m", "journeymap", "simulate", "--json", "--exit-with-parent", "--seed", str(seed),
            "--rate", str(rate), "--heartbeat", "1", "--token-life", "25s", "--duplicates", "0.03", "--late", "0.03",
            "--log", str(self.sent), "--acknowledged-log", str(self.acknowledged),
        ]  # fmt: skip
        self._port = "0"
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [*self._command, "--port", self._port],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.access: dict[str, str] = json.loads(self.process.stdout.readline())
        self._port = self.access["api_url"].rpartition(":")[2]
        self._http = httpx.Client(base_url=self.access["api_url"], timeout=30, trust_env=False)

    def restart(self) -> None:
        """End it in order and start it anew on the same port."""
        self.end()
        self._start()

    def end(self) -> None:
        """End it in order; both logs are complete then."""
        self.process.send_signal(signal.SIGCONT)
        self._http.close()
        self.process.terminate()
        self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def set_fault(self, name: str, value: Any) -> None:
        """Begin a fault; None ends it."""
        self._http.put("/control/faults", json={name: value}).raise_for_status()

    def reset_faults(self) -> None:
        """Nothing is wrong any more."""
        self._http.delete("/control/faults").raise_for_status()

    def act(self, name: str, how: dict[str, Any]) -> None:
        """Let an action happen."""
        self._http.post(f"/control/actions/{name}", json=how).raise_for_status()

    def stats(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = self._http.get("/stats").raise_for_status().json()
        return found


class Rig:
    """The platform, ingest over a store in `folder`, and faults. `say` hears of everything that happens."""

    def __init__(self, folder: Path, seed: int, rate: int, say: Callable[[str], None]) -> None:
        self.store = folder / "store"
        self.log = folder / "ingest.log"
        self.kills = 0
        self.starts = 0
        self.failures: list[str] = []
        """How ingest ended where nobody had ended it, and where it could have opened its store."""
        self._say = say
        self._ends: list[tuple[float, str, Callable[[], None]]] = []
        self._expected = False
        self._store_faults = 0  # those that go on now
        self._hindered = False  # the store could not be used while ingest was starting: it may end, and says why
        self._start_at: float | None = None
        self._platform_stopped = False
        self._look_at = math.inf
        self.platform = Platform(folder, seed, rate)
        self.environment = {
            f"JOURNEYMAP_{name.upper()}": self.platform.access[name]
            for name in ("login_url", "api_url", "stream_url", "client_id", "client_secret")
        } | {
            "JOURNEYMAP_MAX_EVENTS_PER_SECOND": str(20 * rate),
            "JOURNEYMAP_SOURCE": "eventstreams",
            "JOURNEYMAP_STORE": f"disk:{self.store}",
            "JOURNEYMAP_INGEST_PORT": "0",
            # Those of `stitch`, instead of the shipped ones that differ by channel.
            "JOURNEYMAP_IDLE_AFTER": "5m",
            "JOURNEYMAP_CLOSE_AFTER": "30m",
        }
        self.ingest = self._started()
        self._reader = open_disk_reader(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()
        for process in (self.ingest, self.platform.process):
            if process.poll() is None:
                process.kill()
                process.wait()

    # What keeps it going

    def _started(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        self._start_at = None
        self._hindered = self._store_faults > 0
        with self.log.open("ab") as output:
            self._log_begin = output.tell()
            return subprocess.Popen(
                [sys.executable, "-m", "journeymap", "ingest"],
                cwd=CHECKOUT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def tick(self) -> None:
        """Do what is due: end faults, start ingest again."""
        now = time.monotonic()
        for entry in sorted(self._ends, key=lambda entry: entry[0]):
            if entry[0] <= now and not (self._platform_stopped and entry[1] == "platform"):
                self._ends.remove(entry)
                entry[2]()
        if (code := self.ingest.poll()) is None:
            self._look_after(now)
            return
        if self._start_at is None:
            self._start_at = now + RESTART
            if not self._expected and not (self._hindered and self._is_starting()):
                self.failures.append(f"ingest ended by itself with code {code}")
                self._say(f"INGEST ENDED BY ITSELF with code {code}; see {self.log}")
            self._expected = False
        if now >= self._start_at:
            self.ingest = self._started()

    def _is_starting(self) -> bool:
        """Whether the ingest process of now has (or had, when it ended) not opened its store yet."""
        with self.log.open("rb") as log:
            log.seek(self._log_begin)
            return UP not in log.read()

    def _hinder(self) -> None:
        """A fault of the store begins. An ingest that runs has to outlive it; one that starts cannot open its store."""
        self._store_faults += 1
        self._hindered = self._hindered or self._is_starting()

    def _look_after(self, now: float) -> None:
        """What an impatient operator does: press "try again" when it has been away for a while. Waits grow with every failure,
        and here something fails every few seconds."""
        if now < self._look_at:
            return
        self._look_at = now + 1
        status = self.status()
        if status is not None and status.state != "OPEN" and status.written_at - status.since > IMPATIENT:
            self.retry()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()
            time.sleep(0.02)

    # What goes wrong

    def do(self, planned: Planned) -> None:
        """Carry it out; what lasts ends by itself."""
        name, how = planned.what, dict(planned.how)
        match name:
            case "kill -9":
                if how["when"] == "flowing":
                    self._await_events()
                self.run(how["after"])
                self._end_ingest(signal.SIGKILL)
            case "terminate":
                self._end_ingest(signal.SIGTERM)
            case "stop":
                self._stop(self.ingest, planned)
            case "stop platform":
                self._stop(self.platform.process, planned)
            case "restart platform":
                self.platform.restart()
                self._ends = [entry for entry in self._ends if entry[1] != "platform"]
            case _ if name in ACTIONS:
                self.platform.act(name, how)
            case "lock store":
                self._lock_store(planned)
            case "full disk":
                self._fill_disk(planned)
            case _:
                then = how.pop("then", None)
                self.platform.set_fault(name, how["value"])
                if then is not None:
                    self.platform.act(then, {})
                self._later(planned, "platform", lambda: self._end_fault(name))

    def _later(self, planned: Planned, whose: str, end: Callable[[], None]) -> None:
        self._ends.append((time.monotonic() + planned.lasts, whose, end))

    def _end_fault(self, name: str) -> None:
        self.platform.set_fault(name, None)
        self.retry()

    def _await_events(self) -> None:
        """Wait until events are acknowledged, but not for ever: something else may be wrong just now."""
        before = self.platform.stats()["acknowledged"]
        until = time.monotonic() + FLOWING
        while time.monotonic() < until and self.platform.stats()["acknowledged"] <= before:
            self.run(0.05)

    def _end_ingest(self, number: signal.Signals) -> None:
        if self.ingest.poll() is None:
            self._expected = True
            self.kills += number == signal.SIGKILL
            self.ingest.send_signal(signal.SIGCONT if number == signal.SIGTERM else number)
            self.ingest.send_signal(number)

    def _stop(self, process: subprocess.Popen[Any], planned: Planned) -> None:
        process.send_signal(signal.SIGSTOP)
        if process is self.platform.process:
            self._platform_stopped = True  # nothing can be asked of it meanwhile
            self.run(planned.lasts)
            process.send_signal(signal.SIGCONT)
            self._platform_stopped = False
        else:
            self._later(planned, "ingest", lambda: process.send_signal(signal.SIGCONT))

    def _lock_store(self, planned: Planned) -> None:
        """Hold the database's write lock, as a backup program that does not know better would."""
        try:
            connection = sqlite3.connect(self.store / DATABASE, timeout=2, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._say(f"  could not lock the store: {error}")
            return
        self._hinder()

        def unlock() -> None:
            connection.execute("ROLLBACK")
            connection.close()
            self._store_faults -= 1

        self._later(planned, "store", unlock)

    def _fill_disk(self, planned: Planned) -> None:
        """Let no file of ingest grow: to the process, the disk is full."""
        process = self.ingest
        if process.poll() is not None:
            return
        most = max((path.stat().st_size for path in self.store.rglob("*") if path.is_file()), default=0)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (min(most // 4, 1 << 20), resource.RLIM_INFINITY))
        self._hinder()

        def make_room() -> None:
            self._store_faults -= 1
            with contextlib.suppress(ProcessLookupError):
                if process.poll() is None:
                    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)

        self._later(planned, "disk", make_room)

    # What sets it right

    def retry(self) -> None:
        """What an operator does who sees that the platform is well again: "try again"."""
        with contextlib.suppress(JourneymapError):
            self._reader.leave_command("retry")

    def status(self) -> IngestStatus | None:
        """What ingest says of itself, if it does now."""
        try:
            document = self._reader.document(STATUS)
        except JourneymapError:
            return None
        status = None if document is None else decode_status(document)
        return None if status is None or status.is_stale(time.time_ns() // 1_000_000) else status

    def settle(self, patience: float) -> float:
        """End all faults, and wait until ingest is OPEN and has events again; how many seconds that took.

        It has to come back by itself, except from a refusal, after which somebody presses "try again".
        """
        began = time.monotonic()
        self._look_at = math.inf
        for _, _, end in self._ends:
            end()
        self._ends.clear()
        self.platform.reset_faults()
        retried = 0.0
        before = self.platform.stats()["acknowledged"]
        while True:
            self.tick()
            status = self.status()
            stats = self.platform.stats()
            if status is not None and status.state == "OPEN" and stats["acknowledged"] > before + 100:
                self._look_at = 0.0
                return time.monotonic() - began
            if (now := time.monotonic()) - began > patience:
                said = None if status is None else (status.state, status.error)
                raise TimeoutError(f"it has not settled within {patience:g} s: {said}, {stats}")
            if status is not None and status.refused and now - retried > 5:
                retried = now
                self.retry()
            time.sleep(0.1)

    def finish(self) -> None:
        """Let the platform end, ingest store what it has, and end in order."""
        self.run(1)
        self.platform.end()
        self.run(1)
        self._expected = True
        self.ingest.send_signal(signal.SIGTERM)
        code = self.ingest.wait(120)
        if code:
            self.failures.append(f"ingest ended with code {code} when it was told to end")
