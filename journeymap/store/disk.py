"""The store on disk: diskcache with bytes only, and an index table beside it in the same transactions.

Layout of the cache: `j:<journey>` records, `e:<chunk>` sealed events, `p:<journey>` pointers, `t:<token>`,
`x:<event>` identity events, `b:<number>` batches, `d:<name>` documents, and `head`, `positions`, `meta`. Files
beside the database: `writer.lock` and `replacement.lock`, with their holders (lock.py), `commands/` (commands.py), `rebuild-…`
(workplace.py), and `store.txt`, which says to
people what the directory is and to us that the database was in use before.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from journeymap.errors import StoreCorruptError, StoreError
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.time import Millis
from journeymap.store import codec, index
from journeymap.store.base import BATCHES_KEPT, SCHEMA_VERSION, Commit
from journeymap.store.cache import DATABASE, OneConnectionCache, check_settings
from journeymap.store.checkpointer import Checkpointer
from journeymap.store.connections import BUSY_SECONDS
from journeymap.store.faults import corrupt, mapped
from journeymap.store.lock import StoreLock, writer_lock
from journeymap.store.migrations import STEPS, migrate
from journeymap.store.reader import ONE, DiskReader, check_meta, entry
from journeymap.store.workplace import clear_workplaces

if TYPE_CHECKING:
    from journeymap.store.base import CommandBox, Store

log = logging.getLogger(__name__)

MARK: Final = "store.txt"

BATCH_BYTES_KEPT: Final = 64 << 20
"""Batches kept for readers take up at most about this much: a reader that needs more takes a snapshot."""

_PUT: Final = (
    "INSERT INTO Cache (key, raw, store_time, access_time, access_count, size, mode, filename, value)"
    " VALUES (?, 1, ?, 0, 0, 0, 1, NULL, ?) ON CONFLICT (key, raw) DO UPDATE SET"
    " store_time = excluded.store_time, mode = 1, filename = NULL, value = excluded.value"
)
_DELETE: Final = "DELETE FROM Cache WHERE key = ? AND raw = 1"
_NOTE: Final = (
    "This directory holds a Journeymap store. Its files belong together: copy, move or delete them all at once.\n"
)
_FINGERPRINTS_KEPT: Final = 8
_OWN_FOLDERS: Final = frozenset({"journal", "simulated", "quarantine"})


class DiskStore(DiskReader):
    """The store in a directory, open for writing (`Store`). `open_disk_store` makes it and takes the lock for it."""

    def __init__(
        self, path: Path, *, source: str, environment: str, cache: OneConnectionCache, lock: StoreLock
    ) -> None:
        super().__init__(path, source=source, environment=environment)
        self._cache = cache
        self._writer_lock = lock
        self._writing_lock = threading.Lock()
        self._checkpointer = Checkpointer(self.path / DATABASE)
        self._is_closed = False
        with self._reading() as connection:
            self._newest = self._head(connection)
            self._positions = self._read_positions(connection)
            sizes = connection.execute(
                "SELECT key, length(value) FROM Cache WHERE key >= 'b:' AND key < 'b;' AND raw = 1 ORDER BY key"
            ).fetchall()
        with mapped(self.path):
            self._kept = deque((_number(key), size or 0) for key, size in sizes)
        self._kept_bytes = sum(size for _, size in self._kept)

    def commit(self, commit: Commit) -> int:
        """See `Store`."""
        with self._writing() as sql:
            # 1. What goes, so that what is written again afterwards stays.
            if commit.changes is not None:
                self._delete(sql, commit)
            # 2. Records, their events, and what leads to them; each row is spelled once for its record and the batch.
            rows = codec.RowEncoder(commit.rows.rows)
            entries = list(_entries(commit, rows))
            if commit.changes is not None:
                self._index(sql, commit)
            # 3. Up to where the journal need not be read again.
            positions = self._positions
            if commit.positions is not None:
                positions = positions | dict(commit.positions)
                entries.append((codec.POSITIONS_KEY, codec.encode(positions)))
            # 4. The batch, and the head that names it.
            number, batch = self._newest.number, b""
            if commit.rows:
                number += 1
                batch = rows.batch(number, commit.now, commit.rows.gone)
                entries.append((codec.batch_key(number), batch))
            checkpoint = self._newest.checkpoint if commit.changes is None else number
            gone = self._outdated(number, checkpoint, len(batch))
            kept = self._kept[len(gone)][0] if len(gone) < len(self._kept) else None
            head = codec.Head(number, checkpoint, kept or (number if batch else number + 1))
            if head != self._newest:
                entries.append((codec.HEAD_KEY, codec.encode(head)))
            sql.executemany(_DELETE, [(codec.batch_key(old),) for old, _ in gone])
            self._put(sql, entries, commit.now)
        # 5. Only now that it is committed, what is known of it here.
        self._remember(head, positions, len(gone), len(batch))
        self._checkpointer.committed()
        return number

    def write_documents(self, documents: Mapping[str, bytes]) -> None:
        """See `Store`."""
        with self._writing() as sql:
            self._put(sql, [(codec.key_of(codec.DOCUMENT, name), data) for name, data in documents.items()], 0)

    def take_commands(self) -> Sequence[str]:
        """See `Store`."""
        return self._commands.take()

    def close(self) -> None:
        """See `StoreReader`."""
        with self._writing_lock:
            if self._is_closed:
                return
            self._is_closed = True
            super().close()
            self._checkpointer.close()
            try:
                with mapped(self.path):
                    self._cache.close()
            finally:
                self._writer_lock.release()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the cache's own connection."""
        with self._writing_lock, mapped(self.path):
            if self._is_closed:
                raise sqlite3.ProgrammingError("it has been closed")
            # The cache's private connection: the index table must be written in the same transaction, and diskcache has
            # no way to write many entries at once (`set` asks, then writes, and reads the clock, for each).
            connection: sqlite3.Connection = self._cache._con  # noqa: SLF001
            try:
                with self._cache.transact():
                    yield connection
            except BaseException:
                # diskcache leaves a transaction open whose COMMIT failed.
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                raise

    def _put(self, sql: sqlite3.Connection, entries: Iterable[tuple[str, bytes]], now: Millis) -> None:
        # What SafeDisk.put and .store would answer is in the statement: text key, MODE_RAW, no file.
        sql.executemany(_PUT, [(key, now / 1000, value) for key, value in entries])

    def _delete(self, sql: sqlite3.Connection, commit: Commit) -> None:
        assert commit.changes is not None
        changes = commit.changes
        for kind, names in (
            (codec.JOURNEY, changes.delete_journeys),
            (codec.CHUNK, changes.delete_chunks),
            (codec.POINTER, changes.delete_pointers),
            (codec.TOKEN, changes.delete_tokens),
            (codec.KEY, changes.delete_keys),
            (codec.IDENTITY, changes.delete_identity),
        ):
            sql.executemany(_DELETE, [(codec.key_of(kind, name),) for name in names])
        sql.executemany(index.DELETE, [(journey_id,) for journey_id in changes.delete_journeys])

    def _index(self, sql: sqlite3.Connection, commit: Commit) -> None:
        assert commit.changes is not None
        new = []
        for record in commit.changes.journeys:
            values = index.upsert_values(record)
            if sql.execute(index.MOVE, index.move_values(values)).rowcount == 0:
                new.append(values)
        sql.executemany(index.UPSERT, new)

    def _outdated(self, number: int, checkpoint: int, new_bytes: int) -> list[tuple[int, int]]:
        """Batches that readers need not be given any more. What the records do not hold yet is always kept."""
        outdated = []
        total = self._kept_bytes + new_bytes
        for old, size in self._kept:
            too_many = old <= number - BATCHES_KEPT
            if old > checkpoint or not (too_many or total > BATCH_BYTES_KEPT):
                break
            outdated.append((old, size))
            total -= size
        return outdated

    def _remember(self, head: codec.Head, positions: dict[str, int], outdated: int, new_bytes: int) -> None:
        for _ in range(outdated):
            self._kept_bytes -= self._kept.popleft()[1]
        if head.number > self._newest.number:
            self._kept.append((head.number, new_bytes))
            self._kept_bytes += new_bytes
        self._newest = head
        self._positions = positions


