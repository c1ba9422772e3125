"""Reading a store on disk, from any process and any thread, while another process writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from journeymap.errors import StoreCorruptError, StoreMismatchError
from journeymap.model.change import JourneyRecord, KeyRecord, Span, TokenRecord
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.origin import difference
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store import codec, index
from journeymap.store.base import SCHEMA_VERSION, Batch, Query, Snapshot
from journeymap.store.cache import DATABASE
from journeymap.store.commands import CommandFiles
from journeymap.store.connections import ReadConnections
from journeymap.store.faults import corrupt, mapped
from journeymap.store.migrations import STEPS
from journeymap.store.overlay import overlaid, pending
from journeymap.store.safe_disk import SafeDisk

KEYS_AT_ONCE: Final = 500
ONE: Final = "SELECT key, raw, mode, filename, value FROM Cache WHERE key = ? AND raw = 1"
_MANY: Final = "SELECT key, raw, mode, filename, value FROM Cache WHERE raw = 1 AND key IN (%s)"
_RANGE: Final = "SELECT key, raw, mode, filename, value FROM Cache WHERE key >= ? AND key < ? ORDER BY key"
_DISK: Final = SafeDisk("")
_NO_HEAD: Final = codec.Head(0, 0, 1)


class DiskReader:
    """Read access to the store in a directory (`StoreReader`), and its command box. Never writes to the database.

    The store may not exist yet: it then reads as an empty one until its writer has made it. `source` and `environment`
    are checked against the store's where they are given.
    """

    def __init__(self, path: Path, *, source: str | None = None, environment: str | None = None) -> None:
        self.path = path.absolute()
        self._source = source
        self._environment = environment
        self._connections = ReadConnections(self.path / DATABASE, self._is_there)
        self._commands = CommandFiles(self.path / "commands")

    def head(self) -> int:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            return self._head(connection).number

    def batches(self, after: int) -> Sequence[Batch] | None:
        """See `StoreReader`."""
        with self._reading() as connection:
            head = self._head(connection)
            after = max(0, after)
            if after > head.number or after + 1 < head.oldest:
                return None
            return self._batches(connection, after, head.number)

    def snapshot(self, active_since: Millis, limit: int) -> Snapshot:
        """See `StoreReader`."""
        with self._reading() as connection:
            head = self._head(connection)
            changes = pending(self._batches(connection, head.checkpoint, head.number))
            values = {"since": index.bounded(active_since), "limit": max(0, limit) + len(changes)}
            rows = self._rows(connection.execute(index.ACTIVE, values))
            return Snapshot(head.number, overlaid(rows, changes, active_since, limit))

    def find(self, journey_id: str) -> JourneyRecord | None:
        """See `StoreReader`."""
        return self.find_many((journey_id,)).get(journey_id)

    def find_many(self, journey_ids: Iterable[str]) -> dict[str, JourneyRecord]:
        """See `StoreReader`."""
        ids = dict.fromkeys(journey_ids)
        with self._reading() as connection:
            records = self._many(connection, codec.JOURNEY, ids, codec.RECORD)
            missing = [journey_id for journey_id in ids if journey_id not in records]
            if missing:
                pointers = self._many(connection, codec.POINTER, missing, codec.POINTED)
                targets = self._many(connection, codec.JOURNEY, dict.fromkeys(pointers.values()), codec.RECORD)
                records |= {member: targets[target] for member, target in pointers.items() if target in targets}
        return records

    def chunks(self, names: Sequence[str]) -> list[tuple[bytes, ...]]:
        """See `StoreReader`. A missing chunk is a `StoreCorruptError`, unless the names are of a record that has been
        written anew since: whoever reads while another process writes asks for the record again first."""
        with self._reading() as connection:
            chunks = self._many(connection, codec.CHUNK, names, codec.CHUNK_EVENTS)
        for name in names:
            if name not in chunks:
                raise corrupt(self.path, f"the events {codec.key_of(codec.CHUNK, name)!r} are missing")
        return [chunks[name] for name in names]

    def spans(self, customer_id: str) -> Sequence[Span]:
        """See `StoreReader`."""
        return self.spans_of((customer_id,)).get(customer_id, [])

    def spans_of(self, customer_ids: Iterable[str]) -> dict[str, list[Span]]:
        """See `StoreReader`."""
        customers = [customer for customer in dict.fromkeys(customer_ids) if index.is_text(customer)]
        spans: dict[str, list[Span]] = {}
        with self._reading() as connection:
            for part in _parts(customers):
                for customer, *span in connection.execute(index.SPANS % ",".join("?" * len(part)), part):
                    spans.setdefault(customer, []).append(Span(*span))
        return spans

    def token(self, session_token: str) -> TokenRecord | None:
        """See `StoreReader`."""
        return self.tokens((session_token,)).get(session_token)

    def tokens(self, session_tokens: Iterable[str]) -> dict[str, TokenRecord]:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            return self._many(connection, codec.TOKEN, session_tokens, codec.TOKEN_RECORD)

    def keys(self, keys: Iterable[str]) -> dict[str, KeyRecord]:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            return self._many(connection, codec.KEY, keys, codec.KEY_RECORD)

    def key_records(self) -> Iterator[KeyRecord]:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            for row in connection.execute(_RANGE, (codec.KEY, chr(ord(codec.KEY) + 1))):
                key, value = entry(row)
                yield codec.decode(codec.KEY_RECORD, key, value)

    def identity(self) -> Mapping[str, bytes]:
        """See `StoreReader`."""
        start, end = codec.IDENTITY, chr(ord(codec.IDENTITY) + 1)
        with self._reading(transaction=False) as connection:
            rows = connection.execute(_RANGE, (start, end))
            return dict(codec.identity_event(key, value) for key, value in map(entry, rows))

    def query(self, query: Query) -> Sequence[JourneyRow]:
        """See `StoreReader`."""
        selected = index.select(query)
        if selected is None:
            return []
        with self._reading(transaction=False) as connection:
            return self._rows(connection.execute(*selected))

    def count(self, open_at: Millis | None = None) -> int:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            if open_at is None:
                return int(connection.execute(index.COUNT).fetchone()[0])
            return int(connection.execute(index.COUNT_OPEN, (index.bounded(open_at),)).fetchone()[0])

    def evictable(self, now: Millis, last_event_before: Millis | None, limit: int) -> Sequence[str]:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            return [row[0] for row in connection.execute(*index.evictable(now, last_event_before, limit))]

    def positions(self) -> Mapping[str, int]:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            return self._read_positions(connection)

    def document(self, name: str) -> bytes | None:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            return self._read(connection, codec.key_of(codec.DOCUMENT, name))

    def fingerprints(self) -> Sequence[Fingerprint]:
        """See `StoreReader`."""
        with self._reading(transaction=False) as connection:
            meta = self._read_as(connection, codec.META_KEY, codec.META)
        return () if meta is None else meta.folded_with

    def size(self) -> int:
        """See `StoreReader`."""
        total = 0
        with mapped(self.path):
            for ending in ("", "-wal", "-shm"):
                try:
                    total += (self.path / (DATABASE + ending)).stat().st_size
                except FileNotFoundError:
                    continue
        return total

    def leave_command(self, command: str) -> None:
        """See `CommandBox`. Needs the store to be there."""
        self._commands.leave(command)

    def close(self) -> None:
        """See `StoreReader`."""
        self._connections.close()

    @contextmanager
    def _reading(self, *, transaction: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection; with `transaction`, all reads on it see one moment, as a single statement always does."""
        with mapped(self.path), self._connections.borrow() as connection:
            if transaction:
                connection.execute("BEGIN")
            yield connection
            if transaction:
                connection.execute("COMMIT")

    def _is_there(self, connection: sqlite3.Connection) -> bool:
        """Whether there is a store in this database; raises `StoreMismatchError` if it is not the one meant."""
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'JourneyIndex'").fetchone()
        data = self._read(connection, codec.META_KEY) if known else None
        if data is None:
            return False
        check_meta(self.path, data, self._source, self._environment)
        return True

    def _read(self, connection: sqlite3.Connection, key: str) -> bytes | None:
        row = connection.execute(ONE, (key,)).fetchone()
        return None if row is None else entry(row)[1]

    def _read_as(
        self, connection: sqlite3.Connection, key: str, decoder: msgspec.msgpack.Decoder[codec.T]
    ) -> codec.T | None:
        data = self._read(connection, key)
        return None if data is None else codec.decode(decoder, key, data)

    def _read_positions(self, connection: sqlite3.Connection) -> dict[str, int]:
        positions = self._read_as(connection, codec.POSITIONS_KEY, codec.POSITIONS)
        return {} if positions is None else positions

    def _many(
        self,
        connection: sqlite3.Connection,
        kind: str,
        names: Iterable[str],
        decoder: msgspec.msgpack.Decoder[codec.T],
    ) -> dict[str, codec.T]:
        """What is there of `names`, by name."""
        keys = {codec.key_of(kind, name): name for name in names}
        found = {}
        for part in _parts(list(keys)):
            for row in connection.execute(_MANY % ",".join("?" * len(part)), part):
                key, value = entry(row)
                found[keys[key]] = codec.decode(decoder, key, value)
        return found

    def _rows(self, rows: Iterable[tuple[Any, ...]]) -> list[JourneyRow]:
        answer = []
        for row in rows:
            if row[0] is None:
                raise corrupt(self.path, "the index names a journey that has no record")
            key, value = entry(row)
            answer.append(codec.decode(codec.RECORD_ROW, key, value).row)
        return answer

    def _head(self, connection: sqlite3.Connection) -> codec.Head:
        return self._read_as(connection, codec.HEAD_KEY, codec.HEAD) or _NO_HEAD

    def _batches(self, connection: sqlite3.Connection, after: int, head: int) -> list[Batch]:
        rows = connection.execute(_RANGE, (codec.batch_key(after + 1), codec.batch_key(head + 1)))
        batches = [codec.decode(codec.BATCH_ROWS, key, value) for key, value in map(entry, rows)]
        if [batch.number for batch in batches] != list(range(after + 1, head + 1)):
            raise corrupt(self.path, f"batches between {after} and {head} are missing")
        return batches


