"""Batches that the records do not hold yet, laid over the records' rows. Pure; every store's `snapshot` uses it."""

from __future__ import annotations

from collections.abc import Iterable

from journeymap.model.journey import State
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store.base import Batch


def pending(batches: Iterable[Batch]) -> dict[str, JourneyRow | None]:
    """What `batches`, oldest first, add up to: the last form of each row, None where the journey is gone."""
    changes: dict[str, JourneyRow | None] = {}
    for batch in batches:
        changes.update(dict.fromkeys(batch.gone))
        changes.update((row.journey_id, row) for row in batch.rows)
    return changes


def overlaid(
    rows: Iterable[JourneyRow], changes: dict[str, JourneyRow | None], active_since: Millis, limit: int
) -> list[JourneyRow]:
    """The `limit` latest of `rows` with `changes` applied.

    `rows` must be the `limit + len(changes)` latest of the records, so that those that go are made up for.
    """
    by_id = {row.journey_id: row for row in rows}
    for journey_id, row in changes.items():
        if row is not None and _belongs(row, active_since):
            by_id[journey_id] = row
        else:
            by_id.pop(journey_id, None)
    latest = sorted(by_id.values(), key=lambda row: (row.last_event_at, row.journey_id), reverse=True)
    return latest[: max(0, limit)]


def _belongs(row: JourneyRow, active_since: Millis) -> bool:
    # A row does not say from when it reads CLOSED, so one that is not folded CLOSED counts as open. The few that
    # have timed out all the same do no harm: the reader reads time-outs off the clock anyway.
    return row.last_event_at >= active_since or any(part.state != State.CLOSED for part in row.interactions)
