"""The platform's books: what was sent and what clients have acknowledged, counted and, where asked, logged."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Final

from journeymap.simulator.told import Told

_COUNTED_IDS: Final = 500_000


class Ledger:
    """Counts of events, each copy of one included, and the files that they are appended to, a line of JSON an event.

    `keeps` holds on to what was acknowledged, for tests.
    """

    def __init__(self, sent_log: Path | None, acknowledged_log: Path | None, keeps: bool) -> None:
        self.acknowledged_events: list[bytes] = []
        self._sent = _Book(sent_log)
        self._acknowledged = _Book(acknowledged_log)
        self._keeps = keeps
        self._by_type: Counter[str] = Counter()
        self._ids: set[int] = set()

    def sent(self, events: Sequence[Told]) -> None:
        """These events were handed to a socket."""
        self._sent.add(events)
        for told in events:
            self._by_type[told.type] += 1
            if len(self._ids) < _COUNTED_IDS:
                self._ids.add(hash(told.event_id))

    def acknowledged(self, events: Sequence[Told]) -> None:
        """A client has received these events for certain."""
        self._acknowledged.add(events)
        if self._keeps:
            self.acknowledged_events += [told.data for told in events]

    @contextlib.contextmanager
    def logs(self) -> Iterator[None]:
        """Keep the files open. They are without buffer: after `write` the lines are there, whatever becomes of us."""
        with self._sent.opened(), self._acknowledged.opened():
            yield

    def write(self) -> None:
        """Write what there is to log."""
        self._sent.write()
        self._acknowledged.write()

    def stats(self) -> dict[str, object]:
        """The counts. Above 500,000 distinct ids `distinctEventIds` stops and is not exact."""
        return {
            "sent": self._sent.count,
            "acknowledged": self._acknowledged.count,
            "sentByType": dict(sorted(self._by_type.items())),
            "distinctEventIds": len(self._ids),
            "distinctExact": len(self._ids) < _COUNTED_IDS,
        }


class _Book:
    def __init__(self, path: Path | None) -> None:
        self.count = 0
        self._path = path
        self._file: FileIO | None = None
        self._lines: list[bytes] = []

    def add(self, events: Sequence[Told]) -> None:
        self.count += len(events)
        if self._path is not None:
            self._lines += [told.data + b"\n" for told in events]

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        if self._path is None:
            yield
            return
        with self._path.open("ab", buffering=0) as self._file:
            yield

    def write(self) -> None:
        if self._file is not None and self._lines:
            self._file.write(b"".join(self._lines))
            self._lines.clear()