def _parts(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), KEYS_AT_ONCE):
        yield names[start : start + KEYS_AT_ONCE]


def entry(row: tuple[Any, ...]) -> tuple[str, bytes]:
    """Key and value of a row of the cache; raises `StoreCorruptError` if it is not one of ours."""
    key, raw, mode, filename, value = row
    name = _DISK.get(key, raw)
    try:
        return name, _DISK.fetch(mode, filename, value, False)
    except StoreCorruptError as error:
        raise StoreCorruptError(f"entry {name!r}: {error}") from error


def check_meta(
    path: Path, data: bytes, source: str | None, environment: str | None, *, oldest: int = SCHEMA_VERSION
) -> codec.Meta:
    """The store's `meta`; raises `StoreMismatchError` if it is of another source or environment, of a version older than
    `oldest`, or of a newer one than today's."""
    version = codec.decode(codec.SCHEMA, codec.META_KEY, data).schema_version
    if not oldest <= version <= SCHEMA_VERSION:
        migratable = min(STEPS) <= version < SCHEMA_VERSION
        remedy = (
            "start ingest to migrate it"
            if migratable
            else "run the Journeymap it was made with, or choose another STORE"
        )
        raise StoreMismatchError(
            f"the store in {path} has schema version {version}, this Journeymap needs {SCHEMA_VERSION}: {remedy}"
        )
    meta = codec.decode(codec.META, codec.META_KEY, data)
    wrong = difference(meta.source, meta.environment, source, environment)
    if wrong is not None:
        raise StoreMismatchError(
            f"the store in {path} belongs to {wrong.what} {wrong.found!r}, not to {wrong.wanted!r}: choose another STORE, or "
            f"set the {wrong.what} that the store belongs to"
        )
    return meta
