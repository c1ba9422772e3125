"""The thread that keeps a read model up to date: one a process, started and stopped explicitly."""

from __future__ import annotations

import logging
import threading
from typing import Final

from journeymap.errors import StoreError
from journeymap.readmodel.readmodel import ReadModel

POLL_EVERY: Final = 0.005
"""Seconds between two looks at the store."""

LONGEST_PAUSE: Final = 2.0
"""Seconds between two looks while the store cannot be read."""

_log = logging.getLogger(__name__)


class Follower:
    """Polls the store for a read model. An error is shown in the answers' status, and polling goes on more slowly."""

    def __init__(self, model: ReadModel) -> None:
        self._model = model
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start polling. Calling it while it runs does nothing."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="readmodel", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and wait for the thread. Calling it again does nothing."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        pause = POLL_EVERY
        while not self._stopping.is_set():
            try:
                self._model.poll()
                pause = POLL_EVERY
            except StoreError as error:
                self._report(str(error))
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001  a defect must not leave the page silently standing still
                if self._model.problem is None:
                    _log.exception("the read model cannot follow the store")
                self._report(f"the read model failed: {type(error).__name__}")
                pause = min(pause * 2, LONGEST_PAUSE)
            self._stopping.wait(pause)

    def _report(self, problem: str) -> None:
        if self._model.problem is None:
            _log.warning("the store cannot be read: %s", problem)
        self._model.fail(f"store: {problem}")
