"""HTTP connections to one server, so many at a time, for whatever thread needs one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from journeymap.errors import TransientSourceError
from journeymap.source.transport import HttpClient

GIVEN_UP = "given up"


class Lines:
    """Lends a client to one thread at a time. `make` makes one; at most `most` are made, of which one is kept free for what is
    urgent."""

    def __init__(self, make: Callable[[], HttpClient], most: int) -> None:
        self._make = make
        self._most = most
        self._changed = threading.Condition()
        self._all: list[HttpClient] = []
        self._free: list[HttpClient] = []
        self._aborted = False

    @contextmanager
    def one(self, urgent: bool) -> Iterator[HttpClient]:
        """A client for as long as this lasts. Raises `TransientSourceError` after `abort`."""
        line = self._borrow(urgent)
        try:
            yield line
        finally:
            with self._changed:
                if self._aborted:
                    line.close()
                else:
                    self._free.append(line)
                self._changed.notify_all()

    def _borrow(self, urgent: bool) -> HttpClient:
        with self._changed:
            while True:
                if self._aborted:
                    raise TransientSourceError(GIVEN_UP)
                lent = len(self._all) - len(self._free)
                if lent < (self._most if urgent else max(1, self._most - 1)):
                    if not self._free:
                        self._free.append(self._make())
                        self._all.append(self._free[-1])
                    return self._free.pop()
                self._changed.wait()

    def abort(self) -> None:
        """End what is under way, and lend no more."""
        with self._changed:
            self._aborted = True
            for line in self._all:
                line.abort()
            for line in self._free:
                line.close()
            self._free.clear()
            self._changed.notify_all()
