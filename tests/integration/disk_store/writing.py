"""Commits for stores on disk."""

from __future__ import annotations

from pathlib import Path

from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.store.base import Commit
from journeymap.store.disk import DiskStore, open_disk_store


def opened(path: Path, *, source: str = "s", environment: str = "e") -> DiskStore:
    return open_disk_store(path, source=source, environment=environment, now=1)


def record(name: str, last: int, tail: bytes = b"{}") -> JourneyRecord:
    part = InteractionRow("i", "voice", "ACTIVE", 1, last, None, None, None, None, ())
    return JourneyRecord(
        name, "C", 1, last, last + 9, JourneyRow(name, "C", 1, last, last, 1, 1, 0, (part,), ()), (), (tail,)
    )


def numbered(number: int, size: int = 3, tail: bytes = b"{}") -> Commit:
    """A commit whose every part says which one it was."""
    records = [record(f"j-{place}", number, tail) for place in range(size)]
    return Commit(number, RowChanges([one.row for one in records]), Changes(journeys=records), {"s": number})