def open_disk_store(
    path: Path, *, source: str, environment: str, now: Millis, folded_with: Fingerprint | None = None
) -> DiskStore:
    """Open the store in `path` for writing: an older one is migrated, and where there is none, it is made; `now` goes into
    the one made. `folded_with` says what its writer is going to fold journeys with; None where it will not.

    Raises `StoreLockedError` while another process writes to it, `StoreMismatchError` for one of a newer schema version,
    another source or environment, `StoreCorruptError`, `StoreFullError`, and `StoreError` where the directory is of no use.
    """
    path = path.absolute()
    prepare(path)
    lock = writer_lock(path)
    lock.acquire()
    cache: OneConnectionCache | None = None
    try:
        with mapped(path):
            clear_workplaces(path)
            meta = look(path, source, environment)
            if meta is not None and meta.schema_version < SCHEMA_VERSION:
                found = migrate(path / DATABASE)
                log.info("the store in %s was migrated from schema version %d to %d", path, found, SCHEMA_VERSION)
            cache = OneConnectionCache(path)
            if meta is None:
                meta = codec.Meta(SCHEMA_VERSION, source, environment, now)
                _found(path, cache, meta)
            if folded_with is not None and folded_with not in meta.folded_with:
                _note(cache, meta, folded_with)
            return DiskStore(path, source=source, environment=environment, cache=cache, lock=lock)
    except BaseException:
        if cache is not None:
            cache.close()
        lock.release()
        raise


