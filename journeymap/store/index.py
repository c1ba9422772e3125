"""The index: a table beside the records, in the same database and the same transactions, that answers which journeys.

It is derived: each of its rows says of one record what lists, counts and retention ask for. A rowid table, so that a
full-text table (FTS5 trigram, for the substring search over a million customers) can be laid over it by rowid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from journeymap.errors import InputError
from journeymap.model.change import JourneyRecord
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store.base import Query
from journeymap.store.codec import JOURNEY, key_of

SCHEMA: Final = (
    (
        "CREATE TABLE IF NOT EXISTS JourneyIndex ("
        " id INTEGER PRIMARY KEY,"
        " journey_id TEXT NOT NULL UNIQUE,"
        " key TEXT NOT NULL,"
        " customer TEXT NOT NULL,"
        " folded TEXT NOT NULL,"
        " channels TEXT NOT NULL,"
        " started_at INTEGER NOT NULL,"
        " first_event_at INTEGER NOT NULL,"
        " last_event_at INTEGER NOT NULL,"
        " closed_from INTEGER NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS JourneyIndex_customer ON JourneyIndex (customer)",
    "CREATE INDEX IF NOT EXISTS JourneyIndex_last_event_at ON JourneyIndex (last_event_at, journey_id)",
    "CREATE INDEX IF NOT EXISTS JourneyIndex_started_at ON JourneyIndex (started_at, journey_id)",
    "CREATE INDEX IF NOT EXISTS JourneyIndex_closed_from ON JourneyIndex (closed_from)",
)

# Most changes of a journey are events at its end, which move two of the indexed columns. An upsert that names all
# columns rewrites all five indexes whatever changed, so the usual case has a statement of its own.
MOVE: Final = (
    "UPDATE JourneyIndex SET last_event_at = ?, closed_from = ? WHERE journey_id = ? AND customer = ? AND channels = ?"
    " AND started_at = ? AND first_event_at = ?"
)
UPSERT: Final = (
    "INSERT INTO JourneyIndex"
    " (journey_id, key, customer, folded, channels, started_at, first_event_at, last_event_at, closed_from)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (journey_id) DO UPDATE SET"
    " customer = excluded.customer, folded = excluded.folded, channels = excluded.channels,"
    " started_at = excluded.started_at, first_event_at = excluded.first_event_at,"
    " last_event_at = excluded.last_event_at, closed_from = excluded.closed_from"
)
DELETE: Final = "DELETE FROM JourneyIndex WHERE journey_id = ?"
SPANS: Final = (
    "SELECT customer, journey_id, first_event_at, last_event_at FROM JourneyIndex WHERE customer IN (%s)"
    " ORDER BY first_event_at, journey_id"
)
COUNT: Final = "SELECT count(*) FROM JourneyIndex"
COUNT_OPEN: Final = "SELECT count(*) FROM JourneyIndex WHERE closed_from > ?"

# Two ranges of two indexes. With OR in their place SQLite walks the whole table when few journeys are active.
ACTIVE: Final = (
    "SELECT c.key, c.raw, c.mode, c.filename, c.value FROM ("
    " SELECT * FROM (SELECT key, last_event_at, journey_id FROM JourneyIndex INDEXED BY JourneyIndex_last_event_at"
    "  WHERE last_event_at >= :since ORDER BY last_event_at DESC, journey_id DESC LIMIT :limit)"
    " UNION ALL"
    " SELECT * FROM (SELECT key, last_event_at, journey_id FROM JourneyIndex INDEXED BY JourneyIndex_closed_from"
    "  WHERE closed_from > :since AND last_event_at < :since ORDER BY last_event_at DESC, journey_id DESC LIMIT :limit)"
    " ORDER BY last_event_at DESC, journey_id DESC LIMIT :limit"
    ") AS i LEFT JOIN Cache AS c ON c.key = i.key AND c.raw = 1"
)

_SELECT: Final = (
    "SELECT c.key, c.raw, c.mode, c.filename, c.value FROM ("
    " SELECT key, {column} AS place, journey_id FROM JourneyIndex INDEXED BY JourneyIndex_{index}"
    " WHERE {where} ORDER BY {column} {way}, journey_id {way} LIMIT ?"
    ") AS i LEFT JOIN Cache AS c ON c.key = i.key AND c.raw = 1 ORDER BY i.place {way}, i.journey_id {way}"
)

_LARGEST: Final = 2**63 - 1


def bounded(number: int) -> int:
    """The number, or the nearest that SQLite can hold: questions come from outside."""
    return max(-_LARGEST, min(_LARGEST, number))


def is_text(text: str) -> bool:
    """Whether text can be asked for at all: what has lone surrogates is never stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def channels_of(row: JourneyRow) -> str:
    """The channels as the index keeps them, between bars: `|chat|voice|`. Names are quoted, so none has a bar."""
    return _spelled(frozenset([part.channel for part in row.interactions]))


