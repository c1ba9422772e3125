"""Commits for stores: rows, records, and what a store is told of them."""

from __future__ import annotations

import msgspec

from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.store.base import Commit


def row(
    name: str, last: int = 1_000, *, customer: str = "C", state: str = "CLOSED", channel: str = "voice"
) -> JourneyRow:
    part = InteractionRow(f"i-{name}", channel, state, 500, last, None, None, None, None, (("wait", 500, None),))
    return JourneyRow(name, customer, 500, last, last, 1, 1, 0, (part,), ())


def record(
    name: str,
    last: int = 1_000,
    *,
    closed_from: int | None = None,
    customer: str = "C",
    channel: str = "voice",
    first: int = 500,
    started: int = 500,
) -> JourneyRecord:
    state = "CLOSED" if closed_from is None else "ACTIVE"
    shown = msgspec.structs.replace(
        row(name, last, customer=customer, state=state, channel=channel), started_at=started
    )
    return JourneyRecord(
        name, customer, first, last, last if closed_from is None else closed_from, shown, ("c1",), (b"{}",)
    )


def kept(*records: JourneyRecord, now: int = 1, rows: bool = True, **more: object) -> Commit:
    changes = Changes(journeys=list(records), **more)  # type: ignore[arg-type]
    return Commit(now, RowChanges([one.row for one in records] if rows else []), changes)


def shown(*rows: JourneyRow, now: int = 1, gone: dict[str, str | None] | None = None) -> Commit:
    return Commit(now, RowChanges(list(rows), gone or {}))


def ids(rows: object) -> list[str]:
    return [one.journey_id for one in rows]  # type: ignore[attr-defined]
