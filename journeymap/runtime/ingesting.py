"""The ingest side of a process, from taking the writer's lock to letting go of all."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from journeymap.errors import JourneymapError, StoreLockedError
from journeymap.model.status import IngestStatus
from journeymap.runtime.memory import calm_collector, short_turns
from journeymap.runtime.worker import Ingest

log = logging.getLogger(__name__)

LOCK_RETRY = 2.0
"""Seconds between two tries to get the lock that another process holds."""


class Ingesting:
    """Opened, started and closed once.

    `put_together` takes the writer's lock and makes the parts; what it opens it leaves on the stack to be closed. It raises
    StoreLockedError while another process has the lock. `on_failure` is called where ingest cannot start in the background.
    """

    def __init__(self, put_together: Callable[[contextlib.ExitStack], Ingest], on_failure: Callable[[], None]) -> None:
        self._put_together = put_together
        self._on_failure = on_failure
        self._closing = contextlib.ExitStack()
        self._ingest: Ingest | None = None
        self._closed = threading.Event()
        self._waiter: threading.Thread | None = None

    def open(self) -> None:
        """Take the writer's lock and open store and journal. Raises StoreLockedError while another process has it."""
        self._ingest = self._put_together(self._closing)

    def start(self) -> None:
        """Start what `open` opened."""
        assert self._ingest is not None
        short_turns()
        self._ingest.start()
        calm_collector()

    def start_when_free(self) -> None:
        """Open and start as soon as no other process holds the lock, in the background."""
        self._waiter = threading.Thread(target=self._wait_for_lock, name="journeymap-lock", daemon=True)
        self._waiter.start()

    def _wait_for_lock(self) -> None:
        while not self._closed.is_set():
            try:
                self.open()
            except StoreLockedError:
                self._closing.close()
                self._closed.wait(LOCK_RETRY)
            except Exception as error:
                expected = isinstance(error, JourneymapError)
                log.critical("ingest cannot start: %s", error, exc_info=None if expected else error)
                self._closing.close()
                self._on_failure()
                return
            else:
                self.start()
                return

    def hurry(self) -> None:
        """Let `close` not wait for a backlog to be stored: the journal holds it for the next start."""
        if self._ingest is not None:
            self._ingest.hurry()

    def close(self) -> None:
        """Stop, with everything received stored, and let go of all. Calling it again does nothing."""
        self._closed.set()
        if self._waiter is not None:
            self._waiter.join()
        if self._ingest is not None:
            self._ingest.stop()
        self._closing.close()

    @property
    def failure(self) -> BaseException | None:
        """What ingest failed with, if it did."""
        return None if self._ingest is None else self._ingest.failure

    def status(self) -> IngestStatus | None:
        """The status document as last written."""
        return None if self._ingest is None else self._ingest.last_status

    def problem(self) -> str | None:
        """Why the store cannot be written at the moment."""
        return None if self._ingest is None else self._ingest.problem