def open_disk_reader(path: Path, *, source: str | None = None, environment: str | None = None) -> DiskReader:
    """Open the store in `path` for reading. It need not exist yet; errors of an existing one come from the reads."""
    return DiskReader(path, source=source, environment=environment)


def prepare(path: Path) -> None:
    """Make the directory of a store, closed to all other users; raises `StoreError` where it cannot be one."""
    if os.path.expandvars(path) != str(path):
        raise StoreError(f"a store's path must not contain the name of a variable: {path}")
    with mapped(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 == 0:
            return
        if is_of_others(path):
            raise StoreError(
                f"the directory {path} is open to other users (mode {mode:04o}) and holds other files: choose a "
                f"directory of its own for the store"
            )
        path.chmod(0o700)


def is_of_others(path: Path) -> bool:
    """Whether the directory is open to other users and not the store's alone: someone's home or a shared directory must
    not be shut because it was named as a store by mistake."""
    mode = stat.S_IMODE(path.stat().st_mode)
    others = {found.name for found in path.iterdir()} - _OWN_FOLDERS
    return mode & 0o077 != 0 and bool(mode & stat.S_ISVTX or (others and not others & {DATABASE, MARK}))


def look(path: Path, source: str, environment: str) -> codec.Meta | None:
    """Look at what is there without writing: whose store it is, None if none is in use yet. Raises `StoreMismatchError` if
    it is none of ours, `StoreCorruptError`, sqlite3.Error and OSError."""
    database = path / DATABASE
    marked = (path / MARK).exists()
    if not database.exists():
        if marked:
            raise corrupt(path, f"its database {DATABASE} is missing")
        return None
    with closing(_read_only(database)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "Settings" in tables:
            check_settings(connection.execute("SELECT key, value FROM Settings"))
        row = connection.execute(ONE, (codec.META_KEY,)).fetchone() if "Cache" in tables else None
        if row is not None:
            return check_meta(path, entry(row)[1], source, environment, oldest=min(STEPS))
        if marked or ("Cache" in tables and connection.execute("SELECT 1 FROM Cache").fetchone()):
            raise corrupt(path, f"its database {DATABASE} has lost what says whose it is")
    return None


def _read_only(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _found(path: Path, cache: OneConnectionCache, meta: codec.Meta) -> None:
    """Make the store: index and `meta` at once, then the note, when both are safely on the disk."""
    connection: sqlite3.Connection = cache._con  # noqa: SLF001 # see DiskStore._writing
    with cache.transact():
        for statement in index.SCHEMA:
            connection.execute(statement)
        connection.execute(_PUT, (codec.META_KEY, meta.created_at / 1000, codec.encode(meta)))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    mark(path)


def mark(path: Path) -> None:
    """Have the directory say what it is; from then on it must have its database."""
    (path / MARK).write_text(_NOTE)


def _note(cache: OneConnectionCache, meta: codec.Meta, folded_with: Fingerprint) -> None:
    """Have the store say that its writer folds with this from now on. That it did so once is never taken back, even if a
    later writer folds as the one before: only a rebuild makes all journeys by one fingerprint."""
    noted = msgspec.structs.replace(
        meta,
        schema_version=SCHEMA_VERSION,
        folded_with=(*meta.folded_with, folded_with)[-_FINGERPRINTS_KEPT:],
    )
    with cache.transact():
        cache._con.execute(_PUT, (codec.META_KEY, meta.created_at / 1000, codec.encode(noted)))  # noqa: SLF001 # see above


def _entries(commit: Commit, rows: codec.RowEncoder) -> Iterator[tuple[str, bytes]]:
    changes = commit.changes
    if changes is None:
        return
    for record in changes.journeys:
        yield codec.key_of(codec.JOURNEY, record.journey_id), rows.record(record)
    for name, events in changes.chunks.items():
        yield codec.key_of(codec.CHUNK, name), codec.encode(events)
    for member, target in changes.pointers.items():
        yield codec.key_of(codec.POINTER, member), codec.encode(target)
    for token in changes.tokens:
        yield codec.key_of(codec.TOKEN, token.session_token), codec.encode(token)
    for known in changes.keys:
        yield codec.key_of(codec.KEY, known.key), codec.encode(known)
    for event_id, raw in changes.identity.items():
        yield codec.key_of(codec.IDENTITY, event_id), codec.identity_value(event_id, raw)


def _number(key: object) -> int:
    digits = str(key)[2:]
    if not digits.isascii() or not digits.isdigit():
        raise StoreCorruptError(f"entry {key!r} is no batch")
    return int(digits)


if TYPE_CHECKING:

    def _fits(store: DiskStore) -> tuple[Store, CommandBox]:
        return store, store
