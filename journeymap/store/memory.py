"""The store in memory: for tests and small tools. It keeps the port's promises, except that nothing outlives it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from journeymap.errors import StoreCorruptError
from journeymap.model.change import Changes, JourneyRecord, KeyRecord, Span, TokenRecord
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store.base import BATCHES_KEPT, Batch, Commit, Query, Snapshot
from journeymap.store.commands import COMMANDS_KEPT, check_command
from journeymap.store.index import check_order
from journeymap.store.overlay import overlaid, pending

if TYPE_CHECKING:
    from journeymap.store.base import CommandBox, Store


class MemoryStore:
    """A `Store` and its `CommandBox` in dictionaries, for any number of threads."""

    def __init__(self, folded_with: Fingerprint | None = None) -> None:
        self._folded_with = () if folded_with is None else (folded_with,)
        self._lock = threading.RLock()
        self._head = 0
        self._checkpoint = 0
        self._batches: deque[Batch] = deque()
        self._records: dict[str, JourneyRecord] = {}
        self._chunks: dict[str, tuple[bytes, ...]] = {}
        self._pointers: dict[str, str] = {}
        self._tokens: dict[str, TokenRecord] = {}
        self._keys: dict[str, KeyRecord] = {}
        self._identity: dict[str, bytes] = {}
        self._positions: dict[str, int] = {}
        self._documents: dict[str, bytes] = {}
        self._commands: deque[str] = deque(maxlen=COMMANDS_KEPT)

    def head(self) -> int:
        """See `StoreReader`."""
        return self._head

    def batches(self, after: int) -> Sequence[Batch] | None:
        """See `StoreReader`."""
        after = max(0, after)
        with self._lock:
            oldest = self._batches[0].number if self._batches else self._head + 1
            if after > self._head or after + 1 < oldest:
                return None
            return [_own(batch) for batch in self._batches if batch.number > after]

    def snapshot(self, active_since: Millis, limit: int) -> Snapshot:
        """See `StoreReader`."""
        with self._lock:
            changes = pending(batch for batch in self._batches if batch.number > self._checkpoint)
            rows = [
                record.row
                for record in self._records.values()
                if record.closed_from > active_since or record.last_event_at >= active_since
            ]
            return Snapshot(self._head, overlaid(rows, changes, active_since, limit))

    def find(self, journey_id: str) -> JourneyRecord | None:
        """See `StoreReader`."""
        with self._lock:
            record = self._records.get(journey_id)
            return record or self._records.get(self._pointers.get(journey_id, ""))

    def find_many(self, journey_ids: Iterable[str]) -> dict[str, JourneyRecord]:
        """See `StoreReader`."""
        with self._lock:
            found = {journey_id: self.find(journey_id) for journey_id in journey_ids}
        return {journey_id: record for journey_id, record in found.items() if record is not None}

    def chunks(self, names: Sequence[str]) -> list[tuple[bytes, ...]]:
        """See `StoreReader`."""
        with self._lock:
            for name in names:
                if name not in self._chunks:
                    raise StoreCorruptError(f"the events {name!r} are missing")
            return [self._chunks[name] for name in names]

    def spans(self, customer_id: str) -> Sequence[Span]:
        """See `StoreReader`."""
        return self.spans_of((customer_id,)).get(customer_id, [])

    def spans_of(self, customer_ids: Iterable[str]) -> dict[str, list[Span]]:
        """See `StoreReader`."""
        customers = set(customer_ids)
        spans: dict[str, list[Span]] = {}
        with self._lock:
            for record in self._records.values():
                if record.customer_id in customers:
                    span = Span(record.journey_id, record.first_event_at, record.last_event_at)
                    spans.setdefault(record.customer_id, []).append(span)
        for found in spans.values():
            found.sort(key=lambda span: (span.start, span.journey_id))
        return spans

    def token(self, session_token: str) -> TokenRecord | None:
        """See `StoreReader`."""
        return self.tokens((session_token,)).get(session_token)

    def tokens(self, session_tokens: Iterable[str]) -> dict[str, TokenRecord]:
        """See `StoreReader`."""
        with self._lock:
            return {token: _own_token(self._tokens[token]) for token in session_tokens if token in self._tokens}

    def keys(self, keys: Iterable[str]) -> dict[str, KeyRecord]:
        """See `StoreReader`."""
        with self._lock:
            return {key: _own_key(self._keys[key]) for key in keys if key in self._keys}

    def key_records(self) -> Iterator[KeyRecord]:
        """See `StoreReader`."""
        with self._lock:
            return iter([_own_key(record) for record in self._keys.values()])

    def identity(self) -> Mapping[str, bytes]:
        """See `StoreReader`."""
        with self._lock:
            return dict(self._identity)

    def query(self, query: Query) -> Sequence[JourneyRow]:
        """See `StoreReader`."""
        by_start = check_order(query) == "started_at"

        def place(record: JourneyRecord) -> tuple[Millis, str]:
            return (record.row.started_at if by_start else record.last_event_at, record.journey_id)

        with self._lock:
            records = [record for record in self._records.values() if _matches(record, query)]
        records.sort(key=place, reverse=query.descending)
        if query.after is not None:
            after = query.after
            records = [
                record for record in records if (place(record) < after if query.descending else place(record) > after)
            ]
        return [record.row for record in records[: max(0, query.limit)]]

    def count(self, open_at: Millis | None = None) -> int:
        """See `StoreReader`."""
        with self._lock:
            return sum(open_at is None or record.closed_from > open_at for record in self._records.values())

    def evictable(self, now: Millis, last_event_before: Millis | None, limit: int) -> Sequence[str]:
        """See `StoreReader`."""
        with self._lock:
            places = sorted(
                (record.last_event_at, record.journey_id)
                for record in self._records.values()
                if record.closed_from <= now and (last_event_before is None or record.last_event_at < last_event_before)
            )
        return [journey_id for _, journey_id in places[: max(0, limit)]]

    def positions(self) -> Mapping[str, int]:
        """See `StoreReader`."""
        with self._lock:
            return dict(self._positions)

    def document(self, name: str) -> bytes | None:
        """See `StoreReader`."""
        return self._documents.get(name)

    def fingerprints(self) -> Sequence[Fingerprint]:
        """See `StoreReader`."""
        return self._folded_with

    def size(self) -> int:
        """The bytes of the events: an estimate from below."""
        with self._lock:
            tails = sum(len(event) for record in self._records.values() for event in record.tail)
            return tails + sum(len(event) for chunk in self._chunks.values() for event in chunk)

    def close(self) -> None:
        """See `StoreReader`."""

    def commit(self, commit: Commit) -> int:
        """See `Store`."""
        with self._lock:
            if commit.changes is not None:
                self._delete(commit.changes)
                self._write(commit.changes)
            if commit.positions is not None:
                self._positions.update(commit.positions)
            if commit.rows:
                self._head += 1
                self._batches.append(_own(Batch(self._head, commit.now, commit.rows.rows, commit.rows.gone)))
            if commit.changes is not None:
                self._checkpoint = self._head
            while self._batches and self._batches[0].number <= min(self._head - BATCHES_KEPT, self._checkpoint):
                self._batches.popleft()
            return self._head

    def write_documents(self, documents: Mapping[str, bytes]) -> None:
        """See `Store`."""
        with self._lock:
            self._documents.update(documents)

    def leave_command(self, command: str) -> None:
        """See `CommandBox`."""
        check_command(command)
        with self._lock:
            self._commands.append(command)

    def take_commands(self) -> Sequence[str]:
        """See `Store`."""
        with self._lock:
            commands = list(self._commands)
            self._commands.clear()
        return commands

    def _delete(self, changes: Changes) -> None:
        _forget(self._records, changes.delete_journeys)
        _forget(self._chunks, changes.delete_chunks)
        _forget(self._pointers, changes.delete_pointers)
        _forget(self._tokens, changes.delete_tokens)
        _forget(self._keys, changes.delete_keys)
        _forget(self._identity, changes.delete_identity)

    def _write(self, changes: Changes) -> None:
        self._records.update((record.journey_id, record) for record in changes.journeys)
        self._chunks.update(changes.chunks)
        self._pointers.update(changes.pointers)
        self._tokens.update((token.session_token, _own_token(token)) for token in changes.tokens)
        self._keys.update((record.key, _own_key(record)) for record in changes.keys)
        self._identity.update(changes.identity)


def _forget(kept: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        kept.pop(name, None)


def _own(batch: Batch) -> Batch:
    return Batch(batch.number, batch.committed_at, list(batch.rows), dict(batch.gone))


def _own_token(token: TokenRecord) -> TokenRecord:
    return TokenRecord(token.session_token, dict(token.evidence))


def _own_key(record: KeyRecord) -> KeyRecord:
    return msgspec.structs.replace(record, carriers=dict(record.carriers))


def _matches(record: JourneyRecord, query: Query) -> bool:
    channels = {part.channel for part in record.row.interactions}
    return (
        (not query.customer or query.customer.casefold() in record.customer_id.casefold())
        and (not query.channels or not channels.isdisjoint(query.channels))
        and (query.start is None or record.last_event_at >= query.start)
        and (query.end is None or record.first_event_at < query.end)
        and (query.open_at is None or record.closed_from > query.open_at)
        and (query.closed_at is None or record.closed_from <= query.closed_at)
    )


if TYPE_CHECKING:

    def _fits(store: MemoryStore) -> tuple[Store, CommandBox]:
        return store, store