@lru_cache(maxsize=1024)
def _spelled(channels: frozenset[str]) -> str:
    return "|" + "".join(f"{quote(name, safe='')}|" for name in sorted(channels))


def upsert_values(record: JourneyRecord) -> tuple[str | int, ...]:
    """A record's values for `UPSERT`."""
    return (
        record.journey_id,
        key_of(JOURNEY, record.journey_id),
        record.customer_id,
        record.customer_id.casefold(),
        channels_of(record.row),
        record.row.started_at,
        record.first_event_at,
        record.last_event_at,
        record.closed_from,
    )


def move_values(values: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The same values for `MOVE`."""
    journey_id, _, customer, _, channels, started_at, first_event_at, last_event_at, closed_from = values
    return (last_event_at, closed_from, journey_id, customer, channels, started_at, first_event_at)


def evictable(now: Millis, last_event_before: Millis | None, limit: int) -> tuple[str, list[str | int]]:
    """Statement and arguments for the ids of journeys that may go."""
    # The index is named because the planner would take that on closed_from and sort nearly the whole table.
    statement = "SELECT journey_id FROM JourneyIndex INDEXED BY JourneyIndex_last_event_at WHERE closed_from <= ?"
    values: list[str | int] = [bounded(now)]
    if last_event_before is not None:
        statement += " AND last_event_at < ?"
        values.append(bounded(last_event_before))
    values.append(max(0, bounded(limit)))
    return f"{statement} ORDER BY last_event_at, journey_id LIMIT ?", values


def check_order(query: Query) -> str:
    """The column to order by; raises `InputError` for an unknown one."""
    if query.order not in {"last_event_at", "started_at"}:
        raise InputError(f"order must be last_event_at or started_at, not {query.order!r}")
    return query.order


def select(query: Query) -> tuple[str, list[str | int]] | None:
    """Statement and arguments for `query`; None if nothing that is stored can match."""
    column = check_order(query)
    conditions: list[str] = []
    values: list[str | int] = []
    if query.customer:
        if not is_text(query.customer):
            return None
        # instr, not LIKE: nothing to escape, and it looks past a NUL. A full-text table would narrow the rows first.
        conditions.append("instr(folded, ?) > 0")
        values.append(query.customer.casefold())
    if query.channels:
        names = [quote(name, safe="") for name in sorted(query.channels) if is_text(name)]
        conditions.append(" OR ".join(["instr(channels, ?) > 0"] * len(names)) or "0")
        values.extend(f"|{name}|" for name in names)
    for condition, bound in (
        ("last_event_at >= ?", query.start),
        ("first_event_at < ?", query.end),
        ("closed_from > ?", query.open_at),
        ("closed_from <= ?", query.closed_at),
    ):
        if bound is not None:
            conditions.append(condition)
            values.append(bounded(bound))
    if query.after is not None:
        value, journey_id = query.after
        if not is_text(journey_id):
            return None
        conditions.append(f"({column}, journey_id) {'<' if query.descending else '>'} (?, ?)")
        values.extend((bounded(value), journey_id))
    # Few journeys are open at any time, so that question starts from them; every other goes along the order asked for
    # and stops at the limit.
    index = "closed_from" if query.open_at is not None else column
    way = "DESC" if query.descending else "ASC"
    where = " AND ".join(f"({condition})" for condition in conditions) or "1"
    values.append(max(0, bounded(query.limit)))
    # Only column names and operators from this module stand in the statement, everything from outside is an argument.
    return _SELECT.format(column=column, index=index, way=way, where=where), values
