"""How a frame comes in: into the journal, and behind it into the inbox."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Final

from journeymap.errors import JournalFullError
from journeymap.journal.journal import Journal
from journeymap.model.record import Record
from journeymap.model.time import SECOND, Millis
from journeymap.runtime.inbox import Inbox

JOURNAL_RETRY: Millis = SECOND

FETCHED_AHEAD: Final = 1024 * 1024
"""So many bytes of what is fetched again wait to be stitched at most, some thousand events: what is live waits for these. More
than `inbox.WORTHWHILE`, so that the filling of gaps does not wait for flushes, which are a tenth of a second apart."""

log = logging.getLogger(__name__)


class Receiving:
    """What all receiving threads share. `leaving` is set once nothing more is to be received."""

    def __init__(self, journal: Journal, inbox: Inbox, leaving: threading.Event) -> None:
        self._journal = journal
        self._inbox = inbox
        self._leaving = leaving
        self._order = threading.Lock()
        self._problem: str | None = None
        self._refused = 0  # frames in hand that the journal has no room for

    @property
    def problem(self) -> str | None:
        """Why nothing can be received; None while it can."""
        return self._problem

    def take_in(self, source: str, frame: bytes, arrived_at: Millis) -> None:
        """Append a frame. Raises JournalFullError where there is no room for it."""
        with self._order:  # the inbox is given records in the order of the journal
            end = self._journal.append(source, frame, arrived_at)
            self._inbox.put(Record(frame, source, arrived_at, end))

    def deliver(self, source: str, frame: bytes, arrived_at: Millis) -> None:
        """Append a frame, as soon as there is room for it: a source waits, and the platform with it."""
        try:
            self.take_in(source, frame, arrived_at)
        except JournalFullError as error:
            self._keep_trying(error, source, frame, arrived_at)

    def deliver_patiently(self, source: str, frame: bytes, arrived_at: Millis) -> None:
        """Append a frame once little waits to be stitched: days of records would make what is live minutes late."""
        while not (self._inbox.wait_for_fewer(FETCHED_AHEAD, JOURNAL_RETRY / SECOND) or self._leaving.is_set()):
            pass
        self.deliver(source, frame, arrived_at)

    def _keep_trying(self, error: JournalFullError, source: str, frame: bytes, arrived_at: Millis) -> None:
        with self._order:
            self._refused += 1
            first = self._refused == 1
            self._problem = str(error)
        if first:
            log.error("reading is stopped: %s", error)
        try:
            while not self._leaving.wait(JOURNAL_RETRY / SECOND):
                with suppress(JournalFullError):
                    self.take_in(source, frame, arrived_at)
                    return
            raise error
        finally:
            with self._order:
                self._refused -= 1
                over = not self._refused
                if over:
                    self._problem = None
            if over and not self._leaving.is_set():
                log.warning("the journal can be written again")
